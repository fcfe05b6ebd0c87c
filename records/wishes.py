"""What binds the office for a patient on a day: the restrictions in force and the way to reach them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from records import representation
from records.models import (
    ChartGuard,
    ContactPreference,
    Entry,
    LegalHold,
    NoticeAcknowledgment,
    Patient,
    Representative,
    Restriction,
)
from records.restriction_rules import Outcome, Verdict

_SHORTEST_NUMBER = 7  # digits of a telephone number


@dataclass(frozen=True)
class Wishes:
    """What this patient may ask of the office on this day. Each is one query, made when it is looked at."""

    patient: Patient
    on: date

    @cached_property
    def restrictions(self) -> list[Restriction]:
        """The restrictions in force."""
        return list(Restriction.objects.in_force(self.on).filter(patient=self.patient).select_related("paid", "notice"))

    @cached_property
    def contact(self) -> ContactPreference | None:
        """The way in which the patient wishes to be reached, or None."""
        return ContactPreference.objects.latest_of(self.patient, self.on)

    @cached_property
    def representatives(self) -> list[tuple[Representative, str | None]]:
        """Those on file who may act, and those whom the desk must ask about first, each with the words for that or None."""
        if not getattr(self.patient, "has_representatives", True):
            return []
        known = [(one, representation.refusal(one, self.on)) for one in self.patient.representatives.with_state()]
        return [(one, why) for one, why in known if why in (None, str(representation.ASK_OFFICER))]

    @cached_property
    def has_notice(self) -> bool:
        """Whether the patient was given the notice (164.520(c)(2)). No query where the patient came `with_marks`."""
        return self._mark("has_notice")

    @cached_property
    def is_held(self) -> bool:
        """Whether a legal hold lies on this patient's records. No query where the patient came `with_marks`."""
        return self._mark("is_held")

    @cached_property
    def is_guarded(self) -> bool:
        """Whether the chart opens for its team alone. No query where the patient came `with_marks`."""
        return self._mark("is_guarded")

    @cached_property
    def holds(self) -> list[LegalHold]:
        """The legal holds in force."""
        return list(LegalHold.objects.in_force(self.on).filter(patient=self.patient))

    def _mark(self, name: str) -> bool:
        if not hasattr(self.patient, name):
            marked = with_marks(Patient.objects.filter(pk=self.patient.pk), self.on).get()
            for mark in ("has_notice", "is_held", "is_guarded"):
                setattr(self.patient, mark, getattr(marked, mark))
        return getattr(self.patient, name)


def with_marks(patients: QuerySet[Patient], on: date) -> QuerySet[Patient]:
    """These patients, each with what the banner would else ask one by one, in the same query.

    `has_notice`; `is_held`, by a legal hold; `is_guarded`; `has_representatives`, which spares most charts a query.
    """
    given = NoticeAcknowledgment.objects.given().filter(patient=OuterRef("pk"))
    holds = LegalHold.objects.in_force(on).filter(patient=OuterRef("pk"))
    acting = Representative.objects.filter(patient=OuterRef("pk"))
    guards = ChartGuard.objects.in_force().filter(patient=OuterRef("pk"))
    marks = {"has_notice": Exists(given), "is_held": Exists(holds), "is_guarded": Exists(guards)}
    return patients.annotate(**marks, has_representatives=Exists(acting))


def verdicts(
    patient: Patient,
    entries: Sequence[Entry] | None,
    *,
    purpose: str,
    recipient: str,
    on: date,
    emergency: bool = False,
) -> list[tuple[Restriction, Verdict]]:
    """What each restriction in force says of a release of these entries; those that are not concerned left out. Two queries.

    `purpose` is a code of disclosures/purposes.py, `recipient` one of restriction_rules.Recipient; `entries` None means that
    nobody knows which. `emergency`: a provider needs them to treat the patient in an emergency (164.522(a)(1)(iii)).
    """
    standing = Restriction.objects.in_force(on).filter(patient=patient).with_terms()
    facts: dict[str, Any] = {"purpose": purpose, "recipient": recipient, "on": on, "emergency": emergency}
    told = [(restriction, restriction.verdict(entries, **facts)) for restriction in standing]
    return [(restriction, verdict) for restriction, verdict in told if verdict.outcome != Outcome.FREE]


def in_force(patient: Patient, on: date) -> Wishes:
    """The patient's wishes on that day."""
    return Wishes(patient, on)


def wishing(patients: list[Patient], on: date) -> set[int]:
    """The keys of those among these patients who wish to be reached another way than the chart's details say. One query."""
    keys = [patient.pk for patient in patients]
    begun = ContactPreference.objects.filter(patient__in=keys, begins_on__lte=on) if keys else ContactPreference.objects.none()
    return set(begun.values_list("patient_id", flat=True))


def allows(patient: Patient, means: str, where: str, on: date) -> str | None:
    """Why the office may not reach the patient this way on that day, in words for the desk; None when it may. One query.

    `means` is one of ContactPreference.Means; `where` is the number, e-mail or postal address, the patient's name with it or
    not, or "" where only the means is asked about. Handing something to the patient at the office is always a way
    (164.522(b)(1)(i)).
    """
    contact = ContactPreference.objects.latest_of(patient, on)
    if contact is None or means == ContactPreference.Means.PICK_UP:
        return None
    where = "\n".join(line for line in where.splitlines() if line.strip() != patient.name)
    if means == contact.means and (not where.strip() or _is_there(means, where, contact.where)):
        return None
    way = ", ".join([str(contact.get_means_display()), *contact.where.splitlines()])
    told = _("The patient asked to be reached only so: %(way)s.") % {"way": way}
    return f"{told} {_('Do not use: %(what)s.') % {'what': contact.avoid}}" if contact.avoid else told


def allows_another(patient: Patient, means: str, where: str, on: date) -> str | None:
    """Why the office may not reach somebody who acts for the patient there on that day, in words for the desk; None when it may.

    What goes to a representative goes where they said (164.502(g)(1)): the patient's wish governs what goes to the patient. But
    a patient who asked to be reached elsewhere has left the place that the chart names, and whoever opens the mail or picks up
    the telephone there may be the reason, which nobody asks (164.522(b)(2)(iii)). So nothing about them goes to that place,
    whoever it is addressed to: the representative names another, or is handed it. Where the rule is silent this is the office's
    decision, on the careful side. `means` and `where` as `allows` takes them, one query.
    """
    contact = ContactPreference.objects.latest_of(patient, on)
    if contact is None or not _is_of_the_chart(patient, means, where):
        return None
    if means == contact.means and _is_there(means, where, contact.where):
        return None
    return _("The patient asked not to be reached there, so nothing goes there: ask for another place, or hand it over.")


def _is_of_the_chart(patient: Patient, means: str, where: str) -> bool:
    if means == ContactPreference.Means.MAIL:
        return any(line.startswith(street) for street in _lines(patient.address_1) for line in _lines(where))
    known = {ContactPreference.Means.PHONE: patient.phone, ContactPreference.Means.EMAIL: patient.email}.get(means)  # type: ignore[call-overload]
    return bool(known and where.strip()) and _is_there(means, where, known)


def _is_there(means: str, where: str, wished: str) -> bool:
    """Whether this number, e-mail or address is the one that is wished, however it is written."""
    if means == ContactPreference.Means.PHONE:
        number = "".join(letter for letter in where if letter.isdigit())
        return len(number) >= _SHORTEST_NUMBER and number in "".join(letter for letter in wished if letter.isdigit())
    if means == ContactPreference.Means.EMAIL:
        return where.strip().casefold() in wished.casefold().split()
    if means == ContactPreference.Means.MAIL:
        return _lines(where) <= _lines(wished)
    return True


def _lines(address: str) -> set[str]:
    return {key for line in address.splitlines() if (key := "".join(letter for letter in line.casefold() if letter.isalnum()))}


def mailing_lines(patient: Patient, on: date) -> list[str]:
    """The lines to put on an envelope: the patient's name, and where they wish their mail sent, or the chart's address.

    A patient who wishes to pick up, or to be reached by telephone or e-mail, gets no street address on an envelope:
    the line says how they are to be reached (164.522(b)).
    """
    contact = ContactPreference.objects.latest_of(patient, on)
    if contact is None:
        return [patient.name, *patient.address_lines()]
    if contact.means == ContactPreference.Means.MAIL:
        return [patient.name, *contact.where.splitlines()]
    return [patient.name, f"{contact.get_means_display()}: {contact.where}"]
