"""Letters that follow an answer: a rebuttal, a correction told to others, a review. Each a row of parts (letters.py)."""

from datetime import date, time

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from meso.models import Office, User
from records.models import Entry
from requests_app import grounds, letters, unsaid
from requests_app.letters import Draft
from requests_app.models import Disagreement, Letter, PatientRequest, ReviewOutcome, ReviewReferral


def rebuttal(statement: Disagreement, text: str, *, dated: date, by: User, office: Office) -> Draft:
    """The patient's copy of the office's answer to their statement (164.526(d)(3))."""
    lead = _("We do not agree to the change, and you gave us a statement that you disagree. This is our answer to it.")
    facts = {"statement": statement, "text": text}
    return letters.of_parts(
        statement.request, Letter.Kind.REBUTTAL, lead, ("rebuttal",), dated=dated, by=by, office=office, **facts
    )


def correction(
    request: PatientRequest, entries: list[Entry], *, name: str, address: str, dated: date, by: User, office: Office
) -> Draft:
    """To somebody who has or gets the patient's entry from us: what was corrected in it (164.526(c)(3)). In English."""
    with translation.override("en"):
        lead = str(_("We have corrected the medical record of %(patient)s, born %(born)s.")) % {
            "patient": request.patient.name,  # type: ignore[union-attr]
            "born": date_format(request.patient.date_of_birth, "F j, Y"),  # type: ignore[union-attr]
        }
        heading = str(Letter.Kind.CORRECTION.label)
    to = (name, *address.splitlines())
    context = {"asked": request, "said": {}, "office": office, "dated": dated, "by": by, "entries": entries}
    return Draft(Letter.Kind.CORRECTION, heading, lead, ("correction",), to, "en", context)


def review(
    request: PatientRequest, result: str, referral: ReviewReferral, reasons: str, *, dated: date, by: User, office: Office
) -> Draft:
    """What the reviewer decided (164.524(d)(4)); where the denial stands, where to complain."""
    unsaid.check(request, grounds.ground(request.kind, request.ground), reasons, on=dated, field="reasons")
    overturned = result == ReviewOutcome.Result.OVERTURNED
    lead = _("A licensed professional looked at it again: you can have it.") if overturned else _(
        "A licensed professional looked at it again: the decision stands."
    )  # fmt: skip
    parts = ("reviewed", "opened") if overturned else ("reviewed", "complain")
    letters.check_complete(parts, office)
    facts = {"referral": referral, "reasons": reasons}
    return letters.of_parts(request, Letter.Kind.REVIEW, lead, parts, dated=dated, by=by, office=office, **facts)


def appointment(request: PatientRequest, *, day: date, at_time: time, place: str, dated: date, by: User, office: Office) -> Draft:
    """When and where the patient can look at the record, and that it costs nothing (164.524(c)(3)(i))."""
    lead = _("You can look at it here, on the day below.")
    facts = {"day": day, "at_time": at_time, "place": place}
    kind = Letter.Kind.APPOINTMENT
    return letters.of_parts(request, kind, lead, ("appointment",), dated=dated, by=by, office=office, **facts)
