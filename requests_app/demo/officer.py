"""What only the privacy officer sees in the invented office: a suspension, a breach half judged, research, an associate."""

from datetime import date, datetime, timedelta
from typing import Any

from disclosures.models import Breach, BusinessAssociate, Disclosure, ResearchProtocol, Suspension
from meso.models import User
from records.models import Patient


def withhold_and_judge(patients: list[Patient], staff: dict[str, User], on: date, at: datetime) -> None:
    """One of each, its dates around `on`."""
    now: dict[str, Any] = {"by": staff["privacy"], "at": at}
    _research(patients[10:13], on, now)
    _police(patients[9], on, now)
    _misdirected(patients[8], on, now)
    BusinessAssociate.objects.create(
        name="Hudson Billing Services", does="Prepares statements for patients", contract_on=on - timedelta(days=400),
        contact="Dana Ortiz, (518) 555-0188",
    )  # fmt: skip


def _police(patient: Patient, on: date, now: dict[str, Any]) -> None:
    Disclosure.log(
        patient=patient, disclosed_on=on - timedelta(days=12), recipient="New York State Police, Troop G",
        information="Name, address, date of the last visit", purpose_code="law_enforcement", sub_kind="locate",
        purpose="To find a missing person", **now,
    )  # fmt: skip
    Suspension.record(
        patient=patient, agency="New York State Police, Troop G", official="Inv. Ruth Okafor",
        identity="Badge seen, number noted; called back at the troop", codes=["law_enforcement"], written=False,
        statement="Said that an accounting would be reasonably likely to impede an open investigation.",
        stated_on=on - timedelta(days=11), until=None, on=on, **now,
    )  # fmt: skip


def _misdirected(patient: Patient, on: date, now: dict[str, Any]) -> None:
    row = Disclosure.log(
        patient=patient, disclosed_on=on - timedelta(days=6), recipient="A number that is not the patient’s",
        information="Appointment letter with the name of the treatment", purpose_code="impermissible",
        purpose="The fax number was typed wrong", **now,
    )  # fmt: skip
    breach = Breach.open_one(
        what="An appointment letter was faxed to a wrong number.", happened_on=on - timedelta(days=6),
        discovered_on=on - timedelta(days=4), disclosure=row, on=on, **now,
    )  # fmt: skip
    breach.count(1, {"NY": 1}, on=on, **now)


def _research(patients: list[Patient], on: date, now: dict[str, Any]) -> None:
    protocol = ResearchProtocol.objects.create(
        name="Healing after small injections", description="How the skin heals after treatment.",
        purpose="To make treatment safer.",
        selection="Adults treated in the last two years.", kinds="Visit notes and lot numbers", people=62, waiver="irb",
        begins_on=on - timedelta(days=300), ends_on=on - timedelta(days=30),
        sponsor="Upstate Medical Foundation", sponsor_address="9 Academy Road, Albany, NY 12208", sponsor_phone="(518) 555-0170",
        researcher="Dr. Ilse Brandt", researcher_address="4 College Row, Albany, NY 12203", researcher_phone="(518) 555-0171",
    )  # fmt: skip
    for patient in patients:
        Disclosure.log(
            patient=patient, disclosed_on=on - timedelta(days=100), recipient=protocol.researcher, information=protocol.kinds,
            purpose_code="research", purpose=protocol.name, protocol=protocol, **now,
        )  # fmt: skip
