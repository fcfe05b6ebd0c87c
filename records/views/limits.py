"""The tab “Restrictions and contact”: what binds the office for this patient, and what is done about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from meso import audit, clock, drafts
from meso.audit import Action
from meso.forms import Form
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from records.forms.limits import (
    AgreedForm,
    BounceForm,
    EmergencyForm,
    EndForm,
    LetterSentForm,
    MadeGoodForm,
    PaidForm,
    entries_of,
)
from records.models import EmergencyRelease, PaidInFull, Patient, PaymentBounce, Restriction
from records.views.about import initial_from_draft, patient_and_context


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
    initial, kept = initial_from_draft(request)
    form = AgreedForm(request.POST or None, choices=entries_of(patient), on=clock.today(), initial=initial)

    def agree() -> None:
        Restriction.agree(patient, **form.terms(), by=request.user, at=clock.now())

    facts = {"heading": _("Agree to a restriction"), "button": _("Put it in force"), **kept, **context}
    return _act(request, patient, form, agree, "restriction agreed", _("The restriction is in force."), facts)


@needs("restriction.paid")
def limit_paid(request: HttpRequest, chart: str) -> HttpResponse:
    """Keep a service that was paid for in full from the health plan. `?entry=` names the entry it is about."""
    patient, context = patient_and_context(chart)
    initial, kept = initial_from_draft(request)
    form = PaidForm(
        request.POST or None, choices=entries_of(patient), on=clock.today(), initial=_proposed(request, patient) | initial
    )

    def keep() -> None:
        PaidInFull.keep(patient, **form.terms(), by=request.user, at=clock.now())

    lead = _(
        "The office must keep it from the plan, for payment and operations (45 CFR 164.522(a)(1)(vi)). Treatment stays open."
    )
    facts = {"heading": _("Paid in full: keep it from the health plan"), "button": _("Keep it from the plan"), "lead": lead}
    done = _("It is kept from the health plan from now on.")
    return _act(request, patient, form, keep, "kept from the plan", done, {**facts, **kept, **context})


def _proposed(request: HttpRequest, patient: Patient) -> dict[str, Any]:
    key = request.GET.get("entry", "")
    entry = patient.entries.of_record().filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
    return {"service": entry.title, "service_on": entry.service_on, "entries": [str(entry.pk)]} if entry else {}


@needs("restriction.end")
def limit_end(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """End a restriction, or record the office's notice."""
    patient, context, restriction = _restriction(chart, pk)
    initial, kept = initial_from_draft(request)
    form = EndForm(request.POST or None, restriction=restriction, on=clock.today(), initial=initial)

    def end() -> None:
        form.end(by=request.user, at=clock.now())

    facts = {"heading": _("End a restriction"), "button": _("Record the end"), "restriction": restriction}
    facts["lead"] = _("45 CFR 164.522(a)(2). What was paid for in full can't be ended by the office alone.")
    return _act(request, patient, form, end, "restriction ended", _("It is recorded."), {**facts, **kept, **context})


@needs("restriction.emergency")
def limit_emergency(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record a release to a provider in an emergency, with its letter."""
    patient, context, restriction = _restriction(chart, pk)
    initial, kept = initial_from_draft(request)
    form = EmergencyForm(request.POST or None, on=clock.today(), initial=initial)

    def record() -> None:
        now: dict[str, Any] = {"by": request.user, "at": clock.now(), "on": clock.today(), "office": request.office}
        EmergencyRelease.record(restriction, **form.cleaned_data, **now)

    facts = {"heading": _("Given in an emergency"), "button": _("Record it and make the letter"), "restriction": restriction}
    facts["lead"] = _(
        "A provider may have what is needed to treat the patient in an emergency; we must ask them not to use or disclose it "
        "further (45 CFR 164.522(a)(1)(iii)-(iv)). The letter is dated today: send it today."
    )
    done = _("It is recorded. Print the letter below and send it today.")
    return _act(request, patient, form, record, "emergency release", done, {**facts, **kept, **context})


@needs("restriction.paid")
def limit_bounce(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record that the payment behind a restriction failed."""
    patient, context, restriction = _restriction(chart, pk)
    initial, kept = initial_from_draft(request)
    form = BounceForm(request.POST or None, on=clock.today(), initial=initial)

    def note() -> None:
        data = form.cleaned_data
        PaymentBounce.note(restriction, found_on=data["day"], what=data["what"], by=request.user, at=clock.now())

    facts = {"heading": _("The payment failed"), "button": _("Record it"), "restriction": restriction}
    facts["lead"] = _("Nothing is lifted by this: the plan gets nothing. The patient is called first.")
    done = _("It is recorded. The patient is to be called: it stands on the dashboard.")
    return _act(request, patient, form, note, "payment failed", done, {**facts, **kept, **context})


@needs("restriction.paid")
def bounce_made_good(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record that a failed payment was made good."""
    patient, context = patient_and_context(chart)
    bounce = get_object_or_404(PaymentBounce.objects.select_related("restriction__paid"), pk=pk, patient=patient)
    initial, kept = initial_from_draft(request)
    form = MadeGoodForm(request.POST or None, on=clock.today(), initial=initial)

    def record() -> None:
        data = form.cleaned_data
        bounce.make_good(paid_on=data["day"], how=data["what"], by=request.user, at=clock.now())

    facts = {"heading": _("The payment was made good"), "button": _("Record it"), "restriction": bounce.restriction}
    return _act(request, patient, form, record, "payment made good", _("It is recorded."), {**facts, **kept, **context})


@needs("request.send")
def emergency_letter_sent(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record that the letter of an emergency went out."""
    patient, context = patient_and_context(chart)
    release = get_object_or_404(EmergencyRelease.objects.select_related("restriction__paid"), pk=pk, patient=patient)
    initial, kept = initial_from_draft(request)
    form = LetterSentForm(request.POST or None, on=clock.today(), initial=initial)

    def record() -> None:
        release.send(sent_on=form.cleaned_data["day"], how=form.cleaned_data["how"], by=request.user, at=clock.now())

    facts = {"heading": _("The letter was sent"), "button": _("Record as sent"), "restriction": release.restriction}
    facts["lead"] = _("To %(provider)s, about what was given in an emergency.") % {"provider": release.provider}
    return _act(request, patient, form, record, "emergency letter sent", _("It is recorded."), {**facts, **kept, **context})


@needs("patient.view")
@require_GET
def emergency_letter(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The letter of an emergency release, byte for byte as it was made."""
    found = get_object_or_404(EmergencyRelease.objects.defer(None), pk=pk, patient__chart_number=chart)
    audit.record(Action.DOWNLOAD, f"emergency letter {found.pk}", chart=chart, request=request)
    return file_answer(bytes(found.letter), f"chart-{chart}-emergency-letter-{found.pk}.pdf")


def _restriction(chart: str, pk: int) -> tuple[Patient, dict[str, Any], Restriction]:
    patient, context = patient_and_context(chart)
    return patient, context, get_object_or_404(Restriction.objects.with_terms(), pk=pk, patient=patient)


def _act(
    request: HttpRequest,
    patient: Patient,
    form: Form,
    act: Callable[[], None],
    audited: str,
    done: str,
    context: dict[str, Any],
) -> HttpResponse:
    """The page of one act: the form, and the act once the form is right. A refusal is shown at its field."""
    if request.method == "POST" and form.is_valid():
        try:
            act()
        except ValidationError as refusal:
            told = getattr(refusal, "error_dict", {})
            form.add_error(None, refusal if set(told) <= set(form.fields) else refusal.messages)
        else:
            drafts.discard(request.user, request.path)
            audit.record(Action.CHANGE, "restriction", chart=patient.chart_number, detail=audited, request=request)
            messages.success(request, done)
            return redirect("chart_limits", patient.chart_number)
    audit.looked_at(request, "restrictions and contact", chart=patient.chart_number)
    return render(request, "records/limit_act.html", {"form": form, **context})
