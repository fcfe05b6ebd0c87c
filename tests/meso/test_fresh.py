"""What carries much out of the office, or changes who gets in, asks again who it is; nothing typed is lost by it."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from disclosures.models import Release
from meso.models import AccessEvent, User
from meso.roles import ENROLL, FACTORS, FRESH, PERMISSIONS
from tests.disclosures.test_release import sent
from tests.factories import AT, PASSWORD, EntryFactory, PatientFactory, RestrictionFactory, UserFactory
from tests.signing_in import code_now, log_in

AGAIN = "/accounts/again/"


@contextmanager
def later(**after):
    with time_machine.travel(AT + timedelta(**after), tick=False):
        yield


@pytest.fixture
def admin(client, db):
    """An office admin who logged in at AT."""
    user = UserFactory(role="office_admin")
    with later():
        log_in(client, user)
    return user


def new_person(**fields) -> dict:
    words = "needles and pins 99"
    return {"username": "bea", "first_name": "Bea", "role": "physician", "password1": words, "password2": words, **fields}


def test_for_ten_minutes_after_the_login_nothing_is_asked(client, admin):
    with later(minutes=9):
        assert client.get("/staff/new/").status_code == 200
        assert client.post("/staff/new/", new_person()).status_code == 302
    assert User.objects.filter(username="bea").exists()


@pytest.mark.parametrize("path", ["/staff/new/", "/accounts/app/", "/accounts/app/remove/", "/accounts/recovery-codes/new/"])
def test_after_that_the_page_asks_first(client, admin, path):
    with later(minutes=11):
        assert client.get(path)["Location"] == f"{AGAIN}?next={path}"
        assert client.get("/staff/").status_code == client.get("/office/").status_code == 200


YEAR = {"start": "2026-01-01", "end": "2026-11-01"}
EXPORTS = [("/disclosures/csv/", {}), ("/auditor/", YEAR), ("/requests/R-1042/proof.zip", None), ("/retention/list.csv", None)]


@pytest.mark.parametrize(("path", "data"), EXPORTS)
def test_exports_ask_first(client, db, path, data):
    with later():
        log_in(client, UserFactory(role="privacy_officer"))
    with later(minutes=11):
        response = client.get(path) if data is None else client.post(path, data)
        assert response["Location"].startswith(AGAIN)
    assert not AccessEvent.objects.filter(action="export").exists()


def show_it_is_me(client, page: str, how: str):
    """Answer the page that asks; the address it goes on to."""
    if how == "password":
        return client.post(page, {"password": PASSWORD})["Location"]
    return client.post(page.replace(AGAIN, f"{AGAIN}code/", 1), {"code": code_now()})["Location"]


@pytest.mark.parametrize("how", ["password", "code"])
def test_a_form_that_was_sent_waits_and_is_sent_by_one_press(client, admin, how):
    typed = new_person(first_name="Bea\nAnn", licence_number='7 & "8"')
    with later(minutes=11):
        asked = client.post("/staff/new/", typed)["Location"]
        assert not User.objects.filter(username="bea").exists()
        page = client.get(show_it_is_me(client, asked, how))
        fields = page.context["sent"]["fields"]
        assert {name: value for name, (value,) in fields.items()} == {k: v for k, v in typed.items() if "password" not in k}
        assert PASSWORD not in page.text
        assert "needles" not in page.text
        form = client.post(page.context["sent"]["path"], fields).context["form"]
        assert form["licence_number"].value() == '7 & "8"'
        assert client.post("/staff/new/", new_person()).status_code == 302


def test_a_wrong_answer_opens_nothing_and_is_an_event(client, admin):
    with later(minutes=11):
        assert client.post(AGAIN, {"password": "wrong"}).status_code == 200
        assert client.post(f"{AGAIN}code/", {"code": "000000"}).status_code == 200
        assert client.get("/staff/new/")["Location"].startswith(AGAIN)
    assert AccessEvent.objects.filter(action="login_failed", user=admin).count() == 2


def test_a_code_that_opened_the_login_does_not_answer_again(client, db):
    with later():
        log_in(client, UserFactory(role="office_admin"))
        assert client.post(f"{AGAIN}code/", {"code": code_now()}).status_code == 200


def test_the_session_goes_on_under_a_new_key_and_the_old_one_is_worth_nothing(client, admin):
    thief = Client()
    thief.cookies["sessionid"] = old = client.cookies["sessionid"].value
    with later(minutes=11):
        show_it_is_me(client, f"{AGAIN}?next=/staff/", "password")
        assert client.cookies["sessionid"].value != old
        assert client.get("/staff/").status_code == 200
        assert thief.get("/staff/")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "needles"])
def test_nobody_is_led_to_another_host(client, admin, target):
    with later(minutes=11):
        assert client.post(AGAIN, {"password": PASSWORD, "next": target})["Location"] == "/"


def test_a_part_of_a_page_gets_one_line_and_the_page_stays(client, admin):
    with later(minutes=11):
        response = client.post("/staff/new/", new_person(), headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert 'role="alert"' in response.text
    assert "<html" not in response.text


def test_a_file_must_be_chosen_again_and_what_is_too_long_is_said(client, admin):
    with later(minutes=11):
        client.post("/staff/new/", new_person(first_name="x" * 1_000_001))
        show_it_is_me(client, f"{AGAIN}?next=/", "password")
        assert "too long to be kept" in client.get(f"{AGAIN}go-on/").text


def test_another_s_form_is_not_waiting_for_me(client, admin):
    with later(minutes=11):
        client.post("/staff/new/", new_person())
        client.post("/accounts/logout/")
        log_in(client, UserFactory(role="office_admin"))
        assert client.get(f"{AGAIN}go-on/")["Location"] == "/"


def test_what_asks_again_is_in_the_table_and_shown_to_the_admin(client, signed_in):
    signed_in("office_admin")
    assert set(PERMISSIONS) >= FRESH
    exports = {"disclosure.export", "auditor.export", "retention.export", "request.proof"}
    assert exports | {ENROLL, FACTORS, "staff.manage", "release.override"} == FRESH
    rows = client.get("/staff/").context["permissions"]
    assert sum(asks for _, asks, _ in rows) == len([name for name in FRESH if "." in name])


def test_the_wall_asks_no_question_of_the_database(signed_in, queries_for):
    signed_in("office_admin")
    assert [sql for sql in queries_for("/staff/new/") if "mfa_" in sql or "usersession" in sql] == []


def test_an_override_asks_first_and_the_plan_waits(client, db):
    patient = PatientFactory(chart_number="10023")
    RestrictionFactory(patient=patient)
    EntryFactory(patient=patient)
    with later():
        log_in(client, UserFactory(role="privacy_officer"))
    plan = sent(patient, "treatment:", step="release", override_restrictions="It is about another visit.")
    with later(minutes=11):
        assert client.post("/release/new/", sent(patient, "treatment:")).status_code == 200  # a plan without one asks nothing
        asked = client.post("/release/new/", plan)["Location"]
        assert asked.startswith(AGAIN)
        assert not Release.objects.exists()
        page = client.get(show_it_is_me(client, asked, "password"))
        waited = page.context["sent"]
        assert waited["fields"]["override_restrictions"] == ["It is about another visit."]
        client.post(waited["path"], waited["fields"])
    assert Release.objects.get().overrides[0]["reason"] == "It is about another visit."
