"""Guessing a login is slowed, and nobody is shut out of their own account by somebody else who guesses."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from meso import lockout
from meso.models import AccessEvent, User
from tests.factories import PASSWORD, UserFactory
from tests.signing_in import CODE, code_now, give_app, log_in

AT = datetime(2026, 11, 24, 15, tzinfo=UTC)
LOGIN = "/accounts/login/"
WRONG = "wrong"
OFFICE, ATTACKER, HOME = "198.51.100.7", "203.0.113.66", "192.0.2.3"


@pytest.fixture(autouse=True)
def today(db):
    with time_machine.travel(AT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def adele():
    return UserFactory(username="adele")


def from_(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def try_(browser: Client, username: str = "adele", password: str = WRONG):
    return browser.post(LOGIN, {"username": username, "password": password})


def is_held(browser: Client, username: str = "adele") -> bool:
    """Whether this browser is told to wait. Asks with a wrong password."""
    return try_(browser, username).status_code == 429


def logged_in(user: User, address: str) -> Client:
    """A browser from which this person has logged in and out again."""
    browser = from_(address)
    assert log_in(browser, user).status_code == 302
    browser.post("/accounts/logout/")
    return browser


# --- an account -------------------------------------------------------------------------------------------------------


def test_ten_wrong_passwords_and_the_account_can_not_be_tried_from_there_or_from_elsewhere(adele):
    attacker = from_(ATTACKER)
    assert [try_(attacker).status_code for _ in range(10)] == [200] * 10
    held = try_(attacker, password=PASSWORD)
    assert held.status_code == 429
    assert "Try again in 15 minutes." in held.text
    assert held["Retry-After"] == "900"
    assert is_held(from_(HOME))
    assert not is_held(attacker, "boris")


def test_a_quarter_of_an_hour_later_the_right_password_is_taken(adele, today):
    for _ in range(10):
        try_(from_(ATTACKER))
    today.shift(timedelta(minutes=15))
    assert try_(from_(ATTACKER), password=PASSWORD).status_code == 302


def test_sixty_in_a_day_and_it_is_over_for_the_day(adele, today):
    for _ in range(6):
        for _ in range(10):
            try_(from_(ATTACKER))
        today.shift(timedelta(minutes=15))
    assert is_held(from_(ATTACKER))
    assert lockout.wait_of(adele) == timedelta(days=1) - timedelta(minutes=90)


def test_however_the_name_is_written_it_is_one_account(adele):
    for name in ("adele", "ADELE", " Adele ", "aDele") * 3:
        try_(from_(ATTACKER), name)
    assert is_held(from_(ATTACKER))


# --- its owner --------------------------------------------------------------------------------------------------------


def test_whoever_guesses_shuts_its_owner_out_neither_at_the_office_nor_at_home(adele):
    """A browser that has logged in before goes on, from whatever address; so does a new one at an address that is known."""
    travelled = logged_in(adele, OFFICE)
    for number in range(30):
        try_(from_(f"203.0.113.{number}"))
    assert is_held(from_(ATTACKER))
    travelled.defaults["REMOTE_ADDR"] = HOME
    assert try_(travelled, password=PASSWORD).status_code == 302
    assert try_(from_(OFFICE), password=PASSWORD).status_code == 302


def test_an_attacker_in_the_office_s_own_network_does_not_shut_out_its_browsers(adele):
    desk = logged_in(adele, OFFICE)
    for _ in range(30):
        try_(from_(OFFICE))
    assert is_held(from_(OFFICE))
    assert try_(desk, password=PASSWORD).status_code == 302


def test_one_address_that_guesses_at_everybody_is_held_and_the_office_is_not(adele, today):
    attacker = from_(ATTACKER)
    statuses = [try_(attacker, f"user{number}").status_code for number in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    assert is_held(attacker)
    assert try_(from_(OFFICE), password=PASSWORD).status_code == 302
    today.shift(timedelta(minutes=15))
    assert not is_held(attacker)


def test_the_owner_s_own_slips_have_a_limit_too(adele):
    desk = logged_in(adele, OFFICE)
    assert [try_(desk).status_code for _ in range(11)] == [200] * 10 + [429]
    assert not is_held(desk, "boris")


def test_a_browser_is_known_to_those_who_logged_in_from_it_and_for_thirty_days(adele, today):
    boris = UserFactory(username="boris")
    desk = logged_in(adele, OFFICE)
    assert log_in(desk, boris).status_code == 302
    desk.defaults["REMOTE_ADDR"] = HOME
    for user in (adele, boris):
        for _ in range(10):
            try_(from_(ATTACKER), user.username)
        assert not is_held(desk, user.username)
    today.shift(timedelta(days=31))
    for _ in range(10):
        try_(from_(ATTACKER))
    assert is_held(desk)


@pytest.mark.parametrize("forged", ["", "made-up", "eyJtYXJrIjoieCJ9:1:abc"])
def test_the_mark_of_a_browser_can_not_be_made_up_and_names_nobody(adele, forged):
    mark = logged_in(adele, OFFICE).cookies[lockout.COOKIE]
    assert "adele" not in mark.value
    assert (mark["httponly"], mark["samesite"]) == (True, "Lax")
    for _ in range(10):
        try_(from_(ATTACKER))
    browser = from_(HOME)
    browser.cookies[lockout.COOKIE] = forged
    assert is_held(browser)


def test_without_an_address_no_place_is_known(adele):
    logged_in(adele, "")
    for _ in range(10):
        try_(from_(""))
    assert is_held(from_(""))


# --- who asks does not learn ------------------------------------------------------------------------------------------


def without_tokens(html: str) -> str:
    return re.sub(r'nonce="[^"]*"|[A-Za-z0-9]{64}|value="[a-z]*"', "", html)


def answers(username: str, password: str) -> list[tuple[int, str]]:
    browser = from_(ATTACKER)
    return [
        (answer.status_code, without_tokens(answer.text)) for answer in (try_(browser, username, password) for _ in range(11))
    ]


def test_a_wrong_password_a_name_of_nobody_and_an_account_that_is_off_get_the_same_words_and_the_same_limit(adele, today):
    UserFactory(username="boris", is_active=False)
    told = []
    for username, password in [("adele", "wrong"), ("nobody", "wrong"), ("boris", "wrong"), ("boris", PASSWORD)]:
        told.append(answers(username, password))
        today.shift(timedelta(hours=1))
    assert told[0][0][0] == 200
    assert told[0][-1][0] == 429
    assert told[1:] == [told[0]] * 3


def test_they_cost_the_same_hashing_and_the_same_questions(adele, monkeypatch, queries_for):
    UserFactory(username="boris", is_active=False)
    UserFactory(username="dora", is_active=False)
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *given: hashed.append(1) or encode(self, *given))
    queries_for(LOGIN, {"username": "carla", "password": "wrong"})  # the first of this place begins to be counted
    work = []
    for username, password in [("adele", "wrong"), ("nobody", "wrong"), ("boris", "wrong"), ("dora", PASSWORD)]:
        hashed.clear()
        queries = queries_for(LOGIN, {"username": username, "password": password})
        work.append((len(hashed), len(queries)))
    assert work == [work[0]] * 4
    assert work[0][0] == 1


def test_what_is_held_is_not_hashed_and_adds_one_row_to_the_audit(adele, monkeypatch):
    for _ in range(10):
        try_(from_(ATTACKER))
    before = AccessEvent.objects.count()
    monkeypatch.setattr(MD5PasswordHasher, "encode", None)
    monkeypatch.setattr(MD5PasswordHasher, "verify", None)
    for _ in range(20):
        assert try_(from_(ATTACKER), password=PASSWORD).status_code == 429
    event = AccessEvent.objects.order_by("-id")[0]
    assert AccessEvent.objects.count() == before + 1
    assert (event.action, event.subject, event.user, event.address) == ("refused", "too often: failed logins", adele, ATTACKER)


def test_what_was_typed_elsewhere_is_kept_through_the_wait(adele):
    for _ in range(10):
        try_(from_(ATTACKER))
    held = from_(ATTACKER).post(LOGIN, {"username": "adele", "password": "x", "kept": '{"title": ["typed"]}', "next": "/office/"})
    assert held.status_code == 429
    assert "typed" in held.text
    assert 'value="adele"' in held.text


# --- the second factor ------------------------------------------------------------------------------------------------


NO_CODE, NO_PASSKEY = {"code": "000000"}, {"credential": "{}"}


@pytest.mark.parametrize("wrong", [NO_CODE, {"code": "0000000000"}, NO_PASSKEY], ids=["app", "recovery code", "passkey"])
def test_ten_wrong_second_steps_and_the_right_one_waits_too(adele, today, wrong):
    """Codes, recovery codes and passkeys count like passwords; the page is ours, and one event tells of it."""
    give_app(adele)
    browser = from_(ATTACKER)
    assert try_(browser, password=PASSWORD)["Location"] == CODE
    assert [browser.post(CODE, wrong).status_code for _ in range(10)] == [200] * 10
    held = browser.post(CODE, {"code": code_now()})
    assert (held.status_code, held["Retry-After"]) == (429, "900")
    assert "Please wait a little" in held.text
    assert "Try again in 15 minutes." in held.text
    browser.post(CODE, wrong)
    assert AccessEvent.objects.filter(action="refused", subject="too often: failed logins").count() == 1
    assert is_held(from_(HOME))
    today.shift(timedelta(minutes=15))
    try_(browser, password=PASSWORD)
    assert browser.post(CODE, {"code": code_now()})["Location"] == "/"


AGAIN = "/accounts/again/"
PASSWORDS = {"old_password": "wrong", "new_password1": "needles and pins 99", "new_password2": "needles and pins 99"}


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        (AGAIN, {"password": "wrong"}),
        (f"{AGAIN}code/", NO_CODE),
        (f"{AGAIN}passkey/", NO_PASSKEY),
        ("/accounts/password/", PASSWORDS),
    ],
)
def test_whoever_is_logged_in_and_is_asked_again_has_no_more_tries(adele, page, wrong, monkeypatch):
    """A screen that was left open is no place to guess at its owner's secrets."""
    monkeypatch.setattr("allauth.mfa.webauthn.internal.auth.get_credentials", lambda user: [])  # whose key is nobody's
    desk = from_(OFFICE)
    assert log_in(desk, adele).status_code == 302
    Authenticator.objects.create(user=adele, type="webauthn", data={"name": "key", "credential": {}})
    shown = [desk.post(page, wrong).status_code for _ in range(10)]
    assert shown == [200] * 10
    held = desk.post(AGAIN, {"password": PASSWORD})
    assert held.status_code == 429
    assert "Try again in 15 minutes." in held.text
    assert not is_held(from_(HOME))  # in another browser nothing of it counts


# --- the admin --------------------------------------------------------------------------------------------------------


def test_the_admin_sees_it_and_lifts_it_and_that_is_written_down(client, signed_in, adele):
    admin = signed_in("office_admin")
    page = f"/staff/{adele.pk}/"
    assert "Tried too often" not in client.get(page).text
    for _ in range(10):
        try_(from_(ATTACKER))
    assert "It ends by itself in 15 minutes." in client.get(page).text
    assert client.post(f"{page}let-try/").status_code == 302
    assert "Tried too often" not in client.get(page).text
    assert try_(from_(HOME), password=PASSWORD).status_code == 302
    event = AccessEvent.objects.filter(detail="lockout lifted").get()
    assert (event.action, event.subject, event.user) == ("change", f"staff {adele.pk}", admin)


def test_what_was_lifted_can_be_reached_again_and_lifted_again(client, signed_in, adele):
    signed_in("office_admin")
    for _ in range(3):
        for number in range(10):
            try_(from_(f"203.0.113.{number}"))
        assert is_held(from_(HOME))
        client.post(f"/staff/{adele.pk}/let-try/")
        assert not is_held(from_(HOME))


# --- a session that waits for its owner's password --------------------------------------------------------------------


def test_a_locked_session_can_not_be_guessed_open_without_end(adele, today):
    browser = from_(OFFICE)
    assert log_in(browser, adele).status_code == 302
    today.shift(timedelta(minutes=20))
    for _ in range(10):
        assert "not your password" in browser.post("/accounts/unlock/", {"password": WRONG}).text
    held = browser.post("/accounts/unlock/", {"password": PASSWORD}).text
    assert "Try again in 15 minutes." in held
