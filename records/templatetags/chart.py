"""What the templates about a patient need: the tabs, the age on a day, a value by its key."""

from datetime import date
from typing import Any

from django import template

from records.exclusion import Exclusion, excluded
from records.models import Entry, Patient
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
