"""Answering a request: the decision, its letter, and what was granted carried out."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from disclosures.views.release import at_the_desk
from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs
from records import beside
from records.models import Entry
from records.views.about import refuse_closed_copy
from requests_app import asked as asked_words
from requests_app import carrying_out, checklist, quoted
from requests_app.deadlines import NotAllowedNow
from requests_app.forms import carry_out as forms
from requests_app.forms.acts import ActForm
from requests_app.forms.decide import DecideForm
from requests_app.forms.giving import LookForm
from requests_app.kinds import Kind
from requests_app.models import Letter, PatientRequest
from requests_app.views.acting import act_on, chart_of, form_for, readable, released_for, request_or_404

# --- the decision -----------------------------------------------------------------------------------------------------


@needs("request.decide")
def request_decide(request: HttpRequest, number: str) -> HttpResponse:
    """Grant, grant in part or deny a request of any kind but an amendment, which is the physician's."""
    asked = request_or_404(number)
    if asked.kind == Kind.AMENDMENT:
        return redirect("request_decide_amendment", number)
    return _decide(request, asked)


@needs("request.decide_amendment")
def request_decide_amendment(request: HttpRequest, number: str) -> HttpResponse:
    """The physician decides an amendment."""
    asked = request_or_404(number)
    if asked.kind != Kind.AMENDMENT:
        return redirect("request_decide", number)
    return _decide(request, asked)


def _decide(request: HttpRequest, asked: PatientRequest) -> HttpResponse:
    """The decision's page. With `preview` it shows the letter and what will be left to do, and decides nothing."""
    if asked.outcome and not asked.may_be_taken_back(clock.today()):
        messages.info(request, _("This request has been decided."))
        return redirect(asked)
    form = form_for(request, DecideForm, asked)

    def more() -> dict[str, Any]:
        return {"what": asked_words.lines(asked), **_preview(request, form)}

    if "preview" not in request.POST:
        return act_on(request, form, "requests_app/decide.html", more)
    part = request.headers.get("HX-Request") == "true"
    template = "requests_app/_decision_preview.html" if part else "requests_app/decide.html"
    return render(request, template, {"asked": asked, "working": asked.working(), "form": form, **more()})


def _preview(request: HttpRequest, form: DecideForm) -> dict[str, Any]:
    """The letter as it would be made and the steps behind it; {} until the form says what is decided."""
    if not form.is_bound or not form.is_valid():
        return {}
    try:
        draft = form.draft(by=request.user, office=request.office)
    except NotAllowedNow as refusal:
        return {"refusal": str(refusal)}
    return {"previewed": True, "steps_after": form.steps_after(), "letter": draft}


# --- letters ----------------------------------------------------------------------------------------------------------


@needs("request.view")
@require_GET
def letter(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A letter as it was made, byte for byte; refused where it says what of a note is closed to whoever asks."""
    asked = request_or_404(number)
    found = get_object_or_404(Letter.objects.defer(None).select_related("request"), request=asked, pk=pk)
    refuse_closed_copy(request, quoted.by_letter(found).values("pk"), chart_of(asked))
    audit.record(Action.DOWNLOAD, f"letter {found.pk} of {asked.number}", chart=chart_of(asked), request=request)
    return file_answer(bytes(found.document), f"{asked.number}-letter-{found.pk}.pdf")


@needs("request.send")
def letter_sent(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Record the day on which a letter went out."""
    asked = request_or_404(number)
    found = get_object_or_404(Letter, request=asked, pk=pk)
    return act_on(request, form_for(request, forms.SendForm, asked, letter=found))


# --- carrying it out --------------------------------------------------------------------------------------------------


@needs("request.carry_out")
def request_carry_out(request: HttpRequest, number: str) -> HttpResponse:
    """Carry out what was granted. Copies and amendments have pages of their own."""
    asked = request_or_404(number)
    if asked.kind == Kind.AMENDMENT:
        return redirect("request_amend", number)
    given = carrying_out.accounting_of(asked)
    form: ActForm
    if asked.kind == Kind.ACCESS:
        return _ways_of_access(request, asked)
    if asked.kind != Kind.ACCOUNTING:
        form = form_for(request, forms.FORMS[asked.kind], asked)
    elif told := carrying_out.price_told(asked):
        form = form_for(request, forms.PriceChoiceForm, asked, told=told)
    elif given and "again" not in request.GET:
        form = form_for(request, forms.GiveAccountingForm, asked, given=given)
    else:
        form = form_for(request, forms.IssueForm, asked, by=request.user)

    def more() -> dict[str, Any]:
        heading = checklist.CARRY_OUT[asked.kind]
        return {
            "heading": heading,
            "why_not": carrying_out.why_not(asked, clock.today()),
            "what": asked_words.lines(asked),
            "given": given,
        }

    return act_on(request, form, "requests_app/carry_out.html", more)


def _ways_of_access(request: HttpRequest, asked: PatientRequest) -> HttpResponse:
    """The two ways in which access is given; each has a page of its own."""
    context = {"asked": asked, "working": asked.working(), "what": asked_words.lines(asked)}
    context |= {"heading": checklist.CARRY_OUT[asked.kind], "why_not": carrying_out.why_not(asked, clock.today())}
    return render(request, "requests_app/carry_out.html", context)


@needs("release.make")
def request_look(request: HttpRequest, number: str) -> HttpResponse:
    """The patient looked at the record here: a release like any other, at the desk."""
    asked = request_or_404(number)
    if asked.kind != Kind.ACCESS or asked.patient is None:
        return redirect(asked)

    def made(data: QueryDict | None, initial: dict) -> LookForm:
        return LookForm(data, asked=asked, on=clock.today(), by=request.user, initial=initial)

    context = {"asked": asked, "why_not": carrying_out.why_not(asked, clock.today())}
    return at_the_desk(request, made, {}, released_for(asked, "record looked at"), **context)


@needs("entry.addendum")
def request_amend(request: HttpRequest, number: str) -> HttpResponse:
    """Which entry is to be amended: the chart's, newest first."""
    asked = request_or_404(number)
    if asked.kind != Kind.AMENDMENT:
        return redirect("request_carry_out", number)
    context: dict[str, Any] = {
        "asked": asked,
        "why_not": carrying_out.why_not(asked, clock.today()),
        "what": asked_words.lines(asked),
    }
    if not context["why_not"]:
        entries = Entry.objects.of_record().filter(patient=asked.patient).prefetch_related("strikes", "addenda", "flags")
        context["page"] = page(entries, ["-service_on", "-id"], request.POST.get("after", ""))
        audit.looked_at(request, f"entries for {asked.number}", chart_of(asked))
    return render(request, "requests_app/amend_choose.html", context)


@needs("entry.addendum")
def request_amend_entry(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Draw the line through an entry, write its addendum, or both, for this request."""
    asked = request_or_404(number)
    if carrying_out.why_not(asked, clock.today()) or asked.kind != Kind.AMENDMENT:
        return redirect("request_amend", number)
    entry = readable(request, asked, pk)
    beside.lay([entry], clock.today())
    form = form_for(request, forms.AmendForm, asked, entry=entry)

    def more() -> dict[str, Any]:
        audit.looked_at(request, f"entry {entry.pk} for {asked.number}", chart_of(asked))
        return {"entry": entry, "patient": asked.patient, "what": asked_words.lines(asked)}

    return act_on(request, form, "requests_app/amend.html", more)
