"""Requests that ask for the same as another: shown together, each with its own clock, none merged or refused (law.md §13a)."""

from datetime import date

from django.db.models import Q

from disclosures.accounting_rules import same_day_in
from records import names
from requests_app.models import PatientRequest

SHOWN = 20


def like(asked: PatientRequest) -> list[PatientRequest]:
    """The others of the same kind by the same person that are open, or were received within twelve months; the newest first.

    The same person is the same chart; where a chart is not found yet, the same name and birth date. Two queries at most.
    """
    near = Q(closed_on=None) | Q(received_on__range=_twelve_months_around(asked.received_on))
    others = PatientRequest.objects.filter(near, kind=asked.kind).exclude(pk=asked.pk).with_waiting().select_related("assignee")
    found = {}
    if asked.patient_id:
        found = {other.pk: other for other in others.filter(patient=asked.patient_id).order_by("-received_on", "-id")[:SHOWN]}
    if asked.asker_born:
        born = others.filter(asker_born=asked.asker_born).order_by("-received_on", "-id")[: 5 * SHOWN]
        found |= {other.pk: other for other in born if other.pk not in found and _same_asker(asked, other)}
    return sorted(found.values(), key=lambda other: (other.received_on, other.pk), reverse=True)[:SHOWN]


def _twelve_months_around(day: date) -> tuple[date, date]:
    return same_day_in(day.year - 1, day), same_day_in(day.year + 1, day)


def _same_asker(asked: PatientRequest, other: PatientRequest) -> bool:
    """The same name, in whatever order and spelling, where not both are known to be of a chart of their own."""
    if asked.patient_id and other.patient_id:
        return asked.patient_id == other.patient_id
    return sorted(names.words(asked.asker_name)) == sorted(names.words(other.asker_name)) != []
