"""The log: writing a row, reading the list, one row and its history, the spreadsheet."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from disclosures import log_rows, withholding
from disclosures.forms.log import CorrectionForm, DisclosureForm, HoldForm, LogFilterForm, ReviewForm, earlier_recipients
from disclosures.models import Disclosure
from meso import audit, clock, csv_out, drafts
from meso.audit import Action
from meso.brakes import HEAVY, at_most, person_of
from meso.http import HttpRequest
from meso.models import Draft
from meso.paging import page
from meso.roles import may, needs
from meso.witness import in_parts
from records import guarding
from records.forms.picker import typed
from records.gate import chooses_chart, of_chart
from records.views.about import patient_and_context

ORDER = ["-disclosed_on", "-id"]
CSV_COLUMNS = (
    "number",
    "chart_number",
    "disclosed_on",
    "recipient",
    "recipient_address",
    "information",
    "purpose_code",
    "purpose",
    "authorized_on",
    "authorization",
    "logged_by",
    "logged_at",
    "reviewed",
    "superseded_by",
)


@needs("disclosure.log")
@chooses_chart
def disclosure_new(request: HttpRequest) -> HttpResponse:
    """Log a disclosure. An exempt purpose is told as such, makes no row, and the check is audited."""
    if request.POST.get("discard"):
        drafts.discard(request.user, request.path)
        return redirect("disclosure_new")
    form, draft = _form_and_draft(request)
    if form.exempt:
        return _say_exempt(request, form)
    if form.is_valid():
        with transaction.atomic():  # the row and its trace in the audit stand or fall together, in one commit
            row = form.log(by=request.user, at=clock.now())
            _forget_draft(request)
            audit.record(
                Action.CREATE, f"disclosure {row.pk}", chart=row.patient.chart_number, detail=row.purpose_code, request=request
            )
        messages.success(request, _("The disclosure is in the log."))
        seen = withholding.shown_to(request.user, Disclosure.objects.filter(pk=row.pk), clock.today(), row.patient).exists()
        return redirect("disclosure", row.pk) if seen else redirect("disclosures")
    if form.chosen:
        audit.looked_at(request, "disclosure form", form.chosen.chart_number)
    return render(
        request,
        "disclosures/new.html",
        {"form": form, "draft": draft, "recipients": earlier_recipients(request.user, clock.today())},
    )


def _form_and_draft(request: HttpRequest) -> tuple[DisclosureForm, Draft | None]:
    """The form as sent; or filled with what stands in it so far, to tick entries; or with what was kept; or empty.

    An address that names a chart begins afresh: a draft may be of another patient.
    """
    on = clock.today()
    if "show_entries" in request.POST:
        return DisclosureForm(on=on, initial=typed(request.POST, "entries")), None
    if request.method == "POST":
        return DisclosureForm(request.POST, request.FILES, on=on), None
    chart = request.GET.get("chart", "")
    draft = None if chart else drafts.find(request.user, request.path)
    kept = drafts.as_post(draft)
    return DisclosureForm(on=on, initial=typed(kept, "entries") if kept else {"patient": chart}), draft


def _forget_draft(request: HttpRequest) -> None:
    """The draft was sent. One that this form did not come from stays."""
    if "chart" not in request.GET:
        drafts.discard(request.user, request.path)


def _say_exempt(request: HttpRequest, form: DisclosureForm) -> HttpResponse:
    patient = form.chosen
    purpose = form.exempt
    _forget_draft(request)
    chart = patient.chart_number if patient else ""
    audit.record(Action.CHECK, "disclosure", chart=chart, detail=purpose.code if purpose else "", request=request)
    return render(request, "disclosures/exempt.html", {"purpose": purpose, "patient": patient})


@needs("disclosure.view")
def disclosures(request: HttpRequest) -> HttpResponse:
    """The log, newest first, narrowed by the filter. A link may carry ?show=unreviewed, which tells of no patient."""
    form = LogFilterForm(request.POST or request.GET or None, on=clock.today())
    rows = withholding.shown_to(request.user, form.narrow(Disclosure.objects.for_list()), clock.today())
    rows = rows.exclude(patient__in=guarding.closed_to(request.user, clock.now()))
    found = page(rows, ORDER, request.POST.get("after", ""))
    audit.looked_at(request, "disclosure log", detail=f"{len(found)} rows")
    review_form = ReviewForm() if may(request.user, "disclosure.review") else None
    return render(request, "disclosures/log.html", {"form": form, "page": found, "review_form": review_form})


@needs("disclosure.export")
@at_most(HEAVY, person_of)
@require_POST
@in_parts
def disclosures_csv(request: HttpRequest) -> HttpResponseBase:
    """What is filtered, as a spreadsheet, streamed. A filter that is not right shows the page again, not all rows."""
    form = LogFilterForm(request.POST, on=clock.today())
    if not form.is_valid():
        return disclosures(request)
    rows = log_rows.cells(form.narrow(Disclosure.objects.all()), CSV_COLUMNS, ORDER)
    audit.record(Action.EXPORT, "disclosure log", detail="csv", request=request)
    response = StreamingHttpResponse(csv_out.stream(CSV_COLUMNS, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="disclosures.csv"'
    return response


@needs("disclosure.view")
@of_chart(Disclosure)
@require_GET
def disclosure(request: HttpRequest, pk: int) -> HttpResponse:
    """One row: what it says, what was given, its corrections and reviews."""
    row = _row(pk)
    if not withholding.shown_to(request.user, Disclosure.objects.filter(pk=pk), clock.today(), row.patient).exists():
        raise Http404
    audit.looked_at(request, f"disclosure {pk}", row.patient.chart_number)
    _patient, context = patient_and_context(row.patient.chart_number)
    context |= {
        "row": row,
        "review_form": ReviewForm(),
        "entries": row.disclosed_entries.select_related("entry").prefetch_related("entry__flags"),
    }
    return render(request, "disclosures/one.html", context)


def _row(pk: int) -> Disclosure:
    rows = Disclosure.objects.select_related(
        "patient",
        "logged_by",
        "correction__replacement",
        "corrects__original",
        "hold_decision",
        "protocol",
        "made_by",
        "written_request",
        "victim_told",
    )
    return get_object_or_404(rows.prefetch_related("reviews"), pk=pk)


@needs("disclosure.view")
@require_GET
def patient_disclosures(request: HttpRequest, chart: str) -> HttpResponse:
    """One patient's rows of the log: a tab of the chart."""
    patient, context = patient_and_context(chart)
    rows = withholding.shown_to(request.user, patient.disclosures.current().for_list(), clock.today(), patient)
    audit.looked_at(request, "disclosures of a chart", chart)
    context["page"] = page(rows, ORDER, request.GET.get("after", ""))
    return render(request, "disclosures/patient.html", context)


@needs("disclosure.correct")
def disclosure_correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a row right by a new one. The old row stays readable."""
    row = _row(pk)
    form = CorrectionForm(
        request.POST or None, request.FILES or None, original=row, on=clock.today(), initial=drafts.initial(request)
    )
    if request.method == "POST" and form.is_valid():
        try:
            correction = form.correct(by=request.user, at=clock.now())
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            drafts.discard(request.user, request.path)
            audit.record(Action.CHANGE, f"disclosure {pk}", chart=row.patient.chart_number, detail="corrected", request=request)
            messages.success(request, _("The correction is in the log. The old row stays readable."))
            return redirect("disclosure", correction.replacement_id or pk)
    audit.looked_at(request, f"disclosure {pk}", row.patient.chart_number)
    _patient, context = patient_and_context(row.patient.chart_number)
    return render(request, "disclosures/correct.html", {**context, "form": form, "row": row})


@needs("disclosure.review")
@require_POST
def disclosures_review(request: HttpRequest) -> HttpResponse:
    """Sign off the ticked rows: each gets a review of its own, dated and signed."""
    form = ReviewForm(request.POST)
    rows = _ticked(request)
    if rows and form.is_valid():
        at = clock.now()
        for row in rows:
            row.review(by=request.user, at=at, note=form.cleaned_data["note"])
        audit.record(Action.CREATE, "disclosure reviews", detail=f"{len(rows)} rows", request=request)
        messages.success(request, _("%(count)d reviewed and signed.") % {"count": len(rows)})
    else:
        messages.warning(request, _("Tick the rows that you have reviewed. Notes may be 1000 characters long."))
    if "one" in request.POST and rows:
        return redirect("disclosure", rows[0].pk)
    return redirect(f"{reverse('disclosures')}?{LogFilterForm(request.POST, on=clock.today()).address}")


def _ticked(request: HttpRequest) -> list[Disclosure]:
    """The ticked rows of a page, without those that were signed off meanwhile. A row by itself may be signed again."""
    keys = [int(key) for key in request.POST.getlist("row") if key.isdecimal() and len(key) < 19][:200]
    which = Disclosure.objects.current() if "one" in request.POST else Disclosure.objects.not_reviewed()
    return list(which.filter(pk__in=keys))


@needs("disclosure.review")
def disclosure_hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide, once, whether a held row is listed in accountings."""
    row = get_object_or_404(Disclosure.objects.held().select_related("patient"), pk=pk)
    form = HoldForm(request.POST or None, initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            row.decide_hold(by=request.user, at=clock.now(), **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            drafts.discard(request.user, request.path)
            audit.record(
                Action.CREATE, f"disclosure {pk}", chart=row.patient.chart_number, detail="hold decided", request=request
            )
            messages.success(request, _("The decision is kept."))
            return redirect("disclosure", pk)
    audit.looked_at(request, f"disclosure {pk}", row.patient.chart_number)
    _patient, context = patient_and_context(row.patient.chart_number)
    return render(request, "disclosures/hold.html", {**context, "form": form, "row": row})
