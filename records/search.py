"""Finding a patient in a second among a million: each way of asking is one range over one index.

A query may be a last name, a first name, both in either order, a chart number, a birth date in US or ISO form, or the
digits of a telephone number; a name and a birth date may stand together.
"""

from datetime import date
from typing import Any, NoReturn

from django.db import connections, models
from django.db.models import Q

from meso.append_only import AppendOnlyError
from records import names, ways
from records.parsing import parse

LIMIT = 25


class PatientQuerySet(models.QuerySet):
    """Which patients."""

    def delete(self) -> NoReturn:
        raise AppendOnlyError("A patient's chart is never removed.")

    def guarded(self) -> "PatientQuerySet":
        """Those whose chart is guarded now (records.models.guards): known people, colleagues, whoever asked for it."""
        return self.filter(guards__isnull=False, guards__ending=None)

    def numbers(self) -> models.QuerySet:
        """Their chart numbers, as the audit names charts: a subquery for its `chart_number__in`."""
        return self.values("chart_number")

    def resembling(self, first: str, last: str, born: date) -> "PatientQuerySet":
        """Charts that may be the same person's.

        They have the same birth date with a similar name, or the same name with one part of the date amiss.

        "Similar" is: the same last or first name by key, or the two swapped.
        """
        one, other = names.key(first), names.key(last)
        if not (one or other):
            return self.none()
        same_part = Q()
        if other:
            same_part |= Q(last_key=other) | Q(first_key=other)
        if one:
            same_part |= Q(first_key=one) | Q(last_key=one)
        same_name = Q(first_key=one, last_key=other) | Q(first_key=other, last_key=one)
        near = self.filter(date_of_birth__in=_near_dates(born))
        return near.filter(same_part & Q(date_of_birth=born) | same_name).order_by("last_key", "first_key", "id")[:10]


class PatientManager(models.Manager.from_queryset(PatientQuerySet)):  # type: ignore[misc]
    """All patients, and the search among them."""

    def search(self, text: str, limit: int = LIMIT) -> list[Any]:
        """At most `limit` patients, best way of asking first, each sorted by last and first name. [] for an empty text.

        One query where the patients' own columns answer; one or two more where single words of their names must.
        """
        query = parse(text)
        found = _each_once(ways.ask(self, ways.ways(query), limit))
        if len(found) < limit and query.words and not query.digits:
            found = _each_once(found + ways.ask(self, [ways.by_word(query, connections[self.db], limit)], limit))
        return found[:limit]


def _each_once(patients: list[Any]) -> list[Any]:
    """Those found more than one way where they came first."""
    found: dict[int, Any] = {}
    for patient in patients:
        found.setdefault(patient.pk, patient)
    return list(found.values())


def _near_dates(born: date) -> list[date]:
    """The birth dates that a slip of the pen makes of this one: day and month swapped, a day, a month, a year or a decade off."""
    near = set()
    for year, month, day in (
        (born.year, born.day, born.month),
        *((born.year + by, born.month, born.day) for by in (-10, -1, 1, 10)),
        *((born.year, born.month + by, born.day) for by in (-1, 1)),
        *((born.year, born.month, born.day + by) for by in (-1, 1)),
    ):
        try:
            near.add(date(year, month, day))
        except ValueError:
            continue
    return sorted(near | {born})
