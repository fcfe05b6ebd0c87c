"""How a template shows a clock: the one place that turns days left into words and a tint."""

from datetime import date

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from meso import days as days_told
from requests_app import deadlines, talking
from requests_app.models import PatientRequest, RequestEvent

register = template.Library()
_MARKS = {
    "late": mark_safe('<span aria-hidden="true">▲ </span>'),
    "soon": mark_safe('<span aria-hidden="true">● </span>'),
    "fine": "",
}


@register.filter
def left(request: PatientRequest, on: date) -> str:
    """`{{ request|left:today }}`: "3 days left", "due today", "2 days late"."""
    return days_told.in_words(request.days_left(on))


@register.filter
def weekend_note(request: PatientRequest) -> str:
    """Why nobody works on the due date, and the day to work to; "" on an office day."""
    return deadlines.weekend_note(request.due_on)


@register.filter
def urgency(request: PatientRequest, on: date) -> str:
    """How near the clock is to its end: "late", "soon", "fine"."""
    return days_told.urgency(request.days_left(on))


@register.filter
def federal_limit(request: PatientRequest) -> date | None:
    """The federal limit where it differs from the due date, or None."""
    return request.statutory_due_on if request.statutory_due_on != request.due_on else None


@register.simple_tag
def waits_for(request: PatientRequest) -> RequestEvent | None:
    """`{% waits_for asked as waiting %}`: the event that says whom an open request waits for, or None."""
    return talking.waits_for(request)


@register.simple_tag
def clock_tag(request: PatientRequest, on: date) -> SafeString:
    """The days left of an open request, or how a closed one ended, as a tinted word; a mark beside it says the same."""
    if not request.is_open:
        return format_html('<span class="tag">{}</span>', request.get_outcome_display())
    days = request.days_left(on)
    tint = days_told.urgency(days)
    return format_html('<span class="tag tag-{}">{}{}</span>', tint, _MARKS[tint], days_told.in_words(days))
