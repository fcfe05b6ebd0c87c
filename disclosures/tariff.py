"""What a list on paper or sent costs. The office's tariff for copies lives in the room above, which puts it here at start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from disclosures.accounting_rules import ListRefused
from meso.models import Office


@dataclass(frozen=True)
class Price:
    """What so many pages cost when they go out in one way. Dollars, two places."""

    pages: int
    per_page: Decimal
    postage: Decimal
    total: Decimal


class PriceRefused(ListRefused):
    """A price that the tariff does not know, or that was not told or chosen; the text says why."""


@dataclass(frozen=True)
class Tariff:
    """The ways in which papers go out, as (code, words), and the price of pages that go out in one of them."""

    ways: Sequence[tuple[str, object]]
    price: Callable[[str, int, Decimal, Office], Price]


_registered: list[Tariff] = []


def register(tariff: Tariff) -> None:
    """Put the office's tariff here; called once from an app's ready()."""
    _registered[:] = [tariff]


def current() -> Tariff:
    """The office's tariff. Raises LookupError before an app has put one here."""
    if not _registered:
        raise LookupError("no app has registered a tariff")
    return _registered[0]
