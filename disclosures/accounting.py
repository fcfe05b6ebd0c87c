"""The accounting of disclosures: from the log to the lines that a patient is given. One source for screen, JSON, CSV and PDF."""

import csv
import hashlib
import io
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from disclosures import accounting_rules, purposes
from disclosures.models import AccountingGiven, Disclosure
from disclosures.purposes import Scope
from meso import languages
from meso.csv_out import safe_cell
from meso.models import Office, User
from meso.money import dollars
from meso.pdf import Pdf, render_pdf
from records.models import Patient

CSV_COLUMNS = (
    "disclosed_on",
    "recipient",
    "recipient_address",
    "information",
    "purpose",
    "purpose_code",
    "authorization_required",
    "count",
    "last_disclosed_on",
    "frequency",
)


@dataclass(frozen=True)
class Line:
    """One line of an accounting: a disclosure, or a series to one recipient for one purpose (164.528(b)(2)-(3))."""

    disclosed_on: date
    recipient: str
    recipient_address: str
    information: str
    purpose: str
    purpose_code: str
    authorization_required: bool
    count: int
    last_disclosed_on: date
    frequency: str

    @property
    def purpose_label(self) -> str:
        """What the code means, in plain words."""
        return str(purposes.purpose(self.purpose_code).label)

    @property
    def series(self) -> str:
        """How often it went out, in words for a reader: "14 times, weekly". "" for a single disclosure."""
        times = accounting_rules.times(self.count)
        return times if self.frequency in ("", times) else f"{times}, {self.frequency}"


@dataclass(frozen=True)
class Accounting:
    """The accounting of one patient for a period and scope: its lines, oldest first."""

    patient: Patient
    start: date
    end: date
    scope: Scope
    lines: list[Line]

    def as_dict(self, fee: Decimal = Decimal(0)) -> dict[str, Any]:
        """The JSON of design.md, "Files". What is withheld leaves no trace."""
        entries = [
            {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(line).items()}
            for line in self.lines
        ]
        return {
            "chart_number": self.patient.chart_number,
            "patient": self.patient.name,
            "from": self.start.isoformat(),
            "to": self.end.isoformat(),
            "scope": str(self.scope),
            "entries": entries,
            "fee": str(dollars(fee)),
        }

    def as_csv(self) -> str:
        """The lines as a spreadsheet; no cell can start a formula."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(CSV_COLUMNS)
        for line in self.lines:
            writer.writerow(safe_cell(str(getattr(line, column))) for column in CSV_COLUMNS)
        return out.getvalue()

    def as_pdf(self, office: Office, on: date, fee: Decimal = Decimal(0)) -> Pdf:
        """The printed accounting on the office's letterhead, in the patient's language where the office writes it."""
        context = {"accounting": self, "patient": self.patient, "office": office, "on": on, "fee": dollars(fee)}
        return render_pdf("disclosures/pdf/accounting.html", context, languages.written(self.patient.language))


def for_patient(patient: Patient, start: date, end: date, scope: Scope = Scope.NOTICE) -> Accounting:
    """Everything accountable that left the office between the two days, both inclusive. One query."""
    rows = Disclosure.objects.accountable(scope).filter(patient=patient).between(start, end).order_by("disclosed_on", "id")
    series: dict[tuple[Any, ...], list[Disclosure]] = {}
    for row in rows:
        series.setdefault(_series_of(row), []).append(row)
    lines = [_line(members) for members in series.values()]
    return Accounting(patient, start, end, scope, sorted(lines, key=lambda line: line.disclosed_on))


def _series_of(row: Disclosure) -> tuple[Any, ...]:
    """What rows must share to be told as one line: recipient, code and purpose, where the code may be grouped at all."""
    if not purposes.purpose(row.purpose_code).groups:
        return (row.pk,)
    words = (row.recipient, row.recipient_address, row.purpose)
    return (row.purpose_code, *(" ".join(text.casefold().split()) for text in words))


def _line(members: list[Disclosure]) -> Line:
    first = members[0]
    days = [row.disclosed_on for row in members]
    return Line(
        disclosed_on=first.disclosed_on,
        recipient=first.recipient,
        recipient_address=first.recipient_address,
        information="; ".join(dict.fromkeys(row.information for row in members)),
        purpose=first.purpose,
        purpose_code=first.purpose_code,
        authorization_required=purposes.purpose(first.purpose_code).authorization_required,
        count=len(members),
        last_disclosed_on=days[-1],
        frequency=accounting_rules.frequency(days),
    )


@transaction.atomic
def give(
    patient: Patient,
    start: date,
    end: date,
    scope: Scope = Scope.NOTICE,
    *,
    by: User,
    at: datetime,
    on: date,
    office: Office,
    request_number: str = "",
    requested_on: date | None = None,
    fee: Decimal = Decimal(0),
) -> AccountingGiven:
    """Issue the accounting: what is given is kept exactly as issued (164.528(d)).

    The period reaches back six years at most from the day it was asked for, which is today unless `requested_on` says so.
    The same document on the same day is one accounting, however often its button is pressed.
    """
    start = max(start, accounting_rules.look_back_start(requested_on or on))
    Patient.objects.select_for_update().get(pk=patient.pk)  # a second click waits here for the first
    accounting = for_patient(patient, start, end, scope)
    document = accounting.as_pdf(office, on, fee).content
    same = {"issued_on": on, "request_number": request_number, "sha256": hashlib.sha256(document).hexdigest()}
    if given := patient.accountings.filter(**same).first():
        return given
    return AccountingGiven.objects.create(
        patient=patient,
        start=start,
        end=end,
        scope=scope,
        issued_on=on,
        issued_at=at,
        issued_by=by,
        fee=dollars(fee),
        lines=len(accounting.lines),
        document=document,
        request_number=request_number,
    )
