"""What a request asks for, in words: the facts of its kind as a screen, a letter or a list says them."""

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from records.models import ContactPreference, Entry
from records.models.chart import EntryQuerySet
from requests_app import deadlines
from requests_app.kinds import DETAILS, Kind

if TYPE_CHECKING:
    from requests_app.models import PatientRequest


class Way(models.TextChoices):
    """The way in which a patient gets at the record: theirs to choose (45 CFR 164.524(c)(2))."""

    INSPECT = "inspect", _("Look at it at the office")
    ELECTRONIC = "electronic", _("Electronic copy")
    MAIL = "mail", _("On paper, by mail")
    PICK_UP = "pick_up", _("On paper, picked up at the office")


class YesNo(models.TextChoices):
    """An answer that nobody must give."""

    YES = "yes", _("Yes")
    NO = "no", _("No")


# (kind, fact) -> the words of its codes
CODED: dict[tuple[str, str], type[models.TextChoices]] = {
    (Kind.ACCESS, "form"): Way,
    (Kind.RESTRICTION, "paid_in_full"): YesNo,
    (Kind.CONFIDENTIAL_COMMUNICATION, "means"): ContactPreference.Means,
}
_DAYS = {"since", "until"}


def _in_words(kind: str, fact: str, value: str) -> str:
    codes = CODED.get((kind, fact))
    if codes and value in codes.values:
        return str(codes(value).label)
    try:
        return deadlines.spoken(date.fromisoformat(value)) if fact in _DAYS else value
    except ValueError:
        return value


def words(request: "PatientRequest") -> dict[str, str]:
    """The facts of the request in words, in the order of the form; what was left empty is left out."""
    told = {fact: request.details[fact] for fact in DETAILS[request.kind] if request.details.get(fact)}
    return {fact: _in_words(request.kind, fact, str(value)) for fact, value in told.items()}


def lines(request: "PatientRequest") -> list[tuple[str, str]]:
    """The same as (label, words)."""
    return [(str(DETAILS[request.kind][fact]), said) for fact, said in words(request).items()]


def entries(request: "PatientRequest") -> EntryQuerySet:
    """The entries of the record within the days asked for; none while the chart is not found."""
    found = Entry.objects.of_record().filter(patient=request.patient_id)
    for fact, lookup in (("since", "service_on__gte"), ("until", "service_on__lte")):
        if day := request.details.get(fact):
            found = found.filter(**{lookup: day})
    return found
