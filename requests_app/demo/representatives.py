"""Who acts for some of the invented patients: a mother, a daughter, somebody the physician refuses, an executor."""

from datetime import date, datetime, timedelta
from typing import Any

from meso.models import Office, User
from records import representation
from records.models import DeathReport, Entry, MinorConsent, Patient, Representative
from records.representation import Basis, Paper, Scope


def put_on_file(dorothy: Patient, staff: dict[str, User], on: date, at: datetime) -> None:
    """Four representatives, a minor who soon turns 18 with an entry of their own, and a patient who has died."""
    now: dict[str, Any] = {"by": staff["frontdesk"], "at": at, "on": on}
    _stand_for(dorothy, "Helen Hughes", "daughter", Basis.POWER, Paper.HEALTH_CARE_POWER, now)
    nephew = _stand_for(dorothy, "Bert Hughes", "nephew", Basis.COURT, Paper.ORDER, now)
    reasoning = "Bruises on both arms at two visits; she grew silent whenever he came in. I do not think he acts in her interest."
    nephew.refuse(by=staff["doctor"], at=at, on=on, ground="harmed", reasoning=reasoning)

    minor = _patient("Mateo", "Rivera", representation.born_by(on + timedelta(days=10)))
    _stand_for(minor, "Elena Rivera", "mother", Basis.PARENT, Paper.BIRTH, now)
    entry = Entry.objects.create(
        patient=minor,
        kind=Entry.Kind.VISIT_NOTE,
        service_on=on - timedelta(days=21),
        title="Talk alone",
        body="Came by himself, asks about treatment of acne scars. Wishes to decide on his own once he is 18.",
        author=staff["doctor"],
        signed_as=staff["doctor"].signature,
        written_at=at - timedelta(days=21),
    )
    MinorConsent.mark(entry, ground=MinorConsent.Ground.CONSENTED, by=staff["doctor"], at=at)

    late = _patient("Walter", "Lindgren", date(1939, 4, 6))
    DeathReport.record(late, died_on=on - timedelta(days=40), how_known="Death certificate seen", **now)
    _stand_for(late, "Karin Lindgren", "executor", Basis.ESTATE, Paper.LETTERS, now)


def _stand_for(patient: Patient, name: str, relation: str, basis: Basis, paper: Paper, now: dict[str, Any]) -> Representative:
    return Representative.put_on_file(
        patient,
        name=name,
        relation=relation,
        basis=basis,
        paper=paper,
        scope=Scope.HEALTH_CARE,
        address="4 Hill Road\nTroy, NY 12180",
        phone="(518) 555-0188",
        begins_on=now["on"] - timedelta(days=14),
        verified_how="Photo ID seen",
        **now,
    )


def _patient(first: str, last: str, born: date) -> Patient:
    return Patient.objects.create(
        chart_number=Office.take_chart_number(lambda number: Patient.objects.filter(chart_number=number).exists()),
        first_name=first,
        last_name=last,
        date_of_birth=born,
        sex="male",
        phone="(518) 555-0188",
        address_1="4 Hill Road",
        city="Troy",
        state="NY",
        zip="12180",
        language="en",
    )
