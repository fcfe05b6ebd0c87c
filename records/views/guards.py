"""The guard on a chart: what it is now and was, laid, changed and lifted by the privacy officer."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.http import HttpRequest
from meso.roles import needs
from records.forms.glass import GuardAnewForm, GuardForm, LiftForm
from records.models import ChartGuard, Patient
from records.views.about import initial_from_draft, patient_and_context
from records.views.acting import act_on


@needs("guard.keep")
@require_GET
def chart_guard(request: HttpRequest, chart: str) -> HttpResponse:
    """Whether this chart is guarded, who opens it, its earlier guards, and who broke the glass."""
    patient, context = patient_and_context(chart)
    guards = _guards(patient).order_by("-id")
    accesses = patient.emergency_accesses.select_related("review").order_by("-id")
    audit.looked_at(request, "guard", chart=chart)
    context |= {"guards": guards, "standing": _standing(patient), "accesses": accesses}
    return render(request, "records/guard.html", context)


@needs("guard.keep")
def guard_new(request: HttpRequest, chart: str) -> HttpResponse:
    """Guard the chart, or say anew who may open it."""
    patient, context = patient_and_context(chart)
    initial, kept = initial_from_draft(request)
    standing = _standing(patient)
    form_class = GuardAnewForm if standing else GuardForm
    form = form_class(request.POST or None, on=clock.today(), initial=initial, patient=patient, standing=standing)
    return _act(request, form, patient, {**kept, **context})


@needs("guard.keep")
def guard_lift(request: HttpRequest, chart: str) -> HttpResponse:
    """Lift the guard."""
    patient, context = patient_and_context(chart)
    initial, kept = initial_from_draft(request)
    form = LiftForm(request.POST or None, on=clock.today(), initial=initial, standing=_standing(patient))
    return _act(request, form, patient, {**kept, **context})


def _act(request: HttpRequest, form: GuardForm | LiftForm, patient: Patient, context: dict[str, Any]) -> HttpResponse:
    return act_on(request, patient, form, context, back="chart_guard", seen="guard")


def _guards(patient: Patient) -> Any:
    return ChartGuard.objects.filter(patient=patient).select_related("ending").prefetch_related("team__user")


def _standing(patient: Patient) -> ChartGuard | None:
    """The guard in force, or None."""
    return _guards(patient).in_force().first()
