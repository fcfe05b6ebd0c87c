"""Copies of the record: the bill before anything is made, then the copy and its bill, given and settled."""

from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from disclosures.views.release import at_the_desk
from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from records import copying
from records.views.about import refuse_closed_copy
from requests_app import asked as asked_words
from requests_app import carrying_out, copies, quoting
from requests_app.forms.copies import CopiesForm, SetAsideForm, SettleForm
from requests_app.forms.giving import GiveForm
from requests_app.kinds import Delivery, Kind
from requests_app.models import CopyBill, PatientRequest, PostagePrice
from requests_app.views.acting import act_on, chart_of, form_for, released_for, request_or_404


@needs("request.bill")
def request_copies(request: HttpRequest, number: str) -> HttpResponse:
    """Choose entries, see the pages and the bill, then make both as they were shown."""
    asked = request_or_404(number)
    if asked.kind != Kind.ACCESS or asked.patient is None:
        return redirect(asked)
    entries, loose = copying.orderable(asked.patient, asked.representative)
    ticked = request.GET.get("tick") != "none"
    form = form_for(request, CopiesForm, asked, entries=entries, loose=loose, ticked=ticked)

    def more() -> dict[str, Any]:
        audit.looked_at(request, f"copies for {asked.number}", chart_of(asked))
        why_not = carrying_out.why_not(asked, clock.today())
        facts = {"what": asked_words.lines(asked), "why_not": why_not, "left_out": asked.left_out()}
        facts["hidden"] = asked.hidden_entries()
        return {**facts, **_shown(request, form)}

    if request.POST.get("step") == "make":
        return act_on(request, form, "requests_app/copies.html", more)
    if form.is_bound and form.is_valid():
        form.work_out(by=request.user, office=request.office)
    return render(request, "requests_app/copies.html", {"asked": asked, "form": form, **more()})


def _shown(request: HttpRequest, form: CopiesForm) -> dict[str, Any]:
    """The bill that was worked out, with its rows, or {}."""
    quote = form.quote
    if not quote:
        return {}
    sheets = copies.sheets_of(quote)
    band = PostagePrice.objects.estimate(sheets, clock.today()) if quote.order.delivery == Delivery.MAIL else None
    facts = {"sheets": sheets, "postage_band": band, "price_first": quoting.why_not_bill(form.asked, quote.bill.total)}
    return {"quote": quote, "rows": copies.rows_of(quote, request.office), **facts}


def _bill(asked: PatientRequest, pk: int, document: str = "") -> CopyBill:
    """The bill of this request with this key; `document` names the PDF to bring along. Raises Http404."""
    bills = asked.bills.defer(*({"copy", "document"} - {document}))
    return get_object_or_404(bills, pk=pk)


@needs("record.print")
@require_GET
def copy_pdf(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """The copy as it was made; marked as not released until it has gone out through the release desk."""
    asked = request_or_404(number)
    bill = _bill(asked, pk, "copy")
    if not bill.pages:
        raise Http404
    refuse_closed_copy(request, bill.entry_ids, chart_of(asked))
    audit.record(Action.DOWNLOAD, f"copy {bill.pk} of {asked.number}", chart=chart_of(asked), request=request)
    content = bytes(bill.copy) if carrying_out.given_event(bill) else copying.stamped(bytes(bill.copy))
    return file_answer(content, f"{asked.number}-copy-{bill.pk}.pdf")


@needs("request.view")
@require_GET
def bill_pdf(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """The bill as it was made."""
    asked = request_or_404(number)
    bill = _bill(asked, pk, "document")
    audit.record(Action.DOWNLOAD, f"bill {bill.pk} of {asked.number}", chart=chart_of(asked), request=request)
    return file_answer(bytes(bill.document), f"{asked.number}-bill-{bill.pk}.pdf")


@needs("release.make")
def copies_given(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """The copies go out, at the release desk."""
    asked = request_or_404(number)
    bill = _bill(asked, pk)
    on = clock.today()

    def made(data: QueryDict | None, initial: dict) -> GiveForm:
        return GiveForm(data, asked=asked, bill=bill, on=on, by=request.user, initial=initial)

    context = {"asked": asked, "why_not": carrying_out.why_not(asked, clock.today())}
    return at_the_desk(request, made, {}, released_for(asked, "copies given"), **context)


@needs("request.carry_out")
def copies_set_aside(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Set a copy aside that is not given after all."""
    asked = request_or_404(number)
    return act_on(request, form_for(request, SetAsideForm, asked, bill=_bill(asked, pk)))


@needs("request.bill")
def bill_settle(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Record that a bill was paid, or waive it."""
    asked = request_or_404(number)
    return act_on(request, form_for(request, SettleForm, asked, bill=_bill(asked, pk)))
