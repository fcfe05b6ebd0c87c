"""The rule of the clock as dated versions. A request keeps the version it was taken in under: its limit and its words.

A change of the rule is a new row; a row that stands is never edited, for its words are what was told (law.md §0).
"""

from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Rule:
    """One version: since when it holds, the words of the office's promise, and kind -> (federal days or None, citation)."""

    version: str
    since: date
    promise: str | Promise  # filled with days and day
    statutory: dict[str, tuple[int | None, str]]


VERSIONS: dict[str, Rule] = {
    "2026-11": Rule(
        "2026-11",
        date(2026, 11, 1),
        _(
            "The office promises %(days)s calendar days, weekends and holidays counted. "
            "%(days)s days after the day of receipt is %(day)s."
        ),
        {
            "access": (30, "45 CFR 164.524(b)(2)"),
            "amendment": (60, "45 CFR 164.526(b)(2)"),
            "restriction": (None, "45 CFR 164.522(a)"),
            "confidential_communication": (None, "45 CFR 164.522(b)"),
            "accounting": (60, "45 CFR 164.528(c)(1)"),
        },
    ),
}
CURRENT = "2026-11"


def of(version: str) -> Rule:
    """The rule with this version. Raises KeyError: a request never names a version that is not here."""
    return VERSIONS[version]
