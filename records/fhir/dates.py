"""FHIR's dates and instants as days on the office's clock."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils import timezone

from meso import clock
from records.fhir.files import BadElementError

_FORM = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)(?P<time>T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or instant of a source: the office's day, the instant, and whether the source names the day at all.

    Where it names a month or a year only, the day is the first of it. A day without a time begins at midnight.
    """

    day: date
    at: datetime
    is_whole: bool


def moment(text: str, path: str) -> Moment:
    """Read a date or dateTime. Raises BadElementError for what is none. A time without a zone is on the office's clock."""
    form = _FORM.fullmatch(text)
    try:
        if not form:
            raise ValueError
        if form["time"]:
            at = datetime.fromisoformat(text)
            at = timezone.make_aware(at) if timezone.is_naive(at) else at
            return Moment(clock.office_day(at), at, is_whole=True)
        day = date(int(form["year"]), int(form["month"] or 1), int(form["day"] or 1))
        return Moment(day, timezone.make_aware(datetime.combine(day, time())), is_whole=bool(form["day"]))
    except (ValueError, OverflowError):
        raise BadElementError(path, f"{text[:40]!r} is no date") from None


def has_ended(end: str, on: date) -> bool:
    """Whether a period that ends then is over on that day; its end may be a year or a month only. "" never ends."""
    end = end[:10]
    return bool(end) and end < on.isoformat()[: len(end)]
