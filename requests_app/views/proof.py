"""The proof file of one request, to read or with a program that checks it."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from meso import audit, clock
from meso.audit import Action
from meso.brakes import HEAVY, at_most, person_of
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from requests_app import proof
from requests_app.views.acting import chart_of, request_or_404


@needs("request.proof")
@at_most(HEAVY, person_of)
@require_GET
def request_proof_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The proof as one PDF."""
    asked = request_or_404(number)
    made = proof.as_pdf(proof.gather(asked, by=request.user, at=clock.now()), request.office)
    return _handed_out(request, asked.number, chart_of(asked), made, "pdf", "application/pdf")


@needs("request.proof")
@at_most(HEAVY, person_of)
@require_GET
def request_proof_zip(request: HttpRequest, number: str) -> HttpResponse:
    """The proof as a ZIP that a stranger can check."""
    asked = request_or_404(number)
    made = proof.as_zip(proof.gather(asked, by=request.user, at=clock.now()), request.office)
    return _handed_out(request, asked.number, chart_of(asked), made, "zip", "application/zip")


def _handed_out(request: HttpRequest, number: str, chart: str, content: bytes, form: str, kind: str) -> HttpResponse:
    """The file, with its digest in the audit: whoever holds it later can be shown that it is this one."""
    digest = f"{form} SHA-256 {proof.digest(content)}"
    audit.record(Action.EXPORT, f"proof of {number}", chart=chart, detail=digest, request=request)
    return file_answer(content, f"{number}-proof.{form}", kind=kind, download=form == "zip")
