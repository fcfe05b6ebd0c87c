"""The tables of patients' requests."""

from requests_app.models.access import Appointment, SummaryAgreement
from requests_app.models.complaints import Complaint, ComplaintEvent
from requests_app.models.copies import BillSettlement, CopyBill, CopySetAside
from requests_app.models.disputes import Disagreement, DisputedEntry, Rebuttal, TravelWish
from requests_app.models.looks import AccessReview
from requests_app.models.mail import LetterDelivery
from requests_app.models.package import PaperMove, RequestPaper, WithheldEnding, WithheldPassage
from requests_app.models.postage import PostagePrice
from requests_app.models.program import Policy, PolicyEnding, Sanction, Statement, Training
from requests_app.models.quotes import FeeAnswer, FeeQuote
from requests_app.models.request import PatientRequest
from requests_app.models.reviews import DenialReview, ReviewGiven, ReviewOutcome, ReviewReferral
from requests_app.models.telling import InboundAmendment, InboundAnswer, Recipient, Telling
from requests_app.models.timeline import Letter, RequestEvent

__all__ = [
    "AccessReview",
    "Appointment",
    "BillSettlement",
    "Complaint",
    "ComplaintEvent",
    "CopyBill",
    "CopySetAside",
    "DenialReview",
    "Disagreement",
    "DisputedEntry",
    "FeeAnswer",
    "FeeQuote",
    "InboundAmendment",
    "InboundAnswer",
    "Letter",
    "LetterDelivery",
    "PaperMove",
    "PatientRequest",
    "Policy",
    "PolicyEnding",
    "PostagePrice",
    "Rebuttal",
    "Recipient",
    "RequestEvent",
    "RequestPaper",
    "ReviewGiven",
    "ReviewOutcome",
    "ReviewReferral",
    "Sanction",
    "Statement",
    "SummaryAgreement",
    "Telling",
    "Training",
    "TravelWish",
    "WithheldEnding",
    "WithheldPassage",
]
