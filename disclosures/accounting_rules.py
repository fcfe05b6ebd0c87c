"""The arithmetic of an accounting: how far back, when it is free, how a series is told (164.528; law.md §1, §4). No database."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from django.utils.translation import gettext as _

YEARS_BACK = 6
MONTHS_FREE = 12
RESEARCH_PEOPLE = 50  # of so many people an accounting may tell of the protocol in place of each disclosure


class ListRefused(ValueError):
    """A list that may not be made or given so; the text says why. `field` names what is amiss, or is ""."""

    def __init__(self, text: str, field: str = ""):
        self.field = field
        super().__init__(text)


def same_day_in(year: int, day: date) -> date:
    """The same month and day in another year; Feb 29 becomes Feb 28 where there is none."""
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def look_back_start(requested_on: date) -> date:
    """The first day an accounting asked for on that day may reach back to, inclusive: six years, Feb 29 → Feb 28 (528(a)(1))."""
    return same_day_in(requested_on.year - YEARS_BACK, requested_on)


def free_again_on(requested_on: date) -> date:
    """The day from which another accounting is free: the anniversary of the free request (528(c)(2); law.md §4)."""
    return same_day_in(requested_on.year + MONTHS_FREE // 12, requested_on)


def is_free(requested_on: date, earlier_free_requests: Iterable[date]) -> bool:
    """Whether an accounting asked for on that day is free: no free one was asked for in the 12 months before."""
    return all(requested_on >= free_again_on(earlier) for earlier in earlier_free_requests if earlier <= requested_on)


def may_be_short(people: int) -> bool:
    """Whether research on so many people may be told by its protocol: 50 or more (164.528(b)(4)(i))."""
    return people >= RESEARCH_PEOPLE


def times(count: int) -> str:
    """How many times, in words; "" for once."""
    return _("%(count)d times") % {"count": count} if count > 1 else ""


def frequency(days: list[date]) -> str:
    """How often a series went out, in words: "weekly" where its gaps are even, else how many times. "" for a single day.

    One gap makes no rhythm: two days are told as two times.
    """
    if len(days) < 3:
        return times(len(days))
    gaps = {later - earlier for earlier, later in pairwise(days)}
    even = {
        timedelta(1): _("daily"),
        timedelta(7): _("weekly"),
        timedelta(14): _("every two weeks"),
    }
    if len(gaps) == 1 and (gap := next(iter(gaps))) in even:
        return even[gap]
    if all(timedelta(28) <= gap <= timedelta(31) for gap in gaps):
        return _("monthly")
    return times(len(days))
