"""Writing an entry; drawing the line, adding to it, saying that it stands in the wrong chart."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from meso import audit, clock, drafts
from meso.audit import Action
from meso.forms import Form
from meso.http import HttpRequest, Refused
from meso.roles import may, needs
from records import seeing
from records.forms.entries import (
    AddendumForm,
    AlreadyWrittenError,
    EntryForm,
    FlagEndForm,
    FlagForm,
    MisfiledForm,
    StrikeForm,
    source_of,
)
from records.models import Entry, EntryFlag, Patient
from records.views.about import entry_of, initial_from_draft, patient_and_context, readable_entry_of


@needs("entry.file")
def entry_new(request: HttpRequest, chart: str) -> HttpResponse:
    """Write an entry with its files. What is typed is kept as a draft until it is sent or discarded."""
    patient, context = patient_and_context(chart)
    initial, kept = initial_from_draft(request)
    if _is_written(patient, initial.get("token", "")):  # the last keystrokes were kept while the entry was being sent
        drafts.discard(request.user, request.path)
        initial, kept = {}, {"draft": None}
    form = EntryForm(
        request.POST or None, request.FILES or None, patient=patient, by=request.user, on=clock.today(), initial=initial
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():  # the entry and its trace in the audit stand or fall together, in one commit
                entry = form.write(clock.now())
                audit.record(Action.CREATE, f"entry {entry.pk}", chart=chart, detail=entry.kind, request=request)
            messages.success(request, _("The entry is in the chart."))
        except AlreadyWrittenError as already:
            entry = already.entry
            messages.success(request, _("The entry is in the chart, once."))
        drafts.discard(request.user, request.path)
        return _to_entry(entry)
    if request.POST.get("kind") in Entry.Kind and "kind" in form.errors and not may(request.user, "entry.write"):
        audit.refused(request, "entry.write", chart)
    audit.looked_at(request, "new entry", chart=chart)
    return render(request, "records/entry_new.html", {"form": form, **kept, **context})


def _is_written(patient: Patient, token: str) -> bool:
    return bool(token) and Entry.objects.filter(source_id=source_of(token), patient=patient).exists()


@needs("entry.file")
@require_POST
def entry_draft(request: HttpRequest, chart: str) -> HttpResponse:
    """Keep what is typed into the entry form, or forget it (`discard`). Answers with the words to show beside the form."""
    form_url = reverse("entry_new", args=[chart])
    if "discard" in request.POST:
        drafts.discard(request.user, form_url)
        return redirect(form_url)
    patient, _context = patient_and_context(chart)
    if not _is_written(patient, request.POST.get("token", "")):
        drafts.save(request.user, form_url, request.POST)
    time = date_format(timezone.localtime(clock.now()), "g:i A")
    return HttpResponse(_("Draft kept %(time)s") % {"time": time}, content_type="text/plain; charset=utf-8")


@needs("entry.strike")
def entry_strike(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Draw the line through an entry or a passage of it."""

    def strike(entry: Entry, data: dict[str, Any]) -> None:
        entry.strike(by=request.user, at=clock.now(), reason=data["reason"], passage=data["passage"])

    return _act(request, chart, pk, StrikeForm, strike, "strike", _("The line is drawn. The words stay legible."))


@needs("entry.addendum")
def entry_addendum(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Lay an addendum under an entry."""

    def add(entry: Entry, data: dict[str, Any]) -> None:
        entry.add_addendum(by=request.user, at=clock.now(), body=data["body"])

    return _act(request, chart, pk, AddendumForm, add, "addendum", _("The addendum stands under its entry."))


@needs("entry.misfiled")
def entry_misfiled(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Say that an entry stands in the wrong chart."""

    def mark(entry: Entry, data: dict[str, Any]) -> None:
        entry.mark_misfiled(by=request.user, at=clock.now(), reason=data["reason"])

    done = _("The entry is marked. It stays here, and copies of this record leave it out.")
    return _act(request, chart, pk, MisfiledForm, mark, "misfiled", done)


@needs("entry.flag")
def entry_flag(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Flag an entry: left out of the patient's copies, or a record under 42 CFR Part 2."""

    def flag(entry: Entry, data: dict[str, Any]) -> None:
        EntryFlag.lay(entry, data["kind"], reason=data["reason"], by=request.user, at=clock.now())

    return _act(request, chart, pk, FlagForm, flag, "flag", _("The entry is flagged."))


@needs("entry.flag")
def entry_flag_end(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Take back a flag that was set by mistake."""
    found = get_object_or_404(EntryFlag.objects.select_related("ending", "entry__author"), pk=pk, patient__chart_number=chart)
    if not seeing.may_take_back(request.user, found):
        raise Refused(f"flag {found.pk}", chart)

    def end(entry: Entry, data: dict[str, Any]) -> None:
        found.end(reason=data["reason"], by=request.user, at=clock.now())

    return _act(request, chart, found.entry_id, FlagEndForm, end, "flag_end", _("The flag is taken back."))


def _act(
    request: HttpRequest,
    chart: str,
    pk: int,
    form_class: type[Form],
    act: Callable[[Entry, dict[str, Any]], None],
    name: str,
    done: str,
) -> HttpResponse:
    """The page of one act upon an entry: the entry as it stands, the form, and the act once the form is right."""
    patient, context = patient_and_context(chart)
    entry = (entry_of if form_class is FlagEndForm else readable_entry_of)(request, patient, pk)
    initial, kept = initial_from_draft(request)
    form = form_class(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            act(entry, form.cleaned_data)
        except ValidationError as refusal:
            form.add_error("passage" if form.cleaned_data.get("passage") else None, refusal)
        else:
            drafts.discard(request.user, request.path)
            audit.record(Action.CHANGE, f"entry {entry.pk}", chart=chart, detail=name, request=request)
            messages.success(request, done)
            return _to_entry(entry)
    audit.looked_at(request, f"entry {entry.pk}", chart=chart)
    return render(request, f"records/entry_{name}.html", {"form": form, "entry": entry, **kept, **context})


def _to_entry(entry: Entry) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{entry.patient.get_absolute_url()}#entry-{entry.pk}")
