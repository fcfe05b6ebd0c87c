"""The record's card on the dashboard: who turns 18, or has and did not sign anew."""

from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from meso import dashboard
from records import representation
from records.models import Patient, Representative, SignedAnew
from records.representation import Basis

AHEAD = 30  # days
SHOWN = 10


def turning_adult(on: date) -> list[Patient]:
    """Those who turn 18 within 30 days, today's included, the first first. By the index of birth dates."""
    born = (representation.born_by(on - timedelta(days=1)), representation.born_by(on + timedelta(days=AHEAD)))
    living = Patient.objects.filter(date_of_birth__gt=born[0], date_of_birth__lte=born[1], deceased_on=None)
    return list(living.filter(_not_signed(OuterRef("pk"))).order_by("date_of_birth", "id")[: SHOWN + 1])


def still_with_a_parent(on: date) -> list[Patient]:
    """Those who are 18 and have a parent on file as representative, and signed nothing anew; the longest first."""
    parents = Representative.objects.filter(basis=Basis.PARENT, ending=None).filter(_not_signed(OuterRef("patient")))
    grown = parents.filter(patient__date_of_birth__lte=representation.born_by(on - timedelta(days=1)), patient__deceased_on=None)
    keys = grown.order_by("patient__date_of_birth", "patient").values_list("patient", flat=True)[: 3 * SHOWN]
    return list(Patient.objects.filter(pk__in=list(dict.fromkeys(keys))[: SHOWN + 1]).order_by("date_of_birth", "id"))


def _not_signed(patient: OuterRef) -> Q:
    return ~Q(Exists(SignedAnew.objects.filter(patient=patient)))


@dashboard.register(permission="representative.record", template="records/_dashboard.html", order=55, wide=True)
def adults_card(request: HttpRequest, on: date) -> dict[str, Any]:
    """Three queries, however many patients there are."""
    late, soon = still_with_a_parent(on), turning_adult(on)
    rows = [(patient, representation.adulthood(patient.date_of_birth)) for patient in (late + soon)[:SHOWN]]
    return {"rows": rows, "more": len(late) + len(soon) > SHOWN, "on": on}
