"""The page of one act upon something of a chart: the form, and the act once the form is right."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest
from records.forms.acting import PatientActForm
from records.models import Patient


def act_on(
    request: HttpRequest,
    patient: Patient,
    form: PatientActForm,
    context: dict[str, Any],
    *,
    back: str = "representatives",
    seen: str = "representatives",
) -> HttpResponse:
    """Show the form, or do the act. A refusal is shown at its field.

    Done or not, it goes `back`: a URL name that takes the chart, or a local path. `seen` is the audit's word for a look at it.
    """
    where = back if back.startswith("/") else reverse(back, args=[patient.chart_number])
    if request.method == "POST" and form.is_valid() and form.save(by=request.user, at=clock.now()):
        audit.record(Action.CHANGE, form.audited, chart=patient.chart_number, detail=form.detail, request=request)
        drafts.discard(request.user, request.path)
        messages.success(request, form.done)
        return redirect(where)
    audit.looked_at(request, seen, chart=patient.chart_number)
    return render(request, "records/patient_act.html", {"form": form, "back": where, **context})
