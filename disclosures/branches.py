"""The words in which disclosures/on_hand_table.py is written: a purpose's branches, their needs, how much may go."""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise

Words = str | Promise


class Asker(StrEnum):
    """Who stands at the other end: what kind of identity and authority is checked (164.514(h))."""

    PATIENT = "patient"
    REPRESENTATIVE = "representative"
    PROVIDER = "provider"
    PLAN = "plan"
    ASSOCIATE = "associate"  # a business associate, or another covered entity
    FAMILY = "family"
    OFFICIAL = "official"  # a public official, or somebody who acts for one
    COURT = "court"  # a court, a lawyer, a party
    OTHER = "other"


@dataclass(frozen=True)
class Need:
    """One thing that must be on hand. `overridable`: the privacy officer may do without it, for a reason that is kept."""

    code: str
    words: Words
    citation: str
    overridable: bool = False


@dataclass(frozen=True)
class Minimum:
    """Whether only the minimum necessary may go, and why or why not (164.502(b), 164.514(d))."""

    applies: bool
    words: Words
    citation: str

    @property
    def rule(self) -> str:
        """The citation in full."""
        return f"45 CFR {self.citation}"


class Pages(StrEnum):
    """What of the record may go by this branch."""

    ANY = "any"
    EIGHT_ITEMS = "eight items"  # 164.512(f)(2)(i): eight facts, and no page of the record
    NONE = "none"  # a limited data set: each page of the record names the patient


@dataclass(frozen=True)
class Branch:
    """One way in which the rule lets a purpose happen. `code` is "" where there is only one."""

    code: str
    label: Words
    citation: str
    asker: Asker
    needs: tuple[Need, ...]
    minimum: Minimum
    pages: Pages = Pages.ANY

    @property
    def rule(self) -> str:
        """The citation in full."""
        return f"45 CFR {self.citation}"
