"""The clocks of patients' requests: plain arithmetic on dates, no database (law.md §0, §1, §13a).

A deadline is a `date`; days are calendar days; day 0 is the office day of receipt. Nothing rolls for a weekend or holiday
and nothing pauses a clock.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

RULE_VERSION = "2026-11"
PROMISED_DAYS = 30
EXTENSION_DAYS = 30

# kind -> (federal days or None, citation)
STATUTORY: dict[str, tuple[int | None, str]] = {
    "access": (30, "45 CFR 164.524(b)(2)"),
    "amendment": (60, "45 CFR 164.526(b)(2)"),
    "restriction": (None, "45 CFR 164.522(a)"),
    "confidential_communication": (None, "45 CFR 164.522(b)"),
    "accounting": (60, "45 CFR 164.528(c)(1)"),
}


class NotAllowedNow(Exception):
    """A rule refuses this act now; the text says which, in words for the desk."""


def due_on(received_on: date, promised_days: int = PROMISED_DAYS) -> date:
    """The last day on which acting is on time: receipt + the promised calendar days; never rolls (law.md §1)."""
    return received_on + timedelta(days=promised_days)


def statutory_days(kind: str) -> int | None:
    """The federal limit in days for this kind, or None where the law sets none. Raises KeyError for an unknown kind."""
    return STATUTORY[kind][0]


def statutory_due_on(kind: str, received_on: date, *, extended: bool = False) -> date | None:
    """The federal limit as a day (with its one 30-day extension when `extended`), or None."""
    days = statutory_days(kind)
    if days is None:
        return None
    return received_on + timedelta(days=days + (EXTENSION_DAYS if extended else 0))


def last_extension_day(first_due_on: date) -> date:
    """The latest day an extension may name: the first due date + 30."""
    return first_due_on + timedelta(days=EXTENSION_DAYS)


def check_extension(*, first_due_on: date, extended: bool, until: date, told_on: date, reason: str) -> None:
    """Raise NotAllowedNow unless this extension is lawful.

    Once; with a written reason; told on or before the first due date; to a named day after it and at most 30 days later
    (164.524(b)(2)(iii), 164.526(b)(2)(ii), 164.528(c)(1)(ii)).
    """
    if extended:
        raise NotAllowedNow(_("This request has had its one extension."))
    if not reason.strip():
        raise NotAllowedNow(_("An extension needs its reason in writing: the patient reads it."))
    if told_on > first_due_on:
        raise NotAllowedNow(_("The due date has passed. An extension must be sent on or before it."))
    if until <= first_due_on:
        raise NotAllowedNow(_("The new day must come after the present due date."))
    if until > last_extension_day(first_due_on):
        raise NotAllowedNow(
            _("The new day can be %(last)s at the latest: 30 days after the due date.") % {"last": last_extension_day(first_due_on)}
        )


def is_late(acted_on: date, due: date) -> bool:
    """Whether an act comes late. Acting on the due date is on time; the first late day is the next."""
    return acted_on > due


def days_left(due: date, on: date) -> int:
    """Days from `on` to the due date; negative when overdue."""
    return (due - on).days


def last_office_day(due: date) -> date:
    """The last day from Monday to Friday on or before the due date: a target to work to, never the deadline."""
    return due - timedelta(days=max(0, due.weekday() - 4))


@dataclass(frozen=True)
class Working:
    """How a due date was worked out, for a screen or a letter to say."""

    received_on: date
    days: int
    first_due_on: date
    extended_to: date | None
    due_on: date
    statutory_due_on: date | None
    citation: str
    rule_version: str
    last_office_day: date

    @property
    def falls_on_weekend(self) -> bool:
        """Whether the due date is a Saturday or Sunday."""
        return self.due_on.weekday() >= 5


def working(kind: str, received_on: date, promised_days: int, *, extended_to: date | None, rule_version: str = RULE_VERSION) -> Working:
    """The whole calculation of one request's clock."""
    first = due_on(received_on, promised_days)
    due = extended_to or first
    return Working(
        received_on, promised_days, first, extended_to, due,
        statutory_due_on(kind, received_on, extended=extended_to is not None),
        STATUTORY[kind][1], rule_version, last_office_day(due),
    )
