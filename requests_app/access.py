"""Access by another way than a copy: looking at the record by appointment, or a summary that the patient agreed to."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from meso.models import Office, User
from meso.money import in_words
from requests_app import after_letters, answers, carrying_out, fees
from requests_app.answers import all_or_nothing
from requests_app.deadlines import NotAllowedNow
from requests_app.fees import FeeRefused
from requests_app.kinds import Kind
from requests_app.models import Appointment, PatientRequest, RequestEvent, SummaryAgreement
from requests_app.models.timeline import Verb


def appoint(
    request: PatientRequest, *, day: date, at_time: time, place: str, by: User, at: datetime, on: date, office: Office
) -> Appointment:
    """Offer a day, time and place to look at the record, with the letter that says so; never with a fee (164.524(c)(3)(i)).

    Raises NotAllowedNow before the request is granted, for a day that has been, and without a place.
    """
    now: dict[str, Any] = {"by": by, "at": at, "on": on}
    with all_or_nothing(request) as me:
        carrying_out.check(me, Kind.ACCESS, on)
        if day < on:
            raise NotAllowedNow(_("This day has been."), "day")
        if not place.strip():
            raise NotAllowedNow(_("Write the place."), "place")
        facts: dict[str, Any] = {"day": day, "at_time": at_time, "place": place.strip()}
        draft = after_letters.appointment(me, **facts, dated=on, by=by, office=office)
        letter = answers.make_letter(me, draft, **now)
        made = Appointment.objects.create(request=me, day=day, time=at_time, place=place.strip(), letter=letter, by=by, at=at)
        me.events.record(Verb.APPOINTED, day=day, time=at_time.strftime("%H:%M"), place=made.place, **now)
    return made


def agree_summary(
    request: PatientRequest, *, agreed_on: date, fee: Decimal, fee_agreed_on: date, by: User, at: datetime, on: date
) -> SummaryAgreement:
    """Record that the patient agreed to a summary in place of the record, and to its fee in dollars (164.524(c)(2)(iii)).

    Raises NotAllowedNow for a day before the request or in the future, and for a fee that is no money.
    """
    try:
        fee = fees.check_money(fee, _("The fee"))
    except FeeRefused as refusal:
        raise NotAllowedNow(str(refusal), "fee") from refusal
    with all_or_nothing(request) as me:
        if me.kind != Kind.ACCESS:
            raise NotAllowedNow(_("This request asks for something else."))
        if not me.is_open:
            raise NotAllowedNow(_("This request is closed."))
        for name, day in (("agreed_on", agreed_on), ("fee_agreed_on", fee_agreed_on)):
            if not me.received_on <= day <= on:
                raise NotAllowedNow(_("The day must lie between the request and today."), name)
        facts = {"agreed_on": agreed_on, "fee": fee, "fee_agreed_on": fee_agreed_on}
        agreed = SummaryAgreement.objects.create(request=me, **facts, by=by, at=at)
        me.events.record(Verb.SUMMARY_AGREED, by=by, at=at, on=on, agreed_on=agreed_on, fee=in_words(fee))
    return agreed


def give_summary(request: PatientRequest, *, given_on: date, how: str, by: User, at: datetime, on: date) -> RequestEvent:
    """The summary went out on that day, in place of the record.

    Raises NotAllowedNow unless the patient agreed to it and to its fee on that day at the latest.
    """
    with all_or_nothing(request) as me:
        carrying_out.check(me, Kind.ACCESS, on)
        if not SummaryAgreement.objects.filter(request=me, agreed_on__lte=given_on, fee_agreed_on__lte=given_on).exists():
            words = _("A summary goes out only once the patient has agreed to it and to its fee (45 CFR 164.524(c)(2)(iii)).")
            raise NotAllowedNow(words, "given_on")
        facts = {"given_on": given_on, "how": how}
        return carrying_out.access_given(request, me, Verb.SUMMARY_GIVEN, given_on, by=by, at=at, on=on, **facts)
