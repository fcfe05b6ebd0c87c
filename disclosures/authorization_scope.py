"""How far a valid form reaches: to whom, which entries, what for (164.508(b)(1), (c)(1)). Plain functions, no database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures.authorization_rules import DIRECTIVE_RULE, Defect, FormFacts, Kind, Notes, Remuneration, Use, plain

_508 = "45 CFR 164.508"

# The only purposes for which psychotherapy notes may go out without an authorization, and what must hold of each. Every
# other code, and treatment by anybody but the writer of the notes, needs one (164.508(a)(2)).
NOTES_WITHOUT_AUTHORIZATION: dict[str, tuple[str | Promise, str]] = {
    "treatment": (_("the one who wrote the notes uses them to treat"), f"{_508}(a)(2)(i)(A)"),
    "operations": (
        _("the office’s own training in counseling, or its defense in a case that the patient brought"),
        f"{_508}(a)(2)(i)(B), (C)",
    ),
    "required_by_law": (_("a law demands it, or the Secretary of Health and Human Services asks"), f"{_508}(a)(2)(ii)"),
    "health_oversight": (_("the oversight is of the one who wrote the notes"), f"{_508}(a)(2)(ii)"),
    "decedent": (_("it goes to a coroner or medical examiner"), f"{_508}(a)(2)(ii)"),
    "serious_threat": (_("it averts a serious and imminent threat"), f"{_508}(a)(2)(ii)"),
}


class Part(Protocol):
    """What is looked at of an entry of the chart."""

    pk: int
    kind: str
    service_on: date
    on_paper: bool


@dataclass(frozen=True)
class Ticked:
    """What a form's ticks reach: kinds, single entries, days of service. With none of them its words alone say it."""

    kinds: frozenset[str] = frozenset()
    entries: frozenset[int] = frozenset()
    since: date | None = None
    until: date | None = None

    @property
    def nothing(self) -> bool:
        """Whether there is no tick and no day: what the form reaches stands in its words alone."""
        return not (self.kinds or self.entries or self.since or self.until)

    def reaches(self, part: Part) -> bool:
        """Whether the ticks reach this entry. One ticked by itself is reached whatever its kind and day."""
        if self.nothing or part.pk in self.entries:
            return True
        if not self.kinds and self.entries:
            return False
        in_days = (not self.since or self.since <= part.service_on) and (not self.until or part.service_on <= self.until)
        return in_days and (not self.kinds or part.kind in self.kinds)


def notes_need(purpose_code: str, *, holds: bool = False) -> Defect | None:
    """Why psychotherapy notes may not go out for this purpose without an authorization; None where they may.

    `holds` says that what the table demands of the purpose is so; somebody who can judge it has said so.
    """
    exception = NOTES_WITHOUT_AUTHORIZATION.get(purpose_code)
    if exception is None:
        words: str | Promise = _("Psychotherapy notes go out for this only on an authorization of their own.")
        return Defect("notes", words, f"{_508}(a)(2)")
    condition, citation = exception
    if holds:
        return None
    return Defect("notes_unless", _t("Psychotherapy notes may go out for this only where %(so)s.") % {"so": condition}, citation)


def recipient_refusal(facts: FormFacts, recipient: str) -> Defect | None:
    """Why the form does not reach this recipient. Names are compared without capitals and punctuation; one name a line."""
    named = [line for line in facts.recipient.splitlines() if line.strip()]
    if facts.recipient_is_class or plain(recipient) in map(plain, named):
        return None
    words = _t("The form names %(named)s and nobody else.") % {"named": "; ".join(named) or "–"}
    return Defect("recipient", words, _rule(facts, "(c)(1)(iii)"))


def purpose_refusal(facts: FormFacts, purpose: str, use: str = Use.ORDINARY, *, paid: bool = False) -> Defect | None:
    """Why the form does not reach this purpose: words that it does not hold, or a use that it must name by itself.

    `paid`: somebody pays the office for marketing, which the form must say then (164.508(a)(3)(ii)); a sale always is.
    """
    special = {
        Use.MARKETING: (facts.marketing, _("The form does not allow marketing."), "(a)(3)"),
        Use.SALE: (facts.sale, _("The form does not allow a sale."), "(a)(4)"),
        Use.ADVERTISING: (facts.advertising_photos, _("The form does not allow photographs in advertising."), "(a)(3)"),
    }
    if use in special:
        allowed, words, paragraph = special[Use(use)]
        if not allowed:
            return Defect("use", words, _508 + paragraph)
        if paid and facts.remuneration != Remuneration.STATED:
            return Defect("paid", _("The form does not say that the office is paid for it."), f"{_508}(a)(3)(ii)")
        return None
    if not purpose.strip() or facts.at_request or facts.kind == Kind.DIRECTIVE or plain(purpose) in map(plain, facts.purposes):
        return None
    said = _t("The form is for this, and nothing else: %(named)s.") % {"named": "; ".join(facts.purposes)}
    return Defect("purpose", said, f"{_508}(c)(1)(iv)")


def entries_refusals(facts: FormFacts, ticked: Ticked, parts: Iterable[Part], notes: frozenset[int]) -> list[Defect]:
    """Why entries are out of the form's reach. `notes` are the keys of those that are psychotherapy notes."""
    given = list(parts)
    outside = [part for part in given if not ticked.reaches(part)]
    counseling = [part for part in given if part.pk in notes]
    other = [part for part in given if part.pk not in notes]
    found = []
    if outside:
        found.append(
            Defect("entries", _t("The form does not cover: %(named)s.") % {"named": _named(outside)}, _rule(facts, "(c)(1)(i)"))
        )
    if counseling and facts.notes != Notes.ONLY:
        words = _t("Psychotherapy notes need an authorization of their own: %(named)s.") % {"named": _named(counseling)}
        found.append(Defect("notes", words, f"{_508}(a)(2)"))
    if other and facts.notes == Notes.ONLY:
        words = _t("The form is for psychotherapy notes alone, not for: %(named)s.") % {"named": _named(other)}
        found.append(Defect("only_notes", words, f"{_508}(b)(3)(ii)"))
    paper = [part for part in given if part.on_paper]
    if paper and facts.kind == Kind.DIRECTIVE:
        words = _t("Kept on paper, so an authorization is needed: %(named)s.") % {"named": _named(paper)}
        found.append(Defect("paper", words, DIRECTIVE_RULE))
    return found


def copy_refusal(facts: FormFacts, *, electronic: bool) -> Defect | None:
    """Why a copy in this form may not go out: a directive reaches electronic copies only."""
    if electronic or facts.kind != Kind.DIRECTIVE:
        return None
    return Defect(
        "paper_copy", _("A directive reaches an electronic copy only; for paper, ask for an authorization."), DIRECTIVE_RULE
    )


def _rule(facts: FormFacts, paragraph: str) -> str:
    return DIRECTIVE_RULE if facts.kind == Kind.DIRECTIVE else _508 + paragraph


def _named(parts: list[Part]) -> str:
    """The entries by title and day, as a line of words."""
    return "; ".join(f"{getattr(part, 'called', part.kind)} ({date_format(part.service_on, 'M j, Y')})" for part in parts)
