"""The privacy program's parts of the dashboard: complaints that wait, patients who have no notice yet."""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from meso import dashboard
from records.models import NoticeAcknowledgment, NoticeVersion, Patient
from requests_app.models import Complaint

SHOWN = 5
NEWEST = 200  # charts looked through: those registered last, however many there are


@dashboard.register(permission="complaint.handle", template="requests_app/_dashboard_complaints.html", order=40)
def complaints_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """The complaints that wait for an outcome or an answer, and whether a notice is in force. Three queries."""
    rows = list(Complaint.objects.open().prefetch_related("events").order_by("received_on", "id")[: SHOWN + 1])
    return {
        "rows": rows[:SHOWN],
        "more": len(rows) > SHOWN,
        "notice": NoticeVersion.objects.filter(effective_on__lte=on).exists(),
    }


@dashboard.register(permission="notice.record", template="requests_app/_dashboard_notices.html", order=50)
def notices_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """Those among the newest charts whose patient has not been given the notice (164.520(c)(2)). One query."""
    newest = Patient.objects.order_by("-id").values("id")[:NEWEST]
    given = NoticeAcknowledgment.objects.filter(patient=OuterRef("pk")).exclude(signed=NoticeAcknowledgment.Signed.EMERGENCY)
    without = Patient.objects.filter(~Exists(given), id__in=newest, deceased_on=None).order_by("-id")
    rows = list(without.only("chart_number", "first_name", "last_name"))
    return {"rows": rows[:SHOWN], "count": len(rows), "newest": NEWEST}
