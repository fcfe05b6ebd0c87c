"""Puts the invented office into an empty database: staff, patients, charts, the log, requests in every state."""

import random
from datetime import date, datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db import transaction

from meso import anchors, signin
from meso.models import Office, User
from records.models import Entry, Patient
from requests_app.demo import authorizations, chart, looks, officer, people, program, releases, representatives, requests

SEED = 20261124  # the same office every time


@transaction.atomic
def load(*, on: date, at: datetime) -> None:
    """Fill the database, all or nothing. Dates lie around `on`, so that clocks are in every state."""
    dice = random.Random(SEED)  # noqa: S311  (invented charts, no secrets)
    office = _office(on)
    staff = _staff()
    charts: list[tuple[Patient, list[Entry]]] = []
    for row in people.PATIENTS:
        patient = _patient(dice, row)
        charts.append((patient, chart.write_entries(dice, patient, staff["doctor"], staff["frontdesk"], on, at)))
    chart.mark_some(charts, staff["doctor"], staff["privacy"], at)
    chart.keep_wishes([patient for patient, _ in charts], staff["privacy"], on, at)
    chart.log_disclosures(dice, charts, staff["frontdesk"], staff["privacy"], on, at)
    authorizations.that_need_somebody([patient for patient, _ in charts], chart.RELEASES[0], staff["frontdesk"], on, at)
    anchors.make(on - timedelta(days=30), at - timedelta(days=30))  # one that the copies below carry out
    releases.let_out(charts, staff["frontdesk"], office, on=on, at=at)
    officer.withhold_and_judge([patient for patient, _ in charts], staff, on, at)
    requests.take_in_every_state(dice, charts, staff, office, on=on, at=at)
    representatives.put_on_file(next(patient for patient, _ in charts if patient.first_name == "Dorothy"), staff, on, at)
    program.fill(dice, [patient for patient, _ in charts], staff, office, on=on, at=at)
    looks.guard_and_look([patient for patient, _ in charts], staff, on, at)
    anchors.make(on - timedelta(days=1), at - timedelta(days=1))  # last night's


def _office(on: date) -> Office:
    office = Office.current()
    office.name = "Lark Street Mesotherapy"
    office.address_1, office.city, office.state, office.zip = "218 Lark Street", "Albany", "NY", "12210"
    office.phone, office.email = "(518) 555-0140", "office@example.org"
    office.officer_name, office.officer_phone = "Nora Lindqvist", "(518) 555-0142"
    office.save()
    return office


def _staff() -> dict[str, User]:
    found = {}
    for username, first, last, role, credentials in people.STAFF:
        found[username] = User.objects.create_user(
            username,
            f"{username}@example.org",
            people.PASSWORD,
            first_name=first,
            last_name=last,
            role=role,
            credentials=credentials,
            licence_number="NY 204417" if role == "physician" else "",
        )
    apps = [Authenticator(user=user, type="totp", data=signin.an_invented_app()) for user in found.values()]
    Authenticator.objects.bulk_create(apps)
    return found


def _patient(dice: random.Random, row: tuple) -> Patient:
    first, last, preferred, sex, year, month, day = row
    town, postcode = dice.choice(people.TOWNS)
    return Patient.objects.create(
        chart_number=Office.take_chart_number(lambda number: Patient.objects.filter(chart_number=number).exists()),
        first_name=first,
        last_name=last,
        preferred_name=preferred,
        sex=sex,
        date_of_birth=date(year, month, day),
        phone=f"(518) 555-{dice.randint(200, 999):04d}",
        email="",
        address_1=f"{dice.randint(2, 480)} {dice.choice(people.STREETS)}",
        city=town,
        state="NY",
        zip=postcode,
        language="en",
    )
