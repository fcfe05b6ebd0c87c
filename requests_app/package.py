"""What goes out with a request and what stays: words withheld from a partial grant, and the request's own papers.

Everything else is given once the denied part is cut out (164.524(d)(1)).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from meso.models import User
from records import passages
from records.models import Entry
from records.passages import Cover
from records.uploads import CheckedFile
from requests_app import grounds
from requests_app.answers import all_or_nothing, judgment
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.kinds import Kind, Outcome
from requests_app.models import PatientRequest, RequestPaper, WithheldEnding, WithheldPassage
from requests_app.models.timeline import Verb


def why_not_withhold(request: PatientRequest) -> str:
    """Why no words can be withheld now, in words for the desk; "" when they can."""
    if request.kind != Kind.ACCESS or request.patient_id is None:
        return _("Words are withheld from a copy of a record: this request asks for none, or its chart is not found.")
    if not request.is_open:
        return _("This request is closed.")
    if request.outcome == Outcome.GRANTED:
        return _("It was granted in full, so nothing can be withheld.")
    return _("It was denied: no copy is made.") if request.outcome == Outcome.DENIED else ""


def ground_bound(request: PatientRequest) -> str:
    """The one ground that more words can be withheld on, or "" while it is free: a letter tells of one ground."""
    held = request.withheld.in_force().first()
    return str(request.ground or (held.ground if held else ""))


def withhold(
    request: PatientRequest,
    entry: Entry,
    passage: str,
    *,
    ground: str,
    judged_by: User | None = None,
    by: User,
    at: datetime,
    on: date,
) -> WithheldPassage:
    """Leave these words of the entry, or of an addendum to it, out of every copy made for this request.

    Raises NotAllowedNow: not a request for access, granted in full, another chart's entry, words that do not stand there or
    stand there twice, a ground that is not the letter's, a reviewable ground without its licensed professional.
    """
    with all_or_nothing(request) as me:
        if refusal := why_not_withhold(me):
            raise NotAllowedNow(refusal)
        if entry.patient_id != me.patient_id or entry.is_misfiled:
            raise NotAllowedNow(_("That entry is not in this patient's record."))
        judged = _judged(me, ground, judged_by)
        addendum_id, start, words = _place(entry, passage)
        there = me.withheld.in_force().filter(entry=entry, addendum=addendum_id, start=start)
        if any(one.passage == words for one in there):
            raise NotAllowedNow(_("These words are withheld already."), "passage")
        held = WithheldPassage.objects.create(
            request=me, entry=entry, addendum_id=addendum_id, passage=words, start=start, ground=ground,
            judged_by=judged, by=by, on=on, at=at,
        )  # fmt: skip
        me.events.record(Verb.WITHHELD, by=by, at=at, on=on, day=entry.service_on, ground=ground, withheld=held.pk)
        return held


def _judged(me: PatientRequest, ground: str, judged_by: User | None) -> str:
    bound = ground_bound(me)
    if bound and ground != bound:
        raise NotAllowedNow(_("The letter tells of one ground, %(code)s: choose the same.") % {"code": bound}, "ground")
    try:
        return judgment(grounds.ground(me.kind, ground), judged_by).get("judged_by", "")
    except LookupError:
        raise NotAllowedNow(_("Choose one of the grounds that the law knows for this kind of request."), "ground") from None


def _place(entry: Entry, passage: str) -> tuple[int | None, int, str]:
    """The addendum (None: the entry's own text), the place and the words. They must stand in exactly one place of them all."""
    if not passage.strip():
        raise NotAllowedNow(_("Copy the words from the entry."), "passage")
    texts = [(None, entry.body), *((addendum.pk, addendum.body) for addendum in entry.addenda.all())]
    try:
        return passages.the_one([(key, *place) for key, text in texts for place in passages.places(text, passage)])
    except ValidationError as wrong:
        raise NotAllowedNow(" ".join(wrong.messages), "passage") from wrong


def release(held: WithheldPassage, *, reason: str, by: User, at: datetime, on: date) -> WithheldEnding:
    """Withhold these words no longer: from now on copies show them. Raises NotAllowedNow, also without a reason."""
    with all_or_nothing(held.request) as me:
        if not me.is_open:
            raise NotAllowedNow(_("This request is closed."))
        if not reason.strip():
            raise NotAllowedNow(_("Write why."), "reason")
        if WithheldEnding.objects.filter(withheld=held).exists():
            raise NotAllowedNow(_("These words are released already."))
        ending = WithheldEnding.objects.create(withheld=held, reason=reason, by=by, on=on, at=at)
        me.events.record(Verb.WITHHELD_ENDED, by=by, at=at, on=on, day=held.entry.service_on, withheld=held.pk)
        return ending


def covers(held: Iterable[WithheldPassage]) -> dict[tuple[str, int], list[Cover]]:
    """The words to black out, by text, as records.record_pdf takes them."""
    found: dict[tuple[str, int], list[Cover]] = {}
    for passage in held:
        found.setdefault(passage.text_key, []).append(passage.cover)
    return found


def left_elsewhere(entries: Sequence[Entry], held: Sequence[WithheldPassage]) -> list[str]:
    """Where among these entries, with their marks, withheld words still stand word for word: "First visit, May 1, 2026".

    A copy would show them there: in another entry, in the reason of a line, in a second addendum.
    """
    hidden = [passages.same_words(passage.passage) for passage in held]
    covered = covers(held)
    return [
        f"{entry.called}, {spoken(entry.service_on)}"
        for entry in entries
        if hidden and any(words in text for text in _texts(entry, covered) for words in hidden)
    ]


def _texts(entry: Entry, covered: dict[tuple[str, int], list[Cover]]) -> list[str]:
    """Every text of an entry as its copy shows it."""
    body = covered.get(("entry", entry.pk), [])
    quoted = [
        strike.passage
        for strike in entry.strikes.all()
        if strike.start is not None
        and not any(cover.start < strike.start + len(strike.passage) and cover.end > strike.start for cover in body)
    ]
    addenda = [passages.uncovered(text.body, covered.get(("addendum", text.pk), [])) for text in entry.addenda.all()]
    reasons = [strike.reason for strike in entry.strikes.all()]
    products = [" ".join(product.values()) for product in entry.products]
    plain = [entry.title, entry.areas, entry.technique, entry.reaction, *products]
    texts = [passages.uncovered(entry.body, body), *addenda, *reasons, *quoted, *plain]
    return [passages.same_words(text) for text in texts]


# --- the request's own papers -----------------------------------------------------------------------------------------


def _place_word(in_package: bool) -> str:
    return _("in the package") if in_package else _("internal")


def file_papers(
    request: PatientRequest, files: Sequence[CheckedFile], *, kind: str, in_package: bool, by: User, at: datetime, on: date
) -> list[RequestPaper]:
    """Keep these papers with the request, also with a closed one. A paper whose bytes are there is not kept twice."""
    with all_or_nothing(request) as me:
        there = set(me.papers.values_list("sha256", flat=True))
        new = {file.sha256: file for file in files if file.sha256 not in there}
        papers = [
            RequestPaper.objects.create(
                request=me, kind=kind, name=file.name, format=file.format, content=file.content,
                in_package=in_package, added_by=by, added_at=at,
            )
            for file in new.values()
        ]  # fmt: skip
        for paper in papers:
            words = {"paper": paper.get_kind_display(), "place": _place_word(in_package)}
            me.events.record(Verb.PAPER_FILED, by=by, at=at, on=on, key=paper.pk, **words)
        return papers


def move_paper(paper: RequestPaper, in_package: bool, *, by: User, at: datetime, on: date) -> None:
    """Put a paper into the package or keep it internal. Raises NotAllowedNow when it is so already, or the request is closed."""
    with all_or_nothing(paper.request) as me:
        if not me.is_open:
            raise NotAllowedNow(_("This request is closed."))
        paper.move(in_package, by=by, at=at, on=on)
        words = {"paper": paper.get_kind_display(), "place": _place_word(in_package)}
        me.events.record(Verb.PAPER_MOVED, by=by, at=at, on=on, key=paper.pk, **words)
