"""The accounting of disclosures: from the log to the lines that a patient is given. One source for screen, JSON, CSV and PDF."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from disclosures import accounting_rules, enclosures, pricing, purposes, withholding
from disclosures.models import AccountingGiven, Disclosure, PriceTold, ResearchProtocol, WrittenRequest
from disclosures.purposes import Scope
from meso import csv_out, languages
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
_RESEARCH = "research by its protocol"


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
    protocol: ResearchProtocol | None = None  # told in place of its disclosures
    request_id: int | None = None  # the copy that goes along in place of the purpose

    def cell(self, column: str) -> Any:
        """What a file says in this column."""
        if column == "purpose" and not self.purpose:
            return _("See the copy of the written request.")
        return getattr(self, column)

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
            {name: value.isoformat() if isinstance(value := line.cell(name), date) else value for name in CSV_COLUMNS}
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
        return "".join(csv_out.stream(CSV_COLUMNS, ([str(line.cell(column)) for column in CSV_COLUMNS] for line in self.lines)))

    def as_pdf(self, office: Office, on: date, fee: Decimal = Decimal(0)) -> Pdf:
        """The printed accounting on the office's letterhead, in the patient's language where the office writes it.

        Copies of written requests that stand in place of a purpose are laid behind it.
        """
        keys = [line.request_id for line in self.lines if line.request_id]
        copies = list(WrittenRequest.objects.defer(None).filter(pk__in=keys).order_by("pk")) if keys else []
        context = {"accounting": self, "patient": self.patient, "office": office, "on": on, "fee": dollars(fee)}
        context["pictures"] = enclosures.pictures(copies)
        pdf = render_pdf("disclosures/pdf/accounting.html", context, languages.written(self.patient.language))
        return enclosures.behind(pdf, copies)

    @property
    def plain_lines(self) -> list[Line]:
        """The lines of single disclosures and of series."""
        return [line for line in self.lines if line.protocol is None]

    @property
    def protocols(self) -> list[Line]:
        """The lines that tell of research in place of its disclosures."""
        return [line for line in self.lines if line.protocol]


def for_patient(patient: Patient, start: date, end: date, scope: Scope = Scope.NOTICE, *, on: date) -> Accounting:
    """Everything accountable that left the office between the two days, both inclusive, as it is told on the day `on`.

    What an agency has suspended on that day leaves no trace (164.528(a)(2)). Three queries at most.
    """
    rows = Disclosure.objects.accountable(scope).filter(patient=patient).between(start, end)
    if withheld := withholding.withheld(on, patient):
        rows = rows.exclude(pk__in=withheld)
    series: dict[tuple[Any, ...], list[Disclosure]] = {}
    for row in rows.select_related("protocol").order_by("disclosed_on", "id"):
        series.setdefault(_series_of(row), []).append(row)
    lines = [_line(members) if key[0] != _RESEARCH else _protocol_line(members, start, end) for key, members in series.items()]
    return Accounting(patient, start, end, scope, sorted(lines, key=lambda line: line.disclosed_on))


def _series_of(row: Disclosure) -> tuple[Any, ...]:
    """What rows must share to be told as one line: recipient, code and purpose, where the code may be grouped at all.

    Research on 50 people or more is told by its protocol (164.528(b)(4)); a copy of a written request stands for itself.
    """
    if row.protocol and row.protocol.may_be_short:
        return (_RESEARCH, row.protocol_id)
    if not purposes.purpose(row.purpose_code).groups:
        return (row.pk,)
    words = (row.recipient, row.recipient_address, row.purpose)
    return (row.purpose_code, row.sub_kind, row.written_request_id, *(" ".join(text.casefold().split()) for text in words))


def _protocol_line(members: list[Disclosure], start: date, end: date) -> Line:
    """The protocol in place of its disclosures: its period inside the window, and everything that the rule wants said."""
    protocol: Any = members[0].protocol
    purpose = _(
        "%(name)s. %(description)s Purpose: %(purpose)s How records were selected: %(selection)s Sponsor: %(sponsor)s, "
        "%(sponsor_address)s, %(sponsor_phone)s. Information about this patient may or may not have been given for it."
    )
    return Line(
        disclosed_on=max(start, protocol.begins_on),
        recipient=protocol.researcher,
        recipient_address=f"{protocol.researcher_address}\n{protocol.researcher_phone}",
        information=protocol.kinds,
        purpose=purpose % vars(protocol),
        purpose_code="research",
        authorization_required=False,
        count=1,
        last_disclosed_on=min(end, protocol.ends_on),
        frequency="",
        protocol=protocol,
    )


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
        request_id=None if first.purpose else first.written_request_id,
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
    how: str = "",
    told: PriceTold | None = None,
    scope_reason: str = "",
    reissued: bool = False,
) -> AccountingGiven:
    """Issue the accounting: what is given is kept exactly as issued (164.528(d)).

    `how` is the WayOut, "" where a request asked for it: that one is made now, and given with the request. The period reaches
    back six years at most from the day it was asked for, which is today unless `requested_on` says so. It costs what the
    patient was `told` and chose to pay, else nothing. The same document on the same day, in the same way, is one accounting,
    however often its button is pressed. Raises PriceRefused, and ListRefused for a
    way that the patient does not wish.
    """
    AccountingGiven.check_way(patient, how, on, request_number)
    asked_on = requested_on or on
    start = max(start, accounting_rules.look_back_start(asked_on))
    Patient.objects.select_for_update().get(pk=patient.pk)  # a second click waits here for the first
    fee = told.total if told else Decimal(0)
    if fee:
        pricing.check_may_charge(told, patient, fee)
    accounting = for_patient(patient, start, end, scope, on=on)
    document = accounting.as_pdf(office, on, fee).content
    same = {"issued_on": on, "how": how, "request_number": request_number, "sha256": hashlib.sha256(document).hexdigest()}
    if given := patient.accountings.filter(**same).first():
        return given
    return AccountingGiven.objects.create(
        patient=patient,
        start=start,
        end=end,
        scope=scope,
        scope_reason=scope_reason,
        requested_on=asked_on,
        later_one=reissued or not pricing.standing(patient, asked_on, request_number).is_free,
        price_told=told,
        issued_on=on,
        issued_at=at,
        issued_by=by,
        fee=dollars(fee),
        lines=len(accounting.lines),
        document=document,
        request_number=request_number,
        how=how,
    )
