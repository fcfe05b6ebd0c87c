"""What a restriction forbids: plain rules without a database (164.522(a); law.md §5).

A restriction that the office agreed to binds for treatment, payment, operations and sharing with those involved in the
care, and for nothing else (164.522(a)(1)(i), (v)). The mandatory one keeps what was paid for in full from a health plan,
for payment and operations, line by line (164.522(a)(1)(vi)).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Covers(models.TextChoices):
    """The purposes that a restriction may cover (164.522(a)(1)(i)); the codes are those of disclosures/purposes.py."""

    TREATMENT = "treatment", _("Treatment")
    PAYMENT = "payment", _("Payment")
    OPERATIONS = "operations", _("Health care operations")
    INVOLVED_IN_CARE = "involved_in_care", _("Telling those involved in the care")
    FAMILY_EMERGENCY = "family_emergency", _("Telling the family in an emergency")


class Recipient(models.TextChoices):
    """Kinds of recipients, as far as restrictions tell them apart."""

    HEALTH_PLAN = "health_plan", _("A health plan, or whoever works for one")
    PROVIDER = "provider", _("Another physician, hospital or pharmacy")
    INVOLVED = "involved", _("Family, friends and others involved in the care")
    OTHER = "other", _("Anybody else")


class Outcome(StrEnum):
    """What a restriction says of a release."""

    BLOCKED = "blocked"  # it may not go out
    EMERGENCY = "emergency"  # it may, with the letter that asks not to use or disclose it further
    BANNER = "banner"  # it may: the restriction is shown, and does not bind for this purpose
    FREE = "free"  # the restriction is not concerned


@dataclass(frozen=True)
class Verdict:
    """What one restriction says of one release, in words for the screen, with the rule."""

    outcome: Outcome
    words: str | Promise = ""
    citation: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the release must not go out."""
        return self.outcome == Outcome.BLOCKED


@dataclass(frozen=True)
class Terms:
    """A restriction as the rules see it. Empty `covers`, `kept_from` and `entries` mean all of them.

    `service_on` is the day of the service that a mandatory restriction is about; without entries it takes in that day's.
    `told_on` is the day the office gave notice that it no longer keeps it for what comes later, `ended_on` that of its end.
    """

    begins_on: date
    mandatory: bool = False
    covers: frozenset[str] = frozenset()
    kept_from: frozenset[str] = frozenset()
    entries: frozenset[int] = frozenset()
    service_on: date | None = None
    told_on: date | None = None
    ended_on: date | None = None


@dataclass(frozen=True)
class Line:
    """One entry as the rules see it: its key, its day of service, the day on which it was written or received."""

    entry: int
    service_on: date
    made_on: date


FREE = Verdict(Outcome.FREE)
_TO_A_PLAN = frozenset({Covers.PAYMENT, Covers.OPERATIONS})


def stands(terms: Terms, on: date) -> bool:
    """Whether the restriction has begun and was not ended by that day."""
    return terms.begins_on <= on and not (terms.ended_on and terms.ended_on <= on)


def holds_for(terms: Terms, line: Line, on: date) -> bool:
    """Whether the restriction is in force for this entry on this day (164.522(a)(2)).

    A notice of the office frees only what was both done and written after the day of the notice, never what is mandatory.
    """
    if not stands(terms, on):
        return False
    told = terms.told_on
    if told and told <= on and not terms.mandatory and min(line.service_on, line.made_on) > told:
        return False
    if terms.entries:
        return line.entry in terms.entries
    return not terms.mandatory or line.service_on == terms.service_on


def verdict(
    terms: Terms, lines: Iterable[Line] | None, *, purpose: str, recipient: str, on: date, emergency: bool = False
) -> Verdict:
    """What the restriction says of a release of these entries (None: nobody knows which) for this purpose code on this day.

    `recipient` is one of Recipient. `emergency`: the entries are needed to treat the patient in an emergency, which lets
    them go to a provider and asks for the letter (164.522(a)(1)(iii)-(iv)).
    """
    if purpose in ("individual", ""):
        return FREE
    concerned = stands(terms, on) if lines is None else any(holds_for(terms, line, on) for line in lines)
    if not concerned:
        return FREE
    if purpose not in Covers:
        words = _("There is a restriction. It does not stop what a law asks for or permits outside care and its payment.")
        return Verdict(Outcome.BANNER, words, "45 CFR 164.522(a)(1)(v)")
    return _of_mandatory(purpose, recipient) if terms.mandatory else _of_agreed(terms, purpose, recipient, emergency)


def _of_mandatory(purpose: str, recipient: str) -> Verdict:
    if recipient != Recipient.HEALTH_PLAN or purpose not in _TO_A_PLAN:
        return FREE
    words = _("Paid for in full by the patient, who keeps it from the health plan: the plan may not have it.")
    return Verdict(Outcome.BLOCKED, words, "45 CFR 164.522(a)(1)(vi)")


def _of_agreed(terms: Terms, purpose: str, recipient: str, emergency: bool) -> Verdict:
    if (terms.covers and purpose not in terms.covers) or (terms.kept_from and recipient not in terms.kept_from):
        return FREE
    if emergency and purpose == Covers.TREATMENT and recipient == Recipient.PROVIDER:
        words = _("An emergency: it may go out, with the letter that asks not to use or disclose it further.")
        return Verdict(Outcome.EMERGENCY, words, "45 CFR 164.522(a)(1)(iii)-(iv)")
    return Verdict(Outcome.BLOCKED, _("The office has agreed not to use or disclose it so."), "45 CFR 164.522(a)(1)(iii)")
