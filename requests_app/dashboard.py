"""The dashboard's part about requests: what is overdue, four figures, and the clocks that end first."""

from datetime import date
from typing import Any

from django.http import HttpRequest

from meso import clock, dashboard
from requests_app.models import LetterDelivery, PatientRequest

SHOWN = 10
NAMED_LATE = 5


@dashboard.register(permission="request.view", template="requests_app/_dashboard.html", order=10, wide=True)
def requests_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """Three queries, however many requests there are."""
    PatientRequest.objects.note_overdue(on=on, at=clock.now())
    rows = list(PatientRequest.objects.due_soonest().with_waiting().select_related("patient", "assignee")[:SHOWN])
    late = [row for row in rows if row.days_left(on) < 0][:NAMED_LATE]
    return {"figures": PatientRequest.objects.figures(on), "rows": rows, "late": late}


@dashboard.register(permission="request.send", template="requests_app/_came_back.html", order=12, wide=True)
def came_back_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """The letters that came back and must go another way. One query."""
    returned = LetterDelivery.objects.came_back().select_related("letter__request").defer("letter__document")
    return {"returned": list(returned[:SHOWN])}
