"""Signing in takes two steps: a password, then an authenticator app, a passkey or a recovery code; nothing is reached before."""

import json
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from meso import signin
from meso.models import AccessEvent, Draft
from records.models import Patient
from tests.factories import AT, PASSWORD, PatientFactory, UserFactory
from tests.signing_in import CODE, LOGIN, SECRET, code_now, give_app, log_in

MINE = "/accounts/"


@pytest.fixture
def doctor(db):
    return UserFactory(role="physician")


def password_only(client, user, **fields):
    return client.post(LOGIN, {"username": user.username, "password": PASSWORD, **fields})


def events(**narrowed) -> list[tuple[str, str, str]]:
    return list(AccessEvent.objects.filter(**narrowed).order_by("pk").values_list("action", "subject", "detail"))


# --- two steps ------------------------------------------------------------------------------------------------------


def test_a_password_alone_opens_nothing(client, doctor):
    give_app(doctor)
    PatientFactory(chart_number="10023")
    assert password_only(client, doctor)["Location"] == CODE
    for path in ("/", "/patients/", "/patients/10023/", MINE, "/accounts/app/"):
        assert client.get(path)["Location"].startswith(LOGIN)
    assert client.post("/patients/new/", {"last_name": "X"}).status_code == 401
    assert not AccessEvent.objects.filter(action="login").exists()


def test_the_code_opens_the_login_and_goes_on_to_where_somebody_wanted(client, doctor):
    assert log_in(client, doctor, next="/patients/")["Location"] == "/patients/"
    assert client.get("/patients/").status_code == 200
    assert events(action="login") == [("login", "login", "")]


def test_a_wrong_code_opens_nothing_and_is_an_event_like_a_wrong_password(client, doctor):
    give_app(doctor)
    password_only(client, doctor)
    for wrong in ("000000", "", "12 34 56 78 90 12 34 56 78", "٣٣٣٣٣٣", "\0"):
        page = client.post(CODE, {"code": wrong})
        assert page.status_code == 200
        assert page.context["form"].errors["code"]
    assert client.get("/patients/")["Location"].startswith(LOGIN)
    failures = AccessEvent.objects.filter(action="login_failed")
    assert (failures.count(), {event.user for event in failures}) == (5, {doctor})


def test_a_code_opens_the_login_once(client, doctor):
    with time_machine.travel(AT, tick=False):
        log_in(client, doctor)
        other = Client()
        password_only(other, doctor)
        assert "used before" in other.post(CODE, {"code": code_now()}).text
    with time_machine.travel(AT + timedelta(seconds=31), tick=False):  # the code before is in its last half minute
        assert "used before" in other.post(CODE, {"code": code_now(-1)}).text
        assert other.post(CODE, {"code": code_now()})["Location"] == "/"


@pytest.mark.parametrize(("later", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephone_may_be_half_a_minute_early_or_late(client, doctor, later, taken):
    give_app(doctor)
    password_only(client, doctor)
    with time_machine.travel(AT, tick=False):
        password_only(client, doctor)
        assert (client.post(CODE, {"code": code_now(later)}).status_code == 302) is taken


def test_a_recovery_code_opens_the_login_once(client, doctor):
    give_app(doctor)
    first, second = RecoveryCodes.activate(doctor).generate_codes()[:2]
    assert len(first) == 10
    password_only(client, doctor)
    assert client.post(CODE, {"code": f"{first[:5]} {first[5:]}"})["Location"] == "/"
    other = Client()
    password_only(other, doctor)
    assert other.post(CODE, {"code": first}).status_code == 200
    assert other.post(CODE, {"code": second})["Location"] == "/"


def test_the_second_step_waits_a_quarter_of_an_hour(client, doctor):
    give_app(doctor)
    with time_machine.travel(AT, tick=False):
        password_only(client, doctor)
    with time_machine.travel(AT + timedelta(minutes=16), tick=False):
        assert client.post(CODE, {"code": code_now()})["Location"] == LOGIN
        assert client.get("/")["Location"].startswith(LOGIN)


def test_the_second_step_of_one_is_not_the_second_step_of_another(client, doctor):
    """A password of one, then the password of another: the code that is asked for is the second one's."""
    give_app(doctor)
    other = UserFactory(role="front_desk")
    secret = signin.totp.encrypt("KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU")
    Authenticator.objects.create(user=other, type="totp", data={"secret": secret})
    password_only(client, doctor)
    password_only(client, other)
    assert client.post(CODE, {"code": code_now()}).status_code == 200
    assert client.get("/")["Location"].startswith(LOGIN)


def test_whoever_is_let_go_between_the_steps_stays_out(client, doctor):
    give_app(doctor)
    password_only(client, doctor)
    doctor.is_active = False
    doctor.save()
    client.post(CODE, {"code": code_now()})
    assert client.get("/")["Location"].startswith(LOGIN)


def test_somebody_else_may_log_in_instead(client, doctor):
    give_app(doctor)
    password_only(client, doctor)
    client.post("/accounts/logout/")
    assert client.get(CODE)["Location"] == LOGIN


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_led_to_another_host_by_the_second_step(client, doctor, next_page):
    assert log_in(client, doctor, next=next_page)["Location"] == "/"


# --- whoever has no second factor -----------------------------------------------------------------------------------


def test_whoever_has_none_reaches_the_pages_where_one_is_made_and_nothing_else(client, doctor):
    PatientFactory(chart_number="10023")
    assert password_only(client, doctor, next="/patients/")["Location"] == "/patients/"
    for path in ("/", "/patients/", "/patients/10023/", "/office/", "/accounts/recovery-codes/", "/accounts/app/remove/"):
        assert client.get(path)["Location"] == MINE, path
    assert client.post("/patients/new/", {"last_name": "X", "first_name": "Y"})["Location"] == MINE
    assert not Patient.objects.filter(last_name="X").exists()
    page = client.get(MINE)
    assert "password alone does not open" in page.text
    assert 'href="/patients/"' not in page.text
    assert client.get("/accounts/app/").status_code == client.get("/accounts/passkeys/new/").status_code == 200


def enroll(client) -> None:
    """Set an authenticator app up, as its page asks."""
    secret = client.get("/accounts/app/").context["form"].secret
    step = list(signin.totp.yield_hotp_counters_from_time())[1]
    assert client.post("/accounts/app/", {"code": signin.code_at(secret, step)})["Location"] == "/accounts/recovery-codes/"


def test_the_first_login_makes_the_factor_shows_the_codes_once_and_opens_the_house(client, doctor):
    password_only(client, doctor)
    enroll(client)
    page = client.get("/accounts/recovery-codes/")
    codes = RecoveryCodes(Authenticator.objects.get(user=doctor, type="recovery_codes")).generate_codes()
    assert [f"{code[:5]} {code[5:]}" in page.text for code in codes] == [True] * 10
    again = client.get("/accounts/recovery-codes/").text
    assert "10 codes are left" in again
    assert not any(code[:5] in again for code in codes)
    assert client.get("/patients/").status_code == 200
    assert events(action="change") == [
        ("change", f"staff {doctor.pk}", "authenticator app added"),
        ("change", f"staff {doctor.pk}", "recovery codes added"),
    ]


def test_the_code_that_made_the_factor_is_used_up(client, doctor):
    with time_machine.travel(AT, tick=False):
        password_only(client, doctor)
        enroll(client)
        app = Authenticator.objects.get(user=doctor, type="totp")
        code = signin.code_at(signin.totp.decrypt(app.data["secret"]), app.data["used_step"])
        other = Client()
        password_only(other, doctor)
        assert other.post(CODE, {"code": code}).status_code == 200


def test_a_wrong_first_code_makes_nothing(client, doctor):
    password_only(client, doctor)
    secret = client.get("/accounts/app/").context["form"].secret
    page = client.post("/accounts/app/", {"code": "000000"})
    assert page.context["form"].errors["code"]
    assert page.context["form"].secret == secret
    assert not Authenticator.objects.exists()
    assert client.get("/")["Location"] == MINE


def test_a_login_that_was_left_without_a_factor_is_worth_nothing_once_there_is_one(client, doctor):
    """Whoever has stolen a first password may not add a factor of their own beside the owner's."""
    thief = Client()
    password_only(thief, doctor)
    password_only(client, doctor)
    enroll(client)
    for path in ("/accounts/app/", "/accounts/passkeys/new/", MINE, "/"):
        assert thief.get(path)["Location"].startswith(LOGIN)
    assert client.get("/").status_code == 200


def test_a_role_s_refusal_comes_only_after_the_factor(client, doctor):
    password_only(client, doctor)
    assert client.get("/staff/")["Location"] == MINE
    enroll(client)
    assert client.get("/staff/").status_code == 403


def test_the_wall_asks_no_question_of_the_database(signed_in, queries_for):
    signed_in("office_admin")
    assert [sql for sql in queries_for("/office/") if "mfa_authenticator" in sql] == []


# --- what was typed -------------------------------------------------------------------------------------------------


def test_what_was_typed_is_nobody_s_draft_before_the_second_step(client, doctor):
    kept = json.dumps({"last_name": ["Typed"]})
    give_app(doctor)
    password_only(client, doctor, next="/patients/new/", kept=kept)
    assert not Draft.objects.exists()
    client.post(CODE, {"code": code_now()})
    assert Draft.objects.get().fields == {"last_name": ["Typed"]}


def test_what_one_typed_does_not_become_another_s_draft(client, doctor):
    other = UserFactory(role="front_desk")
    give_app(doctor)
    password_only(client, doctor, next="/patients/new/", kept=json.dumps({"last_name": ["Typed"]}))
    log_in(client, other)
    assert not Draft.objects.exists()


def test_what_was_typed_waits_while_a_first_factor_is_made(client, doctor):
    password_only(client, doctor, next="/patients/new/", kept=json.dumps({"last_name": ["Typed"]}))
    enroll(client)
    assert client.get("/patients/new/").context["form"]["last_name"].value() == "Typed"


# --- one's own factors ----------------------------------------------------------------------------------------------


def test_the_only_factor_can_not_be_removed(client, doctor):
    log_in(client, doctor)
    page = client.post("/accounts/app/remove/")
    assert "your only second factor" in page.text
    assert Authenticator.objects.filter(user=doctor, type="totp").exists()


def test_new_recovery_codes_end_the_old_ones(client, doctor):
    log_in(client, doctor)
    old = RecoveryCodes.activate(doctor).generate_codes()
    assert client.post("/accounts/recovery-codes/new/")["Location"] == "/accounts/recovery-codes/"
    page = client.get("/accounts/recovery-codes/").text
    assert not any(f"{code[:5]} {code[5:]}" in page for code in old)
    other = Client()
    password_only(other, doctor)
    assert other.post(CODE, {"code": old[0]}).status_code == 200
    assert [detail for *_, detail in events(action="change")][-2:] == ["recovery codes removed", "recovery codes added"]


def test_nobody_touches_another_s_passkey(client, doctor):
    theirs = Authenticator.objects.create(user=UserFactory(), type="webauthn", data={"name": "Key", "credential": {}})
    log_in(client, doctor)
    assert client.post(f"/accounts/passkeys/{theirs.pk}/remove/").status_code == 404
    assert Authenticator.objects.filter(pk=theirs.pk).exists()


NO_PASSKEYS = ["", "x", "[]", "7", "null", "{}", '{"id": 1}', '{"response": {}}', '{"id": "AA", "rawId": "AA"}']


@pytest.mark.parametrize("sent", NO_PASSKEYS)
def test_what_is_no_passkey_is_refused_in_words(client, doctor, sent):
    give_app(doctor)
    password_only(client, doctor)
    assert client.get(CODE).status_code == 200
    assert client.post(CODE, {"credential": sent}).status_code == 200
    assert client.get("/")["Location"].startswith(LOGIN)
    client.post(CODE, {"code": code_now()})
    page = client.post("/accounts/passkeys/new/", {"name": "Key", "credential": sent})
    assert page.status_code == 200
    assert not Authenticator.objects.filter(type="webauthn").exists()


# --- the invented office --------------------------------------------------------------------------------------------


def test_the_code_is_shown_of_somebody_invented_and_where_the_demo_serves(client, doctor, settings):
    app = give_app(doctor)
    password_only(client, doctor)
    settings.DEMO = True
    assert "invented-code" not in client.get(CODE).text  # a real person's app, in a demo's database
    Authenticator.objects.filter(pk=app.pk).update(data={"secret": signin.totp.encrypt(SECRET), "invented": True})
    assert client.get(CODE).context["invented_code"] in (code_now(), code_now(-1))
    settings.DEMO = False
    assert "invented-code" not in client.get(CODE).text


def test_whoever_left_a_first_login_open_unlocks_it_and_goes_on_there(client, doctor):
    """The lock comes before the second factor; its page must not send on to one that is locked too."""
    with time_machine.travel(AT, tick=False):
        password_only(client, doctor)
    with time_machine.travel(AT + timedelta(minutes=16), tick=False):
        unlock = client.get(MINE)["Location"]
        assert unlock.startswith("/accounts/unlock/")
        assert client.get(unlock).status_code == 200
        assert client.post("/accounts/unlock/", {"password": PASSWORD, "next": MINE})["Location"] == MINE
        assert client.get(MINE).status_code == 200
        assert client.get("/patients/")["Location"] == MINE
