"""Who looked at whose chart in the invented office: a guard, the glass broken, a note apart, looks to go through."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from meso import clock
from meso.models import AccessEvent, User
from records.models import ChartGuard, EmergencyAccess, Entry, EntryFlag, Patient

EVENING = timedelta(hours=21, minutes=40)
MORNING = timedelta(hours=9, minutes=5)


def guard_and_look(patients: Sequence[Patient], staff: dict[str, User], on: date, at: datetime) -> None:
    """One of each for the privacy officer to sign off, on the days before `on`."""
    by_name = {patient.last_name: patient for patient in patients}
    _guard(by_name["Pike"], staff, at)
    _note(by_name["McAllister"], staff["doctor"], on - timedelta(days=2), at - timedelta(days=2))
    neighbor, evening = by_name["Baptiste"], by_name["Novak"]
    User.objects.filter(pk=staff["frontdesk"].pk).update(home_street=neighbor.address_1)
    yesterday = clock.midnight(on - timedelta(days=1))
    _look(staff["frontdesk"], neighbor, yesterday + MORNING)
    _look(staff["doctor"], evening, yesterday + EVENING)


def _guard(patient: Patient, staff: dict[str, User], at: datetime) -> None:
    officer, earlier = staff["privacy"], at - timedelta(days=1)
    ChartGuard.lay(patient, kind="vip", reason="", team=[staff["doctor"]], by=officer, at=at - timedelta(days=20))
    seen: Any = {"by": staff["frontdesk"], "kind": EmergencyAccess.Kind.HERE}
    first = EmergencyAccess.begin(
        patient, reason="He stood at the desk and the doctor was with a patient.", at=at - timedelta(days=9), **seen
    )
    first.review_by(officer, finding="justified", words="", at=at - timedelta(days=8))
    EmergencyAccess.begin(patient, reason="He asked at the desk when his next visit is.", at=earlier, **seen)
    _look(staff["frontdesk"], patient, earlier + timedelta(minutes=1))


def _note(patient: Patient, doctor: User, on: date, at: datetime) -> None:
    note = Entry.objects.create(
        patient=patient, kind="visit_note", service_on=on, title="Notes of a talk", author=doctor,
        body="Spoke about how she sees herself since the divorce. Kept apart from the chart.",
        signed_as=doctor.signature, written_at=at,
    )  # fmt: skip
    EntryFlag.lay(note, "psychotherapy_notes", reason="Notes of a talk, kept apart from the record.", by=doctor, at=at)


def _look(who: User, patient: Patient, at: datetime) -> None:
    AccessEvent.objects.create(
        at=at, user=who, action=AccessEvent.Action.VIEW, subject="chart", chart_number=patient.chart_number
    )
