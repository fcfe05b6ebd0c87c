"""The patients' pages under /privacy/: the notice, the form, its receipt, the status. No account is needed for any."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django.views.i18n import set_language

from meso import audit, brakes, clock
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.limits import Limit
from meso.pdf import render_pdf
from meso.roles import PUBLIC, needs
from records.models import NoticeVersion
from requests_app import notice, standing
from requests_app.forms.ask import AskForm
from requests_app.forms.public import WORDS, KindForm, PublicAskForm, StatusForm
from requests_app.kinds import DETAILS
from requests_app.models import PatientRequest

_OPEN_TOO_LONG = gettext_noop(
    "This page was open for a long time, or your browser takes no cookies from it. Nothing is lost: please send it again."
)
SENT = Limit("forms sent", most=60, window=timedelta(hours=1))  # of one address; a form that is corrected is sent again
LOOKS = Limit("looks at a status", most=120, window=timedelta(hours=1))
WRONG = Limit("wrong number or code", most=10, window=timedelta(minutes=15))
RECEIPT_LIVES = timedelta(minutes=30)  # how long the browser that sent a request may look at the receipt


def _pdf(template: str, context: dict[str, Any], name: str) -> HttpResponse:
    return file_answer(render_pdf(template, context, get_language() or settings.LANGUAGE_CODE).content, f"{name}.pdf")


@needs(PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def privacy_language(request: HttpRequest) -> HttpResponse:
    """Keep, in a cookie, the language in which this browser reads the patients' pages, and go back to the page."""
    return set_language(request)


# --- the notice ---------------------------------------------------------------------------------------------------


@needs(PUBLIC)
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """The office's notice of privacy practices (45 CFR 164.520)."""
    return render(
        request,
        "requests_app/public/notice.html",
        {"notice": notice.shown(request.office, clock.today(), get_language() or "en")},
    )


@needs(PUBLIC)
@brakes.at_most(brakes.PAPERS)
@require_safe
def privacy_pdf(request: HttpRequest) -> HttpResponse:
    """The same notice to print and keep: the very document that was issued, or a draft of it."""
    on, language = clock.today(), get_language() or "en"
    version = NoticeVersion.objects.in_force(on, language)
    content = (
        bytes(version.document) if version else notice.pdf(request.office, notice.shown(request.office, on, language)).content
    )
    return file_answer(content, "notice-of-privacy-practices.pdf")


# --- the form -----------------------------------------------------------------------------------------------------


def _carried(request: HttpRequest, shown: Any) -> list[tuple[str, str]]:
    """What was typed into parts of the form that this page does not show: it goes along, so that going back loses nothing."""
    names = [*AskForm.base_fields, "token", "work"]
    return [(name, request.POST[name]) for name in names if request.POST.get(name) and name not in shown]


def _choose(request: HttpRequest, typed: QueryDict) -> HttpResponse:
    """The first step: what to ask for."""
    form = KindForm(typed) if typed.get("step") == "fill" else KindForm(initial={"kind": typed.get("kind")})
    context = {"form": form, "carried": _carried(request, form.fields)}
    return render(request, "requests_app/public/choose.html", context)


def _form(request: HttpRequest, kind: str, **given: Any) -> PublicAskForm:
    place = brakes.place_of(request)
    return PublicAskForm(kind=kind, at=clock.now(), on=clock.today(), place=place, office=request.office, **given)


def _fill(request: HttpRequest, kind: str, form: PublicAskForm, status: int = 200) -> HttpResponse:
    """The second step: the fields of the one kind."""
    part = [form[name] for name in form.names_of(kind)]
    context = {"form": form, "kind": kind, "words": WORDS[kind], "part": part, "carried": _carried(request, form.fields)}
    return render(request, "requests_app/public/request.html", context, status=status)


@needs(PUBLIC)
@brakes.at_most(SENT, method="POST")
@require_http_methods(["GET", "HEAD", "POST"])
def privacy_request(request: HttpRequest) -> HttpResponse:
    """A request of any kind, in two short steps that the server does: choose it, then fill in its own form."""
    typed = request.POST if request.method == "POST" else request.GET
    kind, step = typed.get("kind", ""), typed.get("step", "send")
    if kind not in DETAILS or step == "choose":
        return _choose(request, typed)
    if request.method != "POST" or step == "fill":
        return _fill(request, kind, _form(request, kind, initial=request.POST.dict()))
    form = _form(request, kind, data=request.POST)
    if not form.is_valid():
        return _fill(request, kind, form)
    with transaction.atomic():  # the request and its event stand or fall together
        taken, is_new = form.take()
        if is_new:
            audit.record(Action.CREATE, f"request {taken.number}", detail=taken.channel, request=request)
    request.session["receipt"] = {
        "number": taken.number,
        "token": form.cleaned_data["token"],
        "until": (form.at + RECEIPT_LIVES).isoformat(),
    }
    return redirect("privacy_receipt")


def _ask_again(request: HttpRequest) -> HttpResponse:
    """The form as it was typed, with a fresh protection token, for a page whose own no longer fits."""
    kind = request.POST.get("kind", "")
    if kind not in DETAILS:
        return redirect("privacy_request")
    messages.warning(request, _(_OPEN_TOO_LONG))
    return _fill(request, kind, _form(request, kind, initial=request.POST.dict()), status=403)


privacy_request.ask_again = _ask_again  # type: ignore[attr-defined]


# --- the receipt --------------------------------------------------------------------------------------------------


def _receipt(request: HttpRequest) -> dict[str, Any] | None:
    """What the receipt says of the request this browser has just sent, or None: it is shown for half an hour and only here."""
    kept = request.session.get("receipt")
    if not kept or clock.now() > datetime.fromisoformat(kept["until"]):
        return None
    taken = PatientRequest.objects.by_number(kept["number"]).first()
    if taken is None:
        return None
    return {"office": request.office, "taken": taken, "code": taken.code_from(kept["token"]), "words": WORDS[taken.kind]}


@needs(PUBLIC)
@require_safe
def privacy_receipt(request: HttpRequest) -> HttpResponse:
    """Number, code, dates, and what happens next, for the browser that sent the request."""
    receipt = _receipt(request)
    if receipt is None:
        messages.info(request, _("The receipt is no longer shown. With its number and code you see here how far the request is."))
        return redirect("privacy_status")
    audit.looked_at(request, f"receipt {receipt['taken'].number}")
    return render(request, "requests_app/public/receipt.html", receipt)


@needs(PUBLIC)
@brakes.at_most(brakes.PAPERS)
@require_safe
def privacy_receipt_pdf(request: HttpRequest) -> HttpResponse:
    """The receipt to print and keep."""
    receipt = _receipt(request)
    if receipt is None:
        return redirect("privacy_receipt")
    number = receipt["taken"].number
    audit.record(Action.DOWNLOAD, f"receipt {number}", request=request)
    return _pdf("requests_app/public/receipt_pdf.html", receipt, f"receipt-{number}")


# --- the status ---------------------------------------------------------------------------------------------------


def _status_page(request: HttpRequest, form: StatusForm, found: PatientRequest | None = None, status: int = 200) -> HttpResponse:
    told = standing.of(found, clock.today()) if found else None
    context = {"form": form, "found": found, "standing": told}
    return render(request, "requests_app/public/status.html", context, status=status)


@needs(PUBLIC)
@brakes.at_most(LOOKS, method="POST")
@require_http_methods(["GET", "HEAD", "POST"])
def privacy_status(request: HttpRequest) -> HttpResponse:
    """How far a request is, by its number and code. A wrong number and a wrong code get the same answer."""
    form = StatusForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _status_page(request, form)
    at, place = clock.now(), brakes.place_of(request)
    if wait := WRONG.wait(at, place):
        return brakes.refuse(request, WRONG, wait, place)
    found = PatientRequest.find_by_code(form.cleaned_data["number"], form.cleaned_data["code"])
    if found is None:
        WRONG.add(at, place)
        audit.record(Action.REFUSED, "status of a request", request=request)
        form.add_error(None, _("No request has this number with this code. Please check both on your receipt, or call us."))
        return _status_page(request, form)
    audit.looked_at(request, f"status of {found.number}")
    return _status_page(request, form, found)


def _status_again(request: HttpRequest) -> HttpResponse:
    """The status form as it was typed, with a fresh protection token."""
    messages.warning(request, _(_OPEN_TOO_LONG))
    return _status_page(request, StatusForm(initial=request.POST.dict()), status=403)


privacy_status.ask_again = _status_again  # type: ignore[attr-defined]
