"""What follows a denied amendment: the entries it is about, the statement, the rebuttal, and what travels with the entry.

Request and denial are tied to the disputed entries; what the patient and the office add to them later hangs there too
(164.526(d)). `beside` shows it on every screen, print, copy and export; `travels_with` says what must go along when such an
entry is given to others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from meso.models import Office, User
from records.beside import Beside
from records.models import Attachment, Entry, Patient
from records.uploads import CheckedFile
from requests_app import after_letters, answers, grounds
from requests_app.answers import all_or_nothing
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.kinds import HELD_BACK, Kind, Outcome
from requests_app.models import Disagreement, DisputedEntry, Letter, PatientRequest, Rebuttal, RequestEvent, TravelWish
from requests_app.models.timeline import Verb


def is_disputable(request: PatientRequest) -> bool:
    """Whether it is an amendment that was not agreed to, all of it or a part: what a statement can answer."""
    return request.kind == Kind.AMENDMENT and request.outcome in HELD_BACK


def check(me: PatientRequest) -> Patient:
    """The patient of an amendment that was not agreed to. Raises NotAllowedNow for any other request."""
    if not is_disputable(me):
        raise NotAllowedNow(_("Only an amendment that was not agreed to can be disputed."))
    if me.patient is None:
        raise NotAllowedNow(_("Find the chart first: this is kept with the entry in dispute."))
    return me.patient


def name_disputed(request: PatientRequest, entries: Iterable[Entry], *, by: User, at: datetime, on: date) -> None:
    """Tie the request and its denial to these entries too; those it is tied to stay as they are. Raises NotAllowedNow."""
    with all_or_nothing(request) as me:
        check(me)
        DisputedEntry.tie(me, entries, by=by, at=at, on=on)
        for statement in me.disagreements.exclude(scan=None).select_related("scan"):
            _scan_under_all(me, _file_of(statement.scan), by=by, at=at)


def originator_gone(request: PatientRequest, why: str, *, by: User, at: datetime, on: date) -> None:
    """Record that the patient shows that whoever wrote the entry can't act on it any more (164.526(a)(2)(i)).

    Ground A1 is then closed. Raises NotAllowedNow once it is decided, without a reason, for another kind.
    """
    with all_or_nothing(request) as me:
        if me.kind != Kind.AMENDMENT or me.outcome or not me.is_open:
            raise NotAllowedNow(_("That counts for an amendment that is not decided yet."))
        if not why.strip():
            raise NotAllowedNow(_("Say why: it stands with the request."), "why")
        me.details = {**me.details, "originator": why.strip()}
        me.save(update_fields=["details"])
        me.events.record(Verb.ORIGINATOR_GONE, by=by, at=at, on=on, note=why.strip())
    request.refresh_from_db()


# --- the patient's statement, or wish ---------------------------------------------------------------------------------


def file_statement(
    request: PatientRequest,
    *,
    received_on: date,
    text: str,
    scan: CheckedFile | None = None,
    by: User,
    at: datetime,
    on: date,
    office: Office,
) -> Disagreement:
    """Take in the patient's statement of disagreement, at any time after the denial (164.526(d)(2)).

    A scan is kept in the chart under each disputed entry. The very same statement sent twice is kept once. Raises
    NotAllowedNow: nothing said, longer than the office's limit where it has one, a day before the denial or in the future.
    """
    text = text.strip()
    if not text and scan is None:
        raise NotAllowedNow(_("Write the statement, or choose its scan."), "text")
    if office.longest_statement and len(text) > office.longest_statement:
        words = _("This office takes statements of at most %(most)s characters; this one has %(has)s.")
        raise NotAllowedNow(words % {"most": office.longest_statement, "has": len(text)}, "text")
    with all_or_nothing(request) as me:
        patient = check(me)
        _check_day(me, received_on, on, "received_on")
        for before in me.disagreements.filter(received_on=received_on).select_related("scan"):
            if before.text == text and (before.scan.sha256 if before.scan else None) == (scan.sha256 if scan else None):
                return before
        kept = _scan_under_all(me, scan, by=by, at=at) if scan else None
        filed = Disagreement.objects.create(
            patient=patient, request=me, received_on=received_on, text=text, scan=kept, by=by, at=at
        )
        me.events.record(Verb.DISAGREED, by=by, at=at, on=on, received_on=received_on, statement=filed.pk)
    return filed


def _check_day(me: PatientRequest, day: date, on: date, field: str) -> None:
    if not me.decided_on <= day <= on:  # type: ignore[operator]
        raise NotAllowedNow(_("The day must lie between the decision and today."), field)


def _file_of(scan: Attachment) -> CheckedFile:
    whole = Attachment.objects.with_bytes().get(pk=scan.pk)
    return CheckedFile(whole.name, whole.format, bytes(whole.content))


def _scan_under_all(me: PatientRequest, scan: CheckedFile, *, by: User, at: datetime) -> Attachment:
    """The scan as a file of the chart under each disputed entry, or under none while none is named. Returns the first."""
    kept = []
    for entry_id in [row.entry_id for row in me.disputed.all()] or [None]:
        there = me.patient.attachments.filter(entry_id=entry_id, sha256=scan.sha256).first()  # type: ignore[union-attr]
        facts = {"name": scan.name, "format": scan.format, "content": scan.content, "added_by": by, "added_at": at}
        kept.append(there or Attachment.objects.create(patient_id=me.patient_id, entry_id=entry_id, **facts))
    return kept[0]


def ask_to_travel(request: PatientRequest, *, asked_on: date, by: User, at: datetime, on: date) -> TravelWish:
    """The patient files no statement and asks that request and denial go along with the entry (164.526(d)(1)(iii)).

    Raises NotAllowedNow once a statement is filed, for it travels anyway; when it was asked already; for a wrong day.
    """
    with all_or_nothing(request) as me:
        patient = check(me)
        _check_day(me, asked_on, on, "asked_on")
        if me.disagreements.exists():
            raise NotAllowedNow(_("A statement is filed: it goes along with the entry, and request and denial with it."))
        try:
            with transaction.atomic():
                wish = TravelWish.objects.create(patient=patient, request=me, asked_on=asked_on, by=by, at=at)
        except IntegrityError as twice:
            raise NotAllowedNow(_("The patient has asked for this already.")) from twice
        me.events.record(Verb.TRAVEL_ASKED, by=by, at=at, on=on, asked_on=asked_on)
    return wish


# --- the office's rebuttal --------------------------------------------------------------------------------------------


def rebut(statement: Disagreement, text: str, *, by: User, at: datetime, on: date, office: Office) -> Rebuttal:
    """Answer the statement, with the patient's copy as a letter; final once that letter is recorded as sent (164.526(d)(3)).

    Raises NotAllowedNow without words, and for a second answer to one statement.
    """
    if not text.strip():
        raise NotAllowedNow(_("Write the answer: the patient gets a copy of it."), "text")
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(statement.request) as me:
        patient = check(me)
        if Rebuttal.objects.filter(disagreement=statement).exists():
            raise NotAllowedNow(_("This statement has been answered."))
        draft = after_letters.rebuttal(statement, text.strip(), dated=on, by=by, office=office)
        letter = answers.make_letter(me, draft, **now)
        written = Rebuttal.objects.create(
            patient=patient,
            disagreement=statement,
            letter=letter,
            text=text.strip(),
            written_on=on,
            by=by,
            at=at,
        )
        me.events.record(Verb.REBUTTED, **now)
    return written


def sent_on(requests: Sequence[int]) -> dict[int, date]:
    """The day on which each letter of these requests went out, by the letter's key. One query."""
    events = RequestEvent.objects.filter(request__in=requests, verb=Verb.LETTER_SENT).order_by("-id")
    return {int(event.data["letter"]): date.fromisoformat(event.data["sent_on"]) for event in events}


# --- what hangs on an entry, and what travels with it -----------------------------------------------------------------


@dataclass(frozen=True)
class Companion:
    """What must go along with an entry that is given to others: its words, its PDF (b"" when words are all), and the rule."""

    entry: Entry
    kind: str  # "request", "denial", "statement", "rebuttal"
    title: str
    summary: str
    content: bytes
    citation: str


@dataclass(frozen=True)
class _Dispute:
    """A disputed entry with what was added to its request by a day: statements, each with its rebuttal if that is final."""

    row: DisputedEntry
    statements: list[tuple[Disagreement, Rebuttal | None]]
    wish: TravelWish | None

    @property
    def travels(self) -> bool:
        """With a statement always; without one only where the patient asked for it (164.526(d)(5)(i), (ii))."""
        return bool(self.statements or self.wish)


def _disputes(entry_ids: Sequence[int], on: date) -> list[_Dispute]:
    """What hangs on these entries on that day. One query, and three more where something does."""
    rows = DisputedEntry.objects.filter(entry__in=entry_ids, request__outcome__in=HELD_BACK, request__decided_on__lte=on)
    found = list(rows.select_related("request"))
    if not found:
        return []
    requests = {row.request_id for row in found}
    sent = sent_on(list(requests))
    wishes = {wish.request_id: wish for wish in TravelWish.objects.filter(request__in=requests, asked_on__lte=on)}
    said: dict[int, list[tuple[Disagreement, Rebuttal | None]]] = {}
    filed = Disagreement.objects.filter(request__in=requests, received_on__lte=on)
    for statement in filed.select_related("rebuttal", "scan"):
        rebuttal = getattr(statement, "rebuttal", None)
        is_final = rebuttal is not None and sent.get(rebuttal.letter_id, date.max) <= on
        said.setdefault(statement.request_id, []).append((statement, rebuttal if is_final else None))
    return [_Dispute(row, said.get(row.request_id, []), wishes.get(row.request_id)) for row in found]


def _request_words(request: PatientRequest) -> str:
    """What was asked and why it was not agreed to, in words: an accurate summary of request and denial."""
    told = request.details
    ground = grounds.ground(request.kind, request.ground)
    in_part = request.outcome == Outcome.GRANTED_IN_PART
    lines = [
        _("The patient asked on %(day)s: %(what)s") % {
            "day": spoken(request.received_on), "what": told.get("change") or request.description or request.number
        },
        _("The patient's reason: %(why)s") % {"why": told["reason"]} if told.get("reason") else "",
        (_("Agreed to in part on %(day)s; not to the rest: %(why)s") if in_part else _("Not agreed to on %(day)s: %(why)s"))
        % {"day": spoken(request.decided_on), "why": f"{ground.words} {request.decision_text}"},  # type: ignore[arg-type]
    ]  # fmt: skip
    return "\n".join(line for line in lines if line)


def _statement_words(statement: Disagreement) -> str:
    scan = _("The scan is the file %(name)s.") % {"name": statement.scan.name} if statement.scan else ""
    return "\n".join(part for part in (statement.text, scan) if part)


def laid_beside(entry_ids: Sequence[int], on: date) -> list[Beside]:
    """For records.beside: request and denial, statements and final rebuttals, under each disputed entry (164.526(d)(4))."""
    return [item for dispute in _disputes(entry_ids, on) for item in _laid(dispute)]


def _laid(dispute: _Dispute) -> Iterator[Beside]:
    """A disputed entry's request and denial, then each statement with its final rebuttal."""
    row, travels = dispute.row, dispute.travels
    number = _("request %(number)s") % {"number": row.request.number}
    decided = row.request.decided_on or row.named_on
    title = _("The patient asked to change this; it was not agreed to.")
    yield Beside(row.entry_id, row, title, _request_words(row.request), number, decided, travels)
    for statement, rebuttal in dispute.statements:
        day, title = statement.received_on, _("The patient's statement of disagreement")
        signed = f"{number} · {spoken(day)}"
        yield Beside(row.entry_id, statement, title, _statement_words(statement), signed, day, travels)
        if rebuttal:
            day, title = rebuttal.written_on, _("The office's answer to the statement")
            signed = f"{rebuttal.signed_as} · {spoken(day)}"
            yield Beside(row.entry_id, rebuttal, title, rebuttal.text, signed, day, travels)


def travels_with(entries: Iterable[Entry], on: date) -> list[Companion]:
    """What must go along when these entries are given to others on that day (164.526(d)(5)).

    A statement is filed: it, request, denial and rebuttal. None: request and denial if the patient asked for it, else nothing.
    """
    by_key = {entry.pk: entry for entry in entries}
    going = [dispute for dispute in _disputes(list(by_key), on) if dispute.travels]
    letters_of = _letters([dispute.row.request_id for dispute in going], on)
    found = []
    for dispute in going:
        entry, request = by_key[dispute.row.entry_id], dispute.row.request
        rule = "45 CFR 164.526(d)(5)(i)" if dispute.statements else "45 CFR 164.526(d)(5)(ii)"
        decision = next((doc for doc in letters_of.values() if doc.request_id == request.pk and doc.kind == "decision"), None)
        denial = bytes(decision.document) if decision else b""
        words = _request_words(request)
        found.append(Companion(entry, "request", _("The request to change the record"), words, b"", rule))
        found.append(Companion(entry, "denial", _("The denial"), words, denial, rule))
        for statement, rebuttal in dispute.statements:
            scan, said = _scanned(statement), _statement_words(statement)
            found.append(Companion(entry, "statement", _("The patient's statement of disagreement"), said, scan, rule))
            if rebuttal:
                copy = bytes(letters_of[rebuttal.letter_id].document)
                found.append(Companion(entry, "rebuttal", _("The office's answer to the statement"), rebuttal.text, copy, rule))
    return found


def _letters(requests: Sequence[int], on: date) -> dict[int, Letter]:
    """The decision and rebuttal letters of these requests with their documents, the latest first."""
    kinds = (Letter.Kind.DECISION, Letter.Kind.REBUTTAL)
    found = Letter.objects.defer(None).filter(request__in=requests, kind__in=kinds, made_on__lte=on).order_by("-id")
    return {letter.pk: letter for letter in found}


def _scanned(statement: Disagreement) -> bytes:
    """The scan of a statement where it is a PDF; a picture goes along as the entry's own file."""
    if statement.scan is None or statement.scan.format != Attachment.Format.PDF:
        return b""
    return _file_of(statement.scan).content
