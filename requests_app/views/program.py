"""The privacy program on one page: its registers, and the way to complaints, notices, retention and the auditor's export."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from requests_app.forms import program as forms
from requests_app.models import Policy, Sanction, Statement, Training

_SHOWN = 30


@needs("program.keep")
@require_GET
def program(request: HttpRequest) -> HttpResponse:
    """The registers, each with its latest rows."""
    audit.looked_at(request, "privacy program")
    said = list(Statement.objects.select_related("by").order_by("-begins_on", "-id"))
    on = clock.today()
    statements = [
        (kind.label, [one for one in said if one.kind == kind and one.begins_on <= on][:1], sum(one.kind == kind for one in said))
        for kind in Statement.Kind
    ]
    context = {
        "policies": Policy.objects.select_related("ending").order_by("title", "-begins_on", "-id"),
        "trainings": Training.objects.select_related("person")[:_SHOWN],
        "sanctions": Sanction.objects.select_related("person")[:_SHOWN],
        "statements": statements,
        "history": said,
    }
    return render(request, "requests_app/program.html", context)


def _add(request: HttpRequest, form_class: type[forms.RegisterForm], what: str) -> HttpResponse:
    """The page that adds one row to a register."""
    form = form_class(request.POST or None, request.FILES or None, on=clock.today(), initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        row = form.keep(by=request.user, at=clock.now())
        drafts.discard(request.user, request.path)
        audit.record(Action.CREATE, f"{what} {row.pk}", request=request)
        messages.success(request, _("It is in the register."))
        return redirect("program")
    return render(request, "requests_app/program_add.html", {"form": form})


@needs("program.keep")
def policy_new(request: HttpRequest) -> HttpResponse:
    """Put a policy into the register."""
    return _add(request, forms.PolicyForm, "policy")


@needs("program.keep")
def training_new(request: HttpRequest) -> HttpResponse:
    """Write down a training."""
    return _add(request, forms.TrainingForm, "training")


@needs("program.keep")
def sanction_new(request: HttpRequest) -> HttpResponse:
    """Write down a sanction."""
    return _add(request, forms.SanctionForm, "sanction")


@needs("program.keep")
def statement_new(request: HttpRequest) -> HttpResponse:
    """State something about the office."""
    return _add(request, forms.StatementForm, "statement")


@needs("program.keep")
@require_GET
def policy_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """A policy's document as it was put in."""
    policy = get_object_or_404(Policy.objects.defer(None), pk=pk)
    audit.record(Action.DOWNLOAD, f"policy {pk}", request=request)
    return file_answer(bytes(policy.document), f"policy-{pk}.pdf", download=True)


@needs("program.keep")
def policy_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a policy on the day it was last in force."""
    policy = get_object_or_404(Policy, pk=pk)
    form = forms.PolicyEndingForm(request.POST or None, on=clock.today(), initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            policy.end(**form.cleaned_data, by=request.user, at=clock.now(), on=clock.today())
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            drafts.discard(request.user, request.path)
            audit.record(Action.CHANGE, f"policy {pk}", detail="ended", request=request)
            messages.success(request, _("The policy has ended. Its document is kept."))
            return redirect("program")
    return render(request, "requests_app/program_add.html", {"form": form, "policy": policy})
