"""The notice's versions, where they were posted, and who was given it."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from meso import audit, clock, drafts, languages
from meso.audit import Action
from meso.http import HttpRequest, file_answer
from meso.roles import needs
from records import notice_rules
from records.models import NoticeVersion
from records.views.about import patient_and_context
from requests_app import notice
from requests_app.forms.notices import GivenForm, NoticeForm, PostingForm

_SHOWN = 50


@needs("notice.manage")
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """The versions, newest first; which one is in force, where it hangs, and what in it no longer agrees with the profile."""
    audit.looked_at(request, "versions of the notice")
    return _page(request, PostingForm(initial={"posted_on": clock.today()}))


def _page(request: HttpRequest, form: PostingForm, version: int | None = None) -> HttpResponse:
    in_force = {code: NoticeVersion.objects.in_force(clock.today(), code) for code, _name in settings.LANGUAGES}
    current = in_force["en"]
    context = {
        "versions": NoticeVersion.objects.select_related("made_by")
        .prefetch_related("postings")
        .order_by("-effective_on", "-id")[:_SHOWN],
        "current": current,
        "in_force": {version.pk for version in in_force.values() if version},
        "spanish_is_old": bool(current) and in_force["es"] == current,
        "outdated": notice.outdated(current, request.office) if current else [],
        "form": form,
        "posted_version": version,
    }
    return render(request, "requests_app/notices.html", context)


@needs("notice.manage")
def notice_new(request: HttpRequest) -> HttpResponse:
    """Write a version and put it in force. `?from=standard` begins with Meso's standard wording and the profile's facts."""
    language = languages.written(request.GET.get("language", ""))
    latest = NoticeVersion.objects.filter(language=language).order_by("-effective_on", "-id").first()
    begin = latest.texts if latest and request.GET.get("from") != "standard" else notice.standard(request.office, language)
    initial = {**begin, **drafts.initial(request)}
    form = NoticeForm(request.POST or None, on=clock.today(), office=request.office, language=language, initial=initial)
    if request.method == "POST" and form.is_valid():
        if "look" in request.POST:
            draft = notice.Shown(form.texts(), form.cleaned_data["effective_on"], [_("the word that it is in force")], language)
            return file_answer(notice.pdf(request.office, draft).content, "notice-draft.pdf")
        if version := form.issue(by=request.user, at=clock.now()):
            drafts.discard(request.user, request.path)
            audit.record(Action.CREATE, f"notice {version.pk}", detail=version.effective_on.isoformat(), request=request)
            messages.success(request, _("This version is kept. Print it, hang it up, and record below where it hangs."))
            return redirect("notices")
    parts = [(heading, [form[block.key] for block in notice_rules.BLOCKS if block.section == key]) for key, heading in _parts()]
    context = {"form": form, "parts": parts, "latest": latest, "language": language, "languages": settings.LANGUAGES}
    return render(request, "requests_app/notice_new.html", context)


def _parts() -> list[tuple[str, object]]:
    return [("", _("Header")), *notice_rules.SECTIONS.items()]


@needs("notice.manage")
@require_POST
def notice_posted(request: HttpRequest, pk: int) -> HttpResponse:
    """Record where a version was put up, and when."""
    version = get_object_or_404(NoticeVersion, pk=pk)
    form = PostingForm(request.POST)
    if form.is_valid() and form.save(version, by=request.user, at=clock.now(), on=clock.today()):
        audit.record(Action.CREATE, f"notice {pk}", detail="posted", request=request)
        messages.success(request, _("It is written down where the notice hangs."))
        return redirect("notices")
    return _page(request, form, pk)


@needs("notice.record")
@require_GET
def notice_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """A version on paper, byte for byte as it was issued."""
    version = get_object_or_404(NoticeVersion.objects.defer(None), pk=pk)
    audit.record(Action.PRINT, f"notice {pk}", request=request)
    return file_answer(bytes(version.document), f"notice-{version.effective_on.isoformat()}-{version.language}.pdf")


@needs("notice.record")
def patient_notice(request: HttpRequest, chart: str) -> HttpResponse:
    """Record that this patient was given the notice: signed for, or why not. What was recorded before stands below."""
    patient, context = patient_and_context(chart)
    form = GivenForm(request.POST or None, on=clock.today(), initial=drafts.initial(request))
    if request.method == "POST" and form.is_valid() and form.save(patient, by=request.user, at=clock.now()):
        drafts.discard(request.user, request.path)
        audit.record(Action.CREATE, "notice given", chart=chart, detail=form.cleaned_data["signed"], request=request)
        messages.success(request, _("It is recorded that the notice was given."))
        return redirect(patient)
    audit.looked_at(request, "notice given", chart)
    context |= {"form": form}
    context["current"] = NoticeVersion.objects.in_force(clock.today(), languages.written(patient.language))
    context["given"] = patient.notices_given.select_related("version").order_by("-given_on", "-id")
    return render(request, "requests_app/patient_notice.html", context)
