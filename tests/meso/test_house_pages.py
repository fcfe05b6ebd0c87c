"""The pages of the house itself: the audit trail, the office's profile, the staff, health."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext

from meso import append_only, readiness
from meso.models import AccessEvent, Office, User
from meso.roles import Role
from tests.conftest import as_owner
from tests.factories import PatientFactory, UserFactory


def event(at: datetime, **fields) -> AccessEvent:
    return AccessEvent.objects.create(
        at=at, action=fields.pop("action", "view"), subject=fields.pop("subject", "chart"), **fields
    )


def shown(response) -> list[str]:
    """The subjects of the events that a page lists, those of logging in left out."""
    return [row.subject for row in response.context["page"] if row.subject not in ("login", "audit trail")]


# --- audit trail ----------------------------------------------------------------------------------------------------


@pytest.fixture
def officer(signed_in):
    return signed_in("privacy_officer")


def test_the_trail_is_read_newest_first_and_reading_it_is_audited(client, officer):
    event(datetime(2026, 11, 23, 15, tzinfo=UTC), subject="older")
    event(datetime(2026, 11, 24, 15, tzinfo=UTC), subject="newer")
    response = client.get("/audit/")
    assert shown(response) == ["newer", "older"]
    last = AccessEvent.objects.order_by("-pk")[0]
    assert (last.action, last.subject, last.detail, last.user) == ("view", "audit trail", "3 rows", officer)


@pytest.mark.parametrize(
    ("filled", "expected"),
    [
        ({"chart_number": " 10023 "}, ["a look"]),
        ({"action": "refused"}, ["a refusal"]),
        ({"since": "2026-11-24"}, ["a refusal"]),
        ({"until": "2026-11-23"}, ["a look"]),
        ({"since": "2026-11-23", "until": "2026-11-23", "action": "view"}, ["a look"]),
        ({"chart_number": "nobody's"}, []),
    ],
)
@time_machine.travel(datetime(2026, 11, 23, 15, tzinfo=UTC), tick=False)
def test_the_trail_is_narrowed(client, signed_in, filled, expected):
    signed_in("privacy_officer")
    event(datetime(2026, 11, 23, 15, tzinfo=UTC), subject="a look", chart_number="10023")
    event(datetime(2026, 11, 24, 15, tzinfo=UTC), subject="a refusal", action="refused")
    assert shown(client.post("/audit/", filled)) == expected


def test_the_trail_is_narrowed_to_a_member_of_the_staff(client, officer):
    other = UserFactory()
    event(datetime(2026, 11, 23, 15, tzinfo=UTC), subject="theirs", user=other)
    event(datetime(2026, 11, 23, 15, tzinfo=UTC), subject="mine", user=officer)
    assert shown(client.post("/audit/", {"user": other.pk})) == ["theirs"]


@time_machine.travel(datetime(2026, 11, 24, 4, tzinfo=UTC), tick=False)
def test_a_day_of_the_trail_is_a_day_on_the_offices_clock(client, signed_in):
    """23:30 in New York is the next day in UTC; midnight is the first instant of its day."""
    signed_in("privacy_officer")
    event(datetime(2026, 11, 24, 4, 59, 59, tzinfo=UTC), subject="late on the 23rd")
    event(datetime(2026, 11, 24, 5, 0, tzinfo=UTC), subject="midnight of the 24th")
    event(datetime(2026, 11, 25, 4, 30, tzinfo=UTC), subject="half past eleven on the 24th")
    event(datetime(2026, 11, 25, 5, 0, tzinfo=UTC), subject="midnight of the 25th")
    found = shown(client.post("/audit/", {"since": "2026-11-24", "until": "2026-11-24"}))
    assert found == ["half past eleven on the 24th", "midnight of the 24th"]


def test_days_in_the_wrong_order_are_told_at_the_field(client, officer):
    response = client.post("/audit/", {"since": "2026-11-24", "until": "2026-11-23"})
    assert response.context["form"].errors == {"until": ["This day comes before the first one."]}


def test_the_trail_pages_by_key_without_losing_or_repeating_a_row(client, officer):
    for number in range(120):
        event(datetime(2026, 11, 23, 15, number // 60, number % 60, tzinfo=UTC), subject=f"look {number}", chart_number="10023")
    seen, after, pages = [], "", 0
    while pages == 0 or after:
        response = client.post("/audit/", {"chart_number": "10023", "after": after})
        seen += shown(response)
        after, pages = response.context["page"].next_token, pages + 1
    assert seen == [f"look {number}" for number in reversed(range(120))]
    assert pages == 3


def test_the_trail_costs_the_same_however_long_it_is(client, officer, queries_for):
    Office.current()
    event(datetime(2026, 11, 23, 15, tzinfo=UTC))
    few = len(queries_for("/audit/", {"since": "2026-11-01"}))
    for number in range(200):
        event(datetime(2026, 11, 23, 16, tzinfo=UTC), user=officer, subject=f"look {number}")
    assert len(queries_for("/audit/", {"since": "2026-11-01"})) == few


def test_no_name_stands_in_an_address_of_the_trail(client, officer):
    assert 'method="post"' in client.get("/audit/").text


# --- office profile -------------------------------------------------------------------------------------------------


@pytest.fixture
def admin(signed_in):
    return signed_in("office_admin", first_name="Adele", last_name="Ito")


def profile(**changed) -> dict[str, str]:
    office = Office.current()
    fields = {"name": "Cedar Lane", "time_zone": office.time_zone, "officer_title": "Privacy Officer", "promised_days": "30"}
    fields |= {"opens_at": "08:00", "closes_at": "18:00", "working_days": list("01234")}
    return fields | {"copy_rate": "0.15", "electronic_copy_fee": "0.00", "charge_electronic_pages": "on"} | changed


def test_the_profile_is_saved_with_its_history_and_audited(client, admin):
    assert client.post("/office/", profile(copy_rate="0.12", promised_days="21")).status_code == 302
    client.post("/office/", profile(copy_rate="0.10", promised_days="20"))
    office = Office.current()
    assert (office.name, str(office.copy_rate), office.promised_days) == ("Cedar Lane", "0.10", 20)
    assert AccessEvent.objects.filter(action="change", subject="office profile", user=admin).count() == 2
    page = client.get("/office/").text
    for told in ("$0.15", "$0.12", "$0.10", ">30<", ">21<", ">20<", "Adele Ito"):
        assert told in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("promised_days", "31", "less than or equal to 30"),
        ("promised_days", "0", "greater than or equal to 1"),
        ("promised_days", "12.5", "whole number"),
        ("copy_rate", "0.151", "2 decimal places"),
        ("copy_rate", "0.16", "less than or equal to 0.15"),
        ("copy_rate", "-0.01", "greater than or equal to 0"),
        ("electronic_copy_fee", "6.51", "less than or equal to 6.5"),
        ("time_zone", "Mars/Olympus", "is not a time zone"),
        ("name", "", "required"),
    ],
)
def test_the_profile_refuses_more_than_the_notice_promises(client, admin, field, value, words):
    response = client.post("/office/", profile(**{field: value}))
    assert response.status_code == 200
    assert words in str(response.context["form"].errors[field])
    assert response.context["form"][field].value() == value
    assert Office.current().name != "Cedar Lane"


def test_the_database_holds_the_promise_too(db):
    from django.db import IntegrityError, transaction

    Office.current()
    for wrong in ({"promised_days": 31}, {"copy_rate": "0.16"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Office.objects.update(**wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Office.objects.create(pk=2)


def test_the_office_costs_one_query_a_page(client, admin, queries_for):
    Office.current()
    asked = [sql for sql in queries_for("/staff/") if "meso_office" in sql]
    assert len(asked) == 1


def test_the_day_is_the_one_on_the_offices_clock(client, signed_in):
    with time_machine.travel(datetime(2026, 11, 25, 4, 30, tzinfo=UTC), tick=False):
        signed_in("office_admin")
        assert "Tuesday, November 24, 2026" in client.get("/").text
        client.post("/office/", profile(time_zone="Pacific/Auckland"))
        assert "Wednesday, November 25, 2026" in client.get("/").text


# --- staff ----------------------------------------------------------------------------------------------------------


def details(person: User, **changed) -> dict[str, str]:
    return {"first_name": person.first_name, "last_name": person.last_name, "role": person.role, "is_active": "on"} | changed


def test_somebody_new_can_log_in(client, admin):
    words = "needles and pins 99"
    fields = {"username": "bea", "first_name": "Bea", "role": "physician", "credentials": "MD"}
    client.post("/staff/new/", fields | {"password1": words, "password2": words})
    bea = User.objects.get(username="bea")
    assert (bea.role, bea.signature) == ("physician", "Bea, MD")
    assert client.login(username="bea", password=words)
    assert AccessEvent.objects.filter(action="create", subject=f"staff {bea.pk}", detail="role physician", user=admin).exists()


@pytest.mark.parametrize("word", ["short", "password1234", "beatrice-beatrice"])
def test_a_weak_first_password_is_refused_at_its_field(client, admin, word):
    fields = {"username": "beatrice-beatrice", "role": "physician", "password1": word, "password2": word}
    response = client.post("/staff/new/", fields)
    assert response.context["form"].errors["password2"]
    assert not User.objects.filter(username="beatrice-beatrice").exists()


def test_nobody_locks_out_themselves(client, admin):
    for taken_away in ({"role": "front_desk"}, {"is_active": ""}):
        response = client.post(f"/staff/{admin.pk}/", details(admin, **taken_away))
        assert "your own way in" in str(response.context["form"].non_field_errors())
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("office_admin", True)


def test_an_admin_may_change_their_own_name(client, admin):
    assert client.post(f"/staff/{admin.pk}/", details(admin, last_name="Ito-Vance")).status_code == 302
    admin.refresh_from_db()
    assert admin.last_name == "Ito-Vance"


def test_of_two_admins_one_may_go(client, admin):
    other = UserFactory(role="office_admin")
    assert client.post(f"/staff/{other.pk}/", details(other, is_active="")).status_code == 302
    other.refresh_from_db()
    assert other.is_active is False


def test_the_last_admin_stays_whoever_asks(db):
    """Somebody whose own role was taken away meanwhile can't take the last one's."""
    from django.db import transaction

    from meso.forms import StaffForm

    last, was_admin = UserFactory(role="office_admin"), UserFactory(role="front_desk")
    with transaction.atomic():
        form = StaffForm(details(last, role="physician"), instance=User.objects.get(pk=last.pk), by=was_admin)
        assert "at least one office admin" in str(form.non_field_errors())
    UserFactory(role="office_admin", is_active=False)
    with transaction.atomic():
        form = StaffForm(details(last, is_active=""), instance=User.objects.get(pk=last.pk), by=was_admin)
        assert not form.is_valid()


def test_letting_somebody_go_ends_their_access_at_once(client, admin, django_user_model):
    from django.test import Client

    desk, other = UserFactory(role="front_desk"), Client()
    other.force_login(desk)
    assert other.get("/patients/").status_code == 200
    client.post(f"/staff/{desk.pk}/", details(desk, is_active=""))
    assert other.get("/patients/").status_code == 302
    assert AccessEvent.objects.filter(subject=f"staff {desk.pk}", detail="may not log in").exists()


def test_the_staff_page_shows_the_whole_table_of_permissions(client, admin):
    from meso.roles import NARROWER, WORDS

    text = client.get("/staff/").text
    assert all(f">{words}<" in text for words in WORDS.values())
    assert all(str(role.label) in text for role in Role)
    assert all(f">{what}<" in text for what, _whom in NARROWER)


def test_the_first_admin_is_made_by_djangos_own_command(db):
    from django.core.management import call_command

    call_command("createsuperuser", interactive=False, username="first", email="a@office.example", role="office_admin")
    assert User.objects.get(username="first").role == "office_admin"


# --- health ---------------------------------------------------------------------------------------------------------


def test_health_is_asked_without_a_login_and_without_touching_a_table(client, db):
    client.get("/healthz/")  # the first time, migrations and guards are asked for
    with CaptureQueriesContext(connection) as asked:
        response = client.get("/healthz/")
    assert response.json() == {"live": True, "ready": True}
    assert [query["sql"] for query in asked.captured_queries] == ["SELECT 1"]


@pytest.mark.django_db(transaction=True)
def test_health_says_when_the_database_is_gone_and_when_it_is_back(client):
    """Nobody listens at the port, or nothing lies at the path: the server lives, and is not ready."""
    there, place = connection.settings_dict, "PORT" if connection.vendor == "postgresql" else "NAME"
    before = there[place]
    connection.close()
    there[place] = "1" if place == "PORT" else "/nowhere/at/all.sqlite3"
    try:
        gone = client.get("/healthz/")
    finally:
        connection.close()
        there[place] = before
    assert (gone.status_code, gone.json()) == (503, {"live": True, "ready": False})
    assert client.get("/healthz/").json() == {"live": True, "ready": True}


@pytest.mark.parametrize("lack", ["migrations", "guards"])
def test_health_is_not_ready_before_the_database_is_what_the_code_wants(client, db, monkeypatch, caplog, lack):
    monkeypatch.setattr(readiness, "_fit", set())
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("meso")
    with as_owner():
        if lack == "migrations":
            MigrationRecorder(connection).record_unapplied(*newest)
        else:
            append_only.drop_triggers(connection, AccessEvent)
    assert client.get("/healthz/").status_code == 503
    assert lack in caplog.text


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", "Today"),
        ("/patients/", "Patients"),
        ("/patients/10023/authorizations/", "Patients"),
        ("/patients/10023/suspensions/new/", "Patients"),
        ("/requests/", "Requests"),
        ("/disclosures/", "Disclosures"),
        ("/release/new/", "Disclosures"),
        ("/authorizations/", "Disclosures"),
        ("/program/", "Privacy"),
        ("/breaches/", "Privacy"),
        ("/suspensions/", "Privacy"),
        ("/registers/", "Privacy"),
        ("/audit/", "Audit"),
    ],
)
def test_each_page_marks_its_room_in_the_navigation_and_no_other(client, signed_in, path, marked):
    PatientFactory(chart_number="10023")
    signed_in("privacy_officer")
    nav = client.get(path).text.partition('class="topnav"')[2].partition("</nav>")[0]
    assert re.findall(r'aria-current="page">([^<]*)<', nav) == [marked]
