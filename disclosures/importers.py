"""The old disclosure log out of a spreadsheet (design.md, "Files"): all or nothing, and the same file twice adds nothing.

Rows for treatment, payment and operations are exempt: they are counted, left out, and said so.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import cast

from django.db import transaction

from disclosures import purposes
from disclosures.models import EARLIEST, BusinessAssociate, Disclosure
from meso.csv_in import BadCell, a_date, read_all
from meso.seals import bulk_seal
from records import old_lists
from records.models import Patient

COLUMNS = (
    "chart_number",
    "disclosed_on",
    "recipient",
    "recipient_address",
    "information",
    "purpose_code",
    "purpose",
    "authorized_on",
)
REQUIRED = ("chart_number", "disclosed_on", "recipient", "information", "purpose_code", "purpose")
BATCH = 500
_LONGEST = {"recipient": 300, "recipient_address": 1000, "information": 20_000, "purpose": 20_000}


@dataclass(frozen=True)
class Row:
    """One row of the old log, checked. Exempt rows are read and checked too, and left out when stored."""

    patient: Patient
    disclosed_on: date
    recipient: str
    recipient_address: str
    information: str
    purpose_code: str
    purpose: str
    authorized_on: date | None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is compared."""
        days = (self.disclosed_on.isoformat(), self.authorized_on.isoformat() if self.authorized_on else "")
        texts = (self.recipient, self.recipient_address, self.information, self.purpose_code, self.purpose)
        return (self.patient.chart_number, *days, *texts)


@dataclass
class Result:
    """What an import did, or would do."""

    added: int = 0
    known: int = 0
    exempt: Counter[str] = field(default_factory=Counter)


def read(path: Path, *, on: date) -> list[Row]:
    """Every row of the file. Raises BadFile, which names each row that can't be taken and why."""
    chart = old_lists.charts()
    return read_all(path, COLUMNS, REQUIRED, lambda line, cells: _row(cells, chart, on))


def _row(cells: dict[str, str], chart: Callable[[str], Patient], on: date) -> Row:
    patient = chart(cells["chart_number"])
    disclosed_on = cast(date, a_date("disclosed_on", cells["disclosed_on"], latest=on))  # an empty cell is refused
    if disclosed_on < EARLIEST:
        raise BadCell("disclosed_on", f"{disclosed_on} is before {EARLIEST.year}; check the year")
    authorized_on = a_date("authorized_on", cells["authorized_on"], latest=on, needed=False)
    if cells["purpose_code"] not in purposes.PURPOSES:
        raise BadCell("purpose_code", f"{cells['purpose_code']!r} is not a purpose code: {', '.join(purposes.PURPOSES)}")
    _check_texts(cells)
    if authorized_on and authorized_on > disclosed_on:
        raise BadCell("authorized_on", f"{authorized_on} comes after the disclosure, {disclosed_on}")
    return Row(
        patient,
        disclosed_on,
        cells["recipient"],
        cells["recipient_address"],
        cells["information"],
        cells["purpose_code"],
        cells["purpose"],
        authorized_on,
    )


def _check_texts(cells: dict[str, str]) -> None:
    needed = () if purposes.purpose(cells["purpose_code"]).exempt else ("recipient", "information", "purpose")
    for column, longest in _LONGEST.items():
        if column in needed and not cells[column]:
            raise BadCell(column, "must not be empty (45 CFR 164.528(b)(2))")
        if len(cells[column]) > longest:
            raise BadCell(column, f"longer than {longest:,} characters")


@transaction.atomic
def store(
    rows: list[Row],
    *,
    at: datetime,
    dry_run: bool = False,
    made_by: BusinessAssociate | None = None,
    advance: Callable[[int], None] = lambda by: None,
) -> Result:
    """Add what is new and not exempt, oldest first as in the file, all or nothing; with `dry_run` only count.

    With `made_by` they are a business associate's disclosures (164.528(b)(1)).
    """
    result = Result()
    seen: Counter[tuple[str, ...]] = Counter()
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        result.exempt.update(row.purpose_code for row in batch if purposes.purpose(row.purpose_code).exempt)
        ours = old_lists.by_digest((row for row in batch if not purposes.purpose(row.purpose_code).exempt), seen)
        new = old_lists.new_ones(ours, Disclosure)
        if not dry_run:
            bulk_seal([_disclosure(digest, row, at, made_by) for digest, row in new.items()])
        result.added += len(new)
        result.known += len(ours) - len(new)
        advance(len(batch))
    return result


def _disclosure(digest: str, row: Row, at: datetime, made_by: BusinessAssociate | None) -> Disclosure:
    return Disclosure(
        patient=row.patient,
        disclosed_on=row.disclosed_on,
        recipient=row.recipient,
        recipient_address=row.recipient_address,
        information=row.information,
        purpose_code=row.purpose_code,
        purpose=row.purpose,
        authorized_on=row.authorized_on,
        made_by=made_by,
        logged_at=at,
        source_id=digest,
    )
