"""What of a record a patient's right of access does not reach, with its citation (164.524(a)(1)(i)-(ii); law.md §2, §11).

Two things and no others: psychotherapy notes, and what was put together for a court or agency case. Laboratory results
are open to the patient since 2014. Plain tables; the rows are records.models.flags.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from records.models import Entry


class Kind(models.TextChoices):
    """What a flag says of an entry."""

    PSYCHOTHERAPY_NOTES = "psychotherapy_notes", _("Psychotherapy notes")
    LITIGATION = "litigation", _("Put together for a proceeding")
    PART2 = "part2", _("Record under 42 CFR Part 2")


@dataclass(frozen=True)
class Exclusion:
    """Why the right of access does not reach an entry: the kind of flag, its words, the citation."""

    kind: str
    words: str | Promise
    citation: str


EXCLUSIONS: dict[str, Exclusion] = {
    Kind.PSYCHOTHERAPY_NOTES: Exclusion(Kind.PSYCHOTHERAPY_NOTES, _("psychotherapy notes"), "45 CFR 164.524(a)(1)(i)"),
    Kind.LITIGATION: Exclusion(Kind.LITIGATION, _("put together for a court or agency case"), "45 CFR 164.524(a)(1)(ii)"),
}

# What each flag does, for whoever sets one.
WHAT_IT_DOES: dict[str, str | Promise] = {
    Kind.PSYCHOTHERAPY_NOTES: _(
        "Notes of a mental health professional about a counseling session, kept apart from the rest of the record. Not "
        "medicines, session times, diagnosis, plan, symptoms or progress. Left out of the patient's copies "
        "(45 CFR 164.524(a)(1)(i), 164.501)."
    ),
    Kind.LITIGATION: _(
        "Only what was put together for a civil, criminal or agency case. The chart itself stays open to the patient, "
        "whatever case there is. Left out of the patient's copies (45 CFR 164.524(a)(1)(ii))."
    ),
    Kind.PART2: _(
        "Comes from a federally assisted program for substance use disorders. The patient may have it; to others it goes "
        "only with the consent or court order that 42 CFR Part 2 asks for."
    ),
}  # fmt: skip


def excluded(entry: "Entry") -> Exclusion | None:
    """Why this entry is left out of a copy for the patient, or None. Costs no query for an entry that comes `with_marks()`."""
    kinds = {flag.kind for flag in entry.flags.all() if flag.stands}
    return next((EXCLUSIONS[kind] for kind in EXCLUSIONS if kind in kinds), None)


def is_psychotherapy_notes(entry: "Entry") -> bool:
    """Whether an entry is flagged as psychotherapy notes. Costs no query for an entry that comes `with_marks()`."""
    return any(flag.kind == Kind.PSYCHOTHERAPY_NOTES and flag.stands for flag in entry.flags.all())


def is_part2(entry: "Entry") -> bool:
    """Whether this entry is a record under 42 CFR Part 2: to others only with that rule's consent or order."""
    return any(flag.kind == Kind.PART2 and flag.stands for flag in entry.flags.all())


def counted(entries: Iterable["Entry"]) -> list[tuple[Exclusion, int]]:
    """How many of these entries are left out, exclusion by exclusion; those with none are not counted."""
    found = [exclusion for entry in entries if (exclusion := excluded(entry))]
    return [(exclusion, found.count(exclusion)) for exclusion in EXCLUSIONS.values() if exclusion in found]
