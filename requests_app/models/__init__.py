"""The tables of patients' requests."""

from requests_app.models.complaints import Complaint, ComplaintEvent
from requests_app.models.copies import BillSettlement, CopyBill
from requests_app.models.mail import LetterDelivery
from requests_app.models.package import PaperMove, RequestPaper, WithheldEnding, WithheldPassage
from requests_app.models.program import Policy, PolicyEnding, Sanction, Statement, Training
from requests_app.models.request import PatientRequest
from requests_app.models.timeline import Letter, RequestEvent

__all__ = [
    "BillSettlement",
    "Complaint",
    "ComplaintEvent",
    "CopyBill",
    "Letter",
    "LetterDelivery",
    "PaperMove",
    "PatientRequest",
    "Policy",
    "PolicyEnding",
    "RequestEvent",
    "RequestPaper",
    "Sanction",
    "Statement",
    "Training",
    "WithheldEnding",
    "WithheldPassage",
]
