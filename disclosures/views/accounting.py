"""The accounting of one patient: on the screen, as a file, given and kept."""

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from disclosures import accounting as accountings
from disclosures import issuing, pricing
from disclosures.accounting_rules import ListRefused
from disclosures.forms.accounting import AccountingForm, GiveForm, PriceAnswerForm
from disclosures.models import AccountingGiven, PriceTold
from meso import audit, clock
from meso.audit import Action
from meso.brakes import HEAVY, at_most, person_of
from meso.http import HttpRequest, file_answer
from meso.roles import may, needs
from records import wishes
from records.models import Patient
from records.representation import adulthood
from records.views.about import patient_and_context

_GIVEN_SHOWN = 50
_FORMATS = {"json": "application/json", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


def _form(request: HttpRequest) -> AccountingForm:
    """The form filled from the address or the POST; a period and a scope tell of no patient."""
    return AccountingForm(
        request.POST or request.GET or None, on=clock.today(), may_choose_scope=may(request.user, "accounting.scope")
    )


@needs("accounting.view")
@require_GET
def accounting(request: HttpRequest, chart: str) -> HttpResponse:
    """Six years up to today at one click; the period may be narrowed."""
    return _page(request, chart, _form(request))


def _page(
    request: HttpRequest,
    chart: str,
    form: AccountingForm,
    give_form: GiveForm | None = None,
    answer_form: PriceAnswerForm | None = None,
) -> HttpResponse:
    """The list, what it costs, and what was given before."""
    patient, context = patient_and_context(chart)
    on = clock.today()
    audit.looked_at(request, "accounting", chart, detail=form.why)
    standing = pricing.standing(patient, on)
    context |= {
        "form": form,
        "accounting": accountings.for_patient(patient, *form.period(), on=on),
        "standing": standing,
        "give_form": give_form or _give_form(None, patient, standing.is_free),
        "told": pricing.open_price(patient),
        "of_the_minor_alone": on < adulthood(patient.date_of_birth) and patient.entries.of_the_minor_alone().exists(),
        "answer_form": answer_form or PriceAnswerForm(initial={"answered_on": on}),
        "given": patient.accountings.select_related("issued_by").order_by("-issued_on", "-id")[:_GIVEN_SHOWN],
    }
    return render(request, "disclosures/accounting.html", context)


@needs("accounting.view")
@at_most(HEAVY, person_of)
@require_GET
def accounting_file(request: HttpRequest, chart: str, format: str) -> HttpResponse:
    """The same as JSON, CSV or PDF."""
    if format not in _FORMATS:
        raise Http404
    patient = get_object_or_404(Patient, chart_number=chart)
    form = _form(request)
    made = accountings.for_patient(patient, *form.period(), on=clock.today())
    if form.is_bound and not form.is_valid():
        return redirect(f"{reverse('accounting', args=[chart])}?{request.GET.urlencode()}")  # it says there what is not right
    audit.record(Action.EXPORT, "accounting", chart=chart, detail=f"{format}, {form.why}", request=request)
    content: bytes | str
    if format == "json":
        content = json.dumps(made.as_dict(), ensure_ascii=False, indent=2)
    elif format == "csv":
        content = made.as_csv()
    else:
        content = made.as_pdf(request.office, clock.today()).content
    return file_answer(content, f"accounting-{chart}.{format}", kind=_FORMATS[format], download=True)


@needs("accounting.give")
@require_POST
def accounting_give(request: HttpRequest, chart: str) -> HttpResponse:
    """Issue it, where it is free or costs nothing: what is given is kept byte for byte. Else the price is told first."""
    patient = get_object_or_404(Patient, chart_number=chart)
    form, give_form = _form(request), _give_form(request.POST, patient, "delivery" not in request.POST)
    if not (form.is_valid() and give_form.is_valid()):
        return _page(request, chart, form, give_form)
    start, end, scope = form.period()
    facts = {**give_form.what(), **_now(request), "scope_reason": form.cleaned_data.get("reason", ""), "office": request.office}
    try:
        made = issuing.issue(patient, start, end, scope, **facts)
    except ListRefused as refusal:
        if refusal.field == "delivery":  # the free one was given meanwhile
            give_form = _give_form(request.POST, patient, is_free=False)
        give_form.refuse(refusal)
        return _page(request, chart, form, give_form)
    return _made(request, chart, made, form.why)


def _give_form(data: QueryDict | None, patient: Patient, is_free: bool) -> GiveForm:
    return GiveForm(data, is_free=is_free, to=wishes.mailing_lines(patient, clock.today()))


def _now(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": clock.now(), "on": clock.today()}


def _made(request: HttpRequest, chart: str, made: AccountingGiven | PriceTold, why: str) -> HttpResponse:
    """Back to the accounting, which shows what was made: the list, or the price that was told."""
    if isinstance(made, AccountingGiven):
        audit.record(Action.CREATE, f"accounting {made.pk}", chart=chart, detail=why, request=request)
        messages.success(request, _("The accounting is issued and kept. Print it from the list below."))
    else:
        audit.record(Action.CREATE, f"price {made.pk}", chart=chart, detail="told", request=request)
        messages.success(request, _("It is recorded that the patient was told the price. Now record what they choose."))
    return redirect("accounting", chart)


@needs("accounting.give")
@require_POST
def accounting_price(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The patient knows the price, and pays it, narrows the list, or takes it back."""
    told = get_object_or_404(PriceTold.objects.select_related("patient"), patient__chart_number=chart, request_number="", pk=pk)
    form = PriceAnswerForm(request.POST)
    if form.is_valid():
        try:
            given = issuing.answer_price(told, **form.cleaned_data, office=request.office, **_now(request))
        except ListRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            audit.record(Action.CREATE, f"price {pk}", chart=chart, detail=form.cleaned_data["choice"], request=request)
            if given:
                return _made(request, chart, given, told.scope)
            messages.success(request, _("It is recorded, and nothing was made or charged."))
            return redirect("accounting", chart)
    usual = AccountingForm(None, on=clock.today(), may_choose_scope=may(request.user, "accounting.scope"))
    return _page(request, chart, usual, answer_form=form)


@needs("accounting.view")
@require_GET
def accounting_given(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """An accounting as it was issued, byte for byte."""
    given = get_object_or_404(AccountingGiven.objects.defer(None), patient__chart_number=chart, pk=pk)
    audit.record(Action.DOWNLOAD, f"accounting {pk}", chart=chart, request=request)
    return file_answer(bytes(given.document), f"accounting-{chart}-{given.issued_on.isoformat()}.pdf")
