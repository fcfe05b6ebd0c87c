"""What is done once a request is granted: each act changes the record and the request in one transaction.

The request itself refuses all of them before it is granted, its chart found and identity checked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from disclosures import accounting, issuing, pricing
from disclosures.accounting_rules import ListRefused
from disclosures.issuing import Terms
from disclosures.models import AccountingGiven, PriceTold, Release
from disclosures.purposes import Scope
from meso.models import Office, User
from meso.roles import may
from records.models import ContactPreference, Entry, PaidInFull, Patient, Restriction, WayOut
from requests_app import letters
from requests_app.answers import all_or_nothing
from requests_app.asked import Way
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.kinds import Kind, Outcome
from requests_app.models import CopyBill, CopySetAside, PatientRequest, RequestEvent, ReviewGiven, ReviewOutcome
from requests_app.models.timeline import Verb
from requests_app.putting_right import put_right

# Kinds that one act carries out for good; copies and amendments may come in several.
_ONCE = frozenset({Kind.RESTRICTION, Kind.CONFIDENTIAL_COMMUNICATION, Kind.ACCOUNTING})


ASKED_WAYS = {Way.MAIL: (WayOut.MAIL,), Way.ELECTRONIC: (WayOut.EMAIL, WayOut.ENCRYPTED_EMAIL)}


def why_not(request: PatientRequest, on: date) -> str:
    """Why nothing may be carried out on that day, in words for the desk; "" when it may."""
    if owed_by_review(request):
        return ""
    if not request.is_open:
        return _("This request is closed.")
    if request.kind in _ONCE and request.carried_out_on:
        return _("That was done on %(day)s.") % {"day": spoken(request.carried_out_on)}
    try:
        request.check_may_carry_out(on)
    except NotAllowedNow as refusal:
        return str(refusal)
    return ""


def owed_by_review(request: PatientRequest) -> ReviewOutcome | None:
    """The overturned denial whose access is still owed, once chart and identity are known (164.524(d)(4)); or None."""
    if request.kind != Kind.ACCESS or request.patient_id is None or request.identity_checked_on is None:
        return None
    return ReviewGiven.owed(request.pk)


def check(me: PatientRequest, kind: str, on: date) -> Patient:
    """The patient of a request of this kind that may be carried out on that day. Raises NotAllowedNow for any other."""
    if me.kind != kind:
        raise NotAllowedNow(_("This request asks for something else."))
    if refusal := why_not(me, on):
        raise NotAllowedNow(refusal)
    return me.patient  # type: ignore[return-value]  # why_not has looked


# --- access -----------------------------------------------------------------------------------------------------------


def looked_at(
    request: PatientRequest, *, seen_on: date, by: User, at: datetime, on: date, release: Release | None = None
) -> RequestEvent:
    """The patient looked at the record on that day, for which there is never a fee (law.md §12). Called by `giving.look`.

    Raises NotAllowedNow; also while words are withheld and no copy without them was made, for that copy is what is shown.
    """
    with all_or_nothing(request) as me:
        check(me, Kind.ACCESS, on)
        held, hidden = held_now(me), me.hidden_entries()
        if held and not any(bill.package.get("withheld") == held for bill in me.bills.all()):
            raise NotAllowedNow(_("Words are withheld: make the copy first, and show the patient that copy, not the chart."))
        if hidden and not me.bills.exists():
            words = _(
                "Part of the chart is hidden from the parent (164.502(g)(3)): make the copy first, and show that copy alone."
            )
            raise NotAllowedNow(words)
        shown = me.bills.last() if held or hidden else None  # the copy that was shown, not the chart
        facts: dict[str, Any] = {"given_on": seen_on, **_released(release)} | ({"bill": shown.pk} if shown else {})
        return access_given(request, me, Verb.INSPECTED, seen_on, by=by, at=at, on=on, **facts)


def _released(release: Release | None) -> dict[str, int]:
    return {"release": release.pk} if release else {}


def access_given(
    request: PatientRequest, me: PatientRequest, verb: str, day: date, *, by: User, at: datetime, on: date, **facts: Any
) -> RequestEvent:
    """Record that access was given. It carries the request out once no copy made for it waits any more.

    What a review has opened is given without the request's own answer, and its clock, being touched again.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    owed = owed_by_review(me)
    if owed and not owed.decided_on <= day <= on:
        raise NotAllowedNow(_("The day must lie between the reviewer's decision and today."), "given_on")
    if owed:
        ReviewGiven.record(owed, day, by=by, at=at)
    if owed and (not me.is_open or me.outcome == Outcome.DENIED):
        return request.events.record(verb, **now, **facts)
    mine = facts.get("bill")
    if any(bill.pk != mine for bill in waiting(me)):
        if not me.decided_on <= day <= on:  # type: ignore[operator]
            raise NotAllowedNow(_("The day must lie between the decision and today."), "given_on")
        return request.events.record(verb, **now, **facts)
    return request.carried_out(verb, max([day, *me.events.days_given(me.decided_on)]), **now, **facts)


def waiting(request: PatientRequest) -> list[CopyBill]:
    """The copies made for this request that are neither given nor set aside."""
    given = {event.data.get("bill") for event in request.events.filter(verb__in=[Verb.COPIES_GIVEN, Verb.INSPECTED])}
    return [bill for bill in request.bills.filter(set_aside=None) if str(bill.pk) not in given]


def set_aside(bill: CopyBill, reason: str, *, by: User, at: datetime, on: date) -> CopySetAside:
    """This copy is not given after all; the reason is kept, and the copy too. The request no longer waits for it.

    Raises NotAllowedNow without a reason, for copies that were given or set aside, and for a closed request.
    """
    if not reason.strip():
        raise NotAllowedNow(_("Say why this copy is not given."), "reason")
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    request = bill.request
    with all_or_nothing(request) as me:
        check(me, Kind.ACCESS, on)
        if given_event(bill) or CopySetAside.objects.filter(bill=bill).exists():
            raise NotAllowedNow(_("This copy was given or set aside already."))
        done = CopySetAside.objects.create(bill=bill, reason=reason.strip(), **now)
        days = me.events.days_given(me.decided_on)
        if me.is_open and me.outcome != Outcome.DENIED and days and not waiting(me):
            request.carried_out(Verb.SET_ASIDE, max(days), note=done.reason, bill=bill.pk, **now)
        else:
            request.events.record(Verb.SET_ASIDE, note=done.reason, bill=bill.pk, **now)
    return done


def held_now(request: PatientRequest) -> list[int]:
    """The keys of the passages withheld now."""
    return list(request.withheld.in_force().values_list("pk", flat=True))


def give_copies(
    bill: CopyBill,
    *,
    given_on: date,
    how: str,
    by: User,
    at: datetime,
    on: date,
    address: str = "",
    warned_on: date | None = None,
    release: Release | None = None,
) -> RequestEvent:
    """The copies went out on that day, paid or not: a bill never holds them.

    `address` is where they go to somebody who acts for the patient, where it is not the one that they gave.
    `warned_on`: the day on which the patient, warned that e-mail is not private, accepted it. Raises NotAllowedNow when they
    went out already; for a day before they were made or in the future; for plain e-mail that was not accepted by that day;
    for a way that the patient asked not to be reached by, unless this request itself asks for it. Called by
    `giving.give`, with the release that they went out by.
    """
    request = bill.request
    with all_or_nothing(request) as me:
        check(me, Kind.ACCESS, on)
        if why := me.representative_refusal(on, what=Entry.objects.filter(pk__in=bill.entry_ids).with_marks()):
            raise NotAllowedNow(why)  # an entry may have been marked after the copy was made
        if given := given_event(bill):
            raise NotAllowedNow(_("They were given on %(day)s.") % {"day": spoken(date.fromisoformat(given.data["given_on"]))})
        if CopySetAside.objects.filter(bill=bill).exists():
            raise NotAllowedNow(_("This copy was set aside."))
        if not bill.made_on <= given_on <= on:
            raise NotAllowedNow(_("The day must lie between the day the copies were made and today."), "given_on")
        if bill.package.get("withheld", []) != held_now(me):
            raise NotAllowedNow(_("What is withheld has changed since this copy was made: make the copy anew."))
        plain = how == WayOut.EMAIL
        if plain and (warned_on is None or warned_on > given_on):
            words = _("Plain e-mail goes out only after the patient was warned that it is not private, and accepted it.")
            raise NotAllowedNow(words, "warned_on")
        if me.is_by_another or how not in ASKED_WAYS.get(me.details.get("form", ""), ()):
            letters.check_way(me, how, given_on, address if me.is_by_another else "")
        note = _("The patient was warned that e-mail is not private, and wants it so.") if plain else ""
        facts = {"given_on": given_on, "how": how, "bill": bill.pk, **_released(release)}
        facts |= {"warned_on": warned_on} if plain else {}
        return access_given(request, me, Verb.COPIES_GIVEN, given_on, by=by, at=at, on=on, note=note, **facts)


def given_event(bill: CopyBill) -> RequestEvent | None:
    """The event that says these copies went out, or None."""
    return bill.request.events.filter(verb=Verb.COPIES_GIVEN, data__bill=str(bill.pk)).first()


# --- amendment --------------------------------------------------------------------------------------------------------


def amend(
    request: PatientRequest,
    entry: Entry,
    *,
    by: User,
    at: datetime,
    on: date,
    passage: str | None = None,
    reason: str = "",
    addendum: str = "",
) -> RequestEvent:
    """Draw the line, write the addendum, or both, on one entry; other entries may follow until the request is closed.

    `passage` is the words to strike, "" for the whole entry, None for no line. Nothing is erased (law.md §3). Raises
    NotAllowedNow: nothing to do, a line without its reason, words that do not stand in the entry, another chart's entry.
    """
    with all_or_nothing(request) as me:
        patient = check(me, Kind.AMENDMENT, on)
        words: dict[str, Any] = {"passage": passage, "reason": reason, "addendum": addendum}
        done = put_right(entry, patient.pk, **words, by=by, at=at, request_number=me.number)
        what = _("entry of %(day)s, %(done)s") % {"day": spoken(entry.service_on), "done": _(" and ").join(done)}
        return request.carried_out(Verb.AMENDED, on, by=by, at=at, on=on, what=what, entry=entry.pk)


# --- restriction, contact ---------------------------------------------------------------------------------------------


def restrict(request: PatientRequest, *, begins_on: date, by: User, at: datetime, on: date, **terms: Any) -> RequestEvent:
    """Put the restriction in force on the chart, at the latest from the day of the letter that promises it.

    `terms` are those of Restriction.agree, or of PaidInFull.keep where something was paid for in full. Whoever decided
    agreed to it; `by` writes it down. Raises NotAllowedNow when it is in force already, or when it begins after the decision.
    """
    with all_or_nothing(request) as me:
        patient = check(me, Kind.RESTRICTION, on)
        _check_promise(me, begins_on)
        record = PaidInFull.keep if me.must_be_granted else Restriction.agree
        try:
            record(patient, **terms, begins_on=begins_on, by=me.decided_by or by, at=at, request_number=me.number)
        except ValidationError as refusal:
            raise NotAllowedNow(" ".join(refusal.messages), next(iter(getattr(refusal, "error_dict", {})), "")) from refusal
        return request.carried_out(Verb.RESTRICTED, on, by=by, at=at, on=on, begins_on=begins_on)


def set_contact(
    request: PatientRequest, *, means: str, where: str, avoid: str, begins_on: date, by: User, at: datetime, on: date
) -> RequestEvent:
    """Record how the patient is reached from now on; never why (164.522(b)(2)(iii)). Raises NotAllowedNow as `restrict` does."""
    with all_or_nothing(request) as me:
        patient = check(me, Kind.CONFIDENTIAL_COMMUNICATION, on)
        _check_promise(me, begins_on)
        ContactPreference.objects.create(
            patient=patient,
            means=means,
            where=where,
            avoid=avoid,
            begins_on=begins_on,
            recorded_by=by,
            recorded_at=at,
            request_number=me.number,
        )
        return request.carried_out(Verb.CONTACT_SET, on, by=by, at=at, on=on, begins_on=begins_on)


def _check_promise(me: PatientRequest, begins_on: date) -> None:
    if begins_on > me.decided_on:  # type: ignore[operator]
        words = _("The letter promises it from %(day)s on: it can't begin later.") % {"day": spoken(me.decided_on)}  # type: ignore[arg-type]
        raise NotAllowedNow(words, "begins_on")


# --- accounting -------------------------------------------------------------------------------------------------------


def issue_accounting(
    request: PatientRequest,
    *,
    start: date,
    end: date,
    scope: Scope,
    by: User,
    at: datetime,
    on: date,
    office: Office,
    terms: Terms | None = None,
    scope_reason: str = "",
) -> AccountingGiven | PriceTold:
    """Make the accounting, kept exactly as issued; the clock runs on until it is given. A second click makes no second.

    A later one within twelve months costs what the tariff says: then it is kept that the patient was told its price, and the
    list is made once they choose to pay (164.528(c)(2)). Raises NotAllowedNow, which says the price until it was told.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on, "office": office}
    with all_or_nothing(request) as me:
        patient, before = check(me, Kind.ACCOUNTING, on), accounting_of(me)
        if why_officer(me, start, end, scope, on) and not may(by, "disclosure.review"):
            raise NotAllowedNow(
                _("The privacy officer makes this list: somebody else asks for the patient (45 CFR 164.502(g)(5)).")
            )
        about: dict[str, Any] = {"request_number": me.number, "requested_on": me.received_on, "scope_reason": scope_reason}
        with transaction.atomic(), priced():
            given = issuing.issue(patient, start, end, scope, terms=terms, **now, **about)
            if isinstance(given, AccountingGiven) and before and (before.issued_on, before.sha256) == (on, given.sha256):
                transaction.set_rollback(True)
                return before
        return given


def why_officer(request: PatientRequest, start: date, end: date, scope: Scope, on: date) -> str:
    """Why the officer must look first, in their words: the list may tell who acts for the patient too much; "" if it can't.

    It tells of a report of abuse, and whoever asks may be the one it is about; or entries are hidden from a parent who asks,
    and the list, which leaves no row out for that, may speak of them.
    """
    if request.patient is None or not request.is_by_another:
        return ""
    words = []
    made = accounting.for_patient(request.patient, start, end, scope, on=on)
    if any(line.purpose_code == "abuse_neglect" for line in made.lines):
        words = [
            _("Look before you make it: somebody else asks for the patient, and it tells of a report of abuse or neglect."),
            _("It must not reach a person who may be responsible (45 CFR 164.502(g)(5), 164.512(c)(2))."),
        ]
    if request.hidden_entries():
        words += [
            _("Part of the chart is hidden from the parent who asks, and this list leaves no row out for that."),
            _("See that none of them tells of that care (45 CFR 164.502(g)(3))."),
        ]
    return " ".join(words)


def answer_price(
    request: PatientRequest, told: PriceTold, *, choice: str, answered_on: date, by: User, at: datetime, on: date, office: Office
) -> AccountingGiven | None:
    """The patient knows the price: they pay, and the list is made, or narrow it or take it back. Raises NotAllowedNow."""
    with all_or_nothing(request) as me:
        check(me, Kind.ACCOUNTING, on)
        if told.request_number != me.number:
            raise NotAllowedNow(_("That price was not told for this request."))
        with priced():
            return issuing.answer_price(told, choice, answered_on=answered_on, by=by, at=at, on=on, office=office)


@contextmanager
def priced() -> Iterator[None]:
    """What is refused of a list and its price, in this room's words."""
    try:
        yield
    except ListRefused as refusal:
        raise NotAllowedNow(str(refusal), refusal.field) from refusal


def price_told(request: PatientRequest) -> PriceTold | None:
    """The price told for this request that the patient has not answered, or None. One query."""
    if request.kind != Kind.ACCOUNTING or request.patient is None:
        return None
    return pricing.open_price(request.patient, request.number)


def accounting_of(request: PatientRequest) -> AccountingGiven | None:
    """The latest accounting made for this request, or None."""
    if request.kind != Kind.ACCOUNTING or request.patient_id is None:
        return None
    return AccountingGiven.objects.filter(patient_id=request.patient_id, request_number=request.number).order_by("-id").first()


def give_accounting(
    request: PatientRequest, given: AccountingGiven, *, given_on: date, how: str, by: User, at: datetime, on: date
) -> RequestEvent:
    """The accounting went out on that day and in that way. Raises NotAllowedNow for another request's, a day before it was
    issued, and a way in which the patient does not wish to be reached (164.522(b)(1)(i)).
    """
    with all_or_nothing(request) as me:
        check(me, Kind.ACCOUNTING, on)
        if given.request_number != me.number:
            raise NotAllowedNow(_("That accounting was not made for this request."))
        if not given.issued_on <= given_on <= on:
            raise NotAllowedNow(_("The day must lie between the day it was made and today."), "given_on")
        letters.check_way(me, how, given_on)
        facts: dict[str, Any] = {
            "start": given.start,
            "end": given.end,
            "given_on": given_on,
            "lines": given.lines,
            "accounting": given.pk,
            "how": how,
        }
        return request.carried_out(Verb.ACCOUNTING_GIVEN, given_on, by=by, at=at, on=on, **facts)
