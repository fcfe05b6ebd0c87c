"""From an accounting asked for to one given: free, priced and told first, answered, or given anew (164.528(a)(2), (c)(2))."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from disclosures import accounting, accounting_rules, pricing, tariff
from disclosures.accounting import Accounting
from disclosures.guard import Means
from disclosures.models import AccountingGiven, PriceAnswer, PriceTold, ReissueAnswer
from disclosures.purposes import Scope
from disclosures.tariff import Price, PriceRefused
from disclosures.withholding import Reissue
from meso.models import Office, User
from meso.money import in_words
from records.models import Patient, WayOut


@dataclass(frozen=True)
class Terms:
    """On what terms a later list goes out: the way, the postage in dollars, the day its price was told, or that it is waived."""

    delivery: str
    postage: Decimal = Decimal(0)
    told_on: date | None = None
    waived: bool = False

    @property
    def how(self) -> WayOut:
        """The way out that this delivery is."""
        return Means(self.delivery).way_out


def issue(
    patient: Patient,
    start: date,
    end: date,
    scope: Scope = Scope.NOTICE,
    *,
    terms: Terms | None,
    on: date,
    office: Office,
    requested_on: date | None = None,
    request_number: str = "",
    how: str = "",
    **facts: Any,
) -> AccountingGiven | PriceTold:
    """Give the accounting where it costs nothing; where it does, keep that its price was told, and give nothing yet.

    `facts` are by, at, and the scope's reason; `how` is accounting.give's. The same list on the same day is given once. Raises
    PriceRefused, which says the price, until the patient was told it (164.528(c)(2)), and ListRefused for the way out.
    """
    AccountingGiven.check_way(patient, how, on, request_number)
    asked_on = requested_on or on
    facts |= {"on": on, "request_number": request_number, "requested_on": asked_on}
    if pricing.standing(patient, asked_on, request_number).is_free or (terms and terms.waived):
        return accounting.give(patient, start, end, scope, office=office, how=how, **facts)
    made = accounting.for_patient(patient, max(start, accounting_rules.look_back_start(asked_on)), end, scope, on=on)
    if again := _given_today(made, office, on, request_number=request_number, how=how):
        return again
    if terms is None or not terms.delivery:
        raise PriceRefused(_("This list is not free. Say how it goes out, to see its price."), "delivery")
    price = tariff.current().price(terms.delivery, made.as_pdf(office, on).pages, terms.postage, office)
    if not price.total:
        return accounting.give(patient, start, end, scope, office=office, how=how, **facts)
    if terms.told_on is None:
        raise PriceRefused(_not_told(price), "told_on")
    return pricing.tell(made, price, delivery=terms.delivery, told_on=terms.told_on, **facts)


def _given_today(made: Accounting, office: Office, on: date, **same: str) -> AccountingGiven | None:
    """The free list that was given today word for word: its button was pressed twice."""
    given = made.patient.accountings.filter(issued_on=on, fee=0, **same)
    if not given.exists():
        return None
    digest = hashlib.sha256(made.as_pdf(office, on).content).hexdigest()
    return given.filter(sha256=digest).first()


def _not_told(price: Price) -> str:
    """What to tell the patient, in words for the desk."""
    words = ngettext(
        "It costs %(total)s: %(pages)d page at %(rate)s, postage %(postage)s.",
        "It costs %(total)s: %(pages)d pages at %(rate)s, postage %(postage)s.",
        price.pages,
    )
    then = _("Tell the patient, who may pay, ask for less or take it back; then give the day on which you told them.")
    money = {"total": in_words(price.total), "rate": in_words(price.per_page), "postage": in_words(price.postage)}
    return f"{words % {'pages': price.pages, **money}} {then}"


@transaction.atomic
def answer_price(
    told: PriceTold, choice: str, *, answered_on: date, by: User, at: datetime, on: date, office: Office
) -> AccountingGiven | None:
    """Keep what the patient chose; where they pay, the list is made. None where they narrow it or take it back.

    Raises PriceRefused for a day before they were told, in the future, and where they have answered already; ListRefused where
    the patient wishes by now to be reached in another way than the one whose price was told.
    """
    if not told.told_on <= answered_on <= on:
        raise PriceRefused(_("The day must lie between the day the price was told and today."), "answered_on")
    told.answer(choice, answered_on=answered_on, by=by, at=at)
    if choice != PriceAnswer.Choice.ACCEPT:
        return None
    facts: dict[str, Any] = {"requested_on": told.requested_on, "scope_reason": told.scope_reason}
    facts |= {"request_number": told.request_number} if told.request_number else {"how": Means(told.delivery).way_out}
    now: dict[str, Any] = {"by": by, "at": at, "on": on, "office": office}
    return accounting.give(told.patient, told.start, told.end, Scope(told.scope), told=told, **facts, **now)


@transaction.atomic
def answer_reissue(
    task: Reissue, *, reason: str, how: str = "", by: User, at: datetime, on: date, office: Office
) -> ReissueAnswer:
    """Answer "re-issue?": give the accounting anew, for nothing, with what it had to leave out; or keep the reason why not.

    Raises IntegrityError when it was answered meanwhile, ListRefused where it may not go out in this way.
    """
    old, given = task.accounting, None
    if not reason:
        facts: dict[str, Any] = {"requested_on": old.requested_on or old.issued_on, "scope_reason": old.scope_reason}
        now: dict[str, Any] = {"by": by, "at": at, "on": on, "office": office}
        given = accounting.give(old.patient, old.start, old.end, Scope(old.scope), reissued=True, how=how, **facts, **now)
    return ReissueAnswer.objects.create(
        patient=old.patient, accounting=old, suspension=task.suspension, given=given, reason=reason,
        by=by, at=at,
    )  # fmt: skip
