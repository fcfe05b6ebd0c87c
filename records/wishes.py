"""What binds the office for a patient on a day: the restrictions in force and the way to reach them."""

from dataclasses import dataclass
from datetime import date

from records.models import ContactPreference, Patient, Restriction


@dataclass(frozen=True)
class Wishes:
    """The restrictions in force, and the contact preference or None."""

    restrictions: list[Restriction]
    contact: ContactPreference | None


def in_force(patient: Patient, on: date) -> Wishes:
    """Two queries."""
    return Wishes(
        list(Restriction.objects.in_force(on).filter(patient=patient)), ContactPreference.objects.latest_of(patient, on)
    )


def wishing(patients: list[Patient], on: date) -> set[int]:
    """The keys of those among these patients who wish to be reached another way than the chart's details say. One query."""
    keys = [patient.pk for patient in patients]
    begun = ContactPreference.objects.filter(patient__in=keys, begins_on__lte=on) if keys else ContactPreference.objects.none()
    return set(begun.values_list("patient_id", flat=True))


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
