"""What the importers of the office's old lists share: whose chart a row is of, and by what it is known when it comes again."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from django.db.models import Model

from meso.csv_in import BadCell
from records.models import Patient


class OldRow(Protocol):
    """One checked row of an old list."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is compared."""


R = TypeVar("R", bound=OldRow)


def charts() -> Callable[[str], Patient]:
    """Finds the patient of a chart number, asking once for each. Raises BadCell where there is no such chart."""
    found: dict[str, Patient | None] = {}

    def chart(number: str) -> Patient:
        if number not in found:
            found[number] = Patient.objects.filter(chart_number=number).first()
        patient = found[number]
        if patient is None:
            raise BadCell("chart_number", f"there is no chart {number!r}")
        return patient

    return chart


def by_digest(rows: Iterable[R], seen: Counter[tuple[str, ...]]) -> dict[str, R]:
    """The rows by what each is known by when the file is read again; those alike in all cells differ by their ordinal."""
    found = {}
    for row in rows:
        seen[row.cells] += 1
        told = json.dumps([*row.cells, seen[row.cells]], ensure_ascii=False)
        found[hashlib.sha256(told.encode()).hexdigest()] = row
    return found


def new_ones(rows: dict[str, R], model: type[Model]) -> dict[str, R]:
    """Those of them that `model` does not hold yet, by its `source_id`."""
    known = set(model._base_manager.filter(source_id__in=rows).values_list("source_id", flat=True))
    return {digest: row for digest, row in rows.items() if digest not in known}
