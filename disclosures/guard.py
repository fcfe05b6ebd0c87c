"""The guard before anything leaves the office: what is planned, and each check of it, green or refused with its reason.

No database in here. Checks are functions of the plan alone; they register themselves, also from the rooms above.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from disclosures import on_hand
from disclosures.authorization_rules import Use
from disclosures.branches import Branch
from records.models import Attachment, Entry, Patient, WayOut


class Means(models.TextChoices):
    """How it goes out."""

    MAIL = "mail", _("On paper, by mail")
    PICK_UP = "pick_up", _("On paper, handed over")
    FAX = "fax", _("By fax")
    ELECTRONIC = "electronic", _("Electronically")
    INSPECT = "inspect", _("Looked at here; nothing leaves")

    @property
    def way_out(self) -> WayOut:
        """The way in which it reaches a person, whose wish is asked about it."""
        return {
            "mail": WayOut.MAIL,
            "pick_up": WayOut.HANDED_OVER,
            "fax": WayOut.FAX,
            "electronic": WayOut.ENCRYPTED_EMAIL,
            "inspect": WayOut.HANDED_OVER,
        }[self.value]


@dataclass(frozen=True)
class Plan:
    """One release as it is planned: to whom, why, what, and what the desk has confirmed."""

    patient: Patient
    on: date
    purpose_code: str
    branch: str = ""
    purpose: str = ""  # why, in words
    recipient: str = ""
    address: str = ""
    means: str = Means.PICK_UP
    entries: tuple[Entry, ...] = ()
    loose: tuple[Attachment, ...] = ()  # files under no entry
    items: tuple[str, ...] = ()  # of the eight facts of 164.512(f)(2)(i)
    said: str = ""  # those facts, or what else goes, in words
    confirmed: frozenset[str] = frozenset()  # the needs that are on hand
    basis: str = ""  # what is on hand, in words
    minimum_confirmed: bool = False
    verified_ways: tuple[str, ...] = ()  # of records.verification.Way
    identifiers: tuple[str, ...] = ()  # of records.verification.Identifier: the facts that matched
    verified_on: date | None = None
    verified_words: str = ""  # a check that was recorded before, as a request has one
    emergency: bool = False  # the patient needs emergency treatment
    authorization: Any = None
    use: str = Use.ORDINARY  # one that an authorization must name by itself
    paid: bool = False  # somebody pays the office for that use
    representative: Any = None
    request_number: str = ""
    way_asked: bool = False  # the patient asks for this very way in the request
    paper_pages: int = 0  # photocopied from a paper chart

    @property
    def way(self) -> Branch | None:
        """The branch that this plan goes by, or None where there is none such."""
        try:
            return on_hand.branch(self.purpose_code, self.branch)
        except LookupError:
            return None

    @property
    def to_patient(self) -> bool:
        """Whether it goes to the patient in person."""
        return (self.purpose_code, self.branch) == ("individual", "patient")


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    REFUSED = "refused"
    WARNING = "warning"
    NOT_CONCERNED = "not_concerned"


@dataclass(frozen=True)
class Check:
    """One check of a plan: how it came out, why, and under which rule. `overridable`: the law leaves the officer room."""

    state: State
    reason: str | Promise
    citation: str = ""
    overridable: bool = False
    name: str = ""
    label: str | Promise = field(default="", compare=False)

    @property
    def is_refused(self) -> bool:
        """Whether it stands in the way of the release."""
        return self.state == State.REFUSED


def ok(reason: str | Promise, citation: str = "") -> Check:
    """A green check."""
    return Check(State.OK, reason, citation)


def refused(reason: str | Promise, citation: str = "", *, overridable: bool = False) -> Check:
    """A check that stands in the way; `overridable` where the law leaves the privacy officer room."""
    return Check(State.REFUSED, reason, citation, overridable)


def warning(reason: str | Promise, citation: str = "") -> Check:
    """Something to know that does not stand in the way."""
    return Check(State.WARNING, reason, citation)


def not_concerned(reason: str | Promise, citation: str = "") -> Check:
    """The rule says nothing about this plan."""
    return Check(State.NOT_CONCERNED, reason, citation)


Rule = Callable[[Plan], Check]


@dataclass(frozen=True)
class _Registered:
    name: str
    label: str | Promise
    order: int
    rule: Rule


_rules: dict[str, _Registered] = {}


def check(name: str, label: str | Promise, *, order: int) -> Callable[[Rule], Rule]:
    """Register a check under this name; the same name again takes its place. Lower orders come first."""

    def keep(rule: Rule) -> Rule:
        _rules[name] = _Registered(name, label, order, rule)
        return rule

    return keep


def names() -> list[str]:
    """The names of all checks, in order."""
    return [one.name for one in sorted(_rules.values(), key=lambda registered: (registered.order, registered.name))]


def checks(plan: Plan) -> list[Check]:
    """Every check of this plan, in order. A plan without a known purpose gets the check of the purpose alone."""
    found = []
    for one in sorted(_rules.values(), key=lambda registered: (registered.order, registered.name)):
        came_out = one.rule(plan)
        found.append(Check(came_out.state, came_out.reason, came_out.citation, came_out.overridable, one.name, one.label))
        if plan.way is None:
            break
    return found


def is_clear(found: list[Check], overrides: Mapping[str, str]) -> bool:
    """Whether nothing stands in the way: each refused check is one that the law leaves room for, and has its reason."""
    return bool(found) and not standing(found, overrides)


def standing(found: list[Check], overrides: Mapping[str, str]) -> list[Check]:
    """The refused checks that stand in the way still."""
    return [one for one in found if one.is_refused and not (one.overridable and overrides.get(one.name, "").strip())]


# --- what the recipient must be told -----------------------------------------------------------------------------------

Notice = Callable[[Plan], str | Promise]
_notices: list[Notice] = []


def notice(rule: Notice) -> Notice:
    """Register a sentence that some plans put into their cover letter; "" where it is not due."""
    _notices.append(rule)
    return rule


def notices(plan: Plan) -> list[str]:
    """What the cover letter of this plan must say beside what is enclosed."""
    return [str(words) for rule in _notices if (words := rule(plan))]
