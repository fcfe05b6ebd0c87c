"""What the privacy program has for the dashboard: complaints that wait, patients who have no notice yet."""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from meso import clock, dashboard, today
from meso.http import HttpRequest
from meso.today import Task
from records import guarding
from records.models import NoticeAcknowledgment, NoticeVersion, Patient
from requests_app.models import Complaint

SHOWN = 5
NEWEST = 200  # charts looked through: those registered last, however many there are


@today.source("complaint.handle")
def complaints_that_wait(request: HttpRequest, on: date) -> list[Task]:
    """The complaints without an outcome or an answer, and a notice where none is in force. Three queries."""
    waiting = Complaint.objects.open().prefetch_related("events").order_by("received_on", "id")[: today.SHOWN]
    tasks = [_complaint(complaint) for complaint in waiting]
    if not NoticeVersion.objects.filter(effective_on__lte=on).exists():
        tasks.append(Task(_("Put a notice of privacy practices in force"), _("None is in force"), reverse("notices")))
    return tasks


def _complaint(complaint: Complaint) -> Task:
    decided = complaint.state == "decided"
    what = _("%(number)s: answer the complaint") if decided else _("%(number)s: look into the complaint")
    why = _("Received %(day)s") % {"day": date_format(complaint.received_on, "SHORT_DAY")}
    return Task(what % {"number": complaint.number}, why, complaint.get_absolute_url())


@dashboard.register(permission="notice.record", template="requests_app/_dashboard_notices.html", order=50)
def notices_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """Those among the newest charts whose patient has not been given the notice (164.520(c)(2)). One query."""
    newest = Patient.objects.order_by("-id").values("id")[:NEWEST]
    given = NoticeAcknowledgment.objects.given().filter(patient=OuterRef("pk"))
    without = Patient.objects.filter(~Exists(given), id__in=newest, deceased_on=None).order_by("-id")
    without = without.exclude(pk__in=guarding.closed_to(request.user, clock.now()))
    rows = list(without.only("chart_number", "first_name", "last_name"))
    return {"rows": rows[:SHOWN], "count": len(rows), "newest": NEWEST}
