"""Who may act for a patient: the chart's page, and the page of each act upon it."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest, file_answer, is_page_of_ours
from meso.roles import needs
from records import representation, uploads
from records.forms.representatives import EndForm, EndRefusalForm, RefuseForm, RepresentativeForm
from records.models import Attachment, Patient, Representative, RepresentativeRefusal, SignedAnew
from records.views.about import patient_and_context
from records.views.acting import act_on


@needs("patient.view")
@require_GET
def representatives(request: HttpRequest, chart: str) -> HttpResponse:
    """Everybody on file who may act or might have, each with whether they may today and, if not, why."""
    patient, context = patient_and_context(chart)
    on = clock.today()
    rows = [(one, representation.refusal(one, on)) for one in patient.representatives.with_state()]
    audit.looked_at(request, "representatives", chart=chart)
    died = patient.deceased_on
    context |= {
        "rows": rows,
        "ask_officer": str(representation.ASK_OFFICER),
        "adult_on": representation.adulthood(patient.date_of_birth),
        "protected_through": representation.protected_through(died) if died else None,
        "is_protected": representation.is_protected(died, on),
        "deaths": patient.death_reports.all(),
        "has_parent": any(one.basis == representation.Basis.PARENT for one, _ in rows),
        "signed_anew": SignedAnew.objects.filter(patient=patient).first(),
    }
    return render(request, "records/representatives.html", context)


def _one(patient: Patient, pk: int) -> Representative:
    """A representative of this chart with what decides whether it may act; 404 where there is none."""
    return get_object_or_404(Representative.objects.with_state(), patient=patient, pk=pk)


@needs("representative.record")
def representative_new(request: HttpRequest, chart: str) -> HttpResponse:
    """Put somebody on file; afterwards back to where they were asked for (`?back=`), or to the chart's page."""
    patient, context = patient_and_context(chart)
    form = RepresentativeForm(
        request.POST or None, request.FILES or None, patient=patient, on=clock.today(), initial=drafts.initial(request)
    )
    back = request.GET.get("back", "")
    onward = back if is_page_of_ours(back) else "representatives"
    return act_on(request, patient, form, context, back=onward, seen="new representative")


@needs("representative.record")
def representative_end(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """End an authority."""
    patient, context = patient_and_context(chart)
    one = _one(patient, pk)
    form = EndForm(request.POST or None, representative=one, on=clock.today(), initial=drafts.initial(request))
    return act_on(request, patient, form, context | {"about": one})


@needs("patient.view")
@require_GET
def representative_scan(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Hand out the scan of the document as it came."""
    one = get_object_or_404(Representative.objects.defer(None), pk=pk, patient__chart_number=chart)
    if not one.scan:
        raise Http404
    audit.record(Action.DOWNLOAD, f"document of representative {one.pk}", chart=chart, request=request)
    name = f"chart-{chart}-representative-{one.pk}{uploads.ENDINGS[Attachment.Format(one.scan_format)][0]}"
    return file_answer(bytes(one.scan), name, kind=one.scan_format, download=True)


# --- the physician's refusal --------------------------------------------------------------------------------------------


@needs("representative.refuse")
def representative_refuse(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The physician no longer treats somebody as the representative (164.502(g)(5))."""
    patient, context = patient_and_context(chart)
    one = _one(patient, pk)
    form = RefuseForm(request.POST or None, representative=one, on=clock.today(), initial=drafts.initial(request))
    return act_on(request, patient, form, context | {"about": one})


@needs("representative.refusal")
@require_GET
def representative_refusal(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """What was judged of this representative, by whom and why: for the physician and the privacy officer only."""
    patient, context = patient_and_context(chart)
    one = _one(patient, pk)
    audit.looked_at(request, f"refusal of representative {one.pk}", chart=chart)
    context |= {"about": one, "in_force": representation.refusal_in_force(one, clock.today())}
    return render(request, "records/representative_refusal.html", context)


@needs("representative.refuse")
def representative_refusal_end(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The physician ends the refusal that is in force."""
    patient, context = patient_and_context(chart)
    one = _one(patient, pk)
    refusal: RepresentativeRefusal | None = representation.refusal_in_force(one, clock.today())
    if refusal is None:
        return redirect("representative_refusal", chart, pk)
    form = EndRefusalForm(request.POST or None, refusal=refusal, on=clock.today(), initial=drafts.initial(request))
    return act_on(request, patient, form, context | {"about": one})
