"""The documents of requests and complaints that the retention report counts, and who has a request open."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Max
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

from disclosures import retention
from disclosures.retention import Item
from requests_app.models import Complaint, PatientRequest, Policy, PolicyEnding, Sanction, Training


def _requests(before: date) -> Iterator[Item]:
    """Closed requests with their timelines, letters and bills: from the last thing that happened to one."""
    rows = PatientRequest.objects.filter(closed_on__lte=before).annotate(
        last=Greatest("closed_on", Coalesce(Max("events__on"), "closed_on"))
    )
    columns = ("pk", "patient_id", "patient__chart_number", "received_on", "last")
    for pk, patient, chart, made, last in rows.order_by("closed_on", "pk").values_list(*columns).iterator(chunk_size=500):
        yield Item(str(PatientRequest._meta.verbose_name), pk, patient, chart or "", made, last)


def _complaints(before: date) -> Iterator[Item]:
    """Complaints that are done, from the last step."""
    rows = Complaint.objects.filter(received_on__lte=before).exclude(pk__in=Complaint.objects.open().values("pk"))
    rows = rows.annotate(last=Coalesce(Max("events__on"), "received_on"))
    columns = ("pk", "patient_id", "patient__chart_number", "received_on", "last")
    for pk, patient, chart, made, last in rows.order_by("received_on", "pk").values_list(*columns).iterator(chunk_size=500):
        yield Item(str(Complaint._meta.verbose_name), pk, patient, chart or "", made, last)


def _policies(before: date) -> Iterator[Item]:
    """Policies that have ended; one in force is kept."""
    rows = PolicyEnding.objects.filter(last_on__lte=before).order_by("last_on", "id")
    for pk, made, last in rows.values_list("policy_id", "policy__created_on", "last_on"):
        yield Item(str(Policy._meta.verbose_name), pk, None, "", made, last)


def _trainings(before: date) -> Iterator[Item]:
    for pk, day in Training.objects.filter(trained_on__lte=before).order_by("trained_on", "id").values_list("pk", "trained_on"):
        yield Item(str(Training._meta.verbose_name), pk, None, "", day)


def _sanctions(before: date) -> Iterator[Item]:
    for pk, day in Sanction.objects.filter(imposed_on__lte=before).order_by("imposed_on", "id").values_list("pk", "imposed_on"):
        yield Item(str(Sanction._meta.verbose_name), pk, None, "", day)


def _with_open_requests(patients: set[int]) -> set[int]:
    rows = PatientRequest.objects.filter(patient__in=patients, closed_on=None)
    return set(rows.values_list("patient_id", flat=True))


def register_all() -> None:
    """Put these kinds into the report."""
    retention.register(_("Closed requests with their letters and bills"), "164.530(j)", _requests)
    retention.register(_("Complaints"), "164.530(d)(2)", _complaints)
    retention.register(_("Policies no longer in force"), "164.530(j)(2)", _policies)
    retention.register(_("Training"), "164.530(b)", _trainings)
    retention.register(_("Sanctions"), "164.530(e)", _sanctions)
    retention.register_open_requests(_with_open_requests)
