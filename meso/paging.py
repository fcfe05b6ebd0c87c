"""Lists page by key: the next page starts after the last row of this one, so the thousandth page costs what the first does."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Q, QuerySet

Row = TypeVar("Row")
SIZE = 25
_SALT = "meso.paging"


class Page(Generic[Row]):
    """The rows of one page, and the token that leads to the next one ("" on the last page)."""

    def __init__(self, rows: list[Row], next_token: str, is_first: bool):
        self.rows, self.next_token, self.is_first = rows, next_token, is_first

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def _after(order: list[str], values: list[Any]) -> Q:
    """The rows behind `values` in `order`: (a, b) > (x, y) written out column by column."""
    condition = Q()
    for depth in range(len(order)):
        same = Q(**{order[i].lstrip("-"): values[i] for i in range(depth)})
        name, value = order[depth], values[depth]
        further = Q(**{f"{name[1:]}__lt": value}) if name.startswith("-") else Q(**{f"{name}__gt": value})
        condition |= same & further
    lead = order[0]
    bound = Q(**{f"{lead[1:]}__lte": values[0]}) if lead.startswith("-") else Q(**{f"{lead}__gte": values[0]})
    return bound & condition


def page(queryset: QuerySet, order: list[str], token: str = "", size: int = SIZE) -> Page:
    """One page of `queryset` in `order`, which must end in a unique column and name no nullable one.

    `token` is what the page before gave; one that was not made here starts from the first page.
    """
    queryset = queryset.order_by(*order)
    values = _read(token, len(order))
    if values is not None:
        queryset = queryset.filter(_after(order, values))
    rows = list(queryset[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    last = [_value(rows[-1], name.lstrip("-")) for name in order] if more else None
    return Page(rows, signing.dumps(last, salt=_SALT, compress=True) if last else "", values is None)


def _value(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = getattr(row, part)
    return row.isoformat() if hasattr(row, "isoformat") else row


def _read(token: str, length: int) -> list[Any] | None:
    try:
        values = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    return values if isinstance(values, list) and len(values) == length else None
