"""How long what the rule wants kept is kept, and from which day it may be purged: plain functions, no database.

Six years from the day a document was made or was last in effect, whichever is later (164.530(j)(2)). Nothing here purges:
docs/retention.md describes how that is done outside of Meso.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils.translation import gettext as _

from disclosures.accounting_rules import YEARS_BACK, look_back_start

_DAY = timedelta(days=1)


def six_years_after(day: date) -> date:
    """The same day six years on; Feb 29 becomes Mar 1, since nothing may go a day too early."""
    try:
        return day.replace(year=day.year + YEARS_BACK)
    except ValueError:
        return date(day.year + YEARS_BACK, 3, 1)


def keep_through(created: date, last_in_effect: date | None = None) -> date:
    """The last day on which it must be there: six years from when it was made or was last in effect, the later of the two."""
    return six_years_after(max(created, last_in_effect or created))


def purge_from(created: date, last_in_effect: date | None = None) -> date:
    """The first day on which it may be purged."""
    return keep_through(created, last_in_effect) + _DAY


def disclosure_purge_from(days: Iterable[date]) -> date:
    """The first day on which no request for an accounting can reach these disclosures any more (164.528(a)(1)).

    `days` are those of one series, or of a single disclosure: a series is told in one line, and counts from its last day.
    Raises ValueError for no day. A request of Feb 29 looks back to Feb 28, so a leap year keeps a disclosure a day longer.
    """
    last = max(days)
    free = purge_from(last)
    while look_back_start(free) <= last:
        free += _DAY
    return free


def why_not(on: date, free: date, *, is_held: bool = False, has_open_request: bool = False) -> str:
    """Why something may not be purged on that day, in words; "" when it may. `free` is what `purge_from` says."""
    if on < free:
        return _("It must be kept until the day before %(day)s.") % {"day": free.isoformat()}
    if is_held:
        return _("A legal hold is in force.")
    return _("The patient has an open request.") if has_open_request else ""
