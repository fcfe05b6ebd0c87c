"""What every page about one patient begins with."""

from typing import Any

from django.shortcuts import get_object_or_404

from meso import clock, drafts
from meso.http import HttpRequest, Refused
from records import beside, seeing, wishes
from records.models import Entry, Patient


def patient_and_context(chart: str) -> tuple[Patient, dict[str, Any]]:
    """The patient of that chart number and what the banner shows; 404 where there is none. One query.

    The banner adds two, and more where somebody acts for the patient or a legal hold lies on the chart.
    """
    on = clock.today()
    patient = get_object_or_404(wishes.with_marks(Patient.objects.all(), on), chart_number=chart)
    return patient, {"patient": patient, "wishes": wishes.in_force(patient, on)}


def entry_of(request: HttpRequest, patient: Patient, pk: int) -> Entry:
    """An entry of this chart with what was laid beside it, as whoever asks sees it; 404 where there is none."""
    entry = get_object_or_404(Entry.objects.with_marks(), patient=patient, pk=pk)
    seeing.shut([entry], request.user, clock.now())
    beside.lay([entry], clock.today())
    return entry


def readable_entry_of(request: HttpRequest, patient: Patient, pk: int) -> Entry:
    """The same; refused where it is closed to whoever asks, as nothing is done to what one may not read."""
    entry = entry_of(request, patient, pk)
    refuse_closed(request, entry)
    return entry


def refuse_closed(request: HttpRequest, entry: Entry) -> None:
    """Raise Refused where the entry is closed to whoever asks (records.seeing)."""
    if entry.is_shut or not seeing.may_see_entry(request.user, entry, clock.now()):
        raise Refused(f"entry {entry.pk}", entry.patient.chart_number)


def refuse_closed_copy(request: HttpRequest, entry_ids: Any, chart: str) -> None:
    """Raise Refused for a finished copy or letter that holds what is closed to whoever asks (records.seeing)."""
    entries = Entry.objects.filter(pk__in=entry_ids).prefetch_related("flags")
    if not seeing.may_open_copy(request.user, entries):
        raise Refused("copy with psychotherapy notes", chart)


def initial_from_draft(request: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was kept of this form, as a form's `initial` and as what its page says of it."""
    draft = drafts.find(request.user, request.path)
    return drafts.as_initial(draft), {"draft": draft}
