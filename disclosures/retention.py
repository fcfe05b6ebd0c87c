"""What has been kept long enough to be purged, kind by kind, and what a hold or an open request keeps back.

It lists; nothing in Meso purges. Each room registers its kinds and, where it knows of open requests, who has one.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.utils.functional import Promise

from disclosures import retention_rules
from disclosures.accounting_rules import look_back_start
from records.models import LegalHold

_BATCH = 500


@dataclass(frozen=True)
class Item:
    """One document: its table and key, whose chart it belongs to (None: nobody's), and the days that its keeping counts from."""

    table: str
    key: int
    patient_id: int | None
    chart_number: str
    created: date
    last_in_effect: date | None = None
    is_disclosure: bool = False
    also: frozenset[int] = frozenset()  # keys of further patients whom it concerns

    @property
    def patients(self) -> frozenset[int]:
        """The keys of every patient whom it concerns."""
        return self.also | {self.patient_id} if self.patient_id else self.also

    @property
    def purge_from(self) -> date:
        """The first day on which it may be purged."""
        if self.is_disclosure:
            return retention_rules.disclosure_purge_from([self.created, self.last_in_effect or self.created])
        return retention_rules.purge_from(self.created, self.last_in_effect)


@dataclass(frozen=True)
class Judged:
    """An item on a day: why it must stay, or "" when it may be purged."""

    item: Item
    why_not: str


@dataclass(frozen=True)
class Category:
    """A kind of document. `find(before)` gives, oldest first, those last in effect on or before that day."""

    label: str | Promise
    citation: str
    find: Callable[[date], Iterable[Item]]


_categories: list[Category] = []
_open_requests: list[Callable[[set[int]], set[int]]] = []


def register(label: str | Promise, citation: str, find: Callable[[date], Iterable[Item]]) -> None:
    """Add a kind of document to the report; called from an app's ready()."""
    _categories.append(Category(label, citation, find))


def register_open_requests(of: Callable[[set[int]], set[int]]) -> None:
    """Add a way to ask which of these patients (by key) have a request open; called from an app's ready()."""
    _open_requests.append(of)


def categories() -> list[Category]:
    """Every kind of document that the report knows."""
    return list(_categories)


def report(category: Category, on: date) -> Iterator[Judged]:
    """The documents of this kind whose six years are over on that day, oldest first, each with what keeps it back."""
    over = (item for item in category.find(look_back_start(on)) if item.purge_from <= on)
    all_held = LegalHold.objects.in_force(on).filter(patient=None).exists()
    while batch := list(islice(over, _BATCH)):
        patients: set[int] = set().union(*(item.patients for item in batch))
        held = set(LegalHold.objects.in_force(on).filter(patient__in=patients).values_list("patient_id", flat=True))
        asking: set[int] = set().union(*(of(patients) for of in _open_requests))
        for item in batch:
            is_held, asks = all_held or bool(item.patients & held), bool(item.patients & asking)
            why = retention_rules.why_not(on, item.purge_from, is_held=is_held, has_open_request=asks)
            yield Judged(item, why)
