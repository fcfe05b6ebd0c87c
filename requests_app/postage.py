"""What the postage will come to, for an estimate only: the bill takes what was paid (law.md §13a). Plain tables, no database.

Prices are bands of shape and whole ounces with the day they begin and where they were read; the office adds its own. A band
that nobody knows gives no estimate, and asks for the receipt.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

SHEET = Decimal("0.16")  # ounces of a sheet of 20-lb paper


class Shape(models.TextChoices):
    """How it is mailed."""

    LETTER = "letter", _("Letter, stamped")
    FLAT = "flat", _("Large envelope")


HEAVIEST: dict[str, Decimal] = {Shape.LETTER: Decimal("3.5"), Shape.FLAT: Decimal("13")}  # ounces


@dataclass(frozen=True)
class Band:
    """What a shape costs up to so many ounces, in dollars, from a day on, and where that was read."""

    shape: str
    ounces: int
    price: Decimal
    effective_on: date
    source: str


_NOTICE_123 = "USPS Notice 123, as quoted by a secondary source"
_JULY_2026 = date(2026, 7, 12)
KNOWN: tuple[Band, ...] = (
    Band(Shape.LETTER, 1, Decimal("0.82"), _JULY_2026, _NOTICE_123),
    Band(Shape.LETTER, 2, Decimal("1.11"), _JULY_2026, _NOTICE_123),
    Band(Shape.LETTER, 3, Decimal("1.40"), _JULY_2026, _NOTICE_123),
    Band(Shape.FLAT, 1, Decimal("1.69"), _JULY_2026, _NOTICE_123),
    Band(Shape.FLAT, 4, Decimal("2.56"), _JULY_2026, _NOTICE_123),
)


def weight(sheets: int) -> Decimal:
    """The weight of so many sheets in ounces."""
    return sheets * SHEET


def shape_of(sheets: int) -> str | None:
    """The smallest shape that may weigh so much; None when it is a parcel."""
    return next((shape for shape, most in HEAVIEST.items() if weight(sheets) <= most), None)


def in_force(bands: Iterable[Band], on: date) -> dict[tuple[str, int], Band]:
    """The bands that hold on that day, by shape and ounces: of two the later one, of the same day the one added last."""
    begun = sorted((band for band in bands if band.effective_on <= on), key=lambda band: band.effective_on)
    return {(band.shape, band.ounces): band for band in begun}


def estimate(sheets: int, bands: Iterable[Band], on: date, *, shape: str | None = None) -> Band | None:
    """The band that so many sheets fall into, the weight rounded up to whole ounces; None where no price is known.

    `shape` asks for a large envelope though a letter would do.
    """
    if sheets <= 0:
        return None
    chosen = shape or shape_of(sheets)
    if chosen is None or weight(sheets) > HEAVIEST[chosen]:
        return None
    return in_force(bands, on).get((chosen, max(1, math.ceil(weight(sheets)))))
