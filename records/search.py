"""Finding a patient in a second among a million: each way of asking is one range over one index.

A query may be a last name, a first name, both in either order, a chart number, a birth date in US or ISO form, or the
digits of a telephone number; a name and a birth date may stand together.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import models
from django.db.models import Q

from meso.append_only import AppendOnlyError
from records import names

LIMIT = 25
LONGEST = 200  # characters of what is typed, and of a key
_UNSPACED = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")  # scripts, by the names of their letters
_ENOUGH = 200  # so many keys are common; counting stops there
_DATE_FORMS = ("%Y-%m-%d", "%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y")


@dataclass
class Query:
    """What was typed, taken apart: words of a name as keys, birth dates, digits, the text as a chart number."""

    words: list[str] = field(default_factory=list)
    born: date | None = None
    digits: str = ""
    chart: str = ""


def parse(text: str) -> Query:
    """Take the text apart. Never fails: what is no date and no number is a name."""
    text = text.replace("\0", "")[:LONGEST]
    query = Query(chart=text.strip().casefold()[:64])
    rest = []
    for word in text.replace(",", " ").split():
        born = _as_date(word)
        if born:
            query.born = born
        else:
            rest.append(word)
    name = " ".join(rest)
    if re.fullmatch(r"[\d\s()+.\-]*\d[\d\s()+.\-]*", name):
        query.digits = names.digits(name)
    query.words = [found for word in rest if (found := names.key(word))][:6]
    return query


def _as_date(word: str) -> date | None:
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(word, form).date()  # noqa: DTZ007  (a day, not an instant)
        except ValueError:
            continue
    return None


def begins(column: str, prefix: str) -> Q:
    """`column` begins with `prefix`, as a range that an index can walk."""
    return Q(**{f"{column}__gte": prefix, f"{column}__lt": prefix + names.LAST})


class PatientQuerySet(models.QuerySet):
    """Which patients."""

    def delete(self):
        raise AppendOnlyError("A patient's chart is never removed.")

    def search(self, text: str, limit: int = LIMIT) -> list:
        """At most `limit` patients, best way of asking first, each sorted by last and first name. [] for an empty text."""
        query = parse(text)
        found: dict[int, models.Model] = {}
        for branch in self._branches(query, limit):
            for patient in branch.exclude(pk__in=found)[: limit - len(found)]:
                found[patient.pk] = patient
            if len(found) >= limit:
                break
        return list(found.values())

    def _branches(self, query: Query, limit: int) -> Iterator["PatientQuerySet"]:
        base = self.filter(date_of_birth=query.born) if query.born else self
        if query.chart and not query.born:
            yield self.filter(begins("chart_key", query.chart)).order_by("chart_key", "id")
        if len(query.digits) >= 3:
            yield base.filter(begins("phone_digits", query.digits)).order_by("phone_digits", "id")
        if query.words and not query.digits:
            yield from self._by_name(base, query.words)
            by_word = base._by_word_of_few(query.words) if query.born else self._by_word(query.words, limit)
            yield by_word.order_by("last_key", "first_key", "id")
        elif query.born and not query.digits:
            yield base.order_by("last_key", "id")

    def _by_name(self, base: "PatientQuerySet", words: list[str]) -> Iterator["PatientQuerySet"]:
        if len(words) == 1:
            words = _taken_apart(words[0])
        whole = "".join(words)[:LONGEST]
        yield base.filter(begins("last_key", whole)).order_by("last_key", "first_key", "id")
        yield base.filter(begins("first_key", whole)).order_by("first_key", "last_key", "id")
        for cut in range(1, len(words)):
            one, other = "".join(words[:cut]), "".join(words[cut:])
            for last, first in ((other, one), (one, other)):
                yield base.filter(begins("last_key", last), begins("first_key", first)).order_by("last_key", "first_key", "id")

    def _by_word(self, words: list[str], limit: int) -> "PatientQuerySet":
        """Those who have, for each word, a name that begins with it: `limit` of them, beside any that were found before.

        The rarest word leads: its keys are walked until there are enough, the other words are looked up. Left to choose for
        itself, either database may walk every patient in the order of the names.
        """
        keys = self._name_keys()
        rarest = words[0] if len(words) == 1 else min(words, key=lambda word: keys.filter(begins("word", word))[:_ENOUGH].count())
        found = keys.filter(begins("word", rarest), *(self._has(word, "patient") for word in set(words) - {rarest}))
        # A patient may have a few keys with one beginning, and fewer than `limit` were found before.
        return self.filter(pk__in=list(found.order_by("word", "patient_id").values_list("patient_id", flat=True)[: 4 * limit]))

    def _by_word_of_few(self, words: list[str]) -> "PatientQuerySet":
        """The same among few patients, such as those born on one day: each is looked up for each word."""
        return self.filter(*(self._has(word, "pk") for word in words))

    def _has(self, word: str, patient: str) -> models.Exists:
        return models.Exists(self._name_keys().filter(begins("word", word), patient=models.OuterRef(patient)))

    def _name_keys(self) -> models.QuerySet:
        return self.model._meta.get_field("name_keys").related_model.objects.all()

    def resembling(self, first: str, last: str, born: date) -> "PatientQuerySet":
        """Charts that may be the same person's.

        They have the same birth date with a similar name, or the same name with one part of the date amiss.

        "Similar" is: the same last or first name by key, or the two swapped.
        """
        one, other = names.key(first), names.key(last)
        same_part = Q()
        if other:
            same_part |= Q(last_key=other) | Q(first_key=other)
        if one:
            same_part |= Q(first_key=one) | Q(last_key=one)
        same_name = Q(first_key=one, last_key=other) | Q(first_key=other, last_key=one)
        near = self.filter(date_of_birth__in=_near_dates(born))
        return near.filter(same_part & Q(date_of_birth=born) | same_name).order_by("last_key", "first_key", "id")[:10]


def _taken_apart(word: str) -> list[str]:
    """The parts of a name written without blanks, as in Chinese, Japanese and Korean: 毛泽东 may be 毛 and 泽东. Others stay whole."""
    letters = unicodedata.normalize("NFC", word)
    if not all(unicodedata.name(letter, "").startswith(_UNSPACED) for letter in letters):
        return [word]
    return [names.key(part) for part in (letters[:1], letters[1:2], letters[2:]) if part]


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
