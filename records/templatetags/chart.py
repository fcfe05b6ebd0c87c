"""What the templates about a patient need: the tabs, the age on a day, a value by its key."""

from datetime import date
from typing import Any

from django import template

from records.exclusion import Exclusion, excluded
from records.models import Addendum, Entry, Patient, StrikeThrough
from records.passages import Cover, cut
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


@register.simple_tag(takes_context=True)
def entry_pieces(context: template.Context, entry: Entry) -> list[tuple[str, bool, str]]:
    """`{% entry_pieces entry as pieces %}`: its text in pieces of (text, struck, why it is withheld)."""
    return cut(entry.passages(), _covers(context, "entry", entry.pk))


@register.simple_tag(takes_context=True)
def addendum_pieces(context: template.Context, addendum: Addendum) -> list[tuple[str, bool, str]]:
    """The same of an addendum."""
    return cut([(addendum.body, False)], _covers(context, "addendum", addendum.pk))


@register.simple_tag(takes_context=True)
def strike_is_covered(context: template.Context, strike: StrikeThrough) -> bool:
    """Whether a line's words are withheld, wholly or in part, so that they can't be quoted beside it."""
    if strike.start is None:
        return False
    end = strike.start + len(strike.passage)
    return any(cover.start < end and cover.end > strike.start for cover in _covers(context, "entry", strike.entry_id))
