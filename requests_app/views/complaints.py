"""Complaints: taken in by anybody of the clinic or from the public page, read and answered by the privacy officer alone."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from meso import audit, brakes, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest
from meso.paging import page
from meso.roles import PUBLIC, may, needs
from records.gate import chooses_chart
from requests_app.forms.complaints import ComplaintActForm, DeskComplaintForm, PublicComplaintForm
from requests_app.models import Complaint
from requests_app.views.public import SENT

ORDER = ["-received_on", "-id"]


@needs("complaint.handle")
def complaints(request: HttpRequest) -> HttpResponse:
    """Every complaint, newest first; `?show=open` those that wait for something."""
    only_open = request.GET.get("show") == "open"
    rows = Complaint.objects.open() if only_open else Complaint.objects.all()
    found = page(rows.select_related("patient").prefetch_related("events"), ORDER, request.POST.get("after", ""))
    audit.looked_at(request, "complaints", detail=f"{len(found)} rows")
    return render(request, "requests_app/complaints.html", {"page": found, "only_open": only_open})


@needs("complaint.take")
@chooses_chart
def complaint_new(request: HttpRequest) -> HttpResponse:
    """Take a complaint in. Whoever may not read complaints sees its number and nothing more."""
    form = DeskComplaintForm(request.POST or None, on=clock.today(), initial=drafts.initial(request))
    taken = form.take(by=request.user, at=clock.now()) if request.method == "POST" and form.is_valid() else None
    if taken:
        drafts.discard(request.user, request.path)
        chart = taken.patient.chart_number if taken.patient else ""
        audit.record(Action.CREATE, f"complaint {taken.number}", chart=chart, detail=taken.channel, request=request)
        messages.success(
            request, _("The complaint has number %(number)s and is with the privacy officer.") % {"number": taken.number}
        )
        return redirect(taken if may(request.user, "complaint.handle") else "dashboard")
    return render(request, "requests_app/complaint_new.html", {"form": form})


@needs("complaint.handle")
def complaint(request: HttpRequest, pk: int) -> HttpResponse:
    """One complaint: what it says, what was done, and the next step."""
    found = get_object_or_404(Complaint.objects.select_related("patient", "taken_by").prefetch_related("events"), pk=pk)
    form = ComplaintActForm(request.POST or None, complaint=found, on=clock.today(), initial=drafts.initial(request))
    chart = found.patient.chart_number if found.patient else ""
    if request.method == "POST" and form.is_valid() and form.save(by=request.user, at=clock.now()):
        drafts.discard(request.user, request.path)
        audit.record(Action.CHANGE, f"complaint {found.number}", chart=chart, detail=form.cleaned_data["verb"], request=request)
        messages.success(request, _("It is written down."))
        return redirect(found)
    audit.looked_at(request, f"complaint {found.number}", chart)
    return render(request, "requests_app/complaint.html", {"complaint": found, "form": form})


def _public_form(request: HttpRequest, **given: Any) -> PublicComplaintForm:
    return PublicComplaintForm(at=clock.now(), on=clock.today(), place=brakes.place_of(request), **given)


@needs(PUBLIC)
@brakes.at_most(SENT, method="POST")
@require_http_methods(["GET", "HEAD", "POST"])
def privacy_complaint(request: HttpRequest) -> HttpResponse:
    """How to complain, to the office and to the government, and a form for it that needs no name (164.530(d)(1))."""
    form = _public_form(request, data=request.POST if request.method == "POST" else None)
    with transaction.atomic():  # the complaint and its event stand or fall together
        taken = form.take() if form.is_bound and form.is_valid() else None
        if taken:
            audit.record(Action.CREATE, f"complaint {taken.number}", detail=taken.channel, request=request)
    if taken:
        request.session["complaint"] = taken.number
        return redirect("privacy_complaint_received")
    return render(request, "requests_app/public/complaint.html", {"form": form})


def _ask_again(request: HttpRequest) -> HttpResponse:
    """The form as it was typed, with a fresh protection token."""
    form = _public_form(request, initial=_typed(request))
    return render(request, "requests_app/public/complaint.html", {"form": form}, status=403)


def _typed(request: HttpRequest) -> dict[str, Any]:
    return {name: value for name, value in request.POST.dict().items() if name != "token"}


privacy_complaint.ask_again = _ask_again  # type: ignore[attr-defined]


@needs(PUBLIC)
@require_safe
def privacy_complaint_received(request: HttpRequest) -> HttpResponse:
    """The number of the complaint that this browser has just sent."""
    number = request.session.get("complaint")
    if not number:
        return redirect("privacy_complaint")
    return render(request, "requests_app/public/complaint_received.html", {"number": number})
