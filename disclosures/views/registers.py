"""The officer's registers: research protocols and business associates, each with its history."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from disclosures.forms.registers import AssociateForm, ProtocolForm
from disclosures.models import BusinessAssociate, ResearchProtocol
from meso import audit, drafts
from meso.audit import Action
from meso.forms import ModelForm
from meso.http import HttpRequest
from meso.roles import needs

_HISTORY_SHOWN = 20


@needs("register.keep")
@require_GET
def registers(request: HttpRequest) -> HttpResponse:
    """Both registers."""
    audit.looked_at(request, "registers")
    context = {"protocols": ResearchProtocol.objects.all(), "associates": BusinessAssociate.objects.all()}
    return render(request, "disclosures/registers.html", context)


def _keep(request: HttpRequest, form_class: type[ModelForm], one: Any, heading: str, lead: str) -> HttpResponse:
    """The page of one: new, or changed with its history beside it."""
    form = form_class(drafts.bound(request), instance=one)
    if request.method == "POST" and form.is_valid():
        kept = form.save()
        drafts.discard(request.user, request.path)
        act = Action.CHANGE if one else Action.CREATE
        audit.record(act, f"{kept._meta.model_name} {kept.pk}", request=request)
        messages.success(request, _("It is kept."))
        return redirect("registers")
    history = one.history.select_related("history_user")[:_HISTORY_SHOWN] if one else []
    return render(request, "disclosures/register.html", {"form": form, "heading": heading, "lead": lead, "history": history})


_PROTOCOL = (
    "For research without the patients’ authorization. Of 50 or more people, an accounting may tell of the protocol in place "
    "of each disclosure (45 CFR 164.528(b)(4)); patients read these words, so write them plainly."
)
_ASSOCIATE = "Their disclosures of your patients’ information belong in the log as your own do (45 CFR 164.528(b)(1))."


@needs("register.keep")
def protocol_new(request: HttpRequest) -> HttpResponse:
    """Add a protocol."""
    return _keep(request, ProtocolForm, None, _("New research protocol"), _(_PROTOCOL))


@needs("register.keep")
def protocol(request: HttpRequest, pk: int) -> HttpResponse:
    """One protocol."""
    return _keep(request, ProtocolForm, get_object_or_404(ResearchProtocol, pk=pk), _("Research protocol"), _(_PROTOCOL))


@needs("register.keep")
def associate_new(request: HttpRequest) -> HttpResponse:
    """Add a business associate."""
    return _keep(request, AssociateForm, None, _("New business associate"), _(_ASSOCIATE))


@needs("register.keep")
def associate(request: HttpRequest, pk: int) -> HttpResponse:
    """One business associate."""
    return _keep(request, AssociateForm, get_object_or_404(BusinessAssociate, pk=pk), _("Business associate"), _(_ASSOCIATE))
