"""Who may act for a patient, on what authority, and until when (164.502(g)): tables and functions. Days are passed in.

Nothing here reads the database by itself: what stands beside a representative (its ending, its refusals, the patient)
comes with it, from `Representative.objects.with_state()`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from records.models import Entry, Patient, Representative, RepresentativeRefusal

ADULT = 18  # years
PROTECTED = 50  # years after death
ASK_OFFICER = _("Ask the privacy officer before acting for this representative.")  # all that the desk is told of a refusal


class Basis(models.TextChoices):
    """What gives somebody the right to act for the patient."""

    PARENT = "parent", _("Parent or guardian of a minor")
    POWER = "power", _("Power of attorney or health care proxy")
    COURT = "court", _("Guardian appointed by a court")
    ESTATE = "estate", _("Executor or administrator of the estate")
    OTHER_LAW = "other_law", _("Other authority under the law")


class Paper(models.TextChoices):
    """The document that shows it."""

    BIRTH = "birth", _("Birth certificate or adoption decree")
    CUSTODY = "custody", _("Custody or guardianship papers")
    OWN_WORD = "own_word", _("The parent's word, together with an ID")
    HEALTH_CARE_POWER = "health_care_power", _("Power of attorney or proxy for health care")
    FINANCE_POWER = "finance_power", _("Power of attorney for finances")
    ORDER = "order", _("Court order or letters of guardianship")
    LETTERS = "letters", _("Letters testamentary or of administration")
    STATUTE = "statute", _("The law, with a paper that shows that it applies")


class Scope(models.TextChoices):
    """For which matters."""

    HEALTH_CARE = "health_care", _("All matters of health care")
    LIMITED = "limited", _("Some matters only, in words")
    FINANCES = "finances", _("Finances only")


@dataclass(frozen=True)
class Rule:
    """One basis: its citation, the papers that show it, and whether it holds while the patient lives and after death."""

    citation: str
    papers: tuple[Paper, ...]
    in_life: bool = True
    after_death: bool = False


RULES: dict[str, Rule] = {
    Basis.PARENT: Rule("45 CFR 164.502(g)(3)", (Paper.BIRTH, Paper.CUSTODY, Paper.OWN_WORD)),
    Basis.POWER: Rule("45 CFR 164.502(g)(2)", (Paper.HEALTH_CARE_POWER, Paper.FINANCE_POWER)),
    Basis.COURT: Rule("45 CFR 164.502(g)(2)", (Paper.ORDER,)),
    Basis.ESTATE: Rule("45 CFR 164.502(g)(4)", (Paper.LETTERS,), in_life=False, after_death=True),
    Basis.OTHER_LAW: Rule("45 CFR 164.502(g)(2), 164.502(g)(4)", (Paper.STATUTE, Paper.ORDER), after_death=True),
}


def spoken(day: date) -> str:
    """A day as people read it: "Dec 4, 2026"."""
    return date_format(day, "M j, Y")


# --- days -------------------------------------------------------------------------------------------------------------


def adulthood(born: date) -> date:
    """The 18th birthday, from which a parent no longer acts. Born on Feb 29: Mar 1, as no such year has that day."""
    return _years_later(born, ADULT)


def born_by(on: date) -> date:
    """The latest birth date of those who are 18 on that day: the other way round of `adulthood`, for a search by index."""
    day = on if (on.month, on.day) != (2, 29) else on - timedelta(days=1)
    return day.replace(year=on.year - ADULT)


def protected_through(died_on: date) -> date:
    """The last day on which the record of somebody who has died is protected: the 50th anniversary (164.502(f))."""
    return _years_later(died_on, PROTECTED)


def is_protected(died_on: date | None, on: date) -> bool:
    """Whether the record is protected health information on that day; None is a patient who lives (164.502(f), 160.103)."""
    return died_on is None or on <= protected_through(died_on)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


# --- who may act --------------------------------------------------------------------------------------------------------


def refusal(representative: "Representative", on: date, *, what: "Iterable[Entry]" = ()) -> str | None:
    """Why this representative may not act for the patient on that day, in words for the screen; None when they may.

    `what` are the entries about to be released, each `with_marks()`: care that the minor consented to alone stays hidden
    from the parent (164.502(g)(3)). A refusal by the physician comes before all else, and its words say nothing of why.
    """
    for check in (_refused, _ended, _out_of_time, _of_age, _by_death, _out_of_scope):
        if words := check(representative, on):
            return words
    if any(is_hidden(entry, representative) for entry in what):
        return _t("Care that the minor consented to alone: a physician decides whether the parent sees it (164.502(g)(3)).")
    return None


def refusal_in_force(representative: "Representative", on: date) -> "RepresentativeRefusal | None":
    """The physician's refusal that binds on that day, or None (164.502(g)(5))."""
    return next((row for row in representative.refusals.all() if row.binds(on)), None)


def _refused(representative: "Representative", on: date) -> str:
    return str(ASK_OFFICER) if refusal_in_force(representative, on) else ""


def _ended(representative: "Representative", on: date) -> str:
    ending = getattr(representative, "ending", None)
    if ending is None or on < ending.ended_on:
        return ""
    return _t("The authority ended on %(day)s.") % {"day": spoken(ending.ended_on)}


def _out_of_time(representative: "Representative", on: date) -> str:
    if on < representative.begins_on:
        return _t("The authority begins on %(day)s.") % {"day": spoken(representative.begins_on)}
    if representative.expires_on and on > representative.expires_on:
        return _t("The authority expired on %(day)s.") % {"day": spoken(representative.expires_on)}
    return ""


def _of_age(representative: "Representative", on: date) -> str:
    day = adulthood(representative.patient.date_of_birth)
    if representative.basis != Basis.PARENT or on < day:
        return ""
    return _t("The patient turned 18 on %(day)s: a parent no longer acts for them (164.502(g)(3)).") % {"day": spoken(day)}


def _by_death(representative: "Representative", on: date) -> str:
    died_on, rule = representative.patient.deceased_on, RULES[representative.basis]
    if died_on is None or on < died_on:
        return "" if rule.in_life else _t("An executor acts for a patient who has died. No death is recorded in this chart.")
    if rule.after_death:
        return ""
    return _t(
        "The patient has died, and this authority ended. An executor or administrator acts now (164.502(g)(4)); family who "
        "were involved in the care may be told what concerns their part in it (164.510(b)(5))."
    )


def _out_of_scope(representative: "Representative", on: date) -> str:
    if representative.scope != Scope.FINANCES:
        return ""
    return _t("The authority is for finances only. It does not reach the health record (164.502(g)(2)).")


def is_hidden(entry: "Entry", representative: "Representative | None") -> bool:
    """Whether this entry is kept from this representative: a parent, and care that the minor consented to alone."""
    if representative is None or representative.basis != Basis.PARENT:
        return False
    mark: Any = getattr(entry, "minor_consent", None)
    return mark is not None and not mark.parent_may_see


def open_to(entries: "Iterable[Entry]", representative: "Representative | None") -> "list[Entry]":
    """Those of the entries that may go to this representative; None is the patient, to whom all may."""
    return [entry for entry in entries if not is_hidden(entry, representative)]


def active(patient: "Patient", on: date) -> "list[Representative]":
    """The representatives who may act for the patient on that day. At most three queries; one where there is none on file."""
    return [one for one in patient.representatives.with_state() if refusal(one, on) is None]


# --- what is put on file ------------------------------------------------------------------------------------------------


def problems(
    basis: str, paper: str, scope: str, *, begins_on: date, expires_on: date | None, born: date, died_on: date | None, on: date
) -> dict[str, str]:
    """What is wrong with an authority about to be put on file on that day: field -> words. {} when nothing is."""
    found = {}
    if paper not in RULES[basis].papers:
        known = ", ".join(str(one.label) for one in RULES[basis].papers)
        found["paper"] = _t("This does not show that authority. What does: %(known)s.") % {"known": known}
    if paper == Paper.FINANCE_POWER and scope != Scope.FINANCES:
        found["scope"] = _t("A power of attorney for finances reaches finances only.")
    if begins_on > on:
        found["begins_on"] = _t("This day is in the future.")
    if expires_on and expires_on < begins_on:
        found["expires_on"] = _t("This day comes before the authority begins.")
    if basis == Basis.PARENT and begins_on >= adulthood(born):
        found["basis"] = _t("The patient was 18 by then: a parent does not act for an adult (164.502(g)(2)).")
    if not RULES[basis].in_life and died_on is None:
        found["basis"] = _t(
            "No death is recorded in this chart. Record it first: only then does an executor act (164.502(g)(4))."
        )
    if not RULES[basis].after_death and died_on and begins_on >= died_on:
        found["basis"] = _t("The patient had died by then: an executor or administrator acts (164.502(g)(4)).")
    return found
