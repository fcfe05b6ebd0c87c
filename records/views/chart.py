"""The chart itself: its entries, its files, its print."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.brakes import HEAVY, at_most, person_of
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs
from records import beside, seeing
from records.record_pdf import record_pdf
from records.views.about import patient_and_context


@needs("patient.view")
def chart(request: HttpRequest, chart: str) -> HttpResponse:
    """The chart: who it is, and the entries, newest first, each with what was laid beside it."""
    patient, context = patient_and_context(chart)
    entries = page(patient.entries.with_marks(), ["-service_on", "-id"], request.POST.get("after", ""))
    seeing.shut(entries, request.user, clock.now())
    beside.lay(entries, clock.today())
    audit.looked_at(request, "chart", chart=chart)
    return render(request, "records/chart.html", {"page": entries, **context})


@needs("record.print")
@at_most(HEAVY, person_of)
@require_GET
def record_print(request: HttpRequest, chart: str) -> HttpResponse:
    """The record as a PDF: all entries that are open to the patient, or those of `?entry=` among them."""
    patient, _ = patient_and_context(chart)
    entries = patient.entries.of_record().releasable().with_marks().oldest_first()
    loose = patient.attachments.filter(entry=None)
    chosen = [int(key) for key in request.GET.getlist("entry") if key.isdecimal() and len(key) < 19]
    if chosen:
        entries, loose = entries.filter(pk__in=chosen), loose.none()
    pdf = record_pdf(patient, request.office, list(entries), clock.today(), request.user, loose=loose, office_use=True)
    audit.record(Action.PRINT, "record", chart=chart, detail=f"{len(entries)} entries, {pdf.pages} pages", request=request)
    return file_answer(pdf.content, f"chart-{chart}.pdf")
