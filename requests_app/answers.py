"""The acts that end in a letter: each act and its letter in one transaction, so that neither is ever without the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from meso.models import Office, User
from records.models import Entry
from requests_app import grounds, letters
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.grounds import Ground
from requests_app.kinds import Kind, Outcome
from requests_app.letters import Draft
from requests_app.models import DisputedEntry, Letter, PatientRequest, RequestEvent
from requests_app.models.timeline import Verb


@contextmanager
def all_or_nothing(request: PatientRequest) -> Iterator[PatientRequest]:
    """A transaction on this request's locked row. Refused, the object in hand says again what is stored."""
    try:
        with transaction.atomic():
            yield PatientRequest.objects.select_for_update().get(pk=request.pk)
    except NotAllowedNow:
        request.refresh_from_db()
        raise


def make_letter(request: PatientRequest, draft: Draft, *, by: User, at: datetime, on: date, **facts: Any) -> Letter:
    """Store the letter as it is drawn now, with its event. `facts` go on the timeline with it."""
    letter = Letter.objects.create(
        request=request,
        kind=draft.kind,
        addressed_to="\n".join(draft.to),
        document=letters.render(draft, made_on=on).content,
        made_on=draft.context["dated"],
        made_at=at,
        made_by=by,
    )
    request.events.record(Verb.LETTER_MADE, by=by, at=at, on=on, letter=letter.get_kind_display(), key=letter.pk, **facts)
    return letter


def judgment(ground: Ground, judged_by: User | None) -> dict[str, str]:
    """Whose judgment the ground rests on, for the timeline. Raises NotAllowedNow where it needs one and has none."""
    return grounds.judgment(ground, judged_by.signature if judged_by else "", judged_by.licence_number if judged_by else "")


def extend_with_letter(
    request: PatientRequest,
    *,
    until: date,
    reason: str,
    told_on: date,
    how: str,
    by: User,
    at: datetime,
    on: date,
    office: Office,
) -> Letter:
    """Extend the clock, once, with the letter that says why and until when, dated and sent on `told_on`.

    Raises NotAllowedNow as PatientRequest.extend does.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(request):
        letters.check_way(request, how, told_on)
        request.extend(until=until, reason=reason, told_on=told_on, **now)
        draft = letters.extension(request, until=until, reason=reason, dated=told_on, by=by, office=office)
        letter = make_letter(request, draft, **now)
        request.letter_sent(letter, sent_on=told_on, how=how, **now)
    return letter


def decide_with_letter(
    request: PatientRequest,
    outcome: str,
    *,
    ground: str,
    text: str,
    by: User,
    at: datetime,
    on: date,
    office: Office,
    judged_by: User | None = None,
    held_by: str = "",
    open_balance: Decimal | None = None,
    disputed: Sequence[Entry] = (),
) -> Letter | None:
    """Decide, with the letter that tells it; None where the thing itself is the answer.

    `judged_by` is the licensed professional behind a ground that rests on their judgment; `held_by` says who has what this
    office does not hold (164.524(d)(3)); `disputed` are the entries that an amendment not agreed to
    is about. Raises NotAllowedNow as PatientRequest.decide does, for a missing judgment or entry, and
    letters.LetterIncomplete.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(request):
        request.decide(outcome, ground=ground, text=text, open_balance=open_balance, **now)
        if not request.needs_letter:
            return None
        check_disputed(request, outcome, ground, disputed)
        DisputedEntry.tie(request, disputed, **now)
        facts: dict[str, Any] = {}
        if ground:
            facts = judgment(grounds.ground(request.kind, ground), judged_by)
        draft = letters.decision(
            request, outcome, ground=ground, text=text, dated=on, by=by, office=office, judged_by=judged_by, held_by=held_by
        )
        return make_letter(request, draft, **now, **facts)


def check_disputed(request: PatientRequest, outcome: str, ground: str, disputed: Sequence[Entry]) -> None:
    """Raise NotAllowedNow when an amendment is not agreed to and no entry is named, though the chart has some.

    A2 says that it is about nothing in the record, and so needs none.
    """
    holds_back = request.kind == Kind.AMENDMENT and outcome != Outcome.GRANTED and ground in grounds.ABOUT_AN_ENTRY
    if holds_back and not disputed and Entry.objects.of_record().filter(patient=request.patient_id).exists():
        raise NotAllowedNow(_("Name the entry in dispute: request and denial are tied to it."), "disputed")


def withdraw_with_letter(request: PatientRequest, *, reason: str, by: User, at: datetime, on: date, office: Office) -> Letter:
    """Close the request as the patient's own wish, with the letter that confirms it. Raises NotAllowedNow."""
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(request):
        request.withdraw(reason=reason, **now)
        return make_letter(request, letters.withdrawal(request, dated=on, by=by, office=office), **now)


def reopen_with_letter(request: PatientRequest, *, reason: str, by: User, at: datetime, on: date, office: Office) -> Letter:
    """Open a closed request again, with the letter that says so and why. Raises NotAllowedNow as PatientRequest.reopen does."""
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(request):
        request.reopen(reason=reason, **now)
        return make_letter(request, letters.reopening(request, reason=reason, dated=on, by=by, office=office), **now)


def send_letter(letter: Letter, *, sent_on: date, how: str, by: User, at: datetime, on: date) -> RequestEvent:
    """Record, once, that the letter went out. Raises NotAllowedNow for a second time, and as PatientRequest.letter_sent does."""
    request = letter.request
    with all_or_nothing(request):
        if sent := sent_event(letter):
            raise NotAllowedNow(_("It was sent on %(day)s.") % {"day": spoken(date.fromisoformat(sent.data["sent_on"]))})
        letters.check_letter_way(letter, how, sent_on)
        address = "\n".join(letters.envelope_of(letter, sent_on))
        return request.letter_sent(letter, sent_on=sent_on, how=how, address=address, by=by, at=at, on=on)


def sent_event(letter: Letter) -> RequestEvent | None:
    """The event that says the letter went out, or None."""
    return letter.request.events.filter(verb=Verb.LETTER_SENT, data__letter=str(letter.pk)).first()
