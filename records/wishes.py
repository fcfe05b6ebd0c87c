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
