"""The clocks of patients' requests: plain arithmetic on dates, no database (law.md §0, §1, §13a).

A deadline is a `date`; days are calendar days; day 0 is the office day of receipt. Nothing rolls for a weekend or holiday
and nothing pauses a clock.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from meso.days import in_words
from requests_app import office_days, rules
from requests_app.office_days import last_office_day

PROMISED_DAYS = 30
EXTENSION_DAYS = 30


class NotAllowedNow(Exception):
    """A rule refuses this act now; the text says which, in words for the desk. `field` names the fact that is amiss, or is ""."""

    def __init__(self, text: str, field: str = ""):
        self.field = field
        super().__init__(text)


def spoken(day: date) -> str:
    """A day as people read it: "Dec 24, 2026"."""
    return date_format(day, "SHORT_DAY")


def due_on(received_on: date, promised_days: int = PROMISED_DAYS) -> date:
    """The last day on which acting is on time: receipt + the promised calendar days; never rolls (law.md §1)."""
    return received_on + timedelta(days=promised_days)


def statutory_days(kind: str, rule_version: str = "") -> int | None:
    """The federal limit in days for this kind under that version of the rule ("" is the current one), or None.

    Raises KeyError for an unknown kind.
    """
    return rules.of(rule_version or rules.CURRENT).statutory[kind][0]


def statutory_due_on(kind: str, received_on: date, *, extended: bool = False, rule_version: str = "") -> date | None:
    """The federal limit as a day (with its one 30-day extension when `extended`), or None."""
    days = statutory_days(kind, rule_version)
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
        raise NotAllowedNow(_("An extension needs its reason in writing: the patient reads it."), "reason")
    due, last = {"due": spoken(first_due_on)}, last_extension_day(first_due_on)
    if told_on > first_due_on:
        raise NotAllowedNow(_("An extension must be sent on or before the due date, %(due)s.") % due, "told_on")
    if until <= first_due_on:
        raise NotAllowedNow(_("The new day must come after the present due date, %(due)s.") % due, "until")
    if until > last:
        latest = _("The new day can be %(last)s at the latest: 30 days after the due date.") % {"last": spoken(last)}
        raise NotAllowedNow(latest, "until")


def is_late(acted_on: date, due: date) -> bool:
    """Whether an act comes late. Acting on the due date is on time; the first late day is the next."""
    return acted_on > due


def days_left(due: date, on: date) -> int:
    """Days from `on` to the due date; negative when overdue."""
    return (due - on).days


def timeliness(acted_on: date, due: date) -> str:
    """How the end of a clock reads: "On time." or "2 days late."."""
    return f"{in_words((due - acted_on).days)}." if is_late(acted_on, due) else _("On time.")


def weekend_note(due: date) -> str:
    """What to know of a due date on which nobody works: "Falls on a Sunday; last office day Fri, Jan 30." "" on an office day."""
    closed = office_days.why_closed(due)
    if not closed:
        return ""
    return _("Falls on %(what)s; last office day %(day)s.") % {"what": closed, "day": date_format(last_office_day(due), "D, M j")}


@dataclass(frozen=True)
class Working:
    """How a due date was worked out, for a screen or a letter to say."""

    received_on: date
    days: int
    first_due_on: date
    extended_to: date | None
    due_on: date
    statutory_days: int | None
    statutory_due_on: date | None
    citation: str
    rule_version: str
    promise: str  # in the words of that version
    last_office_day: date

    @property
    def note(self) -> str:
        """What to know when nobody works on the due date, or ""."""
        return weekend_note(self.due_on)

    @property
    def last_extension_day(self) -> date:
        """The latest day that an extension may name, or might have named."""
        return last_extension_day(self.first_due_on)

    @property
    def federal_limit(self) -> date | None:
        """The federal limit where it is another day than the due date, or None."""
        return self.statutory_due_on if self.statutory_due_on != self.due_on else None


def working(kind: str, received_on: date, promised_days: int, *, extended_to: date | None, rule_version: str = "") -> Working:
    """The whole calculation of one request's clock, under the version of the rule that it was taken in under."""
    rule = rules.of(rule_version or rules.CURRENT)
    first = due_on(received_on, promised_days)
    due = extended_to or first
    return Working(
        received_on=received_on,
        days=promised_days,
        first_due_on=first,
        extended_to=extended_to,
        due_on=due,
        statutory_days=statutory_days(kind, rule.version),
        statutory_due_on=statutory_due_on(kind, received_on, extended=extended_to is not None, rule_version=rule.version),
        citation=rule.statutory[kind][1],
        rule_version=rule.version,
        promise=str(rule.promise) % {"days": promised_days, "day": date_format(first, "WEEKDAY")},
        last_office_day=last_office_day(due),
    )
