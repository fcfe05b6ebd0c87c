"""What an accounting costs, and that nobody is charged who was not told and did not choose (164.528(c)(2); law.md §4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from disclosures import accounting_rules
from disclosures.models import AccountingGiven, PriceTold
from disclosures.tariff import Price, PriceRefused
from meso.models import User
from records.models import Patient

if TYPE_CHECKING:
    from disclosures.accounting import Accounting


@dataclass(frozen=True)
class Standing:
    """Whether a list asked for on a day is the free one of its twelve months; else which free one stands before it."""

    asked_on: date
    earlier: tuple[date, ...]

    @property
    def is_free(self) -> bool:
        """No free one was asked for in the twelve months before."""
        return accounting_rules.is_free(self.asked_on, self.earlier)

    @property
    def last_free_on(self) -> date:
        """The day on which the free one before it was asked for. Only where it is not free."""
        return max(day for day in self.earlier if day <= self.asked_on)

    @property
    def free_again_on(self) -> date:
        """The day from which a list is free again. Only where it is not free."""
        return accounting_rules.free_again_on(self.last_free_on)


def standing(patient: Patient, asked_on: date, request_number: str = "") -> Standing:
    """Where the patient stands. A list made anew for the same request is that request's. One query."""
    free = patient.accountings.filter(later_one=False)
    if request_number:
        free = free.exclude(request_number=request_number)
    return Standing(asked_on, tuple(asked or issued for asked, issued in free.values_list("requested_on", "issued_on")))


def tell(
    made: Accounting,
    price: Price,
    *,
    delivery: str,
    told_on: date,
    requested_on: date,
    by: User,
    at: datetime,
    on: date,
    request_number: str = "",
    scope_reason: str = "",
) -> PriceTold:
    """Keep that the patient was told this price, for this period, before anything is made.

    Raises PriceRefused for a day in the future or before the list was asked for.
    """
    if not requested_on <= told_on <= on:
        raise PriceRefused(_("The day must lie between the day the list was asked for and today."), "told_on")
    return PriceTold.objects.create(
        patient=made.patient, request_number=request_number, requested_on=requested_on,
        start=made.start, end=made.end, scope=made.scope, scope_reason=scope_reason,
        delivery=delivery, pages=price.pages, rate=price.per_page, postage=price.postage, total=price.total,
        told_on=told_on, by=by, at=at,
    )  # fmt: skip


def open_price(patient: Patient, request_number: str = "") -> PriceTold | None:
    """The price that the patient was told last and has not answered, for this request or, without one, at the desk."""
    told = patient.prices_told.filter(request_number=request_number).order_by("-id").select_related("answered").first()
    return None if told is None or getattr(told, "answered", None) else told


def check_may_charge(told: PriceTold | None, patient: Patient, fee: Decimal) -> None:
    """Raise PriceRefused unless the patient was told at least this price and chose to pay it (164.528(c)(2)(ii))."""
    answer: Any = getattr(told, "answered", None)
    if told is None or told.patient_id != patient.pk or told.total < fee:
        raise PriceRefused(_("A later list may be charged for only after the patient was told the price: 45 CFR 164.528(c)(2)."))
    if answer is None or answer.choice != answer.Choice.ACCEPT:
        raise PriceRefused(_("A list may be charged for only once the patient, who may narrow it or take it back, chose to pay."))
    if AccountingGiven.objects.filter(price_told=told).exists():
        raise PriceRefused(_("The list of this price was made already."))
