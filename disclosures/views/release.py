"""The release desk: the one page through which anything leaves the office, and what left by it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from disclosures import withholding
from disclosures.forms.desk import DeskForm
from disclosures.forms.log import earlier_recipients
from disclosures.models import Disclosure, Release
from meso import audit, clock, drafts, signin
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.models import Draft
from meso.paging import page
from meso.roles import needs
from records import seeing
from records.forms.picker import typed
from records.gate import chooses_chart, of_chart
from records.models import Entry
from records.views.about import patient_and_context, refuse_closed_copy

PAPERS = {"copy": "copy", "letter": "cover_letter", "bill": "bill"}


@needs("release.make")
@chooses_chart
def release_new(request: HttpRequest) -> HttpResponse:
    """Plan a release, see its checks, let it out. An address that names a chart begins afresh, past any draft."""
    if request.POST.get("discard"):
        drafts.discard(request.user, request.path)
        return redirect("release_new")

    def made(data: QueryDict | None, initial: dict) -> DeskForm:
        return DeskForm(data, on=clock.today(), by=request.user, initial=initial)

    return at_the_desk(request, made, {"patient": request.GET.get("chart", "")})


def at_the_desk(
    request: HttpRequest,
    made: Callable[[QueryDict | None, dict], DeskForm],
    initial: dict,
    then: Callable[[HttpRequest, Release], HttpResponse] | None = None,
    **context: object,
) -> HttpResponse:
    """One visit to the desk's page: `made(data, initial)` gives its form. Requests come through here too.

    `then` answers once it is released; without it the page of the release follows.
    """
    form, draft = _form_and_draft(request, made, initial)
    step = request.POST.get("step")
    if form.is_bound and form.is_valid():
        if step == "release" and form.overrides and not signin.fresh(request):
            return drafts.ask_again(request)
        if step == "release" and (released := form.release(at=clock.now(), office=request.office)):
            drafts.discard(request.user, request.path)
            return (then or _released)(request, released)
        if step != "release":
            form.judge()
        _audit_the_check(request, form)
    elif form.chosen:
        if not form.is_bound and not form.asks_first:
            form.judge()
        audit.looked_at(request, "release desk", form.chosen.chart_number)
    recipients = earlier_recipients(request.user, clock.today())
    shown = {"form": form, "draft": draft, "recipients": recipients, "step": step, **context}
    return render(request, "disclosures/release_new.html", shown)


def _form_and_draft(
    request: HttpRequest, made: Callable[[QueryDict | None, dict], DeskForm], initial: dict
) -> tuple[DeskForm, Draft | None]:
    """The form as sent; as it stands so far, to learn what must be on hand; with what was kept; or new."""
    if request.method == "POST":
        if request.POST.get("step") == "show":
            return made(None, {**initial, **typed(request.POST, *_MANY)}), None
        return made(request.POST, initial), None
    draft = None if request.GET.get("chart") else drafts.find(request.user, request.path)
    kept = drafts.as_post(draft)
    return made(None, {**initial, **(typed(kept, *_MANY) if kept else {})}), draft


_MANY = ("needs", "verified", "identifiers", "entries", "loose", "items")


def _audit_the_check(request: HttpRequest, form: DeskForm) -> None:
    stopped = ", ".join(one.name for one in form.checks if one.is_refused)
    detail = f"{form.code}: {stopped or 'clear'}"
    audit.record(Action.CHECK, "release", chart=form.chosen.chart_number if form.chosen else "", detail=detail, request=request)


def _released(request: HttpRequest, released: Release) -> HttpResponse:
    chart = released.patient.chart_number
    audit.record(Action.CREATE, f"release {released.pk}", chart=chart, detail=released.purpose_code, request=request)
    messages.success(request, _("It is released. Print what goes along from this page."))
    return redirect(released)


def _one(request: HttpRequest, pk: int, paper: str = "") -> Release:
    """The release; 404 as for none where an agency has its row withheld, but for whoever made it and prints its papers."""
    rows = Release.objects.select_related("patient", "by", "disclosure__victim_told")
    row = get_object_or_404(rows.defer(*({*PAPERS.values()} - {paper})) if paper else rows, pk=pk)
    if row.by_id != request.user.pk and row.disclosure_id in withholding.hidden_from(request.user, clock.today(), row.patient):
        raise Http404
    return row


def _entries(row: Release) -> Any:
    """The entries that went, oldest first, with their flags."""
    return Entry.objects.filter(pk__in=row.entry_ids).prefetch_related("flags").oldest_first()


@needs("disclosure.view")
@of_chart(Release)
@require_GET
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """What went, to whom and why, the checks as they stood, and the papers."""
    row = _one(request, pk)
    audit.looked_at(request, f"release {pk}", row.patient.chart_number)
    _patient, context = patient_and_context(row.patient.chart_number)
    entries = list(_entries(row))
    papers = [part for part in row.manifest if "file" in part]
    context |= {
        "row": row,
        "entries": entries,
        "holds_notes": any(entry.is_notes for entry in entries),
        "may_open": seeing.may_open_copy(request.user, entries),
        "papers": papers,
        "checks": [(check, None) for check in row.checks],
    }
    context["to_tell"] = Disclosure.objects.victims_to_tell().filter(pk=row.disclosure_id).exists()
    return render(request, "disclosures/release.html", context)


@needs("record.print")
@of_chart(Release)
@require_GET
def release_file(request: HttpRequest, pk: int, format: str) -> HttpResponse:
    """One paper of a release, byte for byte: the copy's released pages and no other, the cover letter, the bill."""
    if format not in PAPERS:
        raise Http404
    row = _one(request, pk, PAPERS[format])
    content = bytes(getattr(row, PAPERS[format]))
    if not content:
        raise Http404
    if format == "copy":
        refuse_closed_copy(request, row.entry_ids, row.patient.chart_number)
    audit.record(Action.DOWNLOAD, f"{format} of release {pk}", chart=row.patient.chart_number, request=request)
    return file_answer(content, f"release-{pk}-{format}.pdf")


@needs("disclosure.view")
@require_GET
def patient_releases(request: HttpRequest, chart: str) -> HttpResponse:
    """What left the office about one patient, newest first: a tab of the chart."""
    patient, context = patient_and_context(chart)
    audit.looked_at(request, "releases of a chart", chart)
    hidden = withholding.hidden_from(request.user, clock.today(), patient)
    rows = patient.releases.select_related("by").exclude(disclosure_id__in=hidden)
    context["page"] = page(rows, ["-released_on", "-id"], request.GET.get("after", ""))
    return render(request, "disclosures/releases.html", context)
