"""The desk's lists: every open request soonest first, one patient's requests, and taking a new one in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from meso import audit, clock, drafts
from meso.audit import Action
from meso.paging import page
from meso.roles import needs
from records import wishes
from records.models import Patient
from requests_app.deadlines import in_words, spoken
from requests_app.forms.desk import DeskRequestForm, TrackerFilterForm, new_token
from requests_app.models import PatientRequest

PER_PATIENT = 100  # requests of one patient shown at once; nobody has come near it


@needs("request.view")
def tracker(request: HttpRequest) -> HttpResponse:
    """Every open request, soonest first; closed ones on demand. Links may carry ?state=overdue, which tells of no patient."""
    on = clock.today()
    PatientRequest.objects.note_overdue(on=on, at=clock.now())
    data = request.POST or request.GET
    form = TrackerFilterForm(data or None)
    requests, order = form.narrow(PatientRequest.objects.select_related("patient", "assignee"), on)
    found = page(requests, order, request.POST.get("after", ""))
    action = Action.SEARCH if request.method == "POST" else Action.VIEW
    audit.record(action, "request tracker", detail=f"{len(found)} rows", request=request)
    return render(request, "requests_app/tracker.html", {"form": form, "page": found, "filtered": bool(data)})


@needs("request.take")
def request_new(request: HttpRequest) -> HttpResponse:
    """Take a request in for a patient: any kind, however it came, on the day it was received."""
    on, at = clock.today(), clock.now()
    initial = {"patient": request.GET.get("chart", ""), "once": new_token(), **drafts.initial(request)}
    form = DeskRequestForm(request.POST or None, on=on, initial=initial)
    if request.method == "POST" and form.is_valid():
        taken = form.take(by=request.user, at=at, on=on, office=request.office)
        chart = taken.patient.chart_number if taken.patient else ""
        audit.record(Action.CREATE, f"request {taken.number}", chart=chart, detail=taken.channel, request=request)
        drafts.discard(request.user, request.path)
        words = {"number": taken.number, "due": spoken(taken.due_on), "left": in_words(taken.days_left(on))}
        messages.success(request, _("%(number)s is taken in. Due %(due)s: %(left)s.") % words)
        return redirect(taken)
    return render(request, "requests_app/request_new.html", {"form": form})


@needs("request.view")
@require_GET
def patient_requests(request: HttpRequest, chart: str) -> HttpResponse:
    """All requests of one patient, newest first: a tab of the chart."""
    on = clock.today()
    patient = get_object_or_404(Patient, chart_number=chart)
    PatientRequest.objects.note_overdue(on=on, at=clock.now())
    found = patient.requests.select_related("assignee").order_by("-received_on", "-id")[:PER_PATIENT]
    audit.looked_at(request, "requests of a chart", patient.chart_number)
    context = {"patient": patient, "wishes": wishes.in_force(patient, on), "requests": found}
    return render(request, "requests_app/patient_requests.html", context)
