"""The tab “Restrictions and contact”: what binds the office for this patient, and what is done about it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from records.forms.limits import (
    AgreedForm,
    BounceForm,
    EmergencyForm,
    EndForm,
    LetterSentForm,
    LimitForm,
    MadeGoodForm,
    PaidForm,
)
from records.models import EmergencyRelease, Patient, PaymentBounce, Restriction
from records.views.about import initial_from_draft, patient_and_context
from records.views.acting import act_on


@needs("patient.view")
def chart_limits(request: HttpRequest, chart: str) -> HttpResponse:
    """Restrictions in force and ended, releases in emergencies, and how the patient is reached, each with who and when."""
    patient, context = patient_and_context(chart)
    rows = Restriction.objects.filter(patient=patient).with_story().order_by("-id")
    on = clock.today()
    standing = [row for row in rows if not row.has_ended(on)]
    ended = [row for row in rows if row.has_ended(on)]
    contacts = patient.contact_preferences.select_related("recorded_by").order_by("-begins_on", "-id")
    audit.looked_at(request, "restrictions and contact", chart=chart)
    shown = {"standing": standing, "ended": ended, "contacts": list(contacts)}
    return render(request, "records/limits.html", {**shown, **context})


@needs("restriction.agree")
def limit_new(request: HttpRequest, chart: str) -> HttpResponse:
    """Agree to a restriction."""
    patient, context = patient_and_context(chart)
    given, kept = _given(request)
    return _act(request, AgreedForm(**given, patient=patient), patient, {**kept, **context})


@needs("restriction.paid")
def limit_paid(request: HttpRequest, chart: str) -> HttpResponse:
    """Keep a service that was paid for in full from the health plan. `?entry=` names the entry it is about."""
    patient, context = patient_and_context(chart)
    given, kept = _given(request)
    given["initial"] = _proposed(request, patient) | given["initial"]
    return _act(request, PaidForm(**given, patient=patient), patient, {**kept, **context})


def _proposed(request: HttpRequest, patient: Patient) -> dict[str, Any]:
    key = request.GET.get("entry", "")
    entry = patient.entries.of_record().filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
    return {"service": entry.called, "service_on": entry.service_on, "entries": [str(entry.pk)]} if entry else {}


@needs("restriction.end")
def limit_end(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """End a restriction, or record the office's notice."""
    return _act_on_restriction(request, chart, pk, EndForm)


@needs("restriction.emergency")
def limit_emergency(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record a release to a provider in an emergency, with its letter."""
    return _act_on_restriction(request, chart, pk, EmergencyForm, office=request.office)


@needs("restriction.paid")
def limit_bounce(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record that the payment behind a restriction failed."""
    return _act_on_restriction(request, chart, pk, BounceForm)


@needs("restriction.paid")
def bounce_made_good(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record that a failed payment was made good."""
    patient, context = patient_and_context(chart)
    bounce = get_object_or_404(PaymentBounce.objects.select_related("restriction__paid"), pk=pk, patient=patient)
    given, kept = _given(request)
    return _act(request, MadeGoodForm(**given, bounce=bounce), patient, {"restriction": bounce.restriction, **kept, **context})


@needs("request.send")
def emergency_letter_sent(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record that the letter of an emergency went out."""
    patient, context = patient_and_context(chart)
    release = get_object_or_404(EmergencyRelease.objects.select_related("restriction__paid"), pk=pk, patient=patient)
    given, kept = _given(request)
    return _act(
        request, LetterSentForm(**given, release=release), patient, {"restriction": release.restriction, **kept, **context}
    )


@needs("patient.view")
@require_GET
def emergency_letter(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The letter of an emergency release, byte for byte as it was made."""
    found = get_object_or_404(EmergencyRelease.objects.defer(None), pk=pk, patient__chart_number=chart)
    audit.record(Action.DOWNLOAD, f"emergency letter {found.pk}", chart=chart, request=request)
    return file_answer(bytes(found.letter), f"chart-{chart}-emergency-letter-{found.pk}.pdf")


def _given(request: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What every form here is made of, and what its page says of the draft."""
    initial, kept = initial_from_draft(request)
    return {"data": request.POST or None, "on": clock.today(), "initial": initial}, kept


def _act_on_restriction(request: HttpRequest, chart: str, pk: int, form: type[LimitForm], **facts: Any) -> HttpResponse:
    """The page of an act upon one restriction of this chart."""
    patient, context = patient_and_context(chart)
    restriction = get_object_or_404(Restriction.objects.with_terms(), pk=pk, patient=patient)
    given, kept = _given(request)
    about = {"restriction": restriction, **kept, **context}
    return _act(request, form(**given, **facts, restriction=restriction), patient, about)


def _act(request: HttpRequest, form: LimitForm, patient: Patient, context: dict[str, Any]) -> HttpResponse:
    return act_on(request, patient, form, context, back="chart_limits", seen="restrictions and contact")
