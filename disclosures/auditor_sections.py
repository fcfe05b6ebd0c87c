"""What the disclosure log proves to an auditor: every row of the period, and the accountings as they were given."""

from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext_lazy as _

from disclosures.models import AccountingGiven, Authorization, Disclosure
from meso import auditor

_CHUNK = 500
LOG_COLUMNS = (
    "number", "chart_number", "disclosed_on", "recipient", "recipient_address", "information", "purpose_code", "purpose",
    "authorized_on", "request", "logged_by", "logged_at", "reviewed", "superseded_by",
)  # fmt: skip


def _log(start: date, end: date) -> Iterator[tuple[object, ...]]:
    rows = Disclosure.objects.between(start, end).select_related("patient", "logged_by", "correction").prefetch_related("reviews")
    for row in rows.order_by("disclosed_on", "id").iterator(chunk_size=_CHUNK):
        correction = getattr(row, "correction", None)
        yield (
            row.pk, row.patient.chart_number, row.disclosed_on, row.recipient, row.recipient_address, row.information,
            row.purpose_code, row.purpose, row.authorized_on, row.request_number,
            row.logged_by.signature if row.logged_by else "", row.logged_at.isoformat(timespec="seconds"),
            "yes" if row.reviews.all() else "no", (correction.replacement_id or "none") if correction else "",
        )  # fmt: skip


def _accountings(start: date, end: date) -> Iterator[tuple[object, ...]]:
    rows = AccountingGiven.objects.filter(issued_on__range=(start, end)).select_related("patient", "issued_by")
    for row in rows.order_by("issued_on", "id").iterator(chunk_size=_CHUNK):
        period = (row.start, row.end, row.scope, row.lines, row.fee)
        yield row.pk, row.patient.chart_number, row.request_number, row.issued_on, *period, row.issued_by.signature, row.sha256


def _accounting_documents(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    rows = AccountingGiven.objects.filter(issued_on__range=(start, end)).defer(None).order_by("issued_on", "id")
    for row in rows.iterator(chunk_size=1):
        yield f"accounting-{row.pk}-{row.issued_on.isoformat()}.pdf", row.document


def _authorizations(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Signed forms received by the end of the period that were not out of effect before it, and how each stood at its end."""
    for row in (
        Authorization.objects.with_acts().filter(received_on__lte=end).order_by("received_on", "id").iterator(chunk_size=_CHUNK)
    ):
        last = row.last_in_effect_on(end)
        if last and last < start:
            continue
        standing, revoked = row.standing(end), getattr(row, "revocation", None)
        yield (
            row.pk, row.patient.chart_number, row.get_kind_display(), row.received_on, row.information, row.recipient,
            row.purpose_words, row.signed_on, row.expires_on or row.expiry_event, standing.words,
            "; ".join(str(reason.words) for reason in standing.reasons), revoked.received_on if revoked else "", row.scan_sha256,
        )  # fmt: skip


def register_all() -> None:
    """Put these sections into the export."""
    auditor.register("disclosures", _("The log of disclosures"), LOG_COLUMNS, _log, citation="164.528(b)", order=20)
    columns: tuple[str, ...] = (
        "number", "chart_number", "kind", "received_on", "what", "to_whom", "what_for", "signed_on", "ends", "state",
        "reasons", "revoked_on", "sha256_of_scan",
    )  # fmt: skip
    auditor.register("authorizations", _("Signed authorizations"), columns, _authorizations, citation="164.508(b)(6)", order=22)
    columns = (
        "number", "chart_number", "request", "issued_on", "from", "to", "scope", "lines", "fee", "issued_by", "sha256",
    )  # fmt: skip
    auditor.register(
        "accountings", _("Accountings given, as issued"), columns, _accountings,
        citation="164.528(d)", documents=_accounting_documents, order=21,
    )  # fmt: skip
