"""Requests out of the office's old spreadsheet (design.md, "Files"): all or nothing, and the same file twice adds nothing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import cast

from django.db import transaction

from meso.csv_in import BadCell, a_date, read_all
from meso.models import Office
from records import old_lists
from records.models import Patient
from requests_app import deadlines, rules
from requests_app.kinds import Kind, Outcome
from requests_app.models import PatientRequest, RequestEvent
from requests_app.models.timeline import Verb

COLUMNS = ("chart_number", "kind", "received_on", "description", "closed_on", "outcome")
REQUIRED = ("chart_number", "kind", "received_on")
LONGEST_DESCRIPTION = 10_000
BATCH = 500


@dataclass(frozen=True)
class Row:
    """One request of the spreadsheet, checked."""

    patient: Patient
    kind: str
    received_on: date
    description: str
    closed_on: date | None
    outcome: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is compared: blanks in the description count as one."""
        days = (self.received_on.isoformat(), self.closed_on.isoformat() if self.closed_on else "")
        return (self.patient.chart_number, self.kind, *days, " ".join(self.description.split()), self.outcome)


@dataclass(frozen=True)
class Result:
    """What an import did, or would do: how many were added, of these how many still run, and how many were there already."""

    added: int
    open: int
    known: int


def read(path: Path, *, on: date) -> list[Row]:
    """Every row of the file. Raises BadFile, which names each row that can't be taken and why."""
    chart = old_lists.charts()
    return read_all(path, COLUMNS, REQUIRED, lambda line, cells: _row(cells, chart, on))


def _row(cells: dict[str, str], chart: Callable[[str], Patient], on: date) -> Row:
    received_on = cast(date, a_date("received_on", cells["received_on"], latest=on))  # an empty cell is refused
    closed_on = a_date("closed_on", cells["closed_on"], latest=on, needed=False)
    if cells["kind"] not in Kind.values:
        raise BadCell("kind", f"{cells['kind']!r} is not a kind; it can be {', '.join(Kind.values)}")
    patient = chart(cells["chart_number"])
    if len(cells["description"]) > LONGEST_DESCRIPTION:
        raise BadCell("description", f"longer than {LONGEST_DESCRIPTION:,} characters")
    _check_end(received_on, closed_on, cells["outcome"])
    return Row(patient, cells["kind"], received_on, cells["description"], closed_on, cells["outcome"])


def _check_end(received_on: date, closed_on: date | None, outcome: str) -> None:
    if outcome and outcome not in Outcome.values:
        raise BadCell("outcome", f"{outcome!r} is not an outcome; it can be {', '.join(Outcome.values)}")
    if closed_on is None and outcome:
        raise BadCell("outcome", "a request with an outcome needs its closed_on")
    if closed_on and not outcome:
        raise BadCell("outcome", f"a closed request needs its outcome: {', '.join(Outcome.values)}")
    if closed_on and closed_on < received_on:
        raise BadCell("closed_on", f"{closed_on} comes before the day of receipt, {received_on}")


@transaction.atomic
def store(
    rows: list[Row],
    *,
    at: datetime,
    on: date,
    office: Office,
    dry_run: bool = False,
    advance: Callable[[int], None] = lambda by: None,
) -> Result:
    """Add what is new, all or nothing; with `dry_run` only count. Raises IntegrityError when another import adds the same."""
    seen: Counter[tuple[str, ...]] = Counter()
    added = still_open = 0
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        new = old_lists.new_ones(old_lists.by_digest(batch, seen), PatientRequest)
        if not dry_run:
            _add(new, at=at, on=on, office=office)
        added += len(new)
        still_open += sum(row.closed_on is None for row in new.values())
        advance(len(batch))
    return Result(added, still_open, len(rows) - added)


def _add(new: dict[str, Row], *, at: datetime, on: date, office: Office) -> None:
    requests = PatientRequest.objects.bulk_create(_request(digest, row, at=at, office=office) for digest, row in new.items())
    RequestEvent.objects.bulk_create(event for request in requests for event in _events(request, at=at, on=on))


def _request(digest: str, row: Row, *, at: datetime, office: Office) -> PatientRequest:
    return PatientRequest(
        patient=row.patient,
        kind=row.kind,
        received_on=row.received_on,
        entered_at=at,
        asker_name=row.patient.name,
        description=row.description,
        promised_days=office.promised_days,
        rule_version=rules.CURRENT,
        due_on=deadlines.due_on(row.received_on, office.promised_days),
        decided_on=row.closed_on,
        closed_on=row.closed_on,
        outcome=row.outcome,
        source_id=digest,
    )


def _events(request: PatientRequest, *, at: datetime, on: date) -> list[RequestEvent]:
    """Taken over; overdue where its clock ran out; closed where it was."""
    told: list[tuple[str, dict[str, str]]] = [(Verb.IMPORTED, {})]
    if deadlines.is_late(request.closed_on or on, request.due_on):
        told.append((Verb.OVERDUE, {"due_on": request.due_on.isoformat()}))
    if request.closed_on:
        timeliness = deadlines.timeliness(request.closed_on, request.due_on)
        outcome = str(request.get_outcome_display())
        told.append((Verb.CLOSED, {"outcome": outcome, "acted_on": request.closed_on.isoformat(), "timeliness": timeliness}))
    return [RequestEvent(request=request, verb=verb, at=at, on=on, data=data) for verb, data in told]
