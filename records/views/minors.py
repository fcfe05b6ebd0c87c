"""A minor's own consent, the forms signed anew at 18, and a death: one page for each act."""

from django.http import HttpResponse

from meso import clock, drafts
from meso.http import HttpRequest
from meso.roles import needs
from records.forms.acting import PatientActForm
from records.forms.minors import DeathForm, DecideMinorForm, MarkMinorForm, SignedAnewForm
from records.models import MinorConsent
from records.views.about import patient_and_context, readable_entry_of
from records.views.acting import act_on


@needs("entry.minor_consent")
def entry_minor(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Mark the entry as care that the minor consented to alone; once it is marked, decide whether the parent sees it."""
    patient, context = patient_and_context(chart)
    entry = readable_entry_of(request, patient, pk)
    mark: MinorConsent | None = getattr(entry, "minor_consent", None)
    given = {"on": clock.today(), "initial": drafts.initial(request)}
    form: PatientActForm
    if mark:
        form = DecideMinorForm(request.POST or None, mark=mark, **given)
    else:
        form = MarkMinorForm(request.POST or None, entry=entry, **given)
    back = f"{patient.get_absolute_url()}#entry-{entry.pk}"
    return act_on(request, patient, form, context | {"entry": entry}, back=back, seen=f"entry {entry.pk}")


@needs("representative.record")
def signed_anew(request: HttpRequest, chart: str) -> HttpResponse:
    """The patient turned 18 and signed anew, or does not come any more."""
    patient, context = patient_and_context(chart)
    form = SignedAnewForm(request.POST or None, patient=patient, on=clock.today(), initial=drafts.initial(request))
    return act_on(request, patient, form, context)


@needs("patient.update")
def patient_death(request: HttpRequest, chart: str) -> HttpResponse:
    """Record that the patient has died, or that the report of it was wrong."""
    patient, context = patient_and_context(chart)
    form = DeathForm(request.POST or None, patient=patient, on=clock.today(), initial=drafts.initial(request))
    return act_on(request, patient, form, context)
