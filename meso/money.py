"""Money is Decimal, dollars, two places, half-up. The one place that rounds and prints it."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

CENT = Decimal("0.01")


def dollars(amount: Decimal | int | str) -> Decimal:
    """`amount` in dollars, rounded half-up to whole cents. Raises TypeError for a float, which can't hold money."""
    if isinstance(amount, float):
        raise TypeError("money is never a float")
    return Decimal(amount).quantize(CENT, rounding=ROUND_HALF_UP)


def in_words(amount: Decimal) -> str:
    """`$7.40`, as a bill or a screen prints it."""
    return f"${dollars(amount):,.2f}"


class MoneyField(models.DecimalField):
    """A column of dollars with two places."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 10)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)
