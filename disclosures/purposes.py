"""Why information left the office: every purpose code, what it means, and whether an accounting lists it (law.md §7–8).

Plain tables, no database. `treatment`, `payment` and `operations` are exempt: they never enter the log
(45 CFR 164.528(a)(1)(i)). An unknown code is refused, never taken for an exempt one.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Scope(StrEnum):
    """How wide an accounting is: the office's promise (default) or the federal minimum."""

    NOTICE = "notice"
    HIPAA = "hipaa"


@dataclass(frozen=True)
class Purpose:
    """One purpose code.

    `hipaa` and `notice` say whether an accounting of that scope lists it; `held` that it is listed under `notice` only once
    the privacy officer has decided so; `groups` that repeats to one recipient may be summarised (164.528(b)(3));
    `exclusion` is the citation of why `hipaa` leaves it out, or "".
    """

    code: str
    label: str | Promise
    citation: str
    hipaa: bool
    notice: bool
    exclusion: str = ""
    groups: bool = False
    held: bool = False
    plannable: bool = True

    @property
    def exempt(self) -> bool:
        """Whether it stays out of the log altogether: treatment, payment, operations."""
        return self.code in EXEMPT

    @property
    def authorization_required(self) -> bool:
        """Whether it goes out only on the patient's authorization (164.508)."""
        return self.code == "authorization"


@dataclass(frozen=True)
class Part:
    """One of the cases that a purpose's rule knows, where it matters which."""

    label: str | Promise
    citation: str


EXEMPT = ("treatment", "payment", "operations")
_A1 = "45 CFR 164.528(a)(1)"


def _p(code: str, label: str | Promise, citation: str, hipaa: bool, notice: bool, exclusion: str = "", **flags: bool) -> Purpose:
    return Purpose(code, label, f"45 CFR {citation}", hipaa, notice, f"{_A1}({exclusion})" if exclusion else "", **flags)


PURPOSES: dict[str, Purpose] = {
    purpose.code: purpose
    for purpose in (
        _p("treatment", _("Treatment: to another provider who cares for the patient"), "164.506(c)", False, False, "i"),
        _p("payment", _("Payment: billing, a health plan, a collection"), "164.506(c)", False, False, "i"),
        _p(
            "operations",
            _("Operations: quality, audit, training, a service working for the office"),
            "164.506(c)",
            False,
            False,
            "i",
        ),
        _p("individual", _("To the patient or their representative"), "164.502(a)(1)(i)", False, False, "ii"),
        _p("authorization", _("On the patient's signed authorization"), "164.508", False, True, "iv"),
        _p("family_emergency", _("To family, in an emergency"), "164.510(b)(1)(ii)", False, True, "v"),
        _p("involved_in_care", _("To someone involved in the patient's care"), "164.510(b)(1)(i)", False, True, "v"),
        _p("required_by_law", _("Required by a law"), "164.512(a)", True, True, groups=True),
        _p("public_health", _("Public health report, recall or adverse event"), "164.512(b)", True, True, groups=True),
        _p("abuse_neglect", _("Report of abuse, neglect or violence"), "164.512(b)(1)(ii), (c)", True, True, groups=True),
        _p("health_oversight", _("Health oversight agency: board, inspector, audit"), "164.512(d)", True, True, groups=True),
        _p("court_order", _("Order of a court or tribunal"), "164.512(e)(1)(i)", True, True, groups=True),
        _p("subpoena", _("Subpoena or discovery request"), "164.512(e)(1)(ii)", True, True, groups=True),
        _p("law_enforcement", _("Police or other law enforcement"), "164.512(f)", True, True, groups=True),
        _p("decedent", _("Coroner, medical examiner or funeral director"), "164.512(g)", True, True, groups=True),
        _p("organ_donation", _("Organ or tissue donation"), "164.512(h)", True, True, groups=True),
        _p("research", _("Research without the patient's authorization"), "164.512(i)", True, True, groups=True),
        _p("serious_threat", _("To avert a serious and imminent threat"), "164.512(j)", True, True, groups=True),
        _p(
            "specialized_government",
            _("Military, veterans, protective services, benefits agency"),
            "164.512(k)(1), (3), (4), (6)",
            True,
            True,
            groups=True,
        ),
        _p("national_security", _("National security or intelligence"), "164.512(k)(2)", False, True, "vi", held=True),
        _p("correctional", _("Jail, prison or custody"), "164.512(k)(5)", False, True, "vii", groups=True),
        _p("workers_compensation", _("Workers' compensation"), "164.512(l)", True, True, groups=True),
        _p("limited_data_set", _("Limited data set under a data use agreement"), "164.514(e)", False, False, "viii"),
        _p(
            "impermissible",
            _("Went out by mistake, without permission (a possible breach)"),
            "164.402",
            True,
            True,
            plannable=False,
        ),
    )
}


# The cases of a purpose, where the rule treats them apart (law.md §8). A row of the log may say which; it need not.
PARTS: dict[str, dict[str, Part]] = {
    "required_by_law": {
        "law": Part(_("A statute, regulation or order other than a court’s"), "45 CFR 164.512(a)"),
        "hhs": Part(_("The Secretary of HHS, who checks whether the office keeps the rules"), "45 CFR 164.502(a)(2)(ii)"),
    },
    "public_health": {
        "authority": Part(_("A public health authority"), "45 CFR 164.512(b)(1)(i)"),
        "fda": Part(_("Adverse event or recall of a product, to whom the FDA holds responsible"), "45 CFR 164.512(b)(1)(iii)"),
        "exposed": Part(_("Somebody exposed to a communicable disease"), "45 CFR 164.512(b)(1)(iv)"),
        "workplace": Part(_("An employer, about the workplace"), "45 CFR 164.512(b)(1)(v)"),
        "school": Part(_("A school, about immunization"), "45 CFR 164.512(b)(1)(vi)"),
    },
    "abuse_neglect": {
        "child": Part(_("Abuse or neglect of a child"), "45 CFR 164.512(b)(1)(ii)"),
        "adult": Part(_("Abuse, neglect or violence against an adult"), "45 CFR 164.512(c)"),
    },
    "law_enforcement": {
        "process": Part(_("Required by law, warrant, grand jury or administrative request"), "45 CFR 164.512(f)(1)"),
        "locate": Part(_("To identify or find a person: eight items only"), "45 CFR 164.512(f)(2)"),
        "victim": Part(_("About the victim of a crime"), "45 CFR 164.512(f)(3)"),
        "death": Part(_("A death that may be a crime"), "45 CFR 164.512(f)(4)"),
        "premises": Part(_("A crime on the premises"), "45 CFR 164.512(f)(5)"),
        "emergency": Part(_("A crime reported in an emergency"), "45 CFR 164.512(f)(6)"),
    },
}


# Where the release desk asks more finely than the log: (purpose, branch of the desk) -> part.
_PART_OF_BRANCH: dict[tuple[str, str], str] = {
    ("required_by_law", "statute"): "law",
    ("abuse_neglect", "adult_required"): "adult",
    ("abuse_neglect", "adult_agreed"): "adult",
    ("abuse_neglect", "adult_authorized"): "adult",
    ("law_enforcement", "injury_report"): "process",
    ("law_enforcement", "warrant"): "process",
    ("law_enforcement", "grand_jury"): "process",
    ("law_enforcement", "administrative"): "process",
    ("law_enforcement", "victim_agreed"): "victim",
    ("law_enforcement", "victim_incapacity"): "victim",
}


def part_of_branch(code: str, branch: str) -> str:
    """The part of its rule that a release on this branch of the desk belongs to, for its row of the log; "" where it has none."""
    return branch if branch in PARTS.get(code, {}) else _PART_OF_BRANCH.get((code, branch), "")


def copy_may_stand_for_purpose(code: str) -> bool:
    """Whether a copy of the written request may stand in place of the purpose: for HHS and 164.512 (164.528(b)(2)(iv))."""
    return code in PURPOSES and PURPOSES[code].citation.startswith("45 CFR 164.512(")


class UnknownPurpose(LookupError):
    """Raised for a code that is not in the table; it is refused, never guessed."""


def purpose(code: str) -> Purpose:
    """The purpose with this code. Raises UnknownPurpose."""
    try:
        return PURPOSES[code]
    except KeyError:
        raise UnknownPurpose(f"{code!r} is not a purpose code") from None


def codes_listed(scope: Scope) -> list[str]:
    """The codes that an accounting of this scope lists; held ones are listed by decision, row by row, and are not in here."""
    return [p.code for p in PURPOSES.values() if (p.notice if scope == Scope.NOTICE else p.hipaa) and not p.held]


def codes_held(scope: Scope) -> list[str]:
    """The codes that this scope lists only where the privacy officer has decided so."""
    return [p.code for p in PURPOSES.values() if p.held and scope == Scope.NOTICE]


def choices() -> list[tuple[str, str | Promise]]:
    """All codes with their plain words, in the table's order."""
    return [(p.code, p.label) for p in PURPOSES.values()]
