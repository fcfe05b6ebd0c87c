"""The patient of a report of abuse told of it (164.512(c)(2)); and the copy of a recipient's written request."""

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from disclosures import withholding
from disclosures.forms.victims import VictimForm
from disclosures.models import Disclosure, WrittenRequest
from meso import audit, clock, drafts
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from records.gate import of_chart
from records.views.about import patient_and_context


@needs("disclosure.review")
def victim_tell(request: HttpRequest, pk: int) -> HttpResponse:
    """Record that the patient was told of the report, or the judgment why not. Once."""
    row = get_object_or_404(Disclosure.objects.victims_to_tell().select_related("patient"), pk=pk)
    form = VictimForm(request.POST or None, row=row, on=clock.today(), initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                form.save(by=request.user, at=clock.now())
        except IntegrityError:
            form.add_error(None, _("Somebody has recorded this meanwhile."))
        else:
            drafts.discard(request.user, request.path)
            audit.record(Action.CREATE, f"disclosure {pk}", chart=row.patient.chart_number, detail="victim told", request=request)
            messages.success(request, _("It is kept."))
            return redirect("disclosure", pk)
    _patient, context = patient_and_context(row.patient.chart_number)
    return render(request, "disclosures/victim_tell.html", {**context, "form": form, "row": row})


@needs("disclosure.view")
@of_chart(Disclosure)
@require_GET
def written_request(request: HttpRequest, pk: int) -> HttpResponse:
    """The scan that came with a disclosure."""
    row = get_object_or_404(Disclosure.objects.select_related("patient"), pk=pk)
    seen = withholding.shown_to(request.user, Disclosure.objects.filter(pk=pk), clock.today(), row.patient).exists()
    if not seen or row.written_request_id is None:
        raise Http404
    scan = WrittenRequest.objects.defer(None).get(pk=row.written_request_id)
    audit.record(Action.DOWNLOAD, f"written request {scan.pk}", chart=row.patient.chart_number, request=request)
    return file_answer(bytes(scan.content), f"written-request-{scan.pk}", kind=scan.format, download=True)
