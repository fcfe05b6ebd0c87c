"""The auditor's export: one button, one ZIP."""

import tempfile

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from meso import audit, auditor, clock
from meso.audit import Action
from meso.brakes import HEAVY, at_most, person_of
from meso.http import HttpRequest
from meso.roles import needs
from meso.witness import in_parts
from requests_app.forms.auditor import PeriodForm


@needs("auditor.export")
@in_parts
@at_most(HEAVY, person_of)
def auditor_export(request: HttpRequest) -> HttpResponseBase:
    """Choose the period; the answer to the button is the ZIP, written to a temporary file and sent from there."""
    form = PeriodForm(request.POST or None, on=clock.today())
    if request.method == "POST" and form.is_valid():
        return _answer(request, form.cleaned_data)
    audit.looked_at(request, "auditor's export")
    return _page(request, form)


def _page(request: HttpRequest, form: PeriodForm) -> HttpResponse:
    return render(request, "requests_app/auditor.html", {"form": form, "sections": auditor.sections()})


def _answer(request: HttpRequest, period: dict) -> FileResponse:
    start, end = period["start"], period["end"]
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the answer closes it when it is sent)
    who, at, on = request.user.signature, clock.now(), clock.today()
    filled = auditor.build(file, start, end, office=request.office, by=who, at=at, on=on)
    detail = f"{start.isoformat()} to {end.isoformat()}, {sum(one.rows for one in filled)} rows"
    audit.record(Action.EXPORT, "auditor's export", detail=detail, request=request)
    file.seek(0)
    name = f"auditor-{start.isoformat()}-{end.isoformat()}.zip"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
