"""What every page about one patient begins with."""

from typing import Any

from django.shortcuts import get_object_or_404

from meso import clock, drafts
from meso.http import HttpRequest
from records import beside, wishes
from records.models import Entry, Patient


def patient_and_context(chart: str) -> tuple[Patient, dict[str, Any]]:
    """The patient of that chart number and what the banner shows; 404 where there is none. One query.

    The banner adds two, and more where somebody acts for the patient or a legal hold lies on the chart.
    """
    on = clock.today()
    patient = get_object_or_404(wishes.with_marks(Patient.objects.all(), on), chart_number=chart)
    return patient, {"patient": patient, "wishes": wishes.in_force(patient, on)}


def entry_of(patient: Patient, pk: int) -> Entry:
    """An entry of this chart with what was laid beside it; 404 where there is none."""
    entry = get_object_or_404(Entry.objects.with_marks(), patient=patient, pk=pk)
    beside.lay([entry], clock.today())
    return entry


def initial_from_draft(request: HttpRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was kept of this form, as a form's `initial` and as what its page says of it."""
    draft = drafts.find(request.user, request.path)
    return drafts.as_initial(draft), {"draft": draft}
