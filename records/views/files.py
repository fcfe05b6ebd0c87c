"""The files of a chart: the list, adding to it, handing one out."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs
from records import uploads
from records.forms.entries import FilesForm
from records.models import Attachment, Patient
from records.views.about import patient_and_context


@needs("patient.view")
def chart_files(request: HttpRequest, chart: str) -> HttpResponse:
    """Every file of the chart, the latest first."""
    return _files_page(request, chart, FilesForm(), request.POST.get("after", ""))


@needs("entry.file")
def chart_upload(request: HttpRequest, chart: str) -> HttpResponse:
    """Put files into the chart that stand under no entry."""
    if request.method != "POST":
        return redirect("chart_files", chart)
    patient = get_object_or_404(Patient, chart_number=chart)
    form = FilesForm(request.POST, request.FILES)
    if not form.is_valid():
        return _files_page(request, chart, form)
    files = form.keep(patient, by=request.user, at=clock.now())
    for file in files:
        audit.record(Action.CREATE, f"attachment {file.pk}", chart=chart, request=request)
    _say_what_was_kept(request, len(files), len(form.cleaned_data["attached"]))
    return redirect("chart_files", chart)


def _say_what_was_kept(request: HttpRequest, kept: int, given: int) -> None:
    if kept:
        messages.success(request, ngettext("%(n)d file is in the chart.", "%(n)d files are in the chart.", kept) % {"n": kept})
    if there := given - kept:
        said = ngettext("%(n)d file was in the chart already.", "%(n)d files were in the chart already.", there)
        messages.warning(request, said % {"n": there})


def _files_page(request: HttpRequest, chart: str, form: FilesForm, after: str = "") -> HttpResponse:
    patient, context = patient_and_context(chart)
    theirs = patient.attachments.seen_by(request.user, clock.now()).select_related("entry__misfiling", "added_by")
    files = page(theirs, ["-id"], after)
    audit.looked_at(request, "attachments", chart=chart)
    return render(request, "records/files.html", {"form": form, "page": files, **context})


@needs("patient.view")
@require_GET
def attachment(request: HttpRequest, chart: str, pk: int) -> HttpResponse:
    """Hand out one file as it came, to be saved and not to be opened in the browser."""
    theirs = Attachment.objects.seen_by(request.user, clock.now()).with_bytes()
    file = get_object_or_404(theirs, pk=pk, patient__chart_number=chart)
    audit.record(Action.DOWNLOAD, f"attachment {file.pk}", chart=chart, detail=file.get_format_display(), request=request)
    name = f"chart-{chart}-file-{file.pk}{uploads.ENDINGS[Attachment.Format(file.format)][0]}"
    return file_answer(bytes(file.content), name, kind=file.format, download=True)
