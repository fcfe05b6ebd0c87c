"""The role under which the office works owns nothing: it does a day's work and can't rewrite a line of it."""

import json
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from disclosures.models import Disclosure
from meso import app_role
from meso.append_only import AppendOnlyError, append_only_models
from meso.models import Anchor, Office, User
from records.models import Entry, EntryFlag, Patient
from requests_app.models import PatientRequest
from tests.conftest import as_owner
from tests.factories import AT, EntryFactory, PatientFactory, UserFactory
from tests.signing_in import log_in

POSTGRESQL = connection.vendor == "postgresql"
pytestmark = [pytest.mark.django_db]
ON_A_TABLE = (
    "UPDATE {t} SET id = id",
    "DELETE FROM {t}",
    "TRUNCATE {t} CASCADE",
    "SELECT 1 FROM {t} FOR UPDATE",
    "DROP TABLE {t}",
    "ALTER TABLE {t} DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only_{t} ON {t}",
    "ALTER TABLE {t} RENAME TO other",
    "CREATE RULE r AS ON INSERT TO {t} DO INSTEAD NOTHING",
)
ELSEWHERE = (
    "CREATE OR REPLACE FUNCTION meso_append_only_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TABLE mine (id int)",
    "SET session_replication_role = replica",
    "TRUNCATE records_patient CASCADE",
    "UPDATE django_migrations SET name = ''",
    "UPDATE records_historicalpatient SET id = id",
    "DELETE FROM records_historicalpatient",
    "DROP SCHEMA public CASCADE",
    "ALTER ROLE CURRENT_USER SUPERUSER",
)


@pytest.fixture
def role() -> Iterator[str]:
    """A role that may log in and has just been granted its rights, as `migrate` in docker-compose.yml does. SQLite: none."""
    if not POSTGRESQL:
        yield ""
        return
    name = f"meso_app_{uuid4().hex[:8]}"
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        call_command("grant_app_role", name)
        yield name
        cursor.execute("SET ROLE NONE")
        cursor.execute(f"DROP OWNED BY {name}")
        cursor.execute(f"DROP ROLE {name}")


def refused(login: psycopg.Connection, sql: str) -> bool:
    """Whether the server says that this role may not, before any trigger is asked."""
    try:
        with login.transaction():
            login.execute(sql.encode())
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


@pytest.mark.django_db(transaction=True)
def test_logged_in_as_that_role_nobody_changes_a_line_or_takes_a_guard_away(role):
    if not POSTGRESQL:  # no roles: the command says so, and the triggers are all there is
        with pytest.raises(CommandError, match="SQLite has no roles"):
            call_command("grant_app_role", "meso_app")
        return
    EntryFactory()
    facts = connection.get_connection_params() | {"user": role, "password": role, "cursor_factory": None}
    facts.pop("options", None)
    with psycopg.connect(**facts) as login:
        assert login.execute("SELECT count(*) FROM records_entry").fetchone() == (1,)
        for table in [model._meta.db_table for model in append_only_models()]:
            for act in ON_A_TABLE:
                assert refused(login, act.format(t=table)), act.format(t=table)
        for act in ELSEWHERE:
            assert refused(login, act), act


def test_a_role_that_could_do_more_is_refused_and_gets_nothing():
    if not POSTGRESQL:
        return
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (owner,) = cursor.fetchone()
    for name, words in (
        (owner, "Choose a role that owns nothing"),
        (f"nobody_{uuid4().hex}", "knows no role"),
        ('a"b', "knows no"),
    ):
        with as_owner(), pytest.raises(CommandError, match=words):
            call_command("grant_app_role", name)


def test_every_table_of_the_house_has_its_place():
    rights = app_role.rights()
    assert {model._meta.db_table for model in append_only_models()} <= {t for t, v in rights.items() if v == app_role.ADDED}
    assert rights["records_historicalpatient"] == app_role.ADDED
    assert (rights["meso_chainhead"], rights["django_migrations"]) == (app_role.WORKED, app_role.READ)


def test_the_check_for_a_deployment_names_a_role_that_may_do_more(role):
    assert app_role.check_role in checks.registry.registry.deployment_checks
    found = app_role.check_role(databases=["default"])
    assert [warning.id for warning in found] == (["meso.W001"] if POSTGRESQL else [])
    if role:
        connection.cursor().execute(f"SET ROLE {role}")
        assert app_role.check_role(databases=["default"]) == []


def work_a_day(client) -> PatientRequest:
    """Log in, register a patient, write, flag, strike, log a disclosure, take in, verify and give a request; all by the pages."""
    assert log_in(client, User.objects.get(username="desk")).status_code == 302
    new = {
        "first_name": "Ruth", "last_name": "Keane", "date_of_birth": "1958-02-28", "sex": "female", "language": "en",
        "phone": "", "email": "", "address_1": "12 Elm Street", "city": "Albany", "state": "NY", "zip": "12207",
    }  # fmt: skip
    assert client.post("/patients/new/", new).status_code == 302
    chart = Patient.objects.get(last_name="Keane").chart_number
    logged = {
        "patient": chart, "disclosed_on": "2026-11-20", "recipient": "Board of Medicine", "recipient_address": "",
        "once": "ab" * 16, "information": "Visit note", "purpose_code": "health_oversight", "purpose": "Inspection",
    }  # fmt: skip
    assert client.post("/disclosures/new/", logged).status_code == 302
    asked = {
        "received_on": "2026-11-24", "channel": "telephone", "kind": "access", "who": "patient", "asker_name": "Ruth Keane",
        "once": "a-token", "access_which": "All", "access_form": "mail", "chart_number": chart,
    }  # fmt: skip
    assert client.post("/requests/new/", asked).status_code == 302
    assert client.get("/requests/").status_code == client.get("/").status_code == 200
    client.post("/accounts/logout/")
    client.force_login(UserFactory(role="physician", credentials="MD"))
    note = {"kind": "visit_note", "service_on": "2026-11-23", "title": "Follow-up", "body": "No pain. Go on.", "token": "t" * 20}
    assert client.post(f"/patients/{chart}/entries/new/", note).status_code == 302
    return PatientRequest.objects.get()


@pytest.mark.usefixtures("nov_24")
def test_a_days_work_is_done_under_that_role(client, role, capsys):
    doctor = UserFactory(role="physician", credentials="MD")
    UserFactory(username="desk", role="front_desk")
    Office.current()
    if role:
        connection.cursor().execute(f"SET ROLE {role}")
    request = work_a_day(client)
    entry, patient = Entry.objects.get(), Patient.objects.get()
    entry.strike(by=doctor, at=AT, reason="Wrong", passage="No pain")
    entry.add_addendum(by=doctor, at=AT, body="Some pain.")
    flag = EntryFlag.lay(entry, "psychotherapy_notes", reason="Kept apart", by=doctor, at=AT)
    flag.end(reason="A mistake", by=doctor, at=AT)
    assert (request.number, Disclosure.objects.get().patient) == (PatientRequest.objects.get().number, patient)
    call_command("anchor")
    call_command("verify_records", anchor=Anchor.objects.get().text)
    assert "Nothing before it was rewritten." in capsys.readouterr().out
    call_command("deadlines", format="json")
    assert len(json.loads(capsys.readouterr().out)) == 1
    call_command("send_reminders")


def test_a_row_of_an_append_only_table_is_held_and_not_locked():
    entry = EntryFactory(patient=PatientFactory())
    with pytest.raises(AppendOnlyError):
        Entry.objects.select_for_update().get(pk=entry.pk)
    with transaction.atomic():
        Entry.objects.hold(entry.pk)


@pytest.mark.django_db(transaction=True)
def test_two_who_hold_one_row_wait_for_one_another_and_two_rows_do_not():
    with pytest.raises(transaction.TransactionManagementError):
        Entry.objects.hold(1)
    if not POSTGRESQL:  # a transaction is the only writer there
        return
    asked: list[str] = []
    record = connection.execute_wrapper(lambda run, sql, params, many, context: asked.append(sql % tuple(params)))
    with transaction.atomic(), record:
        Entry.objects.hold(1)
        Entry.objects.hold(2)
    same, another = (sql.replace("pg_advisory", "pg_try_advisory").encode() for sql in asked)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other, transaction.atomic():
        Entry.objects.hold(1)
        assert other.execute(same).fetchone() == (False,)
        assert other.execute(another).fetchone() == (True,)
