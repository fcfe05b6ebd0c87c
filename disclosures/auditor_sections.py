"""What the disclosure log proves to an auditor: every row of the period, and the accountings as they were given."""

from collections.abc import Iterator
from datetime import date

from django.utils.translation import gettext_lazy as _

from disclosures import log_rows
from disclosures.models import AccountingGiven, Authorization, Breach, BreachLetter, Disclosure, Release
from disclosures.models.breaches import Standing
from meso import auditor
from records import uploads
from records.models import Attachment

_CHUNK = 500
LOG_COLUMNS = (
    "number", "chart_number", "disclosed_on", "recipient", "recipient_address", "information", "purpose_code", "purpose",
    "authorized_on", "authorization", "request", "logged_by", "logged_at", "reviewed", "superseded_by",
)  # fmt: skip


def _log(start: date, end: date) -> Iterator[tuple[object, ...]]:
    return log_rows.cells(Disclosure.objects.between(start, end), LOG_COLUMNS, ["disclosed_on", "id"])


def _accountings(start: date, end: date) -> Iterator[tuple[object, ...]]:
    rows = AccountingGiven.objects.filter(issued_on__range=(start, end)).select_related("patient", "issued_by")
    for row in rows.order_by("issued_on", "id").iterator(chunk_size=_CHUNK):
        period, done = (row.start, row.end, row.scope, row.lines, row.fee), (row.issued_by.signature, row.sha256)
        yield row.pk, row.patient.chart_number, row.request_number, row.issued_on, *period, row.how, *done


def _accounting_documents(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    rows = AccountingGiven.objects.filter(issued_on__range=(start, end)).defer(None).order_by("issued_on", "id")
    for row in rows.iterator(chunk_size=1):
        yield f"accounting-{row.pk}-{row.issued_on.isoformat()}.pdf", row.document


def _releases(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """What left by the release desk, with what stood in the way and why it went all the same."""
    rows = Release.objects.filter(released_on__range=(start, end)).select_related("patient")
    for row in rows.order_by("released_on", "id").iterator(chunk_size=_CHUNK):
        yield (
            row.pk, row.patient.chart_number, row.released_on, row.recipient, row.get_means_display(), row.purpose_code,
            row.branch, row.purpose, row.basis, row.information, row.verified_how, row.verified_on,
            "; ".join(f"{check['label']}: {check['state']}" for check in row.checks),
            "; ".join(f"{one['label']}: {one['reason']}" for one in row.overrides), row.pages, row.copy_sha256,
            row.disclosure_id or "exempt", row.request_number, row.signed_as,
        )  # fmt: skip


def _forms(start: date, end: date) -> Iterator[Authorization]:
    """Signed forms received by the end of the period that were not out of effect before it."""
    rows = Authorization.objects.with_acts().filter(received_on__lte=end).prefetch_related("letters")
    for form in rows.order_by("received_on", "id").iterator(chunk_size=_CHUNK):
        last = form.last_in_effect_on(end)
        if not last or last >= start:
            yield form


def _authorizations(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Each form and how it stood at the end of the period."""
    for form in _forms(start, end):
        standing, revoked, copy = form.standing(end), getattr(form, "revocation", None), getattr(form, "copy", None)
        yield (
            form.pk, form.patient.chart_number, form.get_kind_display(), form.received_on, form.information, form.recipient,
            form.purpose_words, form.signed_on, form.expires_on or form.expiry_event, standing.words,
            "; ".join(f"{reason.words} ({reason.citation})" for reason in standing.reasons),
            revoked.received_on if revoked else "", copy.given_on if copy else "", len(form.letters.all()), form.scan_sha256,
        )  # fmt: skip


def _authorization_documents(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    """The scan of each form, and the letters made of what it lacks."""
    for form in _forms(start, end):
        scan = Authorization.objects.defer(None).only("scan").get(pk=form.pk).scan
        yield f"authorization-{form.pk}{uploads.ENDINGS[Attachment.Format(form.scan_format)][0]}", scan
        for letter in form.letters.defer(None):
            yield f"authorization-{form.pk}-letter-{letter.pk}.pdf", letter.document


def _breaches(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Discovered in the period: how each was judged, and who was told when."""
    rows = Breach.objects.filter(discovered_on__range=(start, end)).prefetch_related("events").order_by("discovered_on", "id")
    for row in rows.iterator(chunk_size=_CHUNK):
        standing = Standing.of(row)
        told = [standing.told[key].data["told_on"] if key in standing.told else "" for key in ("individuals", "media", "hhs")]
        judged = standing.assessment
        factors = "; ".join(f"{name}: {words}" for name, words in judged.data["factors"].items()) if judged else ""
        due = "; ".join(f"{duty.key} by {duty.due_on.isoformat()}" for duty in standing.duties())
        yield (
            row.pk, row.happened_on, row.discovered_on, row.what, standing.people, judged.on if judged else "", factors,
            ("low" if standing.is_low else "not low") if judged else "", due, *told,
            standing.closed.on if standing.closed else "",
        )  # fmt: skip


def _breach_letters(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    rows = BreachLetter.objects.defer(None).filter(breach__discovered_on__range=(start, end)).order_by("id")
    for row in rows.iterator(chunk_size=1):
        yield f"breach-{row.breach_id}-letter-{row.pk}.pdf", row.document


def register_all() -> None:
    """Put these sections into the export."""
    auditor.register("disclosures", _("The log of disclosures"), LOG_COLUMNS, _log, citation="164.528(b)", order=20)
    columns: tuple[str, ...] = (
        "number", "chart_number", "released_on", "recipient", "how", "purpose_code", "ground", "purpose", "on_hand",
        "information", "identity", "identity_checked_on", "checks", "set_aside_because", "pages", "sha256", "log_row",
        "request", "released_by",
    )  # fmt: skip
    auditor.register("releases", _("What left by the release desk"), columns, _releases, citation="164.514(h)", order=19)
    columns = (
        "number", "chart_number", "kind", "received_on", "what", "to_whom", "what_for", "signed_on", "ends", "state",
        "reasons", "revoked_on", "copy_given_on", "letters", "sha256_of_scan",
    )  # fmt: skip
    auditor.register(
        "authorizations", _("Signed authorizations"), columns, _authorizations,
        citation="164.508(b)(6)", documents=_authorization_documents, order=22,
    )  # fmt: skip
    columns = (
        "number", "chart_number", "request", "issued_on", "from", "to", "scope", "lines", "fee", "how", "issued_by", "sha256",
    )  # fmt: skip
    auditor.register(
        "accountings", _("Accountings given, as issued"), columns, _accountings,
        citation="164.528(d)", documents=_accounting_documents, order=21,
    )  # fmt: skip
    columns = (
        "number", "happened_on", "discovered_on", "what_happened", "people", "judged_on", "four_factors", "probability", "due",
        "individuals_told_on", "media_told_on", "hhs_told_on", "closed_on",
    )  # fmt: skip
    auditor.register(
        "breaches", _("Breaches, how each was judged, and who was told"), columns, _breaches,
        citation="164.402, 164.404, 164.406, 164.408", documents=_breach_letters, order=31,
    )  # fmt: skip
