"""What the templates about a patient need: the tabs, the age on a day, a value by its key."""

from datetime import date
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from records.exclusion import Exclusion, excluded
from records.models import Addendum, Entry, Patient, StrikeThrough
from records.passages import Cover, cut
from records.representation import adulthood
from records.tabs import tabs_for

register = template.Library()


@register.simple_tag(takes_context=True)
def chart_tabs(context: template.Context, patient: Patient) -> list[dict[str, Any]]:
    """`{% chart_tabs patient as tabs %}`: the tabs of this chart for whoever looks at it."""
    request = context["request"]
    return tabs_for(request.user, patient.chart_number, request.path)


@register.filter
def age_on(patient: Patient, day: date) -> int:
    """`{{ patient|age_on:today }}`: whole years."""
    return patient.age(day)


@register.filter
def was_minor(patient: Patient, day: date) -> bool:
    """`{{ patient|was_minor:entry.service_on }}`: whether the patient was under 18 on that day."""
    return day < adulthood(patient.date_of_birth)


@register.filter
def of_key(table: dict, key: Any) -> Any:
    """`{{ pictures|of_key:file.pk }}`: the value, or None."""
    return table.get(key)


@register.filter
def exclusion(entry: Entry) -> Exclusion | None:
    """`{{ entry|exclusion }}`: why this entry is left out of a copy for the patient, or None."""
    return excluded(entry)


def _covers(context: template.Context, kind: str, key: int) -> list[Cover]:
    """The words of this text to black out; none on a screen, where `covers` is not in the context."""
    return list((context.get("covers") or {}).get((kind, key), ()))


def _words(pieces: list[tuple[str, bool, str]]) -> SafeString:
    """The pieces with the lines drawn, and a black box with the reason beside it for what is withheld."""
    box = format_html('<span class="withheld">{}</span> <span class="withheld-why">[{{}}]</span>', _("withheld"))
    return mark_safe(  # noqa: S308  (each piece is escaped)
        "".join(
            format_html(box, why) if why else format_html("<del>{}</del>" if struck else "{}", text)
            for text, struck, why in pieces
        )
    )


@register.simple_tag(takes_context=True)
def entry_words(context: template.Context, entry: Entry) -> SafeString:
    """`{% entry_words entry %}`: the entry's text."""
    return _words(cut(entry.passages(), _covers(context, "entry", entry.pk)))


@register.simple_tag(takes_context=True)
def addendum_words(context: template.Context, addendum: Addendum) -> SafeString:
    """The same of an addendum."""
    return _words(cut([(addendum.body, False)], _covers(context, "addendum", addendum.pk)))


@register.simple_tag(takes_context=True)
def strike_is_covered(context: template.Context, strike: StrikeThrough) -> bool:
    """Whether a line's words are withheld, wholly or in part, so that they can't be quoted beside it."""
    if strike.start is None:
        return False
    end = strike.start + len(strike.passage)
    return any(cover.start < end and cover.end > strike.start for cover in _covers(context, "entry", strike.entry_id))
