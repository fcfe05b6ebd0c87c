"""Signed authorizations: those of the office that need somebody, those of a chart, one, recording one, the blank form."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from disclosures import authorization_papers as papers
from disclosures.authorization_rules import Kind
from disclosures.forms.authorizations import AuthorizationForm, initial_of
from disclosures.models import Authorization
from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs
from records import guarding, uploads
from records.models import Attachment, Patient
from records.views.about import patient_and_context

_SHOWN = {
    "expiring": (gettext_lazy("Expire within 30 days"), ["expires_on", "id"]),
    "defective": (gettext_lazy("Defective"), ["-id"]),
    "held": (gettext_lazy("Taken back orally, not in writing"), ["-id"]),
}


@needs("authorization.view")
@require_GET
def authorizations(request: HttpRequest) -> HttpResponse:
    """Those of the whole office that need somebody: soon at their end, defective, or taken back orally."""
    on = clock.today()
    show = request.GET.get("show", "")
    show = show if show in _SHOWN else "expiring"
    forms = Authorization.objects.with_acts().exclude(patient__in=guarding.closed_to(request.user, clock.now()))
    rows = {"expiring": forms.expiring(on), "defective": forms.defective(), "held": forms.held()}[show]
    found = page(rows, _SHOWN[show][1], request.GET.get("after", ""))
    audit.looked_at(request, "authorizations", detail=f"{show}, {len(found)} rows")
    shown = [(name, label, name == show) for name, (label, _order) in _SHOWN.items()]
    context = {"page": found, "lines": _lines(found, on), "shown": shown, "show": show}
    return render(request, "disclosures/authorizations.html", context)


def _lines(rows: Any, on: Any) -> list[dict[str, Any]]:
    return [{"form": form, "standing": form.standing(on)} for form in rows]


@needs("authorization.view")
@require_GET
def patient_authorizations(request: HttpRequest, chart: str) -> HttpResponse:
    """One patient's signed forms: a tab of the chart."""
    patient, context = patient_and_context(chart)
    found = page(patient.authorizations.with_acts(), ["-id"], request.GET.get("after", ""))
    audit.looked_at(request, "authorizations of a chart", chart)
    context |= {"page": found, "lines": _lines(found, clock.today()), "blanks": papers.BLANKS}
    return render(request, "disclosures/patient_authorizations.html", context)


def form_of(chart: str, pk: int) -> Authorization:
    """A form of this chart with all that became of it; 404 where there is none."""
    return get_object_or_404(Authorization.objects.with_acts(), patient__chart_number=chart, pk=pk)


@needs("authorization.view")
@require_GET
def authorization(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """One form: how it stands, what it says, what became of it, what went out on it."""
    form = form_of(chart, pk)
    _patient, context = patient_and_context(chart)
    audit.looked_at(request, f"authorization {pk}", chart)
    letters = list(form.letters.select_related("sent"))
    ended = any(getattr(form, name, None) for name in ("revocation", "event", "found_false", "replaced_by", "replaces_id"))
    context |= {
        "form": form,
        "became": ended or letters or form.oral_revocations.all(),
        "standing": form.standing(clock.today()),
        "lacking": form.lacking(),
        "letters": letters,
        "named": form.named_entries.select_related("entry").prefetch_related("entry__flags"),
        "released": form.disclosures.current().order_by("-disclosed_on", "-id")[:25],
    }
    return render(request, "disclosures/authorization.html", context)


@needs("authorization.record")
def authorization_new(request: HttpRequest, chart: str) -> HttpResponse:
    """Record a signed form as it came, defective or not. `?kind=` says which is meant, such as a directive."""
    return _record(request, chart, None)


@needs("authorization.record")
def authorization_again(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record a form anew: a better one came, or something was typed wrong. The record before stays, out of use."""
    again = form_of(chart, pk)
    if getattr(again, "replaced_by", None):
        messages.warning(request, _("It was recorded anew already. This is the record that has taken its place."))
        return redirect("authorization", chart, again.replaced_by.pk)
    return _record(request, chart, Authorization.objects.defer(None).get(pk=again.pk))


def _record(request: HttpRequest, chart: str, again: Authorization | None) -> HttpResponse:
    patient, context = patient_and_context(chart)
    kept = drafts.initial(request)
    asked = {"kind": kind} if (kind := request.GET.get("kind")) in Kind.values else {}
    initial = {"signed": "", **kept} if kept else initial_of(again) if again else {"discloser": request.office.name, **asked}
    form = AuthorizationForm(
        request.POST or None, request.FILES or None, patient=patient, on=clock.today(), again=again, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            kept_form = form.record(by=request.user, at=clock.now())
            audit.record(Action.CREATE, f"authorization {kept_form.pk}", chart=chart, detail=kept_form.kind, request=request)
        drafts.discard(request.user, request.path)
        if kept_form.complete:
            messages.success(request, _("The form is recorded. Nothing in it is missing."))
        else:
            messages.warning(request, _("The form is recorded. It can’t be used: see below what it lacks."))
        return redirect("authorization", chart, kept_form.pk)
    audit.looked_at(request, "new authorization", chart)
    return render(request, "disclosures/authorization_new.html", {**context, "form": form, "again": again})


@needs("authorization.view")
@require_GET
def authorization_scan(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Hand out the scan as it came, to be saved and not to be opened in the browser."""
    form = get_object_or_404(Authorization.objects.defer(None), patient__chart_number=chart, pk=pk)
    audit.record(Action.DOWNLOAD, f"authorization {pk}", chart=chart, request=request)
    return scan_answer(bytes(form.scan), form.scan_format, f"chart-{chart}-authorization-{pk}")


def scan_answer(content: bytes, format_: str, name: str) -> HttpResponse:
    """A scan to save, locked in as every file that came from outside is."""
    return file_answer(content, name + uploads.ENDINGS[Attachment.Format(format_)][0], kind=format_, download=True)


@needs("authorization.view")
@require_GET
def authorization_blank(request: HttpRequest, chart: str, format: str) -> HttpResponse:
    """A form to print and sign, with the office's and the patient's data in it."""
    if format not in papers.BLANKS:
        raise Http404
    patient = get_object_or_404(Patient, chart_number=chart)
    pdf = papers.blank_form(patient, format, office=request.office, on=clock.today())
    audit.record(Action.PRINT, "blank authorization", chart=chart, detail=format, request=request)
    return file_answer(pdf.content, f"authorization-{chart}-{format}.pdf")
