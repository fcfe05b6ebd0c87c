"""Copies of the record: what goes in, how many pages the PDF really has, and what it costs before anything is made."""

import hashlib
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from meso.models import Office, User
from meso.money import in_words
from meso.pdf import Pdf, render_pdf
from records.models import Attachment, Entry, Patient
from records.record_pdf import record_pdf
from requests_app import carrying_out, fees, letters
from requests_app.answers import all_or_nothing
from requests_app.deadlines import NotAllowedNow
from requests_app.fees import Bill
from requests_app.kinds import Delivery, Kind
from requests_app.models import CopyBill, PatientRequest
from requests_app.models.timeline import Verb

# What pypdf lets out on a file that is no sound PDF: its own errors, and those of code that trips over the content.
_UNREADABLE = (PyPdfError, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, NotImplementedError)
_ON_PAGES = (Attachment.Format.JPEG, Attachment.Format.PNG)  # files that the record's own pages show

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a patient's file is shown, and not logged


@dataclass(frozen=True)
class Order:
    """What is to be copied and how it goes out. Money in dollars; `paper_pages` are photocopied from a paper chart."""

    entries: tuple[Entry, ...]
    loose: tuple[Attachment, ...]
    delivery: str
    paper_pages: int
    postage: Decimal


@dataclass(frozen=True)
class Quote:
    """A copy as drawn, and its bill: what is shown before anything is made."""

    order: Order
    pdf: Pdf
    bill: Bill
    beside: tuple[Attachment, ...]  # files that can't be pages: they are given besides
    unreadable: tuple[Attachment, ...]  # PDF files among them that are broken or locked

    @cached_property
    def seen(self) -> str:
        """A digest of all that the desk was shown; another digest later means that something has changed since."""
        keys = [entry.pk for entry in self.order.entries], [file.pk for file in self.order.loose]
        shown = (keys, self.order.delivery, self.order.paper_pages, self.pdf.pages, self.bill)
        return hashlib.sha256(repr(shown).encode()).hexdigest()


class ChangedSinceShown(NotAllowedNow):
    """What would be made is not what was shown: the new `quote` must be looked at first."""

    def __init__(self, quote: Quote):
        super().__init__(_("Something has changed since the bill was worked out. Nothing is made yet: please look at it again."))
        self.quote = quote


def orderable(patient: Patient) -> tuple[list[Entry], list[Attachment]]:
    """What may be copied for this patient: the entries of the record, oldest first, and the files under no entry."""
    entries = Entry.objects.of_record().filter(patient=patient).with_marks().oldest_first()
    return list(entries), list(patient.attachments.filter(entry=None))


def quote(patient: Patient, order: Order, *, by: User, on: date, office: Office) -> Quote:
    """Draw the copy, count its pages, work out the bill. Stores nothing. Raises fees.FeeRefused."""
    fees.for_delivery(**_figures(order, 0, office))  # what is amiss in the figures shows before the drawing takes its time
    files = [file for entry in order.entries for file in entry.attachments.all()] + list(order.loose)
    pages_of = _readable(files)
    record = Pdf(b"", 0)  # of a chart that is all on paper
    if order.entries or order.loose:
        record = record_pdf(patient, office, order.entries, on, by, loose=order.loose, behind=pages_of)
    pdf = _joined(record, [(file.name, pages_of[file.pk]) for file in files if file.pk in pages_of])
    beside = tuple(file for file in files if file.format not in _ON_PAGES and file.pk not in pages_of)
    locked = tuple(file for file in beside if file.format == Attachment.Format.PDF)
    return Quote(order, pdf, fees.for_delivery(**_figures(order, pdf.pages, office)), beside, locked)


def _figures(order: Order, pages: int, office: Office) -> dict:
    return {
        "delivery": order.delivery,
        "pages": pages,
        "paper_pages": order.paper_pages,
        "postage": order.postage,
        "rate": office.copy_rate,
        "charge_electronic": office.charge_electronic_pages,
        "flat_fee": office.electronic_copy_fee,
    }


def _readable(files: Sequence[Attachment]) -> dict[int, bytes]:
    """The PDF files among these as sound PDFs of their pages alone, by key; broken and locked ones left out."""
    wanted = [file.pk for file in files if file.format == Attachment.Format.PDF]
    found = Attachment.objects.with_bytes().filter(pk__in=wanted).iterator(chunk_size=4) if wanted else ()
    copied = {file.pk: _pages_alone(bytes(file.content)) for file in found}
    return {key: content for key, content in copied.items() if content}


def _pages_alone(content: bytes) -> bytes:
    """The pages of a PDF without scripts, forms and files it may carry; b"" when it is broken, locked or has none."""
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted or not reader.pages:
            return b""
        return _written(reader.pages)
    except _UNREADABLE:
        return b""


def _written(pages: Iterable) -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    for page in pages:
        writer.add_page(page)
    writer.write(out)
    return out.getvalue()


def _joined(record: Pdf, parts: list[tuple[str, bytes]]) -> Pdf:
    """The record with the pages of these files behind it, each with its bookmark."""
    if not parts:
        return record
    writer, out = PdfWriter(clone_from=io.BytesIO(record.content)), io.BytesIO()
    for name, content in parts:
        first = len(writer.pages)
        for page in PdfReader(io.BytesIO(content)).pages:
            writer.add_page(page)
        writer.add_outline_item(title=name, page_number=first)
    writer.xmp_metadata = None  # it claims PDF/UA, which the files' own pages may not keep
    writer.write(out)
    return Pdf(out.getvalue(), len(writer.pages))


def make(request: PatientRequest, order: Order, *, seen: str, by: User, at: datetime, on: date, office: Office) -> CopyBill:
    """Make the copy and its bill, as shown: the PDF, the rate, the total stay as they are now. A second click makes no second.

    Raises NotAllowedNow before the request is granted, its chart found and identity checked, or once it is closed;
    ChangedSinceShown when what would be made differs from what was `seen`; fees.FeeRefused.
    """
    patient = carrying_out.check(request, Kind.ACCESS)
    made = quote(patient, order, by=by, on=on, office=office)
    if made.seen != seen:
        raise ChangedSinceShown(made)
    with all_or_nothing(request) as me:
        carrying_out.check(me, Kind.ACCESS)
        return _same(me, made, on) or _store(me, made, by=by, at=at, on=on, office=office)


def _same(request: PatientRequest, made: Quote, on: date) -> CopyBill | None:
    """The very same copy and bill, made today by a first click on the same button, or None."""
    digest = hashlib.sha256(made.pdf.content).hexdigest()
    bills = request.bills.filter(made_on=on, copy_sha256=digest, delivery=made.order.delivery, total=made.bill.total)
    return bills.filter(paper_pages=made.order.paper_pages, postage=made.bill.postage).first()


def _store(request: PatientRequest, made: Quote, *, by: User, at: datetime, on: date, office: Office) -> CopyBill:
    order, bill = made.order, made.bill
    stored = CopyBill.objects.create(
        request=request,
        patient_id=request.patient_id,
        entry_ids=[entry.pk for entry in order.entries],
        delivery=order.delivery,
        pages=made.pdf.pages,
        paper_pages=order.paper_pages,
        charged_pages=bill.pages,
        rate=bill.per_page,
        copies=bill.copies,
        postage=bill.postage,
        total=bill.total,
        copy=made.pdf.content,
        document=_bill_pdf(request, made, number=request.bills.count() + 1, by=by, on=on, office=office).content,
        made_on=on,
        made_at=at,
        made_by=by,
    )
    pages, total = made.pdf.pages + order.paper_pages, in_words(bill.total)
    request.events.record(Verb.BILLED, by=by, at=at, on=on, pages=pages, total=total, bill=stored.pk)
    return stored


def _bill_pdf(request: PatientRequest, made: Quote, *, number: int, by: User, on: date, office: Office) -> Pdf:
    context = {
        "asked": request,
        "number": f"{request.number}-{number}",
        "office": office,
        "to": letters.addressee(request, on),
        "dated": on,
        "by": by,
        "quote": made,
        "rows": rows_of(made, office),
    }
    return render_pdf("requests_app/letters/bill.html", context)


def rows_of(made: Quote, office: Office) -> list[tuple[str, str, Decimal]]:
    """The rows of the bill as (what, how many or why, dollars), the same on the screen and on paper."""
    order, bill = made.order, made.bill
    if order.delivery == Delivery.ELECTRONIC:
        return [(_("Electronic copy, all in"), _pages(made.pdf.pages + order.paper_pages), bill.copies)]
    rows = []
    if made.pdf.pages:
        charged = office.charge_electronic_pages
        how = _("%(pages)s at %(rate)s") if charged else _("%(pages)s, no price per page: we keep them electronically")
        words = {"pages": _pages(made.pdf.pages), "rate": in_words(bill.per_page)}
        rows.append((_("Printed from the electronic record"), how % words, made.pdf.pages * bill.per_page * charged))
    if order.paper_pages:
        how = _("%(pages)s at %(rate)s") % {"pages": _pages(order.paper_pages), "rate": in_words(bill.per_page)}
        rows.append((_("Photocopied from the paper chart"), how, order.paper_pages * bill.per_page))
    if order.delivery == Delivery.MAIL:
        rows.append((_("Postage"), _("as paid"), bill.postage))
    return rows


def _pages(count: int) -> str:
    return ngettext("%(count)s page", "%(count)s pages", count) % {"count": count}
