"""The pages of access by another way than a copy."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from meso.http import HttpRequest
from meso.roles import needs
from requests_app.forms.access import AgreeSummaryForm, AppointForm, GiveSummaryForm
from requests_app.forms.acts import ActForm
from requests_app.kinds import Kind
from requests_app.views.acting import act_on, form_for, request_or_404


def _act(request: HttpRequest, number: str, form_class: type[ActForm], **facts: Any) -> HttpResponse:
    asked = request_or_404(number)
    if asked.kind != Kind.ACCESS:
        return redirect(asked)
    return act_on(request, form_for(request, form_class, asked, **facts))


@needs("request.carry_out")
def access_appointment(request: HttpRequest, number: str) -> HttpResponse:
    """Make an appointment to look at the record."""
    return _act(request, number, AppointForm, office=request.office)


@needs("request.carry_out")
def summary_agreement(request: HttpRequest, number: str) -> HttpResponse:
    """Record that the patient agrees to a summary and to its fee."""
    return _act(request, number, AgreeSummaryForm)


@needs("request.carry_out")
def summary_given(request: HttpRequest, number: str) -> HttpResponse:
    """Record that the summary was given."""
    return _act(request, number, GiveSummaryForm)
