"""The pages of an amendment that was not agreed to: the entries in dispute, the statement, the wish, the answer."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from meso import clock
from meso.http import HttpRequest, Refused
from meso.roles import needs
from records.models import Entry
from requests_app import amendments, quoted
from requests_app.forms import disputes as forms
from requests_app.kinds import Kind
from requests_app.models import Disagreement
from requests_app.views.acting import act_on, chart_of, form_for, request_or_404


@needs("request.decide_amendment")
def request_disputed(request: HttpRequest, number: str) -> HttpResponse:
    """Name further entries that a denied amendment is about."""
    asked = request_or_404(number)
    if not amendments.is_disputable(asked):
        return redirect(asked)
    named = asked.disputed.values("entry")
    entries = list(
        Entry.objects.of_record().filter(patient=asked.patient_id).exclude(pk__in=named).prefetch_related("flags").newest_first()
    )
    return act_on(request, form_for(request, forms.DisputedForm, asked, entries=entries))


@needs("request.take")
def request_statement(request: HttpRequest, number: str) -> HttpResponse:
    """Take in the patient's statement of disagreement."""
    asked = request_or_404(number)
    if not amendments.is_disputable(asked):
        return redirect(asked)
    return act_on(request, form_for(request, forms.StatementForm, asked, office=request.office))


@needs("request.take")
def request_travel(request: HttpRequest, number: str) -> HttpResponse:
    """Record that the patient wants request and denial to go along with the entry."""
    asked = request_or_404(number)
    if not amendments.is_disputable(asked):
        return redirect(asked)
    return act_on(request, form_for(request, forms.TravelForm, asked))


@needs("request.decide_amendment")
def request_rebut(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Answer a statement; refused where the disputed entry is closed to whoever asks."""
    asked = request_or_404(number)
    statement = get_object_or_404(Disagreement.objects.select_related("request"), request=asked, pk=pk)
    if not quoted.may_read_statements(request.user, asked, clock.now()):
        raise Refused(f"statement {pk} of {asked.number}", chart_of(asked))
    return act_on(request, form_for(request, forms.RebutForm, asked, statement=statement))


@needs("request.take")
def request_originator(request: HttpRequest, number: str) -> HttpResponse:
    """Record that whoever wrote the entry can't act on it any more."""
    asked = request_or_404(number)
    if asked.kind != Kind.AMENDMENT or asked.outcome:
        return redirect(asked)
    return act_on(request, form_for(request, forms.OriginatorForm, asked))
