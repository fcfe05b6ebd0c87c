"""The desk's lists: every open request soonest first, one patient's requests, and taking a new one in."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from meso import audit, clock, drafts
from meso.audit import Action
from meso.days import in_words
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs
from records import wishes
from records.gate import chooses_chart
from records.models import Patient
from requests_app import ics, repeats
from requests_app.deadlines import spoken
from requests_app.forms.desk import DeskRequestForm, TrackerFilterForm, new_token
from requests_app.models import PatientRequest
from requests_app.views.detail import chart_of


@needs("request.view")
def tracker(request: HttpRequest) -> HttpResponse:
    """Every open request, soonest first; closed ones on demand. Links may carry ?state=overdue, which tells of no patient."""
    on = clock.today()
    PatientRequest.objects.note_overdue(on=on, at=clock.now())
    data = request.POST or request.GET
    form = TrackerFilterForm(data or None)
    theirs = PatientRequest.objects.seen_by(request.user, clock.now()).with_waiting().select_related("patient", "assignee")
    requests, order = form.narrow(theirs, on)
    found = page(requests, order, request.POST.get("after", ""))
    action = Action.SEARCH if request.method == "POST" else Action.VIEW
    audit.record(action, "request tracker", detail=f"{len(found)} rows", request=request)
    return render(request, "requests_app/tracker.html", {"form": form, "page": found, "filtered": bool(data)})


@needs("request.view")
@require_GET
def due_dates(request: HttpRequest) -> HttpResponse:
    """The due dates of the open requests as a calendar file: numbers and days, no patient."""
    requests = PatientRequest.objects.due_soonest().only("pk", "due_on")
    audit.record(Action.DOWNLOAD, "due dates", request=request)
    made = ics.calendar(requests, at=clock.now(), base=request.build_absolute_uri("/").rstrip("/"))
    return file_answer(made, "due.ics", kind="text/calendar; charset=utf-8", download=True)


@needs("request.take")
@chooses_chart
def request_new(request: HttpRequest) -> HttpResponse:
    """Take a request in for a patient: any kind, however it came, on the day it was received.

    An address that names a chart begins afresh: a draft may be of another patient.
    """
    if request.POST.get("discard"):
        drafts.discard(request.user, request.path)
        return redirect("request_new")
    on, at = clock.today(), clock.now()
    chart = request.GET.get("chart", "")
    draft = None if chart else drafts.find(request.user, request.path)
    typed = drafts.initial(request) if draft else {}
    initial = {"once": new_token(), **typed, "patient": chart or typed.get("patient_picked") or typed.get("patient", "")}
    form = DeskRequestForm(request.POST or None, on=on, initial=initial)
    if request.method == "POST" and form.is_valid():
        taken = form.take(by=request.user, at=at, on=on, office=request.office)
        audit.record(Action.CREATE, f"request {taken.number}", chart=chart_of(taken), detail=taken.channel, request=request)
        drafts.discard(request.user, request.path)
        words = {"number": taken.number, "due": spoken(taken.due_on), "left": in_words(taken.days_left(on))}
        messages.success(request, _("%(number)s is taken in. Due %(due)s: %(left)s.") % words)
        if same := repeats.like(taken):
            told = _("This patient asked for the same before: %(numbers)s. Each has its own clock and its own answer.")
            messages.info(request, told % {"numbers": ", ".join(other.number for other in same)})
        return redirect(taken)
    return render(request, "requests_app/request_new.html", {"form": form, "draft": draft})


@needs("request.view")
def patient_requests(request: HttpRequest, chart: str) -> HttpResponse:
    """All requests of one patient, newest first: a tab of the chart."""
    on = clock.today()
    patient = get_object_or_404(Patient, chart_number=chart)
    PatientRequest.objects.note_overdue(on=on, at=clock.now())
    found = page(
        patient.requests.with_waiting().select_related("assignee"), ["-received_on", "-id"], request.POST.get("after", "")
    )
    audit.looked_at(request, "requests of a chart", patient.chart_number)
    inbound = patient.inbound_amendments.select_related("answer").order_by("-told_on", "-id")
    context = {"patient": patient, "inbound": inbound, "wishes": wishes.in_force(patient, on), "page": found}
    return render(request, "requests_app/patient_requests.html", context)
