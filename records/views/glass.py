"""The glass: broken in an emergency, seen by the privacy officer at once, looked through and signed off."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.forms import Form
from meso.http import HttpRequest, is_page_of_ours
from meso.models import AccessEvent
from meso.paging import page
from meso.roles import needs
from meso.witness import in_parts
from records import glass_mail, guarding, seeing
from records.forms.glass import GlassForm, NoteGlassForm, ReviewForm
from records.gate import at_the_glass
from records.models import EmergencyAccess, Entry, Patient

_LOOKS = 500  # events of one access that its page shows; an hour rarely holds a tenth of it


@needs("glass.break")
@at_the_glass
@in_parts
def break_glass(request: HttpRequest, chart: str) -> HttpResponse:
    """Open a guarded chart in an emergency: with what it is for, in words, and the privacy officer told at once."""
    patient = get_object_or_404(Patient.objects.guarded(), chart_number=chart)
    if not guarding.closed_to(request.user, clock.now()).filter(pk=patient.pk).exists():
        return redirect(patient)
    form = GlassForm(request.POST or None, initial={"next": request.GET.get("next", "")})
    if request.method == "POST" and form.is_valid():
        facts = {"kind": form.cleaned_data["kind"], "reason": form.cleaned_data["reason"]}
        if _begin(request, form, patient, **facts):
            onward = form.cleaned_data["next"]
            return redirect(onward if is_page_of_ours(onward) else patient.get_absolute_url())
    return render(request, "records/glass.html", {"chart": chart, "form": form, "may_break": True})


@needs("glass.break_note")
@in_parts
def break_glass_note(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Open another physician's psychotherapy note in an emergency."""
    entry = get_object_or_404(Entry.objects.with_marks(), pk=pk, patient__chart_number=chart)
    if seeing.may_see_entry(request.user, entry, clock.now()):
        return redirect(f"{reverse('chart', args=[chart])}#entry-{entry.pk}")
    form = NoteGlassForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts: dict[str, Any] = {"kind": EmergencyAccess.Kind.TREATMENT, "reason": form.cleaned_data["reason"], "entry": entry}
        if _begin(request, form, entry.patient, **facts):
            return redirect(f"{reverse('chart', args=[chart])}#entry-{entry.pk}")
    context = {"chart": chart, "entry": entry, "form": form}
    return render(request, "records/glass_note.html", context)


def _begin(request: HttpRequest, form: Form, patient: Patient, **facts: Any) -> bool:
    """Write the access with its trace in the audit, and tell the officers. A refusal is shown at its field."""
    try:
        with transaction.atomic():  # the row and its trace stand or fall together
            access = EmergencyAccess.begin(patient, by=request.user, at=clock.now(), **facts)
            chart = patient.chart_number
            audit.record(Action.CREATE, f"emergency access {access.pk}", chart=chart, detail=access.kind, request=request)
    except ValidationError as refusal:
        told = getattr(refusal, "error_dict", {})
        form.add_error(None, refusal if set(told) <= set(form.fields) else refusal.messages)
        return False
    went = glass_mail.tell_officers(request.office)
    told = (Action.SENT, "to the privacy officers") if went else (Action.CHECK, "no mail went out")
    audit.record(told[0], f"emergency access {access.pk}", detail=told[1], request=request)
    told_so = (
        _("It is open to you for an hour. The privacy officer was told, and reviews what you look at.")
        if went
        else _(
            "It is open to you for an hour. No mail went out to the privacy officer: please tell them yourself. It stands "
            "among their tasks, and they review what you look at."
        )
    )
    messages.warning(request, told_so)
    return True


@needs("glass.review")
@require_GET
def emergency_accesses(request: HttpRequest) -> HttpResponse:
    """Every emergency access, those that wait for their review first; for a physician, those that are theirs to review."""
    rows = EmergencyAccess.objects.for_reviewer(request.user).select_related("patient", "review").order_by("-id")
    waiting = list(rows.unreviewed())
    done = page(rows.exclude(review=None), ["-id"], request.GET.get("after", ""))
    audit.looked_at(request, "emergency accesses", detail=f"{len(waiting)} to review")
    return render(request, "records/emergency_accesses.html", {"waiting": waiting, "page": done})


@needs("glass.review")
def emergency_access(request: HttpRequest, pk: int) -> HttpResponse:
    """One emergency access: who, why, what they looked at in that time, and its review."""
    rows = EmergencyAccess.objects.for_reviewer(request.user).select_related("patient", "review", "by")
    access = get_object_or_404(rows, pk=pk)
    form = ReviewForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _reviewed(request, form, access):
        return redirect("emergency_access", access.pk)
    audit.looked_at(request, f"emergency access {pk}", access.patient.chart_number)
    context = {"access": access, "form": form, "page": _looks(access), "most": _LOOKS}
    context["may_review"] = getattr(access, "review", None) is None and access.may_be_reviewed_by(request.user)
    return render(request, "records/emergency_access.html", context)


def _reviewed(request: HttpRequest, form: ReviewForm, access: EmergencyAccess) -> bool:
    data = form.cleaned_data
    try:
        review = access.review_by(request.user, finding=data["finding"], words=data["words"], at=clock.now())
    except ValidationError as refusal:
        told = getattr(refusal, "error_dict", {})
        form.add_error(None, refusal if set(told) <= set(form.fields) else refusal.messages)
        return False
    chart = access.patient.chart_number
    audit.record(Action.CHANGE, f"emergency access {access.pk}", chart=chart, detail=review.finding, request=request)
    messages.success(request, _("The review is kept."))
    return True


def _looks(access: EmergencyAccess) -> list[AccessEvent]:
    """What whoever broke the glass did in that chart while it was open, in order."""
    theirs = AccessEvent.objects.filter(user=access.by_id, chart_number=access.patient.chart_number)
    return list(theirs.filter(at__gte=access.at, at__lt=access.until).select_related("user").order_by("id")[:_LOOKS])
