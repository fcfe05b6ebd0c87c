"""The dashboard's card about payments that failed: whom to call before anything is lifted."""

from datetime import date
from typing import Any

from django.http import HttpRequest

from meso import dashboard
from records.models import PaymentBounce

SHOWN = 10


@dashboard.register(permission="restriction.paid", template="records/_limits_card.html", order=20, wide=True)
def patients_to_call(request: HttpRequest, on: date) -> dict[str, Any] | None:
    """The failed payments that wait, oldest first; no card when there is none. One query."""
    waiting = PaymentBounce.objects.waiting().select_related("restriction__paid", "patient").order_by("id")
    rows = list(waiting[: SHOWN + 1])
    return {"rows": rows[:SHOWN], "more": len(rows) > SHOWN} if rows else None
