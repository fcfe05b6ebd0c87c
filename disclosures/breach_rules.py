"""A breach of patients' information: presumed until four factors say otherwise, and whom to tell by when (164.402–164.412).

Plain functions and tables, no database; days are passed in (law.md §10).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

DAYS = 60  # from the discovery; for HHS, of few people, from the end of the year of the discovery
MANY = 500  # people, for HHS; a state's residents, for the media, are more than that

# The four factors: a breach is presumed unless they show a low probability that the information was compromised.
FACTORS: dict[str, tuple[str | Promise, str]] = {
    "kinds": (_("What kinds of information, and how easily somebody is known by it"), "45 CFR 164.402(2)(i)"),
    "who": (_("Who used it, or to whom it went"), "45 CFR 164.402(2)(ii)"),
    "seen": (_("Whether it was really acquired or looked at"), "45 CFR 164.402(2)(iii)"),
    "mended": (_("How far the risk has been lessened"), "45 CFR 164.402(2)(iv)"),
}

# What a letter to a person must say; one that lacks a part can't be made.
CONTENTS: dict[str, tuple[str | Promise, str]] = {
    "happened": (_("What happened"), "45 CFR 164.404(c)(1)(A)"),
    "kinds": (_("Which kinds of information"), "45 CFR 164.404(c)(1)(B)"),
    "steps": (_("What you can do to protect yourself"), "45 CFR 164.404(c)(1)(C)"),
    "doing": (_("What we are doing"), "45 CFR 164.404(c)(1)(D)"),
    "contact": (_("Whom to ask"), "45 CFR 164.404(c)(1)(E)"),
}

# How people may be told: by mail, by e-mail where they agreed; where they can't be reached, in their stead.
WAYS: dict[str, tuple[str | Promise, str]] = {
    "mail": (_("First-class mail to the last known address"), "45 CFR 164.404(d)(1)"),
    "email": (_("E-mail: each of them has agreed to it"), "45 CFR 164.404(d)(1)"),
    "few": (_("Another way, for fewer than 10 with no good address: telephone, another letter"), "45 CFR 164.404(d)(2)(i)"),
    "many": (
        _("For 10 or more with no good address: 90 days on our website or in the media, with a toll-free number"),
        "45 CFR 164.404(d)(2)(ii)",
    ),
}


@dataclass(frozen=True)
class Duty:
    """Somebody to be told: whom, by when at the latest, and why by then."""

    key: str
    label: str
    due_on: date
    citation: str


def individuals_by(discovered_on: date, delayed_through: date | None = None) -> date:
    """The last day to tell the people themselves: sixty days from discovery, and sooner if it can be (164.404(b)).

    A law-enforcement delay in force on that day puts it to the day after the delay (164.412).
    """
    return _after(discovered_on + timedelta(days=DAYS), delayed_through)


def media_states(residents: Mapping[str, int]) -> list[str]:
    """The states of which more than 500 residents are concerned: their media are told (164.406(a))."""
    return sorted(state for state, count in residents.items() if count > MANY)


def hhs_by(discovered_on: date, people: int, delayed_through: date | None = None) -> date:
    """The last day to tell HHS (164.408): of 500 or more with the people; of fewer 60 days after the year of discovery."""
    if people >= MANY:
        return individuals_by(discovered_on, delayed_through)
    return _after(date(discovered_on.year, 12, 31) + timedelta(days=DAYS), delayed_through)


def _after(due_on: date, delayed_through: date | None) -> date:
    return max(due_on, delayed_through + timedelta(days=1)) if delayed_through else due_on


def duties(
    discovered_on: date, people: int | None, residents: Mapping[str, int], delayed_through: date | None = None
) -> list[Duty]:
    """Whom to tell, first to last; of a number not yet known the people alone."""
    by = individuals_by(discovered_on, delayed_through)
    found = [Duty("individuals", _t("The patients themselves"), by, "45 CFR 164.404(b)")]
    if people is None:
        return found
    if states := media_states(residents):
        label = _t("The media of %(states)s") % {"states": ", ".join(states)}
        found.append(Duty("media", label, by, "45 CFR 164.406"))
    hhs = hhs_by(discovered_on, people, delayed_through)
    citation = "45 CFR 164.408(b)" if people >= MANY else "45 CFR 164.408(c)"
    return [*found, Duty("hhs", _t("The Secretary of Health and Human Services"), hhs, citation)]
