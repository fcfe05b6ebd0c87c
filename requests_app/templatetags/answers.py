"""The answer of a request as its page shows it: the decision, letters, copies, and what was carried out."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template

from disclosures.models import AccountingGiven
from meso import clock
from meso.models import User
from records import seeing
from requests_app import amendments, carrying_out, grounds, quoted, reviews, telling
from requests_app.grounds import Ground
from requests_app.kinds import Kind
from requests_app.models import (
    CopyBill,
    DenialReview,
    Disagreement,
    DisputedEntry,
    FeeQuote,
    Letter,
    PatientRequest,
    Recipient,
    RequestEvent,
    ReviewOutcome,
    ReviewReferral,
    Telling,
    TravelWish,
)
from requests_app.models.timeline import Verb
from requests_app.telling import Proposal

register = template.Library()

_DONE = {Verb.INSPECTED, Verb.AMENDED, Verb.RESTRICTED, Verb.CONTACT_SET, Verb.ACCOUNTING_GIVEN}


@dataclass(frozen=True)
class Dispute:
    """What a denied amendment has drawn after it. `sent` has the day each of its letters went out, by key.

    `is_shut`: what was said of the entries is closed to whoever looks, as the entries are.
    """

    entries: list[DisputedEntry]
    statements: list[Disagreement]
    wish: TravelWish | None
    sent: dict[int, date]
    is_shut: bool


@register.simple_tag(takes_context=True)
def dispute_of(context: Any, request: PatientRequest) -> Dispute | None:
    """None for a request that can't be disputed; else six queries, however much there is, and one for each closed entry."""
    if not amendments.is_disputable(request):
        return None
    return Dispute(
        list(request.disputed.select_related("entry").prefetch_related("entry__flags")),
        list(request.disagreements.select_related("rebuttal", "scan")),
        TravelWish.objects.filter(request=request).first(),
        amendments.sent_on([request.pk]),
        not quoted.may_read_statements(context["user"], request, clock.now()),
    )


@dataclass(frozen=True)
class Told:
    """Who is told of a correction, who could be, and the event that says that the patient was asked."""

    recipients: list[Recipient]
    may_open: bool  # the letters, which hold the correction
    proposals: list[Proposal]
    asked: RequestEvent | None


@register.simple_tag(takes_context=True)
def telling_of(context: Any, request: PatientRequest) -> Told | None:
    """None until the record is amended; else ten queries at most, however many people there are."""
    if not telling.is_amended(request):
        return None
    recipients = list(request.recipients.prefetch_related("tellings"))
    for one in recipients:
        one.is_told = any(attempt.outcome == Telling.How.TOLD for attempt in one.tellings.all())
    asked = request.events.filter(verb=Verb.ASKED_WHOM).last()
    may_open = not recipients or seeing.may_open_copy(context["user"], telling.amended_entries(request))
    return Told(recipients, may_open, telling.proposals(request, context["user"], context["today"]), asked)


@dataclass(frozen=True)
class Review:
    """The review of a denial as far as it is: asked for, given to whom, decided."""

    row: DenialReview | None
    referrals: list[ReviewReferral]
    outcome: ReviewOutcome | None


@register.simple_tag
def review_of(request: PatientRequest) -> Review | None:
    """None where no review is due; else at most four queries."""
    denial = reviews.denial_of(request)
    if denial is None:
        return None
    row = request.reviews.filter(denial=denial).first()
    if row is None:
        return Review(None, [], None)
    outcome = ReviewOutcome.objects.filter(review=row).select_related("given").first()
    return Review(row, list(row.referrals.all()), outcome)


@dataclass(frozen=True)
class Answer:
    """What a request was answered with. Each letter and copy stands beside the event that says it went out, or None."""

    ground: Ground | None
    judged_by: str
    letters: list[tuple[Letter, RequestEvent | None]]
    copies: list[tuple[CopyBill, RequestEvent | None]]
    done: list[RequestEvent]  # what was carried out, but copies: they stand beside their bill
    accounting: AccountingGiven | None  # made, and not given yet
    prices: list[FeeQuote]
    may_copy: bool

    def __bool__(self) -> bool:
        return bool(self.ground or self.letters or self.copies or self.done or self.accounting or self.prices or self.may_copy)


@register.simple_tag(takes_context=True)
def answer_of(context: Any, request: PatientRequest, on: date) -> Answer:
    """What it was answered with, and what may be done on that day.

    Five queries, one more for an accounting and two for answers to statements, however many letters and copies there are.
    """
    events = list(request.events.all())
    sent = {event.data.get("letter"): event for event in events if event.verb == Verb.LETTER_SENT}
    given = {event.data.get("bill"): event for event in events if event.verb == Verb.COPIES_GIVEN}
    made = [event for event in events if event.verb == Verb.LETTER_MADE]
    return Answer(
        grounds.ground(request.kind, request.ground) if request.ground else None,
        next((event.data["judged_by"] for event in reversed(made) if "judged_by" in event.data), ""),
        [(letter, sent.get(str(letter.pk))) for letter in _letters_of(request, context["user"])],
        [(bill, given.get(str(bill.pk))) for bill in request.bills.select_related("settlement", "set_aside")],
        [event for event in events if event.verb in _DONE],
        None if request.carried_out_on else carrying_out.accounting_of(request),
        list(request.fee_quotes.select_related("answer")),
        request.kind == Kind.ACCESS and not carrying_out.why_not(request, on),
    )


def _letters_of(request: PatientRequest, user: User) -> list[Letter]:
    """The letters to whoever asked; `may_open` says of each whether it opens to this person."""
    letters = list(request.letters.exclude(kind=Letter.Kind.CORRECTION).prefetch_related("deliveries"))
    answers = [letter for letter in letters if letter.kind == Letter.Kind.REBUTTAL]
    closed = bool(answers) and not seeing.may_open_copy(user, quoted.disputed(request))
    for letter in letters:
        letter.may_open = not (closed and letter in answers)  # type: ignore[attr-defined]
    return letters
