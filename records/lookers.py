"""Who has looked at a chart, told to its patient out of the audit, in plain words; and the list kept as it was given.

A courtesy of the office: 45 CFR 164.528 has disclosures accounted for, not what people of the office look at, and no rule in
force asks for a list of looks. What may be told is a table: an event that is not in it is not told. So nothing betrays what an
agency has suspended (164.528(a)(2)), a complaint, a legal hold, a judgment about a representative, a breach or a release.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from meso import clock, languages
from meso.audit import Action
from meso.models import AccessEvent, Office, User
from meso.pdf import Pdf, render_pdf
from meso.roles import Role
from records.models import LookersGiven, Patient

_OPENED = _("Opened the record")
_CONTACT = _("Looked at your contact details and wishes")
_ENTRY = _("Looked at an entry")
_WROTE = _("Wrote in the record")
_FILES = _("Looked at the files of the record")
_FORMS = _("Looked at your signed permissions")
_REQUEST = _("Worked on a request of yours")
_COPIES = _("Prepared copies of the record")
_LIST = _("Looked at the list of those to whom information was given")

# The events that are told, by what was done to what ("#" for a number), and in which words.
TOLD: dict[tuple[str, str], str | Promise] = {
    (Action.VIEW, "chart"): _OPENED,
    (Action.VIEW, "new entry"): _OPENED,
    (Action.VIEW, "entry #"): _ENTRY,
    (Action.VIEW, "attachments"): _FILES,
    (Action.VIEW, "patient details"): _CONTACT,
    (Action.VIEW, "restrictions and contact"): _CONTACT,
    (Action.VIEW, "requests of a chart"): _OPENED,
    (Action.VIEW, "request #"): _REQUEST,
    (Action.VIEW, "entries for #"): _REQUEST,
    (Action.VIEW, "entry # for #"): _REQUEST,
    (Action.VIEW, "identity for #"): _REQUEST,
    (Action.VIEW, "copies for #"): _COPIES,
    (Action.VIEW, "authorizations of a chart"): _FORMS,
    (Action.VIEW, "authorization #"): _FORMS,
    (Action.VIEW, "disclosures of a chart"): _LIST,
    (Action.VIEW, "accounting"): _LIST,
    (Action.VIEW, "notice given"): _OPENED,
    (Action.PRINT, "record"): _("Printed the record"),
    (Action.EXPORT, "record"): _("Made a file of the record"),
    (Action.EXPORT, "accounting"): _("Made the list of those to whom information was given"),
    (Action.DOWNLOAD, "attachment #"): _("Opened a file of the record"),
    (Action.DOWNLOAD, "authorization #"): _FORMS,
    (Action.DOWNLOAD, "copy # of #"): _COPIES,
    (Action.DOWNLOAD, "letter # of #"): _REQUEST,
    (Action.DOWNLOAD, "paper # of #"): _REQUEST,
    (Action.CREATE, "patient"): _("Registered you"),
    (Action.CHANGE, "patient"): _("Changed your contact details"),
    (Action.CREATE, "entry #"): _WROTE,
    (Action.CHANGE, "entry #"): _WROTE,
    (Action.CREATE, "attachment #"): _("Put a file into the record"),
    (Action.CREATE, "authorization #"): _("Put a signed permission of yours on file"),
    (Action.CREATE, "request #"): _REQUEST,
    (Action.CHANGE, "request #"): _REQUEST,
    (Action.CREATE, "accounting #"): _("Made the list of those to whom information was given"),
    (Action.CREATE, "notice given"): _("Noted that you were given our privacy notice"),
    (Action.CREATE, "emergency access #"): _("Opened the guarded record in an emergency"),
}  # fmt: skip

ROLES: dict[str, str | Promise] = {
    Role.FRONT_DESK: _("front desk"),
    Role.PHYSICIAN: _("physician"),
    Role.PRIVACY_OFFICER: _("privacy officer"),
    Role.OFFICE_ADMIN: _("office administration"),
}
_NUMBER = re.compile(r"\b(?:R-)?\d+\b")


@dataclass(frozen=True)
class Look:
    """What one person did on one day: when first, and how many times."""

    at: datetime
    who: str
    role: str | Promise
    what: str | Promise
    times: int


def told(event: AccessEvent) -> str | Promise | None:
    """What the patient is told of an event, or None: it is not told."""
    return TOLD.get((event.action, _NUMBER.sub("#", event.subject)))


def looks(patient: Patient, start: date, end: date) -> list[Look]:
    """What people of the office did with this chart between the two days, both inclusive, oldest first. One query.

    The same by the same person on the same day is one line. Names and roles are those of today.
    """
    between = {"at__gte": clock.midnight(start), "at__lt": clock.midnight(end + timedelta(days=1))}
    events = AccessEvent.objects.filter(chart_number=patient.chart_number, user__isnull=False, **between)
    found: dict[tuple[date, int, str | Promise], list[AccessEvent]] = {}
    for event in events.select_related("user").order_by("id"):
        if (what := told(event)) is not None:
            found.setdefault((timezone.localdate(event.at), event.user_id, what), []).append(event)
    return list(_lines(found))


def _lines(found: dict[tuple[date, int, str | Promise], list[AccessEvent]]) -> Iterator[Look]:
    for (_day, _who, what), events in found.items():
        user: User = events[0].user  # type: ignore[assignment]  # events without a person are left out
        yield Look(events[0].at, user.signature, ROLES[user.role], what, len(events))


def as_pdf(patient: Patient, start: date, end: date, lines: list[Look], office: Office, on: date) -> Pdf:
    """The list on the office's letterhead, in the patient's language where the office writes it."""
    context = {"patient": patient, "start": start, "end": end, "lines": lines, "office": office, "on": on}
    return render_pdf("records/letters/lookers.html", context, languages.written(patient.language))


def give(patient: Patient, start: date, end: date, *, by: User, at: datetime, on: date, office: Office) -> LookersGiven:
    """Give the list: it is kept as it was given. The same list of the same day is given once.

    Raises IntegrityError for a period that runs backward.
    """
    lines = looks(patient, start, end)
    document = as_pdf(patient, start, end, lines, office, on).content
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient.pk)
        same = {"start": start, "end": end, "issued_on": on, "lines": len(lines)}
        there = patient.lookers_given.filter(**same).last()
        return there or LookersGiven.objects.create(patient=patient, document=document, by=by, at=at, **same)
