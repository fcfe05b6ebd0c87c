"""What stays out of a request's copy and what goes beside it: words withheld, the request's own papers."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from meso import audit
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.paging import page
from meso.roles import needs
from records.models import Attachment, Entry
from records.uploads import ENDINGS
from records.views.about import refuse_closed
from requests_app import asked as asked_words
from requests_app import package
from requests_app.forms import package as forms
from requests_app.models import RequestPaper, WithheldPassage
from requests_app.views.acting import act_on, chart_of, form_for, readable, request_or_404


@needs("request.withhold")
def request_withhold(request: HttpRequest, number: str) -> HttpResponse:
    """Which entry has words to withhold: the chart's, newest first."""
    asked = request_or_404(number)
    context: dict[str, Any] = {"asked": asked, "why_not": package.why_not_withhold(asked), "what": asked_words.lines(asked)}
    if not context["why_not"]:
        entries = Entry.objects.of_record().filter(patient=asked.patient).prefetch_related("flags")
        context["page"] = page(entries, ["-service_on", "-id"], request.POST.get("after", ""))
        context["held"] = {held.entry_id for held in asked.withheld.in_force()}
        audit.looked_at(request, f"entries for {asked.number}", chart_of(asked))
    return render(request, "requests_app/withhold_choose.html", context)


@needs("request.withhold")
def request_withhold_words(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Choose the words of one entry, and their ground."""
    asked = request_or_404(number)
    if package.why_not_withhold(asked):
        return redirect("request_withhold", number)
    entry = readable(request, asked, pk)
    form = form_for(request, forms.WithholdForm, asked, entry=entry)

    def more() -> dict[str, Any]:
        audit.looked_at(request, f"entry {entry.pk} for {asked.number}", chart_of(asked))
        return {"entry": entry, "patient": asked.patient, "held": asked.withheld.in_force().filter(entry=entry)}

    return act_on(request, form, "requests_app/withhold.html", more)


@needs("request.withhold")
def request_release_words(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Withhold a passage no longer."""
    asked = request_or_404(number)
    held = get_object_or_404(WithheldPassage.objects.select_related("request", "entry__patient"), request=asked, pk=pk)
    refuse_closed(request, held.entry)
    return act_on(request, form_for(request, forms.ReleaseWordsForm, asked, held=held))


@needs("request.paper")
def request_papers(request: HttpRequest, number: str) -> HttpResponse:
    """File papers of the request."""
    return act_on(request, form_for(request, forms.PapersForm, request_or_404(number)))


@needs("request.paper")
def request_paper_move(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Put a paper into the package, or keep it internal."""
    asked = request_or_404(number)
    paper = get_object_or_404(RequestPaper.objects.select_related("request"), request=asked, pk=pk)
    return act_on(request, form_for(request, forms.MovePaperForm, asked, paper=paper))


@needs("request.view")
@require_GET
def request_paper(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A paper as it came, to be saved and not to be opened in the browser."""
    asked = request_or_404(number)
    paper = get_object_or_404(RequestPaper.objects.defer(None), request=asked, pk=pk)
    audit.record(Action.DOWNLOAD, f"paper {paper.pk} of {asked.number}", chart=chart_of(asked), request=request)
    name = f"{asked.number}-paper-{paper.pk}{ENDINGS[Attachment.Format(paper.format)][0]}"
    return file_answer(bytes(paper.content), name, kind=paper.format, download=True)
