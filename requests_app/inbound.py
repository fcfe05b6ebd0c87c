"""An amendment that another provider or plan tells us of: ours is amended too, or a reason is kept (164.526(e))."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from meso.models import User
from records.models import Entry, Patient
from requests_app.deadlines import NotAllowedNow
from requests_app.models import InboundAmendment, InboundAnswer
from requests_app.putting_right import put_right


def take(patient: Patient, *, told_by: str, told_on: date, what: str, by: User, at: datetime, on: date) -> InboundAmendment:
    """Take the notice in: it waits for the physician. The same notice sent twice is kept once.

    Raises NotAllowedNow for a day in the future, or when it does not say who told us what.
    """
    told_by, what = told_by.strip(), what.strip()
    if not (told_by and what):
        raise NotAllowedNow(_("Write who told us, and what they changed."), "what" if told_by else "told_by")
    if told_on > on:
        raise NotAllowedNow(_("This day lies in the future."), "told_on")
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient.pk)
        facts = {"told_by": told_by, "told_on": told_on, "what": what}
        there = InboundAmendment.objects.filter(patient=patient, **facts).first()
        return there or InboundAmendment.objects.create(patient=patient, **facts, by=by, at=at)


def amend(
    inbound: InboundAmendment,
    entry: Entry,
    *,
    passage: str | None = None,
    reason: str = "",
    addendum: str = "",
    by: User,
    at: datetime,
    on: date,
) -> InboundAnswer:
    """Draw the line, write the addendum, or both, on one entry: that answers the notice.

    `passage` is the words to strike, "" for the whole entry, None for no line. Raises NotAllowedNow: answered already,
    nothing to do, a line without its reason, words that do not stand in the entry, another chart's entry.
    """
    with transaction.atomic():
        answer = _answer(inbound, entry, "", by=by, at=at, on=on)
        put_right(entry, inbound.patient_id, passage=passage, reason=reason, addendum=addendum, by=by, at=at)
    return answer


def leave(inbound: InboundAmendment, reason: str, *, by: User, at: datetime, on: date) -> InboundAnswer:
    """Leave the record as it is, with the reason. Raises NotAllowedNow without one, and when it is answered already."""
    if not reason.strip():
        raise NotAllowedNow(_("Say why nothing is amended: it is kept."), "why_not")
    with transaction.atomic():
        return _answer(inbound, None, reason.strip(), by=by, at=at, on=on)


def _answer(inbound: InboundAmendment, entry: Entry | None, reason: str, *, by: User, at: datetime, on: date) -> InboundAnswer:
    Patient.objects.select_for_update().get(pk=inbound.patient_id)
    if InboundAnswer.objects.filter(inbound=inbound).exists():
        raise NotAllowedNow(_("This was answered already."))
    facts = {"entry": entry, "reason": reason, "on": on, "by": by, "at": at}
    return InboundAnswer.objects.create(patient_id=inbound.patient_id, inbound=inbound, **facts)
