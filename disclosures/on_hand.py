"""What must be on hand before anything is released, purpose by purpose, and how much may go (law.md §8, §13a).

Plain tables and functions, no database. Each purpose code has one or more branches, the ways in which the rule lets it
happen; each branch lists its needs. An unknown code or branch is refused, and `impermissible` can't be planned.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures import purposes
from disclosures.branches import Branch, Minimum, Need, Words
from disclosures.on_hand_table import BRANCHES


class NotPlannable(LookupError):
    """Raised for a purpose that no release can be planned for: it is only written down once it has happened."""


class UnknownBranch(LookupError):
    """Raised for a branch that the purpose does not have."""


def branches(code: str) -> tuple[Branch, ...]:
    """The branches of this purpose code. Raises UnknownPurpose, and NotPlannable for `impermissible`."""
    if not purposes.purpose(code).plannable:
        raise NotPlannable(f"{code!r} can't be planned: it is written down once it has happened (45 CFR 164.402)")
    return BRANCHES[code]


def branch(code: str, way: str = "") -> Branch:
    """The branch of this purpose. Raises UnknownPurpose, NotPlannable, and UnknownBranch."""
    for found in branches(code):
        if found.code == way:
            return found
    raise UnknownBranch(f"{code!r} has no branch {way!r}")


def needs(code: str, way: str = "") -> tuple[Need, ...]:
    """What must be on hand before a release for this purpose by this branch. Raises as `branch` does."""
    return branch(code, way).needs


def missing(found: Branch, confirmed: Iterable[str]) -> list[Need]:
    """The needs of this branch that nobody has confirmed."""
    there = set(confirmed)
    return [need for need in found.needs if need.code not in there]


def minimum(code: str, way: str = "") -> Minimum:
    """Whether the minimum necessary rule applies to a release by this branch. Raises as `branch` does."""
    return branch(code, way).minimum


# The eight facts, and no others, that help to identify or locate somebody: 164.512(f)(2)(i).
LOCATE_ITEMS: dict[str, Words] = {
    "name_address": _("Name and address"),
    "birth": _("Date and place of birth"),
    "ssn": _("Social security number"),
    "blood": _("ABO blood type and rh factor"),
    "injury": _("Type of injury"),
    "treated": _("Date and time of treatment"),
    "died": _("Date and time of death, if it applies"),
    "looks": _("Distinguishing looks: height, weight, gender, race, hair and eye color, facial hair, scars, tattoos"),
}
_NEVER = (
    "dna",
    "dental",
    "teeth",
    "tooth",
    "tissue",
    "biopsy",
    "saliva",
    "semen",
    "body fluid",
    "bodily fluid",
    "genetic",
)


def locate_refusal(items: Iterable[str], facts: str) -> str:
    """Why these facts may not be given to identify or locate somebody, in words; "" when they may (164.512(f)(2)).

    Never DNA, dental records, or the typing, samples or analysis of body fluids or tissue.
    """
    chosen = set(items)
    if unknown := chosen - LOCATE_ITEMS.keys():
        return _t("Only the eight facts of the rule may be given, not: %(what)s.") % {"what": ", ".join(sorted(unknown))}
    if not chosen:
        return _t("Tick which of the eight facts are given.")
    if not facts.strip():
        return _t("Write the facts that are given.")
    said = facts.casefold()
    if found := [word for word in _NEVER if word in said]:
        return _t("Never for this purpose: %(what)s. Take it out of the facts.") % {"what": ", ".join(found)}
    return ""
