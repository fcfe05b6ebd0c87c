"""Finding a patient, registering one, updating their details."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest
from meso.models import AccessEvent, User
from meso.roles import needs
from records import changes, guarding, wishes
from records.forms.patients import EDITED, RegisterForm, SearchForm, UpdateForm
from records.models import ChangedMeanwhileError, Patient, ResemblesError
from records.search import LIMIT
from records.views.about import initial_from_draft, patient_and_context

_EVENTS_LOOKED_THROUGH = 200
_RECENT = 12


@needs("patient.find")
def patients(request: HttpRequest) -> HttpResponse:
    """Find a patient, as it is typed; before anything is, the charts this person had open last."""
    form = SearchForm(request.POST or None)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    part = request.headers.get("HX-Request") == "true"
    template = "records/_patient_rows.html" if part else "records/patients.html"
    if not text:
        found = _recent(request.user)
        audit.looked_at(request, "recent charts", detail=f"{len(found)} rows")
        return render(request, template, {"form": form, "is_recent": True, **_rows(request, found)})
    found = Patient.objects.search(text)
    audit.record(Action.SEARCH, "patients", detail=f"{len(found)} found", request=request)
    if not part and _is_the_chart_meant(text, found):
        return redirect(found[0])
    context = {"form": form, "limit": LIMIT, "is_full": len(found) == LIMIT, **_rows(request, found)}
    return render(request, template, context)


def _rows(request: HttpRequest, found: list[Patient]) -> dict[str, Any]:
    """The patients, and which of them wish to be reached another way or have a chart that is closed to whoever looks."""
    locked = guarding.locked(found, request.user, clock.now())
    return {"patients": found, "wishing": wishes.wishing(found, clock.today()), "locked": locked}


def _is_the_chart_meant(text: str, found: list[Patient]) -> bool:
    """Whether the text is one chart's whole number and nothing else answers to it, but longer numbers."""
    number = text.casefold()
    return bool(found) and found[0].chart_key == number and all(patient.chart_key.startswith(number) for patient in found)


def _recent(user: User) -> list[Patient]:
    """The charts this person had open last, the latest first. Two queries."""
    events = AccessEvent.objects.filter(user=user).order_by("-id").values_list("action", "chart_number")
    numbers = dict.fromkeys(number for action, number in events[:_EVENTS_LOOKED_THROUGH] if number and action != Action.REFUSED)
    charts = {patient.chart_number: patient for patient in Patient.objects.filter(chart_number__in=list(numbers)[:_RECENT])}
    return [charts[number] for number in numbers if number in charts]


@needs("patient.register")
def patient_new(request: HttpRequest) -> HttpResponse:
    """Register a patient. Charts that may be the same person's are shown before anything is saved."""
    initial, kept = initial_from_draft(request)
    form = RegisterForm(request.POST or None, initial=initial, on=clock.today())
    resembling: list[Patient] = []
    locked: set[int] = set()
    if request.method == "POST" and form.is_valid():
        try:
            patient = form.register([int(key) for key in request.POST.get("seen", "").split() if key.isdecimal()])
        except ResemblesError as warning:
            resembling = warning.charts
            locked = guarding.locked(resembling, request.user, clock.now())
            audit.looked_at(request, "charts that resemble a new one", detail=f"{len(resembling)} rows")
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            drafts.discard(request.user, request.path)
            audit.record(Action.CREATE, "patient", chart=patient.chart_number, request=request)
            messages.success(request, _("Registered. The chart number is %(chart)s.") % {"chart": patient.chart_number})
            return redirect(patient)
    return render(request, "records/patient_new.html", {"form": form, "resembling": resembling, "locked": locked, **kept})


@needs("patient.update")
def patient_edit(request: HttpRequest, chart: str) -> HttpResponse:
    """Update a patient's details; the history of them stands below."""
    patient, context = patient_and_context(chart)
    initial, kept = initial_from_draft(request)
    if initial:
        initial = dict.fromkeys(EDITED, "") | initial  # a draft keeps no empty field: what was emptied stays so
    form = UpdateForm(request.POST or None, instance=patient, initial=initial, on=clock.today())
    if request.method == "POST" and form.is_valid():
        try:
            changed = form.update()
        except ChangedMeanwhileError as meanwhile:
            form = form.after(meanwhile)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            drafts.discard(request.user, request.path)
            action, detail = (Action.CHANGE, _details(changed)) if changed else (Action.VIEW, "nothing changed")
            audit.record(action, "patient", chart=chart, detail=detail, request=request)
            messages.success(request, _("The changes are saved.") if changed else _("Nothing was changed."))
            return redirect(patient)
    audit.looked_at(request, "patient details", chart=chart)
    context |= {"form": form, "changes": changes.of(patient), **kept}
    return render(request, "records/patient_edit.html", context)


def _details(changed: list[str]) -> str:
    return ngettext("%(count)d detail", "%(count)d details", len(changed)) % {"count": len(changed)}
