"""What becomes of a signed form: taken back, ended by its event, found false, copied, written about."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from disclosures import authorization_papers as papers
from disclosures.forms.authorizations import ActForm, CopyForm, EventForm, FalseForm, RevocationForm, SentForm
from disclosures.models import (
    Authorization,
    AuthorizationCopyGiven,
    AuthorizationEventHappened,
    AuthorizationFoundFalse,
    AuthorizationLetter,
    AuthorizationRevocation,
    OralRevocation,
)
from disclosures.views.authorizations import form_of, scan_answer
from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from records.uploads import CheckedFile
from records.views.about import patient_and_context


def _act(
    request: HttpRequest, chart: str, pk: int, form_class: type[ActForm], template: str, act: Callable[..., Any]
) -> HttpResponse:
    """The form of an act, and the act: `act(authorization, by=…, at=…, **typed)` writes it."""
    authorization = form_of(chart, pk)
    on = clock.today()
    form = form_class(request.POST or None, request.FILES or None, on=on, initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                act(authorization, **form.cleaned_data, by=request.user, at=clock.now())
                audit.record(Action.CHANGE, f"authorization {pk}", chart=chart, detail=template, request=request)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            drafts.discard(request.user, request.path)
            messages.success(request, form.done)
            return redirect("authorization", chart, pk)
    audit.looked_at(request, f"authorization {pk}", chart)
    _patient, context = patient_and_context(chart)
    context |= {"form": form, "authorization": authorization, "standing": authorization.standing(on)}
    return render(request, f"disclosures/authorization_{template}.html", context)


@needs("authorization.record")
def revoke(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The patient takes the form back, in writing or orally (164.508(b)(5))."""
    return _act(request, chart, pk, RevocationForm, "revoke", _revoke)


def _revoke(form: Authorization, *, how: str, day: date, note: str, scan: CheckedFile | None, **who: Any) -> None:
    if how == "oral":
        OralRevocation.of(form, asked_on=day, note=note, **who)
        return
    file: dict[str, Any] = {"scan": scan.content, "scan_format": scan.format} if scan else {}
    AuthorizationRevocation.of(form, received_on=day, note=note, **file, **who)


@needs("authorization.view")
@require_GET
def revoke_paper(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """A paper for the patient to take it back in writing, to print and sign."""
    pdf = papers.revocation_form(form_of(chart, pk), office=request.office, on=clock.today())
    audit.record(Action.PRINT, f"revocation form {pk}", chart=chart, request=request)
    return file_answer(pdf.content, f"revocation-{chart}-{pk}.pdf")


@needs("authorization.record")
def event(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """What was to end the form has happened (164.508(b)(2)(i))."""
    return _act(request, chart, pk, EventForm, "event", AuthorizationEventHappened.of)


@needs("authorization.false")
def found_false(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The privacy officer finds that something material in it is false (164.508(b)(2)(v))."""
    return _act(request, chart, pk, FalseForm, "false", AuthorizationFoundFalse.of)


@needs("authorization.record")
def copy_given(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The patient got a copy of what they signed (164.508(c)(4))."""
    return _act(request, chart, pk, CopyForm, "copy", AuthorizationCopyGiven.of)


@needs("authorization.view")
@require_GET
def revocation(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """The scan of what the patient wrote, as it came."""
    rows = AuthorizationRevocation.objects.defer(None).exclude(scan_sha256="")
    row = get_object_or_404(rows, authorization=pk, authorization__patient__chart_number=chart)
    audit.record(Action.DOWNLOAD, f"revocation {pk}", chart=chart, request=request)
    return scan_answer(bytes(row.scan), row.scan_format, f"chart-{chart}-revocation-{pk}")


@needs("authorization.record")
@require_POST
def letter_make(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Issue the letter that says what the form lacks. It is kept as issued; the same one twice on a day is one."""
    form = form_of(chart, pk)
    try:
        made = papers.issue_missing_letter(form, office=request.office, by=request.user, at=clock.now(), on=clock.today())
    except ValidationError as refusal:
        messages.warning(request, refusal.message)
    else:
        audit.record(Action.CREATE, f"authorization letter {made.pk}", chart=chart, request=request)
        messages.success(request, _("The letter is made and kept. Print it, send it, and say below how it went out."))
    return redirect("authorization", chart, pk)


def _letter(chart: str, pk: int) -> AuthorizationLetter:
    return get_object_or_404(AuthorizationLetter.objects.defer(None), patient__chart_number=chart, pk=pk)


@needs("authorization.view")
@require_GET
def letter(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """A letter as it was issued, byte for byte."""
    row = _letter(chart, pk)
    audit.record(Action.PRINT, f"authorization letter {pk}", chart=chart, request=request)
    return file_answer(bytes(row.document), f"authorization-letter-{chart}-{pk}.pdf")


@needs("authorization.record")
def letter_sent(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Record when and how a letter went out."""
    row = _letter(chart, pk)
    return _act(request, chart, row.authorization_id, SentForm, "sent", lambda _form, **sent: row.mark_sent(**sent))
