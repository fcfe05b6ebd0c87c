"""What the pages of all acts on a request share: the request fetched, the act done, a refusal shown at the form."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from disclosures.models import Release
from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest
from records.models import Entry
from records.views.about import refuse_closed
from requests_app.forms.acts import ActForm
from requests_app.models import PatientRequest

STAFF_FIELDS = ("patient", "assignee", "entered_by", "decided_by", "identity_checked_by", "representative")

F = TypeVar("F", bound=ActForm)


def request_or_404(number: str) -> PatientRequest:
    """The request with this number, with its chart and people. Raises Http404."""
    found = PatientRequest.objects.by_number(number).select_related(*STAFF_FIELDS).first()
    if found is None:
        raise Http404
    return found


def readable(request: HttpRequest, asked: PatientRequest, pk: int) -> Entry:
    """An entry of the record for an act that quotes it, with its marks; 404 for none, refused where it is closed to them."""
    entry = get_object_or_404(Entry.objects.of_record().with_marks(), patient=asked.patient, pk=pk)
    refuse_closed(request, entry)
    return entry


def chart_of(asked: PatientRequest) -> str:
    """The chart number for the audit, or ""."""
    return asked.patient.chart_number if asked.patient else ""


def released_for(asked: PatientRequest, audited: str) -> Callable[[HttpRequest, Release], HttpResponse]:
    """What follows a release for this request: its trace in the audit, and the request's page."""

    def then(request: HttpRequest, released: Release) -> HttpResponse:
        chart = chart_of(asked)
        audit.record(Action.CREATE, f"release {released.pk}", chart=chart, detail=released.purpose_code, request=request)
        audit.record(Action.CHANGE, f"request {asked.number}", chart=chart, detail=audited, request=request)
        messages.success(request, _("It is released; its papers are under the release."))
        return redirect(asked)

    return then


def form_for(request: HttpRequest, form_class: Callable[..., F], asked: PatientRequest, **facts: Any) -> F:
    """An act's form as it was sent, else as its draft was left. `facts` are what this form wants besides."""
    sent = (request.POST or None, request.FILES or None)
    return form_class(*sent, asked=asked, on=clock.today(), initial=drafts.initial(request), **facts)


def act_on(
    request: HttpRequest,
    form: ActForm,
    template: str = "requests_app/act.html",
    more: Callable[[], dict[str, Any]] = dict,
) -> HttpResponse:
    """The page of one act: its form, and behind it the request's page. A refusal is shown at the form as it was filled in.

    `more` gives the rest of the context, and is called only when the page is shown.
    """
    asked = form.asked
    if request.method == "POST" and form.is_valid() and form.save(by=request.user, at=clock.now(), office=request.office):
        audit.record(Action.CHANGE, f"request {asked.number}", chart=chart_of(asked), detail=form.audited, request=request)
        drafts.discard(request.user, request.path)
        messages.success(request, form.done)
        return redirect(asked)
    return render(request, template, {"asked": asked, "working": asked.working(), "form": form, **more()})
