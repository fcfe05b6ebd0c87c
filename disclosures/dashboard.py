"""The log's card on the dashboard: what the privacy officer has still to review."""

from datetime import date
from typing import Any

from django.http import HttpRequest

from disclosures.models import Disclosure
from meso import dashboard

_SHOWN = 5


@dashboard.register(permission="disclosure.review", template="disclosures/_dashboard.html", order=60, wide=True)
def to_review(request: HttpRequest, on: date) -> dict[str, Any]:
    """The latest rows that nobody has signed off, newest first; never counts the log."""
    rows = list(Disclosure.objects.not_reviewed().select_related("patient").order_by("-disclosed_on", "-id")[: _SHOWN + 1])
    return {"rows": rows[:_SHOWN], "more": len(rows) > _SHOWN}
