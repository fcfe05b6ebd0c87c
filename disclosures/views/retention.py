"""What may be purged and when, and the legal holds that keep everything back (164.530(j)). Nothing here purges."""

from collections.abc import Iterator
from itertools import islice

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from disclosures import retention as retentions
from disclosures.forms.holds import HoldForm, LiftForm
from meso import audit, clock, csv_out, drafts
from meso.audit import Action
from meso.brakes import HEAVY, at_most, person_of
from meso.http import HttpRequest
from meso.roles import needs
from records.models import LegalHold

_SHOWN = 10
CSV_COLUMNS = ("kind", "citation", "table", "key", "chart_number", "made", "last_in_effect", "purge_from", "kept_back_by")


@needs("retention.manage")
def retention(request: HttpRequest) -> HttpResponse:
    """The holds in force, a form to place one, and the first documents of each kind whose years are over."""
    on = clock.today()
    form = HoldForm(request.POST or None, on=on, initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        hold = LegalHold.place(
            data["patient"], reason=data["reason"], begins_on=data["begins_on"], by=request.user, at=clock.now()
        )
        drafts.discard(request.user, request.path)
        chart = hold.patient.chart_number if hold.patient else ""
        audit.record(Action.CREATE, f"legal hold {hold.pk}", chart=chart, request=request)
        messages.success(request, _("The hold is in force. Nothing that it covers is listed as free."))
        return redirect("retention")
    audit.looked_at(request, "retention")
    report = [(category, list(islice(retentions.report(category, on), _SHOWN + 1))) for category in retentions.categories()]
    nothing = [category for category, rows in report if not rows]
    report = [(category, rows) for category, rows in report if rows]
    holds = LegalHold.objects.in_force(on).select_related("patient").order_by("-id")
    context = {"form": form, "lift": LiftForm(), "report": report, "nothing": nothing, "shown": _SHOWN, "holds": holds}
    return render(request, "disclosures/retention.html", context)


@needs("retention.manage")
@require_POST
def hold_lift(request: HttpRequest, pk: int) -> HttpResponse:
    """End a hold, with the reason."""
    hold = get_object_or_404(LegalHold.objects.select_related("patient"), pk=pk)
    form = LiftForm(request.POST)
    if not form.is_valid():
        messages.warning(request, _("Say why the hold ends. It is still in force."))
        return redirect("retention")
    try:
        hold.lift(reason=form.cleaned_data["reason"], on=clock.today(), by=request.user, at=clock.now())
    except ValidationError as refusal:
        messages.warning(request, refusal.messages[0])
    else:
        chart = hold.patient.chart_number if hold.patient else ""
        audit.record(Action.CHANGE, f"legal hold {pk}", chart=chart, detail="lifted", request=request)
        messages.success(request, _("The hold is lifted."))
    return redirect("retention")


@needs("retention.export")
@at_most(HEAVY, person_of)
def retention_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole list, for the procedure of docs/retention.md, streamed."""
    audit.record(Action.EXPORT, "retention", detail="csv", request=request)
    response = StreamingHttpResponse(csv_out.stream(CSV_COLUMNS, _cells()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="retention-{clock.today().isoformat()}.csv"'
    return response


def _cells() -> Iterator[tuple[object, ...]]:
    on = clock.today()
    for category in retentions.categories():
        for judged in retentions.report(category, on):
            item = judged.item
            days = (item.created, item.last_in_effect or "", item.purge_from)
            yield category.label, category.citation, item.table, item.key, item.chart_number, *days, judged.why_not
