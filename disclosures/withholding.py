"""Which rows an active suspension withholds on a day, and the accountings to look at again once it has lapsed (164.528(a)(2))."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from disclosures import suspension_rules
from disclosures.models import AccountingGiven, Disclosure, ReissueAnswer, Suspension
from meso.roles import may
from records.models import Patient


@dataclass(frozen=True)
class Covered:
    """A row of the log as a suspension looks at it."""

    pk: int
    patient_id: int
    code: str
    recipient: str
    disclosed_on: date
    logged_at: datetime
    replacement: int | None


def _rows(patients: Iterable[int]) -> list[Covered]:
    """The rows of these patients that could be suspended, corrected ones too, oldest first. One query."""
    columns = ("pk", "patient_id", "purpose_code", "recipient", "disclosed_on", "logged_at", "correction__replacement_id")
    rows = Disclosure.objects.filter(patient__in=set(patients), purpose_code__in=suspension_rules.SUSPENDABLE)
    return [Covered(*row) for row in rows.order_by("pk").values_list(*columns)]


def covered_by(suspension: Suspension, rows: Iterable[Covered]) -> set[int]:
    """Which of these rows the suspension covers: its agency, by any of its names, under its codes.

    A correction of the recipient's name does not bring a row to light: what stands in its place is covered too.
    """
    found: set[int] = set()
    for row in rows:
        if row.patient_id != suspension.patient_id or row.code not in suspension.codes:
            continue
        if row.pk in found or suspension.is_of(row.recipient, [row.code]):
            found |= {row.pk, row.replacement or row.pk}
    return found


def withheld(on: date, patient: Patient | None = None) -> set[int]:
    """The keys of all rows withheld on that day, of one patient or of all. At most two queries."""
    active = Suspension.objects.active(on)
    suspensions = list(active.filter(patient=patient) if patient else active)
    if not suspensions:
        return set()
    rows = _rows(one.patient_id for one in suspensions)
    return {key for one in suspensions for key in covered_by(one, rows)}


def hidden_from(user: Any, on: date, patient: Patient | None = None) -> set[int]:
    """The keys of the rows that this person must not see on that day: none for the privacy officer."""
    return set() if may(user, "suspension.keep") else withheld(on, patient)


def shown_to(user: Any, rows: QuerySet, on: date, patient: Patient | None = None) -> Any:
    """These rows of the log as this person sees them: withheld ones are there for the privacy officer alone."""
    hidden = hidden_from(user, on, patient)
    return rows.exclude(pk__in=hidden) if hidden else rows


def rows_of(suspension: Suspension) -> tuple[list[Disclosure], list[Disclosure]]:
    """The current rows of the log that it covers, and those under its codes that it does not: for the officer to compare."""
    covered = covered_by(suspension, _rows([suspension.patient_id]))
    rows = Disclosure.objects.current().filter(patient=suspension.patient_id, purpose_code__in=suspension.codes)
    listed = list(rows.order_by("-disclosed_on", "-id"))
    return [row for row in listed if row.pk in covered], [row for row in listed if row.pk not in covered]


@dataclass(frozen=True)
class Reissue:
    """A task: this accounting left rows out for this suspension, which withholds them no more. Give it anew, or say why not."""

    accounting: AccountingGiven
    suspension: Suspension
    rows: int


def to_reissue(on: date, patient: Patient | None = None) -> list[Reissue]:
    """The open tasks, oldest accounting first. Five queries at most, however long the log is."""
    all_of = Suspension.objects.with_state().order_by("id")
    suspensions = list(all_of.filter(patient=patient) if patient else all_of)
    lapsed = [one for one in suspensions if not one.is_active(on) and one.stated_on <= on]
    if not lapsed:
        return []
    rows = _rows(one.patient_id for one in suspensions)
    logged = _first_logged(rows)
    covered = {one.pk: covered_by(one, rows) for one in lapsed}
    still = {key for one in suspensions if one.is_active(on) for key in covered_by(one, rows)}
    answered = set(ReissueAnswer.objects.filter(suspension__in=lapsed).values_list("accounting_id", "suspension_id"))
    given = AccountingGiven.objects.filter(patient__in={one.patient_id for one in lapsed}).select_related("patient")
    found = []
    for accounting in given.order_by("issued_on", "id"):
        for one in lapsed:
            if (accounting.pk, one.pk) in answered or not _cut(accounting, one):
                continue
            left_out = [row for row in rows if row.pk in covered[one.pk] - still and _belongs(row, accounting, logged)]
            if left_out:
                found.append(Reissue(accounting, one, len(left_out)))
    return found


def _cut(accounting: AccountingGiven, suspension: Suspension) -> bool:
    """Whether the suspension was known and active when this accounting was made."""
    same = accounting.patient_id == suspension.patient_id and suspension.recorded_at <= accounting.issued_at
    return same and suspension.is_active(accounting.issued_on)


def _belongs(row: Covered, accounting: AccountingGiven, logged: dict[int, datetime]) -> bool:
    """Whether the row, as it stands now, lies in the accounting's window and was in the log when it was made."""
    in_window = accounting.start <= row.disclosed_on <= accounting.end
    return row.replacement is None and in_window and logged[row.pk] <= accounting.issued_at


def _first_logged(rows: Iterable[Covered]) -> dict[int, datetime]:
    """When each row came into the log; one in the place of another when that one came."""
    logged: dict[int, datetime] = {}
    for row in rows:
        logged.setdefault(row.pk, row.logged_at)
        if row.replacement:
            logged[row.replacement] = logged[row.pk]
    return logged
