"""What was typed into the search, taken apart. No database here."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime

from records import names

LONGEST = 200  # characters of what is typed, and of a key
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
    if not word[0].isdigit():
        return None
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(word, form).date()  # noqa: DTZ007  (a day, not an instant)
        except ValueError:
            continue
    return None
