"""The one module that reads the clock. Rules take `on: date` or `at: datetime` and never look for themselves."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.utils import timezone


def now() -> datetime:
    """This instant, aware, in UTC."""
    return timezone.now()


def today() -> date:
    """The day on the office's clock (law.md §1): the zone that OfficeMiddleware or a command has made current."""
    return timezone.localdate()


def office_day(at: datetime) -> date:
    """The office's calendar day of an instant: a request that arrives at 23:30 arrived that day, not the next in UTC."""
    return timezone.localdate(at)


def midnight(day: date) -> datetime:
    """The instant at which that day begins on the office's clock."""
    return timezone.make_aware(datetime.combine(day, time.min))


def set_zone(name: str) -> None:
    """Make the office's time zone current for this thread. Raises zoneinfo.ZoneInfoNotFoundError on an unknown name."""
    timezone.activate(ZoneInfo(name))
