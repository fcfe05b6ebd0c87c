"""The accounting of one patient: on the screen, as a file, given and kept."""

import json

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from disclosures import accounting as accountings
from disclosures.forms.accounting import AccountingForm
from disclosures.models import AccountingGiven
from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import may, needs
from records.models import Patient
from records.views.about import patient_and_context

_GIVEN_SHOWN = 50
_FORMATS = {"json": "application/json", "csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


def _form(request: HttpRequest) -> AccountingForm:
    """The form filled from the address or the POST; a period and a scope tell of no patient."""
    return AccountingForm(
        request.POST or request.GET or None, on=clock.today(), may_choose_scope=may(request.user, "accounting.scope")
    )


def _accounting(request: HttpRequest, patient: Patient) -> tuple[AccountingForm, accountings.Accounting]:
    form = _form(request)
    return form, accountings.for_patient(patient, *form.period())


@needs("accounting.view")
@require_GET
def accounting(request: HttpRequest, chart: str) -> HttpResponse:
    """Six years up to today at one click; the period may be narrowed."""
    patient, context = patient_and_context(chart)
    form, made = _accounting(request, patient)
    audit.looked_at(request, "accounting", chart, detail=form.why)
    given = patient.accountings.select_related("issued_by").order_by("-issued_on", "-id")[:_GIVEN_SHOWN]
    return render(request, "disclosures/accounting.html", {**context, "form": form, "accounting": made, "given": given})


@needs("accounting.view")
@require_GET
def accounting_file(request: HttpRequest, chart: str, format: str) -> HttpResponse:
    """The same as JSON, CSV or PDF."""
    if format not in _FORMATS:
        raise Http404
    patient = get_object_or_404(Patient, chart_number=chart)
    form, made = _accounting(request, patient)
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
    """Issue it: what is given is kept byte for byte."""
    patient, context = patient_and_context(chart)
    form = _form(request)
    if not form.is_valid():
        made = accountings.for_patient(patient, *form.period())
        return render(request, "disclosures/accounting.html", {**context, "form": form, "accounting": made})
    given = accountings.give(patient, *form.period(), by=request.user, at=clock.now(), on=clock.today(), office=request.office)
    audit.record(Action.CREATE, f"accounting {given.pk}", chart=chart, detail=form.why, request=request)
    messages.success(request, _("The accounting is issued and kept. Print it from the list below."))
    return redirect("accounting", chart)


@needs("accounting.view")
@require_GET
def accounting_given(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """An accounting as it was issued, byte for byte."""
    given = get_object_or_404(AccountingGiven.objects.defer(None), patient__chart_number=chart, pk=pk)
    audit.record(Action.DOWNLOAD, f"accounting {pk}", chart=chart, request=request)
    return file_answer(bytes(given.document), f"accounting-{chart}-{given.issued_on.isoformat()}.pdf")
