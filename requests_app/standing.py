"""What the status page tells: how far a request is, and its dates. Nothing about the person, the chart or the words of it.

Whether a chart was found is not told either: whoever sent a request in another's name would learn from it that the other
is a patient here.
"""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from records import representation
from requests_app import deadlines
from requests_app.kinds import Outcome
from requests_app.models import PatientRequest


@dataclass(frozen=True)
class Standing:
    """How far it is: a headline, a sentence, whether we are late, and the dates as (label, day)."""

    headline: str
    sentence: str
    is_late: bool
    dates: list[tuple[str, date]]


def of(request: PatientRequest, on: date) -> Standing:
    """How this request stands on that day."""
    if request.representative and representation.refusal_in_force(request.representative, on):  # the same as an error would say
        words = _("We can't show how far this request is. Please call us.")
        return Standing(_("Please call us"), words, False, [(_("Received"), request.received_on)])
    late = request.is_open and deadlines.is_late(on, request.due_on)
    return Standing(*_words(request), late, _dates(request))


def _words(request: PatientRequest) -> tuple[str, str]:
    due = {"due": deadlines.spoken(request.due_on)}
    if request.outcome == Outcome.WITHDRAWN:
        return _("Withdrawn"), _("This request was taken back. You may send another at any time.")
    if not request.is_open:
        return _("Answered"), _("Our answer is on its way to you, or with you. If you have not got it, please call us.")
    if request.outcome:
        return _("Decided"), _("We have decided and are getting the answer ready. It leaves us by %(due)s.") % due
    return _("We are working on it"), _("Your request is with us. You get our answer by %(due)s.") % due


def _dates(request: PatientRequest) -> list[tuple[str, date]]:
    dates = [(_("Received"), request.received_on)]
    if request.extended_to:
        dates += [(_("First due"), request.first_due_on), (_("Extended to"), request.extended_to)]
    else:
        dates.append((_("Due"), request.due_on))
    if request.closed_on:
        dates.append((_("Withdrawn on") if request.outcome == Outcome.WITHDRAWN else _("Answered on"), request.closed_on))
    return dates
