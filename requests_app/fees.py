"""The bill for copies: fifteen cents a paper page plus the postage actually paid, and nothing else (law.md §0, §12)."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from meso.money import dollars
from requests_app.kinds import Delivery

RATE = Decimal("0.15")
HIGHEST_FLAT_FEE = Decimal("6.50")
MOST_DIGITS = 7  # of a number of pages


class FeeRefused(ValueError):
    """A fee that the tariff does not know; the text says why. `field` names the figure that is amiss, or is ""."""

    def __init__(self, text: str, field: str = ""):
        self.field = field
        super().__init__(text)


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
    if not re.fullmatch(r"[0-9]+", text):
        raise FeeRefused(_("The number of pages must be a whole number."))
    if len(text) > MOST_DIGITS:
        raise FeeRefused(_("That is more pages than any record has."))
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
    """The bill for a copy on paper: pages kept on paper, and prints of those kept electronically where they are charged."""
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


def scanned_copy(pages: int | str, rate: Decimal, flat_fee: Decimal | str = "0.00") -> Bill:
    """The bill for pages kept on paper and scanned for an electronic copy: by the page, never beside a flat fee or postage."""
    if check_money(flat_fee, _("The flat fee")):
        raise FeeRefused(_("A flat fee is all in: nothing is charged beside it."))
    count, rate = check_pages(pages), check_money(rate, _("The price of a page"))
    copies = dollars(count * rate)
    return Bill(count, rate, copies, dollars(0), copies)


def looking(fee: Decimal | str = "0.00") -> Bill:
    """Looking at the record, here or on a screen, is free: any other figure is refused (law.md §12)."""
    if check_money(fee, _("The fee")):
        raise FeeRefused(_("Looking at the record never costs anything."))
    return Bill(0, dollars(0), dollars(0), dollars(0), dollars(0))


def sheets(sides: int, *, both_sides: bool) -> int:
    """Sheets of paper for so many printed sides: money counts sides, postage weighs sheets (law.md §13a)."""
    return -(-sides // 2) if both_sides else sides


def for_delivery(
    delivery: str,
    *,
    pages: int,
    paper_pages: int,
    postage: Decimal,
    rate: Decimal,
    charge_electronic: bool,
    flat_fee: Decimal,
    scan_rate: Decimal | None = None,
) -> Bill:
    """The bill for a copy that goes out in this way.

    `pages` are kept electronically and printed or sent; `paper_pages` are photocopied from a paper chart, or scanned when
    the copy is electronic, which costs nothing unless the office has its cost on file and so a `scan_rate`; a flat fee stands
    alone (164.524(c)(4)). Only what is mailed has postage. Raises FeeRefused.
    """
    if delivery != Delivery.MAIL and postage:
        raise FeeRefused(_("Only a copy that goes by mail has postage. Leave it empty."), "postage")
    if delivery == Delivery.ELECTRONIC:
        return scanned_copy(paper_pages, scan_rate, flat_fee) if scan_rate and paper_pages else electronic_copy(flat_fee)
    return paper_copy(paper_pages, postage, rate=rate, electronic_pages=pages, charge_electronic=charge_electronic)
