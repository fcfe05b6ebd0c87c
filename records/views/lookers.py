"""Who has looked at a chart: the page, and the list that the patient is given."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from records import lookers
from records.forms.lookers import LookersForm
from records.models import LookersGiven
from records.views.about import patient_and_context

_SHOWN = 200  # lines on the page; the list itself has all


@needs("lookers.give")
def chart_lookers(request: HttpRequest, chart: str) -> HttpResponse:
    """What the list would say for a period, the lists given before, and the button that gives one."""
    patient, context = patient_and_context(chart)
    form = LookersForm(request.POST or None, on=clock.today())
    if request.POST.get("step") == "give" and form.is_valid():
        start, end = form.period
        by, at, on = request.user, clock.now(), clock.today()
        given = lookers.give(patient, start, end, by=by, at=at, on=on, office=request.office)
        audit.record(Action.CREATE, f"list {given.pk} of who looked", chart=chart, detail=f"{given.lines} lines", request=request)
        messages.success(request, _("The list is made and kept. Open it below to print it."))
        return redirect("chart_lookers", chart)
    found = lookers.looks(patient, *form.period)
    audit.looked_at(request, "who has looked", chart=chart)
    context |= {"form": form, "lines": found[-_SHOWN:][::-1], "count": len(found), "shown": _SHOWN}
    context["given"] = patient.lookers_given.order_by("-id")
    return render(request, "records/lookers.html", context)


@needs("lookers.give")
@require_GET
def lookers_given(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """One list, byte for byte as it was given."""
    given = get_object_or_404(LookersGiven.objects.defer(None), pk=pk, patient__chart_number=chart)
    audit.record(Action.DOWNLOAD, f"list {pk} of who looked", chart=chart, request=request)
    return file_answer(bytes(given.document), f"chart-{chart}-looked-{pk}.pdf")
