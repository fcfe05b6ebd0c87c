"""An amendment that was accepted, carried to the end: who is told of it, and what came of each attempt (164.526(c)(2), (3)).

The patient names people and agrees that they are told; the log of disclosures says who else got the entry from this office;
business associates are added in words. Each gets a letter, kept as it was made.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from disclosures import withholding
from disclosures.models import Disclosure
from meso.models import Office, User
from records.models import Entry, Patient
from requests_app import after_letters, answers
from requests_app.answers import all_or_nothing
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import AGREED_TO, Kind
from requests_app.models import PatientRequest, Recipient, Telling
from requests_app.models.timeline import Verb


@dataclass(frozen=True)
class Proposal:
    """Somebody who got an amended entry from this office: where they are, the latest row of the log, and every day of it."""

    name: str
    address: str
    disclosure: Disclosure
    days: tuple[date, ...]


def is_amended(request: PatientRequest) -> bool:
    """Whether it is an amendment that was agreed to, all or in part, and carried out."""
    return request.kind == Kind.AMENDMENT and request.outcome in AGREED_TO and request.carried_out_on is not None


def amended_entries(request: PatientRequest) -> QuerySet[Entry]:
    """The entries that this request amended, each with its lines and addenda."""
    mine = Q(addenda__request_number=request.number) | Q(strikes__request_number=request.number)
    return Entry.objects.of_record().filter(mine, patient=request.patient_id).with_marks().distinct().oldest_first()


def proposals(request: PatientRequest, by: Any, on: date) -> list[Proposal]:
    """Who got an amended entry from this office, out of the log; those on the list already left out (164.526(c)(3)(ii)).

    Five queries at most. What an agency has withheld on the day `on` only the privacy officer sees (164.528(a)(2)). Left out are
    what went out after the record was amended, for it shows the correction, what went to the patient, and corrected rows.
    """
    entries = list(amended_entries(request).values_list("pk", flat=True))
    got = Disclosure.objects.current().filter(patient=request.patient_id, disclosed_entries__entry__in=entries)
    rows = withholding.shown_to(by, got, on, request.patient)
    there = {(one.name.casefold(), one.address.casefold()) for one in request.recipients.all()}
    found: dict[tuple[str, str], list[Disclosure]] = {}
    before = rows.filter(disclosed_on__lte=request.carried_out_on)  # later ones show the correction themselves
    for row in before.exclude(purpose_code="individual").distinct().order_by("disclosed_on", "id"):
        key = row.recipient.casefold(), row.recipient_address.casefold()
        if key not in there:
            found.setdefault(key, []).append(row)
    return [
        Proposal(rows[-1].recipient, rows[-1].recipient_address, rows[-1], tuple(row.disclosed_on for row in rows))
        for rows in found.values()
    ]


def check(me: PatientRequest) -> Patient:
    """The patient of an amendment that was carried out. Raises NotAllowedNow for any other request."""
    if not is_amended(me) or me.patient is None:
        raise NotAllowedNow(_("People are told once the record is amended."))
    return me.patient


def add(
    request: PatientRequest,
    why: str,
    *,
    name: str,
    address: str = "",
    agreed_on: date | None = None,
    disclosure: Disclosure | None = None,
    by: User,
    at: datetime,
    on: date,
    office: Office,
) -> Recipient:
    """Put somebody on the list, with the letter to them as it stands now.

    Raises NotAllowedNow before the record is amended, for somebody named without the patient's agreement (164.526(c)(2)),
    for a day of it in the future, and for somebody who is on the list already.
    """
    name, address = name.strip(), address.strip()
    if not name:
        raise NotAllowedNow(_("Write who is to be told."), "name")
    if why == Recipient.Why.NAMED and agreed_on is None:
        raise NotAllowedNow(_("The patient must agree that this person is told: write the day."), "agreed_on")
    if agreed_on and agreed_on > on:
        raise NotAllowedNow(_("This day lies in the future."), "agreed_on")
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(request) as me:
        patient = check(me)
        entries = list(amended_entries(me))
        draft = after_letters.correction(me, entries, name=name, address=address, dated=on, by=by, office=office)
        letter = answers.make_letter(me, draft, **now)
        facts = {"why": why, "name": name, "address": address, "agreed_on": agreed_on, "disclosure": disclosure}
        try:
            with transaction.atomic():
                added = Recipient.objects.create(patient=patient, request=me, letter=letter, added_on=on, by=by, at=at, **facts)
        except IntegrityError as twice:
            raise NotAllowedNow(_("They are on the list already."), "name") from twice
        me.events.record(Verb.TO_TELL, who=name, why=added.get_why_display(), recipient=added.pk, **now)
    return added


def asked_whom(request: PatientRequest, answer: str, *, by: User, at: datetime, on: date) -> None:
    """Record that the patient was asked whom to tell, and what they said. Raises NotAllowedNow before the record is amended."""
    with all_or_nothing(request) as me:
        check(me)
        me.events.record(Verb.ASKED_WHOM, by=by, at=at, on=on, answer=answer)


def tell(recipient: Recipient, outcome: str, *, day: date, way: str, note: str = "", by: User, at: datetime, on: date) -> Telling:
    """Record an attempt: the letter reached them on that day, or they could not be reached; then it can be tried again.

    Raises NotAllowedNow for who was told already, and for a day before the letter was made or in the future.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(recipient.request) as me:
        if recipient.tellings.filter(outcome=Telling.How.TOLD).exists():
            raise NotAllowedNow(_("They have been told already."))
        if not recipient.letter.made_on <= day <= on:
            raise NotAllowedNow(_("The day must lie between the day the letter was made and today."), "day")
        facts = {"outcome": outcome, "on": day, "way": way, "note": note.strip(), "by": by, "at": at}
        done = Telling.objects.create(patient=recipient.patient, recipient=recipient, **facts)
        if outcome == Telling.How.TOLD:
            answers.send_letter(recipient.letter, sent_on=day, how=way, **now)
        verb = Verb.CORRECTION_TOLD if outcome == Telling.How.TOLD else Verb.NOT_REACHED
        me.events.record(verb, who=recipient.name, day=day, how=way, note=note.strip(), recipient=recipient.pk, **now)
    return done
