"""The ways of asking for a patient, as SQL: each is one range over one index, read in the order of that index.

Written out because a search asks several ways at once, in one statement: through the ORM each would be a query of its own
and cost several times what its rows do (docs/performance.md). Only the conditions made here go into the text; whatever was
typed goes in as a value.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from records import names
from records.parsing import LONGEST, Query

_UNSPACED = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")  # scripts, by the names of their letters
_ENOUGH = 200  # so many keys are common; counting stops there
_BY_LAST, _BY_FIRST = ("last_key", "first_key", "id"), ("first_key", "last_key", "id")


@dataclass(frozen=True)
class Way:
    """A condition on records_patient with its values, and the columns that order what it finds."""

    where: str
    values: tuple[Any, ...]
    order: tuple[str, ...]

    def narrowed(self, where: str, *values: Any) -> "Way":
        """The same among fewer patients."""
        return Way(f"{where} AND {self.where}", (*values, *self.values), self.order)


def _begins(column: str, prefix: str) -> tuple[str, tuple[str, str]]:
    """`column` begins with `prefix`, as a range that an index can walk."""
    return f"{column} >= %s AND {column} < %s", (prefix, prefix + names.LAST)


def ways(query: Query) -> list[Way]:
    """What the patients' own columns can answer, the best way first."""
    found = list(_by_name(query.words)) if query.words and not query.digits else []
    if len(query.digits) >= 3:
        found = [Way(*_begins("phone_digits", query.digits), ("phone_digits", "id"))]
    if query.born:
        found = [way.narrowed("date_of_birth = %s", query.born) for way in found]
        if not query.words:
            found = [Way("date_of_birth = %s", (query.born,), ("last_key", "id"))]
    elif query.chart:
        found.insert(0, Way(*_begins("chart_key", query.chart), ("chart_key", "id")))
    return found


def _by_name(words: list[str]) -> Iterator[Way]:
    if len(words) == 1:
        words = _taken_apart(words[0])
    whole = "".join(words)[:LONGEST]
    yield Way(*_begins("last_key", whole), _BY_LAST)
    yield Way(*_begins("first_key", whole), _BY_FIRST)
    for cut in range(1, len(words)):
        one, other = "".join(words[:cut]), "".join(words[cut:])
        for last, first in ((other, one), (one, other)):
            where, values = _begins("first_key", first)
            yield Way(*_begins("last_key", last), _BY_LAST).narrowed(where, *values)


def _taken_apart(word: str) -> list[str]:
    """The parts of a Chinese, Japanese or Korean name, typed without blanks: 毛泽东 may be 毛 and 泽东. Others stay whole."""
    letters = unicodedata.normalize("NFC", word)
    if not all(unicodedata.name(letter, "").startswith(_UNSPACED) for letter in letters):
        return [word]
    return [names.key(part) for part in (letters[:1], letters[1:2], letters[2:]) if part]


def by_word(query: Query, connection: BaseDatabaseWrapper, limit: int) -> Way:
    """Those who have, for each word, a name that begins with it: `limit` of them, beside as many found another way.

    Among those of one birth date each patient is looked up. Among all, the rarest word leads: its keys are walked until there
    are enough, the other words are looked up. Left to choose, either database may walk every patient in the order of the names.
    """
    if query.born:
        has, values = _has(query.words, "records_patient.id")
        return Way(has, values, _BY_LAST).narrowed("date_of_birth = %s", query.born)
    rarest = _rarest(query.words, connection) if len(query.words) > 1 else query.words[0]
    begins, values = _begins("word", rarest)
    has, more = _has([word for word in query.words if word != rarest], "first_word.patient_id")
    # A patient may have a few keys with one beginning, and fewer than `limit` were found another way.
    keys = f"SELECT patient_id FROM records_namekey AS first_word WHERE {begins}{' AND ' if has else ''}{has}"  # noqa: S608
    return Way(f"id IN ({keys} ORDER BY word, patient_id LIMIT {4 * limit:d})", (*values, *more), _BY_LAST)


def _has(words: list[str], patient: str) -> tuple[str, tuple[str, ...]]:
    """Each of these words begins a name of that patient."""
    begins, _ = _begins("word", "")
    one = f"EXISTS (SELECT 1 FROM records_namekey AS other WHERE other.patient_id = {patient} AND {begins})"  # noqa: S608
    return " AND ".join([one] * len(words)), tuple(value for word in words for value in _begins("word", word)[1])


def _rarest(words: list[str], connection: BaseDatabaseWrapper) -> str:
    """The word that fewest keys begin with, as far as it is worth counting. One query."""
    begins, _ = _begins("word", "")
    one = f"(SELECT COUNT(*) FROM (SELECT 1 FROM records_namekey WHERE {begins} LIMIT {_ENOUGH}) AS counted)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join([one] * len(words))}",
            [value for word in words for value in _begins("word", word)[1]],
        )
        counts = dict(zip(words, cursor.fetchone(), strict=True))
    return min(counts, key=counts.__getitem__)


def ask(patients: models.Manager, of: list[Way], limit: int) -> list[Any]:
    """At most `limit` patients of each way, in the order of the ways and of each way's columns. One query."""
    if not of:
        return []
    parts = (
        f"SELECT * FROM (SELECT {place} AS way, records_patient.* FROM records_patient"  # noqa: S608
        f" WHERE {way.where} ORDER BY {', '.join(way.order)} LIMIT {limit:d}) AS way_{place}"
        for place, way in enumerate(of)
    )
    rows = patients.raw(" UNION ALL ".join(parts), [value for way in of for value in way.values])
    return sorted(rows, key=lambda row: (row.way, *(getattr(row, column) for column in of[row.way].order)))
