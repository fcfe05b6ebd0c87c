"""The tables of patients' requests."""

from requests_app.models.copies import BillSettlement, CopyBill
from requests_app.models.request import PatientRequest
from requests_app.models.timeline import Letter, RequestEvent

__all__ = ["BillSettlement", "CopyBill", "Letter", "PatientRequest", "RequestEvent"]
