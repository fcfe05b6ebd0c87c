"""Breaches: the privacy officer's pages (164.402–164.414)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from disclosures import breach_letter, breach_rules
from disclosures.forms import breaches as forms
from disclosures.models import Breach, BreachLetter, Disclosure
from disclosures.models.breaches import NotNow, Standing
from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs


@needs("breach.keep")
@require_GET
def breaches(request: HttpRequest) -> HttpResponse:
    """All breaches, the latest discovery first, each with whom to tell next."""
    found = page(Breach.objects.prefetch_related("events"), ["-discovered_on", "-id"], request.GET.get("after", ""))
    audit.looked_at(request, "breaches", detail=f"{len(found)} rows")
    return render(request, "disclosures/breaches.html", {"page": found, "rows": [Standing.of(breach) for breach in found]})


@needs("breach.keep")
def breach_new(request: HttpRequest) -> HttpResponse:
    """Open an assessment. `?row=` names the disclosure that went out by mistake."""
    key = request.GET.get("row", "")
    rows = Disclosure.objects.filter(purpose_code="impermissible").select_related("patient")
    row = rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    if row and hasattr(row, "breach"):
        return redirect("breach", row.breach.pk)
    form = forms.OpenForm(request.POST or None, on=clock.today(), row=row, initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid() and (breach := form.save(by=request.user, at=clock.now())):
        drafts.discard(request.user, request.path)
        chart = row.patient.chart_number if row else ""
        audit.record(Action.CREATE, f"breach {breach.pk}", chart=chart, request=request)
        messages.success(request, _("The assessment is open. Judge the four factors first."))
        return redirect("breach", breach.pk)
    return render(request, "disclosures/breach_new.html", {"form": form, "row": row})


@needs("breach.keep")
@require_GET
def breach(request: HttpRequest, pk: int) -> HttpResponse:
    """One breach: what happened, the dates, what was done, the letters."""
    standing = _standing(pk)
    affected = standing.breach.affected.select_related("patient").order_by("id")
    letters = {letter.patient_id: letter for letter in standing.breach.letters.order_by("id")}
    audit.looked_at(request, f"breach {pk}")
    factors = standing.assessment.data["factors"] if standing.assessment else {}
    context = {
        "standing": standing,
        "one": standing.breach,
        "factors": [(label, citation, factors.get(name)) for name, (label, citation) in breach_rules.FACTORS.items()],
        "duties": [(duty, standing.told.get(duty.key)) for duty in standing.duties()],
        "affected": [(one.patient, letters.get(one.patient_id)) for one in affected],
    }
    return render(request, "disclosures/breach.html", context)


def _standing(pk: int) -> Standing:
    rows = Breach.objects.select_related("disclosure__patient").prefetch_related("events")
    return Standing.of(get_object_or_404(rows, pk=pk))


def _act(request: HttpRequest, pk: int, form_class: type[forms.ActForm]) -> HttpResponse:
    """The page of one act: its form, and behind it the breach's page. A refusal is shown at the form as it was filled in."""
    standing = _standing(pk)
    facts: dict[str, Any] = {"standing": standing, "office": request.office, "on": clock.today()}
    form = form_class(request.POST or None, initial=drafts.initial(request), **facts)
    if request.method == "POST" and form.is_valid() and form.save(by=request.user, at=clock.now()):
        drafts.discard(request.user, request.path)
        audit.record(Action.CHANGE, f"breach {pk}", detail=str(form_class.__name__), request=request)
        messages.success(request, form.done)
        return redirect("breach", pk)
    return render(request, "disclosures/breach_act.html", {"form": form, "one": standing.breach, "standing": standing})


@needs("breach.keep")
def breach_count(request: HttpRequest, pk: int) -> HttpResponse:
    """How many people, and of which states."""
    return _act(request, pk, forms.CountForm)


@needs("breach.keep")
def breach_assess(request: HttpRequest, pk: int) -> HttpResponse:
    """Judge the four factors."""
    return _act(request, pk, forms.AssessForm)


@needs("breach.keep")
def breach_delay(request: HttpRequest, pk: int) -> HttpResponse:
    """Law enforcement delays the telling."""
    return _act(request, pk, forms.DelayForm)


@needs("breach.keep")
def breach_describe(request: HttpRequest, pk: int) -> HttpResponse:
    """What the letter says."""
    return _act(request, pk, forms.DescribeForm)


@needs("breach.keep")
def breach_affected(request: HttpRequest, pk: int) -> HttpResponse:
    """Name a patient whom it concerns."""
    return _act(request, pk, forms.AffectedForm)


@needs("breach.keep")
def breach_individuals(request: HttpRequest, pk: int) -> HttpResponse:
    """The patients were told."""
    return _act(request, pk, forms.IndividualsForm)


@needs("breach.keep")
def breach_media(request: HttpRequest, pk: int) -> HttpResponse:
    """The media were told."""
    return _act(request, pk, forms.MediaForm)


@needs("breach.keep")
def breach_hhs(request: HttpRequest, pk: int) -> HttpResponse:
    """HHS was told."""
    return _act(request, pk, forms.HhsForm)


@needs("breach.keep")
def breach_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it."""
    return _act(request, pk, forms.CloseForm)


@needs("breach.keep")
@require_POST
def breach_letter_make(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the letter to one of the patients; it is kept as made."""
    standing = _standing(pk)
    chart = request.POST.get("chart", "").replace("\0", "")  # which PostgreSQL can't be asked for
    one = get_object_or_404(standing.breach.affected.select_related("patient"), patient__chart_number=chart)
    try:
        letter = breach_letter.make(
            standing, one.patient, by=request.user, at=clock.now(), on=clock.today(), office=request.office
        )
    except NotNow as refusal:
        messages.warning(request, str(refusal))
        return redirect("breach", pk)
    audit.record(Action.CREATE, f"breach letter {letter.pk}", chart=one.patient.chart_number, request=request)
    messages.success(request, _("The letter is made. Print it and send it."))
    return redirect("breach", pk)


@needs("breach.keep")
@require_GET
def breach_letter_file(request: HttpRequest, pk: int) -> HttpResponse:
    """A letter as it was made, byte for byte."""
    letter = get_object_or_404(BreachLetter.objects.defer(None).select_related("patient"), pk=pk)
    audit.record(Action.DOWNLOAD, f"breach letter {pk}", chart=letter.patient.chart_number, request=request)
    return file_answer(bytes(letter.document), f"breach-letter-{pk}.pdf")
