"""Copies of the record: what goes in, how many pages the PDF really has, and what it costs before anything is made."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meso.models import Office, User
from meso.money import in_words
from meso.pdf import Pdf, render_pdf
from records import copying
from records.exclusion import excluded
from records.models import Attachment, Entry, Patient
from requests_app import carrying_out, fees, letters, package, quoting, tariff
from requests_app.answers import all_or_nothing
from requests_app.asked import Way
from requests_app.deadlines import NotAllowedNow
from requests_app.fees import Bill
from requests_app.kinds import Delivery, Kind
from requests_app.models import BillSettlement, CopyBill, PatientRequest, RequestPaper, WithheldPassage
from requests_app.models.timeline import Verb


@dataclass(frozen=True)
class Order:
    """What is to be copied and how it goes out. Money in dollars; `paper_pages` are photocopied from a paper chart.

    `other_form` is why it goes out in another form than was asked for, agreed with the patient on that day. `internal` are
    files of the entries that stay out; `withheld` words that are blacked out; `papers` of the request itself go behind.
    """

    entries: tuple[Entry, ...]
    loose: tuple[Attachment, ...]
    delivery: str
    paper_pages: int
    postage: Decimal
    internal: tuple[Attachment, ...] = ()
    withheld: tuple[WithheldPassage, ...] = ()
    papers: tuple[RequestPaper, ...] = ()
    both_sides: bool = False
    other_form: str = ""
    other_form_agreed_on: date | None = None

    def package(self) -> dict[str, list[int]]:
        """What the bill keeps of it: the keys of what was withheld, kept internal, and laid beside the record."""
        parts = {"files": self.loose, "internal": self.internal, "withheld": self.withheld, "papers": self.papers}
        return {name: [thing.pk for thing in things] for name, things in parts.items()}  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Quote:
    """A copy as drawn, and its bill: what is shown before anything is made."""

    order: Order
    pdf: Pdf
    bill: Bill
    beside: tuple[Attachment, ...]  # files that can't be pages: they are given besides
    unreadable: tuple[Attachment, ...]  # PDF files among them that are broken or locked
    elsewhere: tuple[str, ...] = ()  # entries in which withheld words still stand

    @cached_property
    def seen(self) -> str:
        """A digest of all that the desk was shown; another digest later means that something has changed since."""
        keys = [entry.pk for entry in self.order.entries], self.order.package()
        shown = (keys, self.order.delivery, self.order.paper_pages, self.pdf.pages, self.bill)
        return hashlib.sha256(repr(shown).encode()).hexdigest()


class ChangedSinceShown(NotAllowedNow):
    """What would be made is not what was shown: the new `quote` must be looked at first."""

    def __init__(self, quote: Quote):
        super().__init__(_("Something has changed since the bill was worked out. Nothing is made yet: please look at it again."))
        self.quote = quote


class PriceFirst(NotAllowedNow):
    """The price was not told and accepted: the text says which. `quote` is what would be made."""

    def __init__(self, text: str, quote: Quote):
        super().__init__(text)
        self.quote = quote


def with_package(request: PatientRequest, order: Order) -> Order:
    """The order with what the request itself says: the words withheld now, and its papers that go into the package."""
    papers = [paper for paper in request.papers.prefetch_related("moves") if paper.goes_out]
    return replace(order, withheld=tuple(request.withheld.in_force()), papers=tuple(papers))


def quote(patient: Patient, order: Order, *, by: User, on: date, office: Office) -> Quote:
    """Draw the copy, count its pages, work out the bill. Stores nothing.

    Raises fees.FeeRefused, and NotAllowedNow for an entry that the right of access does not reach (164.524(a)(1)(i)-(ii)).
    """
    if any(excluded(entry) for entry in order.entries):
        raise NotAllowedNow(_("An entry among these is left out of copies by law. Please look at the list again."), "entry")
    fees.for_delivery(**figures(order, 0, office))  # what is amiss in the figures shows before the drawing takes its time
    copy = copying.copy_of(
        patient,
        order.entries,
        order.loose,
        by=by,
        on=on,
        office=office,
        internal={file.pk for file in order.internal},
        covers=package.covers(order.withheld),
        papers=_papers(order.papers),
    )
    bill = fees.for_delivery(**figures(order, copy.pdf.pages, office))
    elsewhere = tuple(package.left_elsewhere(order.entries, order.withheld))
    return Quote(order, copy.pdf, bill, copy.beside, copy.unreadable, elsewhere)


def check_form(request: PatientRequest, delivery: str, why: str, agreed_on: date | None, on: date) -> None:
    """Raise NotAllowedNow for a copy in another form than was asked for without the reason and the patient's agreement.

    The form asked for is the form given, if it can readily be produced; else another that both agree on (164.524(c)(2)(i)).
    """
    wanted = request.details.get("form")
    if not wanted or wanted == delivery:
        return
    if not why.strip():
        words = _("The patient asked for: %(form)s. Say why it goes out another way.")
        raise NotAllowedNow(words % {"form": Way(wanted).label}, "other_form")
    if agreed_on is None or not request.received_on <= agreed_on <= on:
        raise NotAllowedNow(_("Write the day on which the patient agreed to it."), "other_form_agreed_on")


def _papers(papers: Sequence[RequestPaper]) -> list[tuple[str, str, bytes]]:
    """These papers as (name, format, bytes)."""
    kept = RequestPaper.objects.defer(None).filter(pk__in=[paper.pk for paper in papers]) if papers else ()
    return [(paper.name, paper.format, bytes(paper.content)) for paper in kept]


def figures(order: Order, pages: int, office: Office) -> dict:
    """What the tariff asks of an order of so many pages, as fees.for_delivery takes it."""
    return {
        "delivery": order.delivery,
        "pages": pages,
        "paper_pages": order.paper_pages,
        "postage": order.postage,
        **tariff.rates(office),
    }


def make(
    request: PatientRequest, order: Order, *, seen: str, by: User, at: datetime, on: date, office: Office, waive: bool = False
) -> CopyBill:
    """Make the copy and its bill, as shown: the PDF, the rate, the total stay as they are now. A second click makes no second.

    `waive`: the office asks nothing for it. Raises NotAllowedNow before the request is granted, its chart found and identity
    checked, or once it is closed, and for a price that was not told and accepted before (quoting.why_not_bill);
    ChangedSinceShown when what would be made differs from what was `seen`; fees.FeeRefused.
    """
    patient = carrying_out.check(request, Kind.ACCESS, on)
    order = with_package(request, order)
    check_form(request, order.delivery, order.other_form, order.other_form_agreed_on, on)
    made = quote(patient, order, by=by, on=on, office=office)
    if made.seen != seen:
        raise ChangedSinceShown(made)
    with all_or_nothing(request) as me:
        carrying_out.check(me, Kind.ACCESS, on)
        if why := me.representative_refusal(on, what=order.entries):
            raise NotAllowedNow(why)
        if with_package(me, order) != order:
            raise ChangedSinceShown(made)
        if same := _same(me, made, on):
            return same
        if not waive and (why := quoting.why_not_bill(me, made.bill.total)):
            raise PriceFirst(why, made)
        stored = _store(me, made, by=by, at=at, on=on, office=office)
        if waive and stored.total:
            stored.settle(BillSettlement.How.WAIVED, by=by, at=at, on=on)
        return stored


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
        package=order.package(),
        delivery=order.delivery,
        other_form=order.other_form.strip(),
        other_form_agreed_on=order.other_form_agreed_on,
        pages=made.pdf.pages,
        paper_pages=order.paper_pages,
        sheets=sheets_of(made),
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
    if request.is_open and request.carried_out_on:  # more copies are to be given before it is carried out
        request.carried_out_on = None
        request.save(update_fields=["carried_out_on"])
    pages, total = made.pdf.pages + order.paper_pages, in_words(bill.total)
    request.events.record(Verb.BILLED, by=by, at=at, on=on, pages=pages, total=total, bill=stored.pk)
    return stored


def _bill_pdf(request: PatientRequest, made: Quote, *, number: int, by: User, on: date, office: Office) -> Pdf:
    language = letters.language_of(request)
    with translation.override(language):
        context = {
            "asked": request,
            "patient": request.patient,
            "number": f"{request.number}-{number}",
            "office": office,
            "to": letters.addressee(request, on),
            "dated": on,
            "by": by,
            "quote": made,
            "rows": rows_of(made, office),
        }
    return render_pdf("requests_app/letters/bill.html", context, language)


def sheets_of(made: Quote) -> int:
    """The sheets of paper that this copy takes; none when it is electronic."""
    if made.order.delivery == Delivery.ELECTRONIC:
        return 0
    return fees.sheets(made.pdf.pages + made.order.paper_pages, both_sides=made.order.both_sides)


def rows_of(made: Quote, office: Office) -> list[tuple[str, str, Decimal]]:
    """The rows of the bill as (what, how many or why, dollars), the same on the screen and on paper."""
    order, bill = made.order, made.bill
    if order.delivery == Delivery.ELECTRONIC and bill.pages:
        how = _("%(pages)s at %(rate)s") % {"pages": _pages(order.paper_pages), "rate": in_words(bill.per_page)}
        free = [(_("Electronic copy"), _pages(made.pdf.pages), Decimal("0.00"))] if made.pdf.pages else []
        return [*free, (_("Scanned from the paper chart"), how, bill.copies)]
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
