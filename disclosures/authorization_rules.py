"""What makes an authorization good, and what it reaches (164.508, 164.524(c)(3)(ii); law.md §6). Plain tables, no database.

A form is judged by its facts on a day. What is wrong with it is a list of `Defect`, each with plain words that may stand in a
letter to the patient, and the citation. A form without defects may be used; one with any may not (164.508(b)(2)).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_508 = "45 CFR 164.508"
DIRECTIVE_RULE = "45 CFR 164.524(c)(3)(ii)"


class Kind(models.TextChoices):
    """What the patient signed."""

    AUTHORIZATION = "authorization", _("Authorization")
    DIRECTIVE = "directive", _("Directive: send my electronic copy to somebody")


class SignedBy(models.TextChoices):
    """Whose signature it is."""

    PATIENT = "patient", _("The patient")
    REPRESENTATIVE = "representative", _("A representative")


class Notes(models.TextChoices):
    """Whether psychotherapy notes are among what may be given."""

    NONE = "none", _("No psychotherapy notes")
    ONLY = "only", _("Psychotherapy notes and nothing else")
    MIXED = "mixed", _("Psychotherapy notes and other information")


class Combined(models.TextChoices):
    """What else stands on the same paper, under the same signature."""

    ALONE = "alone", _("Nothing else")
    AUTHORIZATION = "authorization", _("Another authorization")
    NOTES = "notes", _("Another authorization for psychotherapy notes")
    RESEARCH = "research", _("A permission or consent of a research study")
    OTHER = "other", _("A consent to treatment, or another document")


class Conditions(models.TextChoices):
    """What the patient would not get without signing."""

    NONE = "none", _("Nothing: care, payment and benefits do not depend on it")
    RESEARCH = "research", _("Treatment that is part of a research study")
    RESEARCH_MIXED = "research_mixed", _("Research treatment; a part that is free stands apart with its own choice")
    EXAM = "exam", _("An exam made only to be told to the one who gets it")
    MIXED = "mixed", _("Something, and a part that is free is not set apart")
    CARE = "care", _("Other care, payment, enrollment or benefits")


class Remuneration(models.TextChoices):
    """What the form says of money that the office gets for marketing or for a sale."""

    UNSAID = "unsaid", _("It does not say")
    STATED = "stated", _("It says that the office is paid")
    NOBODY = "nobody", _("Nobody pays the office for it")


class Use(models.TextChoices):
    """Uses that need an authorization that says so by itself."""

    ORDINARY = "", _("None of these")
    MARKETING = "marketing", _("Marketing")
    SALE = "sale", _("Sale of information")
    ADVERTISING = "advertising", _("Photographs in advertising")


class State(StrEnum):
    """How a form stands on a day."""

    VALID = "valid"
    DEFECTIVE = "defective"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_YET = "not_yet"


STATE_WORDS: dict[str, str | Promise] = {
    State.VALID: _("Valid"),
    State.DEFECTIVE: _("Defective"),
    State.EXPIRED: _("Expired"),
    State.REVOKED: _("Revoked"),
    State.NOT_YET: _("Not yet"),
}


@dataclass(frozen=True)
class Defect:
    """One thing that keeps a form from being used: a code, plain words, and where the rule stands."""

    code: str
    words: str | Promise
    citation: str


@dataclass(frozen=True)
class FormFacts:
    """What stands on a form, and what the office has learned of it since. Days are the office's."""

    kind: str = Kind.AUTHORIZATION
    received_on: date | None = None
    says_what: bool = False  # in words, or by ticks
    discloser: str = ""
    recipient: str = ""
    recipient_is_class: bool = False
    recipient_address: str = ""
    purposes: tuple[str, ...] = ()
    at_request: bool = False
    expires_on: date | None = None
    expiry_event: str = ""
    research: bool = False
    signed: bool = False
    signed_on: date | None = None
    signed_by: str = SignedBy.PATIENT
    signer_authority: str = ""
    says_revocable: bool = False
    says_conditions: bool = False
    says_redisclosure: bool = False
    notes: str = Notes.NONE
    combined_with: str = Combined.ALONE
    conditions: str = Conditions.NONE
    marketing: bool = False
    sale: bool = False
    advertising_photos: bool = False
    remuneration: str = Remuneration.UNSAID
    electronic_only: bool = False
    event_known_on: date | None = None
    revoked_on: date | None = None
    found_false_on: date | None = None
    replaced_on: date | None = None


@dataclass(frozen=True)
class Demand:
    """Something that must hold of a form: `holds(facts)`, else `defect`."""

    defect: Defect
    holds: Callable[[FormFacts], bool]


def _demand(code: str, words: str | Promise, paragraph: str, holds: Callable[[FormFacts], bool]) -> Demand:
    return Demand(Defect(code, words, paragraph if paragraph.startswith("45") else _508 + paragraph), holds)


# The words that stand for an end only where the form is for research.
_NO_END = {
    "none", "never", "no end", "no expiration", "no expiry", "does not expire", "end of study", "end of the study",
    "end of research study", "end of the research study", "end of research", "end of the research",
}  # fmt: skip


def plain(text: str) -> str:
    """Text as it is compared: letters and digits in small, single spaces, no punctuation."""
    return " ".join("".join(sign if sign.isalnum() else " " for sign in text.casefold()).split())


def _has_an_end(facts: FormFacts) -> bool:
    return bool(facts.expires_on or plain(facts.expiry_event))


def _end_is_real(facts: FormFacts) -> bool:
    return bool(facts.research or facts.expires_on or plain(facts.expiry_event) not in _NO_END)


# The six core elements (164.508(c)(1)).
ELEMENTS: tuple[Demand, ...] = (
    _demand("what", _("The form does not say which information may be given out."), "(c)(1)(i)", lambda f: f.says_what),
    _demand("who_gives", _("The form does not say who may give the information out."), "(c)(1)(ii)",
            lambda f: bool(f.discloser.strip())),
    _demand("who_gets", _("The form does not say who may get the information."), "(c)(1)(iii)",
            lambda f: bool(f.recipient.strip())),
    _demand("purpose", _("The form does not say what the information is for. “At my request” is enough."), "(c)(1)(iv)",
            lambda f: f.at_request or any(purpose.strip() for purpose in f.purposes)),
    _demand("end", _("The form does not say when it ends: a day, or something that will happen."), "(c)(1)(v)", _has_an_end),
    _demand("end_research_only", _("The form has no real end. “None” or “end of the study” is enough only for research."),
            "(c)(1)(v)", lambda f: not _has_an_end(f) or _end_is_real(f)),
    _demand("signature", _("The form is not signed."), "(c)(1)(vi)", lambda f: f.signed),
    _demand("signed_on", _("The day of the signature is missing."), "(c)(1)(vi)",
            lambda f: not f.signed or f.signed_on is not None),
    _demand("authority", _("Somebody signed for the patient, and the form does not say by what right."), "(c)(1)(vi)",
            lambda f: f.signed_by != SignedBy.REPRESENTATIVE or bool(f.signer_authority.strip())),
)  # fmt: skip

# The three statements (164.508(c)(2)), and the one that marketing and sale need besides (164.508(a)(3), (4)).
STATEMENTS: tuple[Demand, ...] = (
    _demand("says_revocable", _("The form does not say that it can be taken back in writing, and how."), "(c)(2)(i)",
            lambda f: f.says_revocable),
    _demand("says_conditions", _("The form does not say whether care depends on signing it."), "(c)(2)(ii)",
            lambda f: f.says_conditions),
    _demand("says_redisclosure",
            _("The form must say two things: those who get the information may pass it on, and the law may not protect it then."),
            "(c)(2)(iii)", lambda f: f.says_redisclosure),
    _demand("says_paid", _("The form is for marketing and does not say whether the office is paid for it."), "(a)(3)(ii)",
            lambda f: not (f.marketing or f.advertising_photos) or f.remuneration != Remuneration.UNSAID),
    _demand("says_paid_sale", _("The form allows a sale and does not say that the office is paid for it."), "(a)(4)(i)",
            lambda f: not f.sale or f.remuneration == Remuneration.STATED),
)  # fmt: skip

# What may stand on one paper, and what may hang on a signature (164.508(b)(3), (4)).
COMPOUNDS: tuple[Demand, ...] = (
    _demand("notes_mixed", _("The form is for psychotherapy notes and for something else. Those notes need a form of their own."),
            "(b)(3)(ii)", lambda f: f.notes != Notes.MIXED
            and (f.notes != Notes.ONLY or f.combined_with in (Combined.ALONE, Combined.NOTES))),
    _demand("other_document", _("The form is part of another document, such as a consent to treatment. It must stand by itself."),
            "(b)(3)", lambda f: f.combined_with != Combined.OTHER or f.advertising_photos or f.notes != Notes.NONE),
    _demand("photos", _("Photographs in advertising need a form of their own. It can’t be part of another paper."),
            "(a)(3)(i), (b)(3)", lambda f: not f.advertising_photos or f.combined_with == Combined.ALONE),
    _demand("research_mixed", _("The form joins a research study’s permission with something that is not research."), "(b)(3)(i)",
            lambda f: f.combined_with != Combined.RESEARCH or f.research or f.notes != Notes.NONE),
    _demand("conditions_mixed", _("One part of the form is needed to get care and one is free, and they are not set apart."),
            "(b)(3)(iii)", lambda f: f.conditions != Conditions.MIXED),
    _demand("conditioned", _("The form was asked for as a condition of care, payment or benefits. It must be free."), "(b)(4)",
            lambda f: f.conditions != Conditions.CARE),
    _demand("conditioned_research", _("Care depends on the form as part of research, and the form is not for research."),
            "(b)(4)(i)", lambda f: f.conditions not in (Conditions.RESEARCH, Conditions.RESEARCH_MIXED) or f.research),
)  # fmt: skip

# What a directive to send a copy to somebody needs, and how far it reaches since Ciox Health v. Azar (D.D.C. 2020).
DIRECTIVE: tuple[Demand, ...] = (
    _demand("what", _("The letter does not say which information to send."), DIRECTIVE_RULE, lambda f: f.says_what),
    _demand("signature", _("The letter is not signed."), DIRECTIVE_RULE, lambda f: f.signed),
    _demand("authority", _("Somebody signed for the patient, and the letter does not say by what right."), DIRECTIVE_RULE,
            lambda f: f.signed_by != SignedBy.REPRESENTATIVE or bool(f.signer_authority.strip())),
    _demand("who_gets", _("The letter does not name the person who is to get the copy."), DIRECTIVE_RULE,
            lambda f: bool(f.recipient.strip()) and not f.recipient_is_class),
    _demand("where", _("The letter does not say where to send the copy."), DIRECTIVE_RULE,
            lambda f: bool(f.recipient_address.strip())),
    _demand("not_electronic",
            _("A letter like this is only for computer files, of records that we keep on a computer. "
              "For paper, or a copy on paper, we need an authorization."),
            DIRECTIVE_RULE, lambda f: f.electronic_only),
    _demand("notes_directive", _("Psychotherapy notes need a form of their own."), _508 + "(a)(2)",
            lambda f: f.notes == Notes.NONE),
)  # fmt: skip


def lacking(facts: FormFacts) -> list[Defect]:
    """What the paper itself lacks or does wrong, whatever the day: the list that a letter to the patient names."""
    demands = DIRECTIVE if facts.kind == Kind.DIRECTIVE else (*ELEMENTS, *STATEMENTS, *COMPOUNDS)
    return [demand.defect for demand in demands if not demand.holds(facts)]


# What happens to a form: each is looked for on the day. Revoked, learned of or found false on a day: refused on that day.
_HAPPENED: tuple[tuple[Defect, Callable[[FormFacts, date], bool]], ...] = (
    (Defect("revoked", _("The patient has taken it back in writing."), _508 + "(b)(2)(iii), (b)(5)"),
     lambda f, on: bool(f.revoked_on and f.revoked_on <= on)),
    (Defect("expired", _("Its last day has passed."), _508 + "(b)(2)(i)"),
     lambda f, on: bool(f.expires_on and f.expires_on < on)),
    (Defect("event", _("What was to end it has happened."), _508 + "(b)(2)(i)"),
     lambda f, on: bool(f.event_known_on and f.event_known_on <= on)),
    (Defect("known_false", _("Something material in it is known to be false."), _508 + "(b)(2)(v)"),
     lambda f, on: bool(f.found_false_on and f.found_false_on <= on)),
    (Defect("replaced", _("It was recorded anew; another record has taken its place."), _508 + "(b)(2)"),
     lambda f, on: f.replaced_on is not None),
    (Defect("signed_later", _("It was signed on a later day than this."), _508 + "(b)(1)"),
     lambda f, on: bool(f.signed_on and f.signed_on > on)),
    (Defect("received_later", _("The office did not have it yet on this day."), _508 + "(b)(1)"),
     lambda f, on: bool(f.received_on and f.received_on > on)),
)  # fmt: skip

_STATE_OF = {
    "revoked": State.REVOKED, "expired": State.EXPIRED, "event": State.EXPIRED, "signed_later": State.NOT_YET,
    "received_later": State.NOT_YET,
}  # fmt: skip
_PRECEDENCE = (State.REVOKED, State.EXPIRED, State.DEFECTIVE, State.NOT_YET)


def defects(facts: FormFacts, on: date) -> list[Defect]:
    """Everything that keeps the form from being used on that day (164.508(b)(2)); [] for a valid one.

    A form is good through the end of its last day, and from its revocation's day of receipt on it is not.
    """
    return [defect for defect, happened in _HAPPENED if happened(facts, on)] + lacking(facts)


def state_of(found: list[Defect]) -> State:
    """The one word for what was found: revoked before expired, expired before defective, "not yet" only where nothing else is."""
    states = {_STATE_OF.get(defect.code, State.DEFECTIVE) for defect in found}
    return next((state for state in _PRECEDENCE if state in states), State.VALID)


def last_in_effect(facts: FormFacts, on: date) -> date | None:
    """The last day on which the form was in effect, as known on that day; None while it may still be used.

    For a form that never was, the day it was received. A form revoked on a day was in effect on it until then.
    """
    ends = [facts.revoked_on, facts.event_known_on, facts.found_false_on, facts.replaced_on]
    past = [end for end in ends if end and end <= on]
    if facts.expires_on and facts.expires_on < on:
        past.append(facts.expires_on)
    if lacking(facts):
        return facts.received_on
    return min(past, default=None)
