"""After an amendment was agreed to: whom to tell; and the amendments that other providers tell us of."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest
from meso.roles import may, needs
from records import seeing, wishes
from records.gate import of_chart
from records.models import Entry
from records.views.about import patient_and_context
from requests_app import inbound, telling
from requests_app.forms import telling as forms
from requests_app.models import InboundAmendment, Recipient
from requests_app.views.acting import act_on, form_for, request_or_404


@needs("request.carry_out")
def request_tell(request: HttpRequest, number: str) -> HttpResponse:
    """Choose whom to tell of a correction, and make their letters."""
    asked = request_or_404(number)
    if not telling.is_amended(asked):
        return redirect(asked)
    there = telling.proposals(asked, request.user, clock.today())
    return act_on(request, form_for(request, forms.TellForm, asked, proposals=there))


@needs("request.send")
def request_telling(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Record that somebody on the list was told, or could not be reached."""
    asked = request_or_404(number)
    recipient = get_object_or_404(Recipient.objects.select_related("request", "letter"), request=asked, pk=pk)
    return act_on(request, form_for(request, forms.TellingForm, asked, recipient=recipient))


@needs("request.take")
def inbound_new(request: HttpRequest, chart: str) -> HttpResponse:
    """Take in what another provider tells us of an amendment."""
    patient, context = patient_and_context(chart)
    on = clock.today()
    form = forms.InboundForm(request.POST or None, on=on, initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        told = inbound.take(patient, **form.cleaned_data, by=request.user, at=clock.now(), on=on)
        audit.record(Action.CREATE, f"inbound amendment {told.pk}", chart=chart, request=request)
        drafts.discard(request.user, request.path)
        messages.success(request, _("It waits for the physician."))
        return redirect("patient_requests", chart)
    audit.looked_at(request, "inbound amendment", chart=chart)
    return render(request, "requests_app/inbound_new.html", {"form": form, **context})


@needs("request.view")
@of_chart(InboundAmendment)
def inbound_one(request: HttpRequest, pk: int) -> HttpResponse:
    """What another provider told us, and for the physician the form that answers it."""
    told = get_object_or_404(InboundAmendment.objects.select_related("patient", "answer__entry"), pk=pk)
    patient, on = told.patient, clock.today()
    form = None
    if getattr(told, "answer", None) is None and may(request.user, "entry.addendum"):
        theirs = Entry.objects.of_record().filter(patient=patient).prefetch_related("flags").newest_first()
        entries = [entry for entry in theirs if seeing.may_see_entry(request.user, entry, clock.now())]
        form = forms.InboundAnswerForm(request.POST or None, told=told, entries=entries, initial=drafts.initial(request))
        if request.method == "POST" and form.is_valid() and form.save(by=request.user, at=clock.now(), on=on):
            audit.record(Action.CHANGE, f"inbound amendment {told.pk}", chart=patient.chart_number, request=request)
            drafts.discard(request.user, request.path)
            messages.success(request, _("It is answered."))
            return redirect("inbound", pk)
    audit.looked_at(request, f"inbound amendment {told.pk}", patient.chart_number)
    context = {"told": told, "form": form, "patient": patient, "wishes": wishes.in_force(patient, on)}
    return render(request, "requests_app/inbound.html", context)
