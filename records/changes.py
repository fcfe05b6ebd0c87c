"""What was changed in a patient's details, when and by whom, from the history that is kept of them."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from django.utils.formats import date_format

from meso.models import User
from records.models import Patient

DETAILS = (
    "first_name", "last_name", "preferred_name", "date_of_birth", "sex", "phone", "email", "address_1", "address_2", "city",
    "state", "zip", "language", "deceased_on",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change: when, by whom (None for an import), and each detail's label with what it was and became."""

    at: datetime
    by: User | None
    details: list[tuple[str, str, str]]
    is_first: bool


def of(patient: Patient, limit: int = 20) -> list[Change]:
    """The latest changes, newest first, the registration last. One query."""
    rows = list(patient.history.select_related("history_user").order_by("-history_id")[: limit + 1])
    changes = [Change(new.history_date, new.history_user, _between(old, new), is_first=False) for new, old in pairwise(rows)]
    if rows and len(rows) <= limit:
        first = rows[-1]
        changes.append(Change(first.history_date, first.history_user, [], is_first=first.history_type == "+"))
    return changes


def _between(old: Any, new: Any) -> list[tuple[str, str, str]]:
    return [
        (str(_label(name)), _shown(old, name), _shown(new, name)) for name in DETAILS if getattr(old, name) != getattr(new, name)
    ]


def _label(name: str) -> Any:
    return Patient._meta.get_field(name).verbose_name  # type: ignore[union-attr]


def _shown(row: Any, name: str) -> str:
    value = row.get_sex_display() if name == "sex" else getattr(row, name)
    return date_format(value, "M j, Y") if isinstance(value, date) else str(value or "")
