"""What was said with the patient about a request, and what the office waits for while the clock runs on.

A message to or from the patient is a row of the timeline like any other: it can't be changed or removed. Notes of the staff
are apart from it (PatientRequest.add_note) and go to nobody.
"""

from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.models import Office, User
from records.models import ContactPreference
from requests_app import letters
from requests_app.answers import all_or_nothing, make_letter
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.models import PatientRequest, RequestEvent
from requests_app.models.timeline import Verb


class Way(models.TextChoices):
    """The way in which something was said."""

    TELEPHONE = "by telephone", _("By telephone")
    IN_PERSON = "in person", _("In person")
    LETTER = "by letter", _("By letter")
    EMAIL = "by e-mail", _("By e-mail")


class Whom(models.TextChoices):
    """Whom the office waits for."""

    PATIENT = "patient", _("the patient")
    OTHER_OFFICE = "other_office", _("another office")
    REVIEWER = "reviewer", _("the reviewer")


_MEANS = {Way.TELEPHONE: ContactPreference.Means.PHONE, Way.EMAIL: ContactPreference.Means.EMAIL}


def why_not_by(request: PatientRequest, way: str, on: date) -> str:
    """Why whoever asked may not be told in this way, as letters.why_not_reached says (164.522(b)); "" when they may."""
    return (way in _MEANS and letters.why_not_reached(request, _MEANS[Way(way)], on)) or ""


def tell(
    request: PatientRequest, text: str, *, way: str, said_on: date, by: User, at: datetime, on: date, office: Office
) -> RequestEvent:
    """Tell the patient something, also of a closed request. By letter, the letter is made: it is sent like any other.

    Raises NotAllowedNow: nothing to say, a day before the receipt or in the future, a way the patient does not wish.
    """
    with all_or_nothing(request) as me:
        _check(me, text, said_on, on)
        if refusal := why_not_by(me, way, on):
            raise NotAllowedNow(refusal, "way")
        if way == Way.LETTER:
            if said_on != on:
                raise NotAllowedNow(_t("A letter is dated today."), "said_on")
            make_letter(me, letters.message(me, text=text, dated=on, by=by, office=office), by=by, at=at, on=on)
        return me.events.record(Verb.TOLD, by=by, at=at, on=on, note=text, day=said_on, how=Way(way).label)


def hear(request: PatientRequest, text: str, *, way: str, said_on: date, by: User, at: datetime, on: date) -> RequestEvent:
    """Record what the patient said about the request. Raises NotAllowedNow for no words, or a day that can't be."""
    with all_or_nothing(request) as me:
        _check(me, text, said_on, on)
        return me.events.record(Verb.HEARD, by=by, at=at, on=on, note=text, day=said_on, how=Way(way).label)


def _check(me: PatientRequest, text: str, said_on: date, on: date) -> None:
    if not text.strip():
        raise NotAllowedNow(_t("Write what was said."), "text")
    if not me.received_on <= said_on <= on:
        words = _t("The day must lie between %(day)s and today.") % {"day": spoken(me.received_on)}
        raise NotAllowedNow(words, "said_on")


def waits_for(request: PatientRequest) -> RequestEvent | None:
    """The event that says whom an open request waits for, or None."""
    if not request.is_open:
        return None
    last = request.events.filter(verb__in=[Verb.WAITING, Verb.WAITED]).last()
    return last if last and last.verb == Verb.WAITING else None


def wait(request: PatientRequest, whom: str, *, note: str = "", by: User, at: datetime, on: date) -> RequestEvent:
    """Say whom the request waits for; "" is nobody any more. Nothing pauses the clock: it runs on beside it (law.md §1).

    Raises NotAllowedNow when it is so already, or the request is closed.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on, "note": note}
    with all_or_nothing(request) as me:
        if not me.is_open:
            raise NotAllowedNow(_t("This request is closed."))
        waiting = waits_for(me)
        if (waiting.data["whom"] if waiting else "") == whom:
            raise NotAllowedNow(_t("It is recorded so already."), "whom")
        if not whom:
            return me.events.record(Verb.WAITED, **now)
        return me.events.record(Verb.WAITING, **now, whom=whom, words=Whom(whom).label)
