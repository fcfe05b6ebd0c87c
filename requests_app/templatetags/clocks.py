"""How a template shows a clock: the one place that turns days left into words and a tint."""

from datetime import date
from typing import Any

from django import template

from requests_app import deadlines
from requests_app.models import PatientRequest

register = template.Library()


@register.filter
def left(request: PatientRequest, on: date) -> str:
    """`{{ request|left:today }}`: "3 days left", "due today", "2 days late"."""
    return deadlines.in_words(request.days_left(on))


@register.filter
def weekend_note(request: PatientRequest) -> str:
    """Why nobody works on the due date, and the day to work to; "" on an office day."""
    return deadlines.weekend_note(request.due_on)


@register.filter
def urgency(request: PatientRequest, on: date) -> str:
    """How near the clock is to its end: "late", "soon", "fine"."""
    return deadlines.urgency(request.days_left(on))


@register.filter
def federal_limit(request: PatientRequest) -> date | None:
    """The federal limit where it differs from the due date, or None."""
    return request.statutory_due_on if request.statutory_due_on != request.due_on else None


@register.inclusion_tag("requests_app/_clock.html")
def clock_tag(request: PatientRequest, on: date) -> dict[str, Any]:
    """The days left of an open request, or how a closed one ended, as a tinted word."""
    if request.is_open:
        days = request.days_left(on)
        return {"tint": deadlines.urgency(days), "words": deadlines.in_words(days)}
    return {"tint": "", "words": request.get_outcome_display()}
