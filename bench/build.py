"""Builds an office of N patients in bulk: 5 entries and 3 disclosures each, validly sealed, 1 request in 10.

    DATABASE_URL=… python -m bench.build --patients 100000

The database must be empty. Everything is invented from a fixed seed, so each build of one size is the same office.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

import django

from bench import names, words

BATCH = 2000  # patients stored together
LOOKS = 3  # at each chart
FIRST_CHART = 10001
PASSWORD = "bench-only-pass-phrase"  # noqa: S105  (of an invented office that listens on this machine only)
FACTOR = "MJSW4Y3IMJSW4Y3IMJSW4Y3IMJSW4Y3I"  # the key of everybody's authenticator app, there
STAFF = (  # user name, first name, last name, role
    ("desk", "Sam", "Reed", "front_desk"),
    ("desk2", "Kim", "Ortiz", "front_desk"),
    ("doctor", "Ada", "Vance", "physician"),
    ("officer", "Nora", "Lindqvist", "privacy_officer"),
    ("boss", "Theo", "Marsh", "office_admin"),
)
_RELEASE_WEIGHTS = list(accumulate(often for _, often, _ in words.RELEASES))


class Office:
    """One office under construction: its dice, its day, its staff."""

    def __init__(self, seed: int, on: date, at: datetime):
        from allauth.mfa.models import Authenticator
        from allauth.mfa.utils import encrypt

        from meso.models import Office as Profile
        from meso.models import User

        self.dice, self.on, self.at = random.Random(seed), on, at
        self.looked_at, self.between_looks = at - timedelta(days=500), timedelta(0)
        self.profile = Profile.current()
        self.staff: dict[str, Any] = {}
        for username, first, last, role in STAFF:
            self.staff[username] = User.objects.create_user(username, "", PASSWORD, first_name=first, last_name=last, role=role)
        apps = [Authenticator(user=user, type="totp", data={"secret": encrypt(FACTOR)}) for user in self.staff.values()]
        Authenticator.objects.bulk_create(apps)

    def days_ago(self, least: int, most: int) -> date:
        """A day that lies so many days back."""
        return self.on - timedelta(days=self.dice.randint(least, most))


def build(patients: int, *, on: date, at: datetime, seed: int = 1) -> None:
    """Fill an empty database with an office of `patients` charts around the day `on`."""
    office = Office(seed, on, at)
    office.profile.next_chart_number = FIRST_CHART + patients
    office.profile.save()
    office.between_looks = (at - office.looked_at) / (patients * LOOKS)
    for start in range(0, patients, BATCH):
        _store(office, range(start, min(start + BATCH, patients)))
        if sys.stderr.isatty():
            print(f"\r{start + BATCH:>9,} of {patients:,} patients", end="", file=sys.stderr, flush=True)


def _store(office: Office, numbers: range) -> None:
    """One batch: charts with their keys and history, their sealed rows, their requests, the looks at them."""
    from django.db import transaction
    from simple_history.utils import bulk_create_with_history

    from meso import seals
    from records.models import NameKey, Patient

    with transaction.atomic():
        patients = bulk_create_with_history([_patient(office, number) for number in numbers], Patient, batch_size=500)
        NameKey.objects.bulk_create(key for patient in patients for key in NameKey.of(patient))
        seals.bulk_seal([row for patient in patients for row in _sealed_rows(office, patient)])
        _store_requests(office, patients[::10])
        seals.bulk_seal([event for patient in patients for event in _looks(office, patient)])


def _patient(office: Office, number: int) -> Any:
    from records.models import Patient

    dice = office.dice
    patient = Patient(
        chart_number=str(FIRST_CHART + number),
        first_name=names.first(dice),
        last_name=names.last(dice),
        date_of_birth=office.days_ago(18 * 366, 85 * 365),
        sex=dice.choice(("female", "female", "male")),
        phone=f"({dice.choice((518, 212, 646, 914))}) 555-{dice.randint(0, 9999):04d}",
        address_1=f"{dice.randint(1, 999)} Elm Street",
        city="Albany",
        state="NY",
        zip="12207",
    )
    patient.set_keys()
    return patient


def _sealed_rows(office: Office, patient: Any) -> Iterator[Any]:
    """Five entries and three disclosures of a patient, oldest first."""
    from disclosures.models import Disclosure
    from records.models import Entry

    dice, doctor, desk = office.dice, office.staff["doctor"], office.staff[office.dice.choice(("desk", "desk2"))]
    for day in sorted(office.days_ago(1, 1500) for _ in range(5)):
        kind, title, body = dice.choice(words.NOTES)
        yield Entry(
            patient=patient,
            kind=kind,
            service_on=day,
            title=title,
            body=body,
            author=doctor,
            signed_as=doctor.signature,
            written_at=office.at - (office.on - day),
        )
    for day in sorted(office.days_ago(1, 2500) for _ in range(3)):
        code, _, purpose = dice.choices(words.RELEASES, cum_weights=_RELEASE_WEIGHTS)[0]
        yield Disclosure(
            patient=patient,
            disclosed_on=day,
            recipient=_recipient(dice),
            recipient_address=f"{dice.randint(1, 400)} State Street\nAlbany, NY 12207",
            information="Visit notes of the last year and the lot numbers of the products",
            purpose_code=code,
            purpose=purpose,
            authorized_on=day - timedelta(days=5) if code == "authorization" else None,
            logged_by=desk,
            logged_at=office.at - (office.on - day),
        )


def _recipient(dice: random.Random) -> str:
    """Half of them the same few agencies, half one of some thousands of practices."""
    if dice.random() < 0.5:
        return dice.choice(words.AGENCIES)
    return f"{names.last(dice)} {dice.choice(words.PRACTICES)}"


def _store_requests(office: Office, patients: list) -> None:
    """A request each: four in five closed over the last years, one in five open, some of those overdue."""
    from requests_app.models import PatientRequest, RequestEvent

    requests = PatientRequest.objects.bulk_create(_request(office, patient) for patient in patients)
    RequestEvent.objects.bulk_create(event for request in requests for event in _timeline(office, request))


def _request(office: Office, patient: Any) -> Any:
    from requests_app import deadlines, rules
    from requests_app.models import PatientRequest

    is_open = office.dice.random() < 0.2
    received = office.days_ago(0, 32) if is_open else office.days_ago(33, 1500)
    answered = None if is_open else received + timedelta(days=office.dice.randint(1, 28))
    desk = office.staff["desk"]
    return PatientRequest(
        patient=patient,
        kind=office.dice.choice(words.KINDS),
        channel="letter",
        received_on=received,
        entered_at=office.at,
        entered_by=desk,
        assignee=office.staff["officer"] if office.dice.random() < 0.5 else None,
        asker_name=patient.name,
        asker_born=patient.date_of_birth,
        description="As the letter says.",
        promised_days=30,
        rule_version=rules.CURRENT,
        due_on=deadlines.due_on(received),
        identity_checked_on=answered,
        identity_checked_by=desk if answered else None,
        identity_how="Photo ID" if answered else "",
        outcome="granted" if answered else "",
        decided_on=answered,
        decided_by=office.staff["officer"] if answered else None,
        carried_out_on=answered,
        letter_sent_on=answered,
        closed_on=answered,
    )


def _timeline(office: Office, request: Any) -> Iterator[Any]:
    """What the model's own methods would have written: received, and closed or overdue where it is."""
    from requests_app.models import RequestEvent
    from requests_app.models.timeline import Verb

    def event(verb: str, day: date, **data: str) -> Any:
        desk = office.staff["desk"]
        return RequestEvent(request=request, verb=verb, at=office.at, on=day, by=desk, signed_as=desk.signature, data=data)

    due = request.due_on.isoformat()
    yield event(Verb.RECEIVED, request.received_on, channel="By letter", received_on=request.received_on.isoformat(), due_on=due)
    if request.closed_on:
        yield event(
            Verb.CLOSED,
            request.closed_on,
            outcome="Granted",
            acted_on=request.closed_on.isoformat(),
            timeliness="On time.",
        )
    elif request.due_on < office.on:
        yield event(Verb.OVERDUE, office.on, due_on=due)


def _looks(office: Office, patient: Any) -> Iterator[Any]:
    """The looks at the chart, one after the other as time goes."""
    from meso.models import AccessEvent

    people = [office.staff[name] for name in ("desk", "desk2", "doctor", "officer")]
    for _ in range(LOOKS):
        office.looked_at += office.between_looks
        yield AccessEvent(
            at=office.looked_at,
            user=office.dice.choice(people),
            action="view",
            subject="chart",
            chart_number=patient.chart_number,
            address="127.0.0.1",
        )


def settle() -> None:
    """What the database does by itself in its own time, done now: statistics, and on SQLite the journal emptied."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")


def main() -> None:
    """Migrate, build, settle, verify every seal; print the times as one line of JSON. Exits 1 when a seal does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.build", description="Build an invented office in an empty database.")
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    django.setup()
    from django.core.management import call_command

    from meso import clock, seals
    from records.models import Patient

    call_command("migrate", verbosity=0)
    if Patient.objects.exists():
        sys.exit("bench.build: the database holds an office already; it fills an empty one only.")
    begun = time.perf_counter()
    build(options.patients, on=clock.today(), at=clock.now(), seed=options.seed)
    built = time.perf_counter()
    settle()
    settled = time.perf_counter()
    report = seals.verify()
    verified = time.perf_counter()
    print(
        json.dumps(
            {
                "patients": options.patients,
                "build_seconds": round(built - begun, 1),
                "settle_seconds": round(settled - built, 1),
                "verify_seconds": round(verified - settled, 1),
                "chains": report.chains,
                "links": report.links,
                "breaks": len(report.breaks),
            }
        )
    )
    if report.breaks:
        sys.exit(f"bench.build: {report.breaks[0]}")


if __name__ == "__main__":
    main()
