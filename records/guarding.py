"""Which charts are closed to whom (records.models.guards): the one question that the gate, the lists and the pickers ask."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from meso.models import User
from meso.roles import Role
from records.models import ChartGuard, ChartGuardMember, EmergencyAccess, Patient


def opens_every_chart(user: User) -> bool:
    """Whether guards do not bind this person: the privacy officer, who lays them and answers for them."""
    return user.role == Role.PRIVACY_OFFICER


def with_guard(patients: QuerySet[Patient], user: User, at: datetime) -> QuerySet[Patient]:
    """These patients, each with `is_guarded`, `is_named` (this person, on the guard), and two instants or None, in one query.

    `open_until`: until when the glass they broke keeps the chart open; `note_until`: the same of a psychotherapy note.
    """
    guards = ChartGuard.objects.in_force().filter(patient=OuterRef("pk"))
    named = ChartGuardMember.objects.filter(guard__ending=None, patient=OuterRef("pk"), user=user)
    mine = EmergencyAccess.objects.lasting(at).filter(patient=OuterRef("pk"), by=user).order_by("-until").values("until")
    return patients.annotate(
        is_guarded=Exists(guards),
        is_named=Exists(named),
        open_until=Subquery(mine.filter(entry=None)[:1]),
        note_until=Subquery(mine.exclude(entry=None)[:1]),
    )


def is_closed(patient: Any) -> bool:
    """Whether the chart of a patient that came `with_guard` is closed to that person."""
    return patient.is_guarded and not patient.is_named and patient.open_until is None


def locked(patients: Iterable[Patient], user: User, at: datetime) -> set[int]:
    """The keys of those among these patients whose charts are closed to this person. One query, or none for nobody."""
    keys = [patient.pk for patient in patients]
    return set(closed_to(user, at).filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()


def closed_to(user: User, at: datetime) -> QuerySet[Patient]:
    """The patients whose charts are closed to this person at that moment, for `exclude(patient__in=...)`: no query of its own."""
    if opens_every_chart(user):
        return Patient.objects.none()
    named = ChartGuardMember.objects.filter(guard__ending=None, user=user).values("patient")
    opened = EmergencyAccess.objects.lasting(at).of_chart().filter(by=user).values("patient")
    return Patient.objects.guarded().exclude(pk__in=named).exclude(pk__in=opened)
