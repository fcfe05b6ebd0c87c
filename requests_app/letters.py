"""Which letter answers which request, of which parts it consists, and to whom it goes (law.md §2–§5).

A letter is a row of parts, each a small template of plain words. A denial's parts are what the law demands of it
(164.524(d)(2), 164.526(d)(1)); a letter that would lack one can't be made.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso import languages, waivers
from meso.models import Office, User
from meso.pdf import Pdf, render_pdf
from records import exclusion, wishes
from records.models import ContactPreference, WayOut
from requests_app import asked, grounds, unsaid
from requests_app.deadlines import NotAllowedNow
from requests_app.grounds import Ground
from requests_app.kinds import Kind, Outcome
from requests_app.models import Letter, PatientRequest

_GRANTED, _PART, _DENIED = Outcome.GRANTED, Outcome.GRANTED_IN_PART, Outcome.DENIED
_CONTACT = Kind.CONFIDENTIAL_COMMUNICATION

# (kind, outcome) -> the sentence a decision letter begins with, and its parts: templates/requests_app/letters/_<part>.html.
# A full grant of access or of an accounting has none: what was asked for is the answer.
DECISIONS: dict[tuple[str, str], tuple[str | Promise, tuple[str, ...]]] = {
    (Kind.ACCESS, _PART): (
        _("You get part of what you asked for. There is another part that we can't give you."),
        ("basis", "excluded", "held_by", "review", "complain"),
    ),
    (Kind.ACCESS, _DENIED): (
        _("We can't give you what you asked for."),
        ("basis", "excluded", "held_by", "review", "complain"),
    ),
    (Kind.ACCESS, Outcome.NO_RECORDS): (
        _("We looked, and found no records that match what you asked for."),
        ("not_found", "held_by"),
    ),
    (Kind.ACCOUNTING, _DENIED): (_("We can't give you what you asked for."), ("basis", "complain")),
    (Kind.AMENDMENT, _GRANTED): (_("We agree to correct your record as you asked."), ("amended", "tell_others")),
    (Kind.AMENDMENT, _PART): (
        _("We agree to correct part of what you asked. We do not agree to change the rest."),
        ("amended", "tell_others", "basis", "disagree", "complain"),
    ),
    (Kind.AMENDMENT, _DENIED): (_("We do not agree to change your record."), ("basis", "disagree", "complain")),
    (Kind.RESTRICTION, _GRANTED): (_("We agree to the limit that you asked for."), ("limit", "limit_terms")),
    (Kind.RESTRICTION, _PART): (
        _("We agree to part of the limit that you asked for."),
        ("basis", "limit_terms", "paid_in_full", "complain"),
    ),
    (Kind.RESTRICTION, _DENIED): (_("We do not agree to the limit that you asked for."), ("basis", "paid_in_full", "complain")),
    (_CONTACT, _GRANTED): (_("We will reach you in the way that you asked for."), ("contact",)),
    (_CONTACT, _PART): (_("We can do part of what you asked for."), ("basis", "complain")),
    (_CONTACT, _DENIED): (_("We can't do what you asked for."), ("basis", "complain")),
}

# Parts in which the office gives its privacy officer as the one to write to or call: name or title, and telephone.
_NAMES_THE_OFFICER = frozenset({"review", "disagree", "complain"})


class LetterIncomplete(NotAllowedNow):
    """The letter would lack a part that the law demands; the text says which, and who can fill it in."""


@dataclass(frozen=True)
class Draft:
    """A letter before it is made: its kind, heading, first sentence, parts, the lines of its address, and what its parts say.

    All of it is in `language`, the patient's where the office writes it.
    """

    kind: str
    heading: str
    lead: str
    parts: tuple[str, ...]
    to: tuple[str, ...]
    language: str
    context: dict[str, Any]

    @property
    def templates(self) -> list[str]:
        """The templates of its parts, in order."""
        return [f"requests_app/letters/_{part}.html" for part in self.parts]

    def preview(self) -> SafeString:
        """The letter as HTML, for the screen on which it is decided."""
        with translation.override(self.language):
            return render_to_string("requests_app/letters/_paper.html", {**self.context, "letter": self})


def parts_of(kind: str, outcome: str, ground: Ground | None, *, held_by: str = "", excludes: bool = False) -> tuple[str, ...]:
    """The parts of a decision letter. Review is offered where the ground may be reviewed, and never elsewhere (164.524(d)(2)).

    `excludes`: entries are left out by law, and the letter counts them.
    """
    left_out = set() if excludes else {"excluded"}
    if not (ground and ground.reviewable):
        left_out.add("review")
    if not held_by.strip():
        left_out.add("held_by")
    if ground == grounds.PERSON:  # no right of theirs is denied, and no entry of the patient is told of
        left_out |= {"disagree", "paid_in_full", "excluded", "held_by"}
    return tuple(part for part in DECISIONS[kind, outcome][1] if part not in left_out)


def lacks(parts: Iterable[str], office: Office) -> list[str]:
    """What the office's profile must say before a letter of these parts can be made; [] when it can."""
    if not _NAMES_THE_OFFICER & set(parts):
        return []
    needed = [
        (office.officer_name, _t("the privacy officer's name")),
        (office.officer_title, _t("the privacy officer's title")),
        (office.officer_phone, _t("the privacy officer's telephone")),
        (office.address_lines(), _t("the address of the office")),
    ]
    return [words for filled, words in needed if not filled]


def check_complete(parts: Iterable[str], office: Office) -> None:
    """Raise LetterIncomplete when a letter of these parts would lack something."""
    if lacking := lacks(parts, office):
        words = _t("The letter would lack %(what)s. The office admin fills it in on the page “Office”.")
        raise LetterIncomplete(words % {"what": ", ".join(lacking)})


def decision(
    request: PatientRequest,
    outcome: str,
    *,
    ground: str,
    text: str,
    dated: date,
    by: User,
    office: Office,
    judged_by: User | None = None,
    held_by: str = "",
) -> Draft:
    """The letter of a decision. Raises LetterIncomplete, and LookupError for a ground that is none of the request's kind.

    Raises NotAllowedNow for words that a letter to a representative must not hold (requests_app/unsaid.py).
    """
    why = None if outcome in (Outcome.GRANTED, Outcome.NO_RECORDS) else grounds.ground(request.kind, ground)
    unsaid.check(request, why, text, on=dated)
    excluded = exclusion.counted(request.left_out())
    parts = parts_of(request.kind, outcome, why, held_by=held_by, excludes=bool(excluded))
    check_complete(parts, office)
    judge = judged_by if why and why.reviewable else None
    facts = {"ground": why, "text": text, "judged_by": judge, "held_by": held_by, "excluded": excluded}
    lead = DECISIONS[request.kind, outcome][0]
    return of_parts(request, Letter.Kind.DECISION, lead, parts, dated=dated, by=by, office=office, outcome=outcome, **facts)


def extension(request: PatientRequest, *, until: date, reason: str, dated: date, by: User, office: Office) -> Draft:
    """The letter that tells of the one extension: the reason and the day named (164.524(b)(2)(iii))."""
    unsaid.check(request, None, reason, on=dated, field="reason")
    facts = {"until": until, "reason": reason}
    lead = _("We need more time to answer you.")
    return of_parts(request, Letter.Kind.EXTENSION, lead, ("extension",), dated=dated, by=by, office=office, **facts)


def withdrawal(request: PatientRequest, *, dated: date, by: User, office: Office) -> Draft:
    """The letter that confirms that the patient took the request back."""
    lead = _("You told us that you take your request back. We have closed it.")
    return of_parts(request, Letter.Kind.WITHDRAWAL, lead, ("withdrawal",), dated=dated, by=by, office=office)


def message(request: PatientRequest, *, text: str, dated: date, by: User, office: Office) -> Draft:
    """A letter that tells the patient something of the request, in the words of the office."""
    lead = _("We write to you about it.")
    return of_parts(request, Letter.Kind.MESSAGE, lead, ("message",), dated=dated, by=by, office=office, text=text)


def reopening(request: PatientRequest, *, reason: str, dated: date, by: User, office: Office) -> Draft:
    """The letter that tells that a closed request is open again, why, and by when it is answered."""
    lead = _("We had closed it. Now we have opened it again.")
    facts = {"reason": reason, "is_late": dated > request.due_on}
    return of_parts(request, Letter.Kind.REOPENING, lead, ("reopening",), dated=dated, by=by, office=office, **facts)


def language_of(request: PatientRequest) -> str:
    """The language to write to the asker in: that of the form they sent, or of the chart, where the office writes it."""
    return languages.written(request.language or (request.patient.language if request.patient else ""))


def of_parts(
    request: PatientRequest,
    kind: str,
    lead: str | Promise,
    parts: tuple[str, ...],
    *,
    dated: date,
    by: User,
    office: Office,
    **facts: Any,
) -> Draft:
    """A letter of this kind made of these parts, its context filled with `facts`.

    Raises NotAllowedNow for words among them that ask for a waiver of rights or threaten.
    """
    for field in ("text", "reason"):
        _check_waives_nothing(facts.get(field, ""), field)
    language = language_of(request)
    with translation.override(language):
        to, heading, lead, said = addressee(request, dated), str(Letter.Kind(kind).label), str(lead), asked.words(request)
    context = {"asked": request, "said": said, "office": office, "dated": dated, "by": by, **facts}
    return Draft(kind, heading, lead, parts, tuple(to), language, context)


def _check_waives_nothing(text: str, field: str) -> None:
    """Raise NotAllowedNow for words to the patient that ask for a waiver of rights or threaten (164.530(g), 164.530(h))."""
    if words := waivers.refusal(text):
        raise NotAllowedNow(words, field)


def render(draft: Draft, *, made_on: date) -> Pdf:
    """The letter as PDF, on letterhead."""
    context = {**draft.context, "letter": draft, "made_on": made_on}
    return render_pdf("requests_app/letters/letter.html", context, draft.language)


# --- which way it goes ------------------------------------------------------------------------------------------------


def check_way(request: PatientRequest, how: str, on: date, address: str = "") -> None:
    """Raise NotAllowedNow where it may not go out in this WayOut on that day, as `why_not_reached` says.

    `address` is what stands on the envelope, the patient's name with it or not; "" where it is worked out.
    """
    if refusal := why_not_reached(request, WayOut(how).means, on, address):
        raise NotAllowedNow(refusal, "address" if address else "how")


def why_not_reached(request: PatientRequest, means: str, on: date, where: str = "") -> str | None:
    """Why whoever asked may not be reached by these means on that day, in words for the desk; None when they may.

    The patient is reached as they wish (164.522(b)(1)(i)). Somebody who acts for the patient is reached where they said, but not
    at the place that the patient asked to have left: wishes.allows_another says why.
    """
    if request.patient is None:
        return None
    if request.is_by_another:
        return wishes.allows_another(request.patient, means, where or where_they_are(request).get(means, ""), on)
    return wishes.allows(request.patient, means, where, on)


def check_letter_way(letter: Letter, how: str, on: date, address: str = "") -> None:
    """Raise NotAllowedNow as `check_way` does; what goes to others than whoever asked goes as the office likes."""
    if letter.kind != Letter.Kind.CORRECTION:
        check_way(letter.request, how, on, address)


def envelope_of(letter: Letter, on: date) -> list[str]:
    """The lines of the address on that day; of a letter to others than whoever asked, those it was made with."""
    if letter.kind == Letter.Kind.CORRECTION:
        return letter.addressed_to.splitlines()
    return envelope(letter.request, on)


def envelope(request: PatientRequest, on: date) -> list[str]:
    """The lines of the address on that day, as a letter to this person says them."""
    with translation.override(language_of(request)):
        return addressee(request, on)


# --- to whom it goes --------------------------------------------------------------------------------------------------


def addressee(request: PatientRequest, on: date) -> list[str]:
    """The lines of the address, as the patient wishes.

    Who asks to be reached another way is answered in that way and in no other: the letter must not go to the very place
    the patient wants to avoid. Somebody who acts for the patient, or whose chart is not found, is written to where they
    said; a patient where their wish or their chart says.
    """
    name = _names(request)
    if request.kind == _CONTACT and request.details.get("where"):
        return [*name, *_wished(request.details)]
    if request.patient and not request.is_by_another:
        return wishes.mailing_lines(request.patient, on)
    return [*name, *_given(request)]


def _names(request: PatientRequest) -> list[str]:
    patient = request.patient.name if request.patient else request.asker_name
    if not request.is_by_another:
        return [patient]
    if request.representative:
        return [request.representative.name, _t("for %(name)s") % {"name": patient}]
    return [request.on_behalf.rpartition(", ")[0] or request.on_behalf, _t("for %(name)s") % {"name": patient}]


def _wished(details: dict[str, str]) -> list[str]:
    means = details.get("means", ContactPreference.Means.MAIL)
    if means == ContactPreference.Means.MAIL:
        return details["where"].splitlines()
    known = dict(ContactPreference.Means.choices)
    return [f"{known.get(means, means)}: {details['where']}"]


def where_they_are(request: PatientRequest) -> dict[str, str]:
    """Where somebody who asks for the patient said they can be reached, by the means; "" where they did not say."""
    acting = request.representative
    return {
        ContactPreference.Means.MAIL: request.asker_address or (acting.address if acting else ""),
        ContactPreference.Means.EMAIL: request.asker_email,
        ContactPreference.Means.PHONE: request.asker_phone or (acting.phone if acting else ""),
    }


def _given(request: PatientRequest) -> list[str]:
    """Where the asker said they can be reached; [] when they gave nothing, and the letter is handed over."""
    places = where_they_are(request)
    address = places.pop(ContactPreference.Means.MAIL)
    if address.strip():
        return address.splitlines()
    return [f"{ContactPreference.Means(means).label}: {where}" for means, where in places.items() if where][:1]
