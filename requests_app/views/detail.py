"""One request: its clock, what is left to do, what has happened, and the page of each act on it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest
from meso.roles import may, needs
from records import guarding, wishes
from records.models import Patient
from requests_app import asked as asked_words
from requests_app import checklist, matching, repeats
from requests_app.forms import acts
from requests_app.forms.verify import VerifyForm
from requests_app.models import PatientRequest
from requests_app.views.acting import act_on, chart_of, form_for, request_or_404


@needs("request.view")
@require_GET
def detail(request: HttpRequest, number: str) -> HttpResponse:
    """The request's page."""
    on = clock.today()
    asked = request_or_404(number)
    PatientRequest.objects.filter(pk=asked.pk).note_overdue(on=on, at=clock.now())
    audit.looked_at(request, f"request {asked.number}", chart_of(asked))
    context = {
        "asked": asked,
        "working": asked.working(),
        "days_left": asked.days_left(on),
        "steps": checklist.of(asked, request.user),
        "what": asked_words.lines(asked),
        "patient": asked.patient,
        "wishes": wishes.in_force(asked.patient, on) if asked.patient else None,
        "events": (events := list(asked.events.all())),
        "said": [event for event in events if event.verb in ("told", "heard")],
        "repeats": repeats.like(asked),
        "withheld": asked.withheld.in_force(),
        "papers": asked.papers.prefetch_related("moves"),
        "extension": asked.events.filter(verb="extended").first() if asked.extended else None,
        "may_not_act": asked.representative_refusal(on) if asked.is_open else None,
        "may_be_taken_back": asked.may_be_taken_back(on),
        "note": acts.NoteForm(asked=asked, on=on) if may(request.user, "request.note") else None,
    }
    return render(request, "requests_app/detail.html", context)


def _act(
    request: HttpRequest,
    number: str,
    form_class: type[acts.ActForm],
    template: str = "requests_app/act.html",
    more: Callable[[PatientRequest], dict[str, Any]] = lambda asked: {},
) -> HttpResponse:
    """The page of one act on the request with this number."""
    asked = request_or_404(number)
    return act_on(request, form_for(request, form_class, asked), template, lambda: more(asked))


@needs("request.match")
def request_match(request: HttpRequest, number: str) -> HttpResponse:
    """Link the request to a chart: those suggested and why, or one that is searched for."""
    looking = "q" in request.POST

    def charts(asked: PatientRequest) -> dict[str, Any]:
        query = request.POST.get("q", "").strip()
        found = [matching.compare(asked, patient) for patient in Patient.objects.search(query)] if query else []
        suggested = matching.candidates(asked)
        audit.record(Action.SEARCH, f"charts for {asked.number}", detail=f"{len(suggested) + len(found)} rows", request=request)
        charts = [one.patient for one in suggested + found]
        locked = guarding.locked(charts, request.user, clock.now())
        return {"suggested": suggested, "found": found, "q": query, "locked": locked}

    if looking:
        asked = request_or_404(number)
        context = {"asked": asked, "working": asked.working(), "form": acts.MatchForm(asked=asked, on=clock.today())}
        return render(request, "requests_app/match.html", context | charts(asked))
    return _act(request, number, acts.MatchForm, "requests_app/match.html", charts)


@needs("request.verify")
def request_verify(request: HttpRequest, number: str) -> HttpResponse:
    """Record how identity was checked, with the chart's facts beside those of the asker."""

    def both(asked: PatientRequest) -> dict[str, Any]:
        audit.looked_at(request, f"identity for {asked.number}", chart_of(asked))
        return {"patient": asked.patient}

    return _act(request, number, VerifyForm, "requests_app/verify.html", both)


@needs("request.assign")
def request_assign(request: HttpRequest, number: str) -> HttpResponse:
    """Put the request on somebody's desk."""
    return _act(request, number, acts.AssignForm)


@needs("request.receipt_date")
def request_receipt(request: HttpRequest, number: str) -> HttpResponse:
    """Correct the day of receipt."""
    return _act(request, number, acts.ReceiptForm)


@needs("request.extend")
def request_extend(request: HttpRequest, number: str) -> HttpResponse:
    """Extend the clock, once, with its letter."""
    return _act(request, number, acts.ExtendForm)


@needs("request.withdraw")
def request_withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Close the request as the patient's wish."""
    return _act(request, number, acts.WithdrawForm)


@needs("request.note")
def request_note(request: HttpRequest, number: str) -> HttpResponse:
    """Add a note to the timeline."""
    return _act(request, number, acts.NoteForm)
