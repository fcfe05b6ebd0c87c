"""The pages of access by another way than a copy."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from meso import clock, drafts
from meso.http import HttpRequest
from meso.roles import needs
from requests_app.forms.access import AgreeSummaryForm, AppointForm, GiveSummaryForm
from requests_app.kinds import Kind
from requests_app.models import PatientRequest
from requests_app.views.acting import act_on, request_or_404


def _facts(request: HttpRequest, asked: PatientRequest) -> dict[str, Any]:
    return {"asked": asked, "on": clock.today(), "initial": drafts.initial(request)}


@needs("request.carry_out")
def access_appointment(request: HttpRequest, number: str) -> HttpResponse:
    """Make an appointment to look at the record."""
    asked = request_or_404(number)
    if asked.kind != Kind.ACCESS:
        return redirect(asked)
    return act_on(request, AppointForm(request.POST or None, office=request.office, **_facts(request, asked)))


@needs("request.carry_out")
def summary_agreement(request: HttpRequest, number: str) -> HttpResponse:
    """Record that the patient agrees to a summary and to its fee."""
    asked = request_or_404(number)
    if asked.kind != Kind.ACCESS:
        return redirect(asked)
    return act_on(request, AgreeSummaryForm(request.POST or None, **_facts(request, asked)))


@needs("request.carry_out")
def summary_given(request: HttpRequest, number: str) -> HttpResponse:
    """Record that the summary was given."""
    asked = request_or_404(number)
    if asked.kind != Kind.ACCESS:
        return redirect(asked)
    return act_on(request, GiveSummaryForm(request.POST or None, **_facts(request, asked)))
