"""Suspensions of an agency's rows: the privacy officer's pages, and nobody else's (164.528(a)(2))."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from disclosures import issuing, withholding
from disclosures.accounting_rules import ListRefused
from disclosures.forms.suspensions import EndForm, ReissueForm, SuspensionForm
from disclosures.models import Disclosure, Suspension
from disclosures.suspension_rules import NotSuspendable
from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs
from records.models import Patient
from records.views.about import patient_and_context


@needs("suspension.keep")
@require_GET
def suspensions(request: HttpRequest) -> HttpResponse:
    """All suspensions, those that end last first, and the accountings to look at again."""
    on = clock.today()
    found = page(Suspension.objects.with_state(), ["-last_day", "-id"], request.GET.get("after", ""))
    rows = [(one, one.is_active(on)) for one in found]
    audit.looked_at(request, "suspensions", detail=f"{len(rows)} rows")
    context = {"page": found, "rows": rows, "tasks": withholding.to_reissue(on)}
    return render(request, "disclosures/suspensions.html", context)


@needs("suspension.keep")
def suspension_new(request: HttpRequest, chart: str) -> HttpResponse:
    """Take an official's statement down. `?row=` names the disclosure it is about."""
    patient, context = patient_and_context(chart)
    key = request.GET.get("row", "")
    row = Disclosure.objects.filter(patient=patient, pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    initial = {"agency": row.recipient, "codes": [row.purpose_code]} if row else {}
    return _take_down(request, patient, context, initial)


@needs("suspension.keep")
def suspension_written(request: HttpRequest, pk: int) -> HttpResponse:
    """The written statement that takes the place of an oral one."""
    old = get_object_or_404(Suspension.objects.with_state(), pk=pk)
    patient, context = patient_and_context(old.patient.chart_number)
    initial = {name: getattr(old, name) for name in ("agency", "names", "official", "codes")} | {"how": "written"}
    return _take_down(request, patient, context, initial, old)


def _take_down(
    request: HttpRequest, patient: Patient, context: dict[str, Any], initial: dict[str, Any], old: Suspension | None = None
) -> HttpResponse:
    on, chart = clock.today(), patient.chart_number
    form = SuspensionForm(
        request.POST or None,
        request.FILES or None,
        patient=patient,
        on=on,
        supersedes=old,
        initial={**initial, **drafts.initial(request)},
    )
    if request.method == "POST" and form.is_valid() and (made := form.save(by=request.user, at=clock.now())):
        drafts.discard(request.user, request.path)
        audit.record(Action.CREATE, f"suspension {made.pk}", chart=chart, request=request)
        messages.success(request, _("It is recorded. Its rows are left out of every accounting while it holds."))
        return redirect("suspension", made.pk)
    audit.looked_at(request, "suspension form", chart)
    return render(request, "disclosures/suspension_new.html", {**context, "form": form, "old": old})


@needs("suspension.keep")
@require_GET
def suspension(request: HttpRequest, pk: int) -> HttpResponse:
    """One statement: what it says, how long it holds, which rows it covers, and what it left to do."""
    return _page(request, _one(pk))


def _one(pk: int) -> Suspension:
    return get_object_or_404(Suspension.objects.with_state(), pk=pk)


def _page(request: HttpRequest, one: Suspension, form: ReissueForm | None = None) -> HttpResponse:
    on, chart = clock.today(), one.patient.chart_number
    _patient, context = patient_and_context(chart)
    covered, others = withholding.rows_of(one)
    tasks = [task for task in withholding.to_reissue(on, one.patient) if task.suspension.pk == one.pk]
    forms = [form if form and form.task == task else ReissueForm(task=task) for task in tasks]
    audit.looked_at(request, f"suspension {one.pk}", chart)
    context |= {"one": one, "is_active": one.is_active(on), "covered": covered, "others": others, "forms": forms}
    return render(request, "disclosures/suspension.html", context)


@needs("suspension.keep")
@require_GET
def suspension_document(request: HttpRequest, pk: int) -> HttpResponse:
    """The scanned statement."""
    one = get_object_or_404(Suspension.objects.defer(None).select_related("patient"), pk=pk)
    if not one.document:
        raise Http404
    audit.record(Action.DOWNLOAD, f"suspension {pk}", chart=one.patient.chart_number, request=request)
    return file_answer(bytes(one.document), f"suspension-{pk}", kind=one.document_format, download=True)


@needs("suspension.keep")
def suspension_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End it before its time, with the reason."""
    one = _one(pk)
    _patient, context = patient_and_context(one.patient.chart_number)
    form = EndForm(request.POST or None, initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            one.end(by=request.user, at=clock.now(), on=clock.today(), reason=form.cleaned_data["reason"])
        except NotSuspendable as refusal:
            form.add_error(None, str(refusal))
        else:
            drafts.discard(request.user, request.path)
            audit.record(Action.CHANGE, f"suspension {pk}", chart=one.patient.chart_number, detail="ended", request=request)
            messages.success(request, _("It is ended. Its rows are listed again from today on."))
            return redirect("suspension", pk)
    return render(request, "disclosures/suspension_end.html", {**context, "form": form, "one": one})


@needs("suspension.keep")
@require_POST
def suspension_reissue(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an accounting anew that this suspension had cut, or record why not."""
    one, on = _one(pk), clock.today()
    tasks = withholding.to_reissue(on, one.patient)
    key = (pk, request.POST.get("accounting", ""))
    task = next((task for task in tasks if (task.suspension.pk, str(task.accounting.pk)) == key), None)
    if task is None:
        messages.info(request, _("That has been answered meanwhile."))
        return redirect("suspension", pk)
    form = ReissueForm(request.POST, task=task)
    if not form.is_valid():
        return _page(request, one, form)
    now: dict[str, Any] = {"by": request.user, "at": clock.now(), "on": on, "office": request.office}
    try:
        with transaction.atomic():
            answer = issuing.answer_reissue(task, **form.answer(), **now)
    except ListRefused as refusal:
        form.add_error("how", str(refusal))
        return _page(request, one, form)
    except IntegrityError:
        messages.info(request, _("That has been answered meanwhile."))
        return redirect("suspension", pk)
    detail = "re-issued" if answer.given_id else "not re-issued"
    audit.record(Action.CREATE, f"suspension {pk}", chart=one.patient.chart_number, detail=detail, request=request)
    messages.success(request, _("Your answer is kept."))
    return redirect("suspension", pk)
