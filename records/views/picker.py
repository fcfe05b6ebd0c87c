"""Finding a patient inside another form."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest
from meso.roles import needs
from records import guarding
from records.forms.patients import SearchForm
from records.models import Patient

_SHOWN = 8


@needs("patient.find")
@require_POST
def patient_pick(request: HttpRequest) -> HttpResponse:
    """The patients that answer to what is typed, as choices of the form around it."""
    form = SearchForm(request.POST)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = Patient.objects.search(text, limit=_SHOWN) if text else []
    if text:
        audit.record(Action.SEARCH, "patients", detail=f"{len(found)} found", request=request)
    context = {
        "locked": guarding.locked(found, request.user, clock.now()),
        "patients": found,
        "is_full": len(found) == _SHOWN,
        "text": text,
    }
    return render(request, "records/_patient_picked.html", context)
