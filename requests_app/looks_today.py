"""The unusual looks on the dashboard: how many wait, counted at most every five minutes, as it reads a week of the audit."""

from datetime import date, timedelta
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import ngettext

from meso import dashboard, today
from meso.http import HttpRequest
from meso.today import Task
from requests_app import unusual
from requests_app.models import AccessReview

DAYS = 7
_KEPT = 300  # seconds
_KEY = "unusual-looks"


def waiting(request: HttpRequest, on: date) -> int:
    """How many lines of the last seven days nobody has signed off."""
    count = cache.get(f"{_KEY}-{on}")
    if count is None:
        count = len(unusual.findings(on - timedelta(days=DAYS - 1), on, request.office))
        cache.set(f"{_KEY}-{on}", count, _KEPT)
    return count


def forget(on: date) -> None:
    """Count anew: lines were signed off. Other processes come round to it by themselves."""
    cache.delete(f"{_KEY}-{on}")


@today.source("audit.view")
def looks_to_look_through(request: HttpRequest, on: date) -> list[Task]:
    """One task for all of them."""
    count = waiting(request, on)
    if not count:
        return []
    what = ngettext("Look through %(n)d unusual look", "Look through %(n)d unusual looks", count) % {"n": count}
    return [Task(what, str(unusual.WHY), reverse("audit_review"))]


@dashboard.register(permission="audit.view", template="requests_app/_dashboard_looks.html", order=85)
def looks_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """How many wait, and when one was last signed off. One query beside the count."""
    return {"count": waiting(request, on), "last": AccessReview.objects.select_related("by").first(), "days": DAYS}
