"""The review of a denial of access, step by step: asked, given to a reviewer, decided, told, followed (164.524(a)(4), (d)(4)).

The reviewer holds a licence and took no part in the denial. A small office names one from outside, by name and licence.
"""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from meso.models import Office, User
from requests_app import after_letters, answers, grounds
from requests_app.answers import all_or_nothing
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import HELD_BACK, Kind
from requests_app.models import DenialReview, Letter, PatientRequest, ReviewOutcome, ReviewReferral, WithheldEnding
from requests_app.models.timeline import Verb


def denial_of(request: PatientRequest) -> Letter | None:
    """The letter of the denial that may be reviewed: access held back on a reviewable ground; or None."""
    if request.kind != Kind.ACCESS or request.outcome not in HELD_BACK or not request.ground:
        return None
    if not grounds.ground(request.kind, request.ground).reviewable:
        return None
    return request.letters.filter(kind=Letter.Kind.DECISION).order_by("-id").first()


def ask(request: PatientRequest, *, asked_on: date, by: User, at: datetime, on: date) -> DenialReview:
    """The patient asks for a review. There is no deadline for asking.

    Raises NotAllowedNow where no review is due: another kind, a ground that may not be reviewed; when it was asked
    already; for a day before the denial or in the future.
    """
    with all_or_nothing(request) as me:
        denial = denial_of(me)
        if denial is None:
            raise NotAllowedNow(_("This decision is not one that can be reviewed (45 CFR 164.524(a)(4))."))
        if not me.decided_on <= asked_on <= on:  # type: ignore[operator]
            raise NotAllowedNow(_("The day must lie between the decision and today."), "asked_on")
        try:
            with transaction.atomic():
                review = DenialReview.objects.create(request=me, denial=denial, asked_on=asked_on, by=by, at=at)
        except IntegrityError as twice:
            raise NotAllowedNow(_("The review of this decision has been asked for already.")) from twice
        me.events.record(Verb.REVIEW_ASKED, by=by, at=at, on=on, asked_on=asked_on)
    return review


def took_part(request: PatientRequest) -> list[tuple[str, str]]:
    """Who took part in the denial as (name, licence): whoever decided it and whoever's judgment it rests on."""
    made = request.events.filter(verb=Verb.LETTER_MADE)
    judged = [(event.data["judged_by"], event.data.get("licence", "")) for event in made if "judged_by" in event.data]
    held = [(name, "") for name in request.withheld.values_list("judged_by", flat=True) if name]
    decided = [(request.decided_by.signature, request.decided_by.licence_number)] if request.decided_by else []
    return judged + held + decided


def _key(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def check_reviewer(request: PatientRequest, name: str, licence: str) -> None:
    """Raise NotAllowedNow for a reviewer without a licence, or one who took part in the denial (164.524(a)(4))."""
    if not (name.strip() and licence.strip()):
        raise NotAllowedNow(_("A reviewer is a licensed health care professional: give name and licence number."), "licence")
    for known, number in took_part(request):
        same_person = _key(known.partition(",")[0]) == _key(name.partition(",")[0])
        if same_person or (number and _key(number) == _key(licence)):
            raise NotAllowedNow(_("%(name)s took part in the denial and can't review it.") % {"name": known}, "reviewer")


def refer(
    review: DenialReview,
    *,
    reviewer: User | None = None,
    name: str = "",
    licence: str = "",
    referred_on: date,
    by: User,
    at: datetime,
    on: date,
) -> ReviewReferral:
    """Give it to a reviewer: one of the staff, or somebody from outside by `name` and `licence`. It can be given to another.

    Raises NotAllowedNow as check_reviewer does, once it is decided, and for a day before it was asked or in the future.
    """
    if reviewer:
        name, licence = reviewer.signature, reviewer.licence_number
    with all_or_nothing(review.request) as me:
        _check_undecided(review)
        check_reviewer(me, name, licence)
        if not review.asked_on <= referred_on <= on:
            raise NotAllowedNow(_("The day must lie between the day it was asked for and today."), "referred_on")
        facts = {"reviewer": reviewer, "name": name.strip(), "licence": licence.strip(), "referred_on": referred_on}
        referral = ReviewReferral.objects.create(review=review, **facts, by=by, at=at)
        me.events.record(Verb.REVIEW_REFERRED, by=by, at=at, on=on, to=referral.name, referred_on=referred_on)
    return referral


def decide(
    review: DenialReview, result: str, *, reasons: str, decided_on: date, by: User, at: datetime, on: date, office: Office
) -> ReviewOutcome:
    """Record what the reviewer decided, with the letter that tells the patient. Overturned, the access is owed.

    Raises NotAllowedNow before it is given to a reviewer, a second time, without reasons, for a wrong day, and
    letters.LetterIncomplete.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(review.request) as me:
        _check_undecided(review)
        referral = review.referrals.last()
        if referral is None:
            raise NotAllowedNow(_("Give it to a reviewer first."))
        if not reasons.strip():
            raise NotAllowedNow(_("Write the reasons: the patient reads them."), "reasons")
        if not referral.referred_on <= decided_on <= on:
            raise NotAllowedNow(_("The day must lie between the day the reviewer got it and today."), "decided_on")
        draft = after_letters.review(me, result, referral, reasons.strip(), dated=on, by=by, office=office)
        letter = answers.make_letter(me, draft, **now)
        facts = {"result": result, "reasons": reasons.strip(), "decided_on": decided_on, "letter": letter}
        outcome = ReviewOutcome.objects.create(review=review, referral=referral, **facts, by=by, at=at)
        if result == ReviewOutcome.Result.OVERTURNED:
            _open_words(me, outcome.reasons, **now)
        label = outcome.get_result_display()
        me.events.record(Verb.REVIEWED, note=outcome.reasons, result=label, who=referral.name, decided_on=decided_on, **now)
    return outcome


def _open_words(me: PatientRequest, reason: str, *, by: User, at: datetime, on: date) -> None:
    """The words that were withheld on the ground that is overturned are withheld no longer."""
    for held in me.withheld.in_force().filter(ground=me.ground):
        WithheldEnding.objects.create(withheld=held, reason=reason[:1000], by=by, on=on, at=at)
        me.events.record(Verb.WITHHELD_ENDED, by=by, at=at, on=on, day=held.entry.service_on, withheld=held.pk)


def _check_undecided(review: DenialReview) -> None:
    if ReviewOutcome.objects.filter(review=review).exists():
        raise NotAllowedNow(_("The review has been decided."))
