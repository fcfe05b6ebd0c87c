"""The bill for copies: fifteen cents a paper page plus the postage actually paid, and nothing else (law.md §0, §12)."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from meso.money import dollars

RATE = Decimal("0.15")
HIGHEST_FLAT_FEE = Decimal("6.50")


class FeeRefused(ValueError):
    """A fee that the tariff does not know; the text says why."""


@dataclass(frozen=True)
class Bill:
    """What copies cost: money in dollars, two places. `pages` are those charged by the page."""

    pages: int
    per_page: Decimal
    copies: Decimal
    postage: Decimal
    total: Decimal


def check_pages(pages: object) -> int:
    """`pages` as a whole number ≥ 0. Raises FeeRefused."""
    if isinstance(pages, bool) or not isinstance(pages, int | str):
        raise FeeRefused(_("The number of pages must be a whole number."))
    text = str(pages).strip()
    if re.fullmatch(r"-[0-9]+", text):
        raise FeeRefused(_("The number of pages can't be below zero."))
    if not re.fullmatch(r"[0-9]{1,7}", text):
        raise FeeRefused(_("The number of pages must be a whole number."))
    return int(text)


def check_money(amount: Decimal | str | int, what: str) -> Decimal:
    """`amount` in dollars, ≥ 0, at most two decimals. Raises FeeRefused, naming `what`."""
    text = str(amount).strip()
    if isinstance(amount, float | bool) or not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]+)?", text):
        raise FeeRefused(_("%(what)s must be dollars and cents, such as 1.85.") % {"what": what})
    value = Decimal(text)
    if value < 0:
        raise FeeRefused(_("%(what)s must be zero or more.") % {"what": what})
    if value != dollars(value):
        raise FeeRefused(_("%(what)s has a fraction of a cent.") % {"what": what})
    return dollars(value)


def paper_copy(
    pages: int | str,
    postage: Decimal | str = "0.00",
    *,
    rate: Decimal = RATE,
    electronic_pages: int | str = 0,
    charge_electronic: bool = True,
) -> Bill:
    """The bill for a copy on paper: pages kept on paper, and prints of pages kept electronically unless the office waives those."""
    rate = check_money(rate, _("The price of a page"))
    count = check_pages(pages) + (check_pages(electronic_pages) if charge_electronic else 0)
    paid = check_money(postage, _("Postage"))
    copies = dollars(count * rate)
    return Bill(count, rate, copies, paid, copies + paid)


def electronic_copy(flat_fee: Decimal | str = "0.00") -> Bill:
    """The bill for an electronic copy: the office's flat fee, all in, at most $6.50; never by the page, never with postage."""
    fee = check_money(flat_fee, _("The flat fee"))
    if fee > HIGHEST_FLAT_FEE:
        raise FeeRefused(_("A flat fee for an electronic copy can be $6.50 at most."))
    return Bill(0, dollars(0), fee, dollars(0), fee)
