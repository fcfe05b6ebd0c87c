"""Days on which the office is closed and the mail does not go: a help for planning, never a reason to move a due date.

Weekends and the eleven federal holidays (5 U.S.C. 6103), taken on Friday when they fall on a Saturday, on Monday when
on a Sunday.
"""

from datetime import date, timedelta
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6

# month, day and name
_FIXED = (
    (1, 1, gettext_lazy("New Year's Day")),
    (6, 19, gettext_lazy("Juneteenth")),
    (7, 4, gettext_lazy("Independence Day")),
    (11, 11, gettext_lazy("Veterans Day")),
    (12, 25, gettext_lazy("Christmas Day")),
)
# month, weekday, which one of the month (-1 is the last), name
_FLOATING = (
    (1, MONDAY, 3, gettext_lazy("Martin Luther King Jr. Day")),
    (2, MONDAY, 3, gettext_lazy("Washington's Birthday")),
    (5, MONDAY, -1, gettext_lazy("Memorial Day")),
    (9, MONDAY, 1, gettext_lazy("Labor Day")),
    (10, MONDAY, 2, gettext_lazy("Columbus Day")),
    (11, THURSDAY, 4, gettext_lazy("Thanksgiving Day")),
)


def _observed(day: date) -> date:
    """The day on which a holiday that falls on a weekend is taken."""
    return day + timedelta(days={SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0))


def _weekday_of_month(year: int, month: int, weekday: int, which: int) -> date:
    if which > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


@lru_cache(maxsize=32)
def federal_holidays(year: int) -> dict[date, str | Promise]:
    """The days of this calendar year on which a federal holiday is taken, with its name.

    A New Year's Day that is a Saturday is taken on December 31 of the year before.
    """
    found = {_observed(date(year, month, day)): name for month, day, name in _FIXED}
    found |= {_weekday_of_month(year, month, weekday, which): name for month, weekday, which, name in _FLOATING}
    if year < date.max.year:
        found[_observed(date(year + 1, 1, 1))] = _FIXED[0][2]
    return {day: name for day, name in found.items() if day.year == year}


def why_closed(day: date) -> str:
    """Why nobody works that day: "a Sunday", "Christmas Day"; "" on an office day."""
    if day.weekday() == SATURDAY:
        return _("a Saturday")
    if day.weekday() == SUNDAY:
        return _("a Sunday")
    return str(federal_holidays(day.year).get(day, ""))


def last_office_day(due: date) -> date:
    """The last office day on or before the due date: a target to work to, never the deadline (law.md §1)."""
    day = due
    while why_closed(day):
        day -= timedelta(days=1)
    return day
