"""Sessions: the idle lock, the twelve hours, the list of one's sessions and their ends."""

import json
from datetime import datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import call_command
from django.http import QueryDict
from django.test import Client

from meso import drafts, sessions
from meso.models import AccessEvent, Draft, Office, Session, User
from tests import signing_in
from tests.factories import AT, PASSWORD, PatientFactory, UserFactory

UNLOCK, STATE, LIST = "/accounts/unlock/", "/accounts/session/", "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def clock():
    """The clock stands at ten in the morning; `clock.shift(delta)` moves it on."""
    with time_machine.travel(AT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin(clock, client, db, password) -> User:
    """Adele, logged in at ten."""
    user = UserFactory(role="office_admin", username="adele", first_name="Adele", last_name="Ito")
    log_in(client, user)
    return user


def log_in(client: Client, user: User, agent: str = "") -> None:
    client.defaults["HTTP_USER_AGENT"] = agent
    cache.clear()  # where the clock stands, the app shows the code of the last login again
    answer = signing_in.log_in(client, user)
    assert answer.status_code == 302


def unlock(client, password=PASSWORD, **more):
    return client.post(UNLOCK, {"password": password, **more})


def is_locked(response) -> bool:
    return response.status_code == 302 and response["Location"].startswith(UNLOCK)


# --- the idle lock --------------------------------------------------------------------------------------------------


def test_fifteen_minutes_without_a_request_lock_the_session_and_less_does_not(client, admin, clock):
    clock.shift(15 * MINUTE - timedelta(seconds=1))
    assert client.get("/office/").status_code == 200
    clock.shift(15 * MINUTE)
    response = client.get("/office/?a=1")
    assert response["Location"] == f"{UNLOCK}?next=/office/%3Fa%3D1"


def test_a_locked_session_shows_nothing_and_does_nothing(client, db, clock):
    officer = UserFactory(role="privacy_officer")
    log_in(client, officer)
    patient = PatientFactory(chart_number="10023")
    clock.shift(15 * MINUTE)
    for path in ("/", "/patients/10023/", "/audit/", LIST, f"/patients/{patient.chart_number}/accounting/"):
        assert is_locked(client.get(path)), path
    part = client.post("/patients/", {"q": "Alvarez"}, headers={"HX-Request": "true"})
    assert part.status_code == 401
    assert "Alvarez" not in part.text
    sent = client.post("/patients/new/", {"first_name": "Zoe"})
    assert sent.status_code == 401
    assert "Zoe" not in sent.text
    assert patient.__class__.objects.count() == 1


def test_the_lock_page_names_its_owner_and_asks_for_the_password_only(client, admin, clock):
    clock.shift(15 * MINUTE)
    page = client.get(UNLOCK).text
    assert "Adele Ito: your password, please." in page
    assert page.count('type="password"') == 1
    assert 'name="username"' not in page
    assert "/audit/" not in page  # no navigation


def test_the_password_unlocks_in_place_and_leads_back(client, admin, clock):
    clock.shift(15 * MINUTE)
    assert unlock(client, next="/staff/")["Location"] == "/staff/"
    assert client.get("/staff/").status_code == 200


def test_a_wrong_password_unlocks_nothing_and_counts_as_a_failed_login(client, admin, clock):
    clock.shift(15 * MINUTE)
    page = unlock(client, "wrong", next="/staff/")
    assert "This is not your password" in page.text
    assert 'value="/staff/"' in page.text
    assert is_locked(client.get("/"))
    failed = AccessEvent.objects.get(action="login_failed")
    assert (failed.user, failed.subject) == (admin, "login")


def test_the_password_of_somebody_else_unlocks_nothing(client, admin, clock):
    UserFactory(username="bea", password="bea's own pass phrase 1")
    clock.shift(15 * MINUTE)
    assert "not your password" in unlock(client, "bea's own pass phrase 1").text
    assert is_locked(client.get("/"))


def test_unlocking_is_audited_and_gives_the_session_a_new_key(client, admin, clock):
    clock.shift(15 * MINUTE)
    before = client.cookies["sessionid"].value
    unlock(client)
    assert client.cookies["sessionid"].value != before
    assert not Session.objects.filter(session_key=before).exists()
    event = AccessEvent.objects.filter(action="login").order_by("pk").last()
    assert (event.user, event.subject) == (admin, "unlock")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "x"])
def test_unlocking_leads_to_no_other_host(client, admin, clock, target):
    clock.shift(15 * MINUTE)
    assert unlock(client, next=target)["Location"] == "/"


def test_somebody_else_logs_in_instead_and_the_session_is_gone(client, admin, clock):
    bea = UserFactory(username="bea")
    clock.shift(15 * MINUTE)
    assert 'action="/accounts/logout/"' in client.get(UNLOCK).text
    client.post("/accounts/logout/")
    assert not Session.objects.of(admin, AT).exists()
    log_in(client, bea)
    assert "Robin Keeler" in client.get("/").text


def test_what_the_script_asks_by_itself_is_no_activity(client, admin, clock):
    for _ in range(15):
        clock.shift(MINUTE)
        left = client.get(STATE).json()["left"]
    assert left == 0
    assert is_locked(client.get("/"))


def test_a_click_on_go_on_working_puts_the_lock_off_however_often(client, admin, clock):
    for _ in range(20):
        clock.shift(14 * MINUTE)
        assert client.get(STATE).json()["left"] == 60
        assert client.post(STATE).json()["left"] == 15 * 60
    assert client.get("/").status_code == 200


def test_a_click_after_the_lock_unlocks_nothing(client, admin, clock):
    clock.shift(15 * MINUTE)
    assert client.post(STATE).json()["left"] == 0
    assert is_locked(client.get("/"))


def test_the_patients_pages_stay_open_beside_a_lock_and_do_not_put_it_off(client, admin, clock):
    clock.shift(14 * MINUTE)
    assert client.get("/privacy/").status_code == 200
    clock.shift(MINUTE)
    assert client.get("/privacy/").status_code == 200
    assert is_locked(client.get("/"))


def test_the_limits_stand_in_one_place_and_are_those_of_the_issue(settings):
    assert settings.SESSION_IDLE_LOCK == 15 * 60
    assert settings.SESSION_LOCK_WARNING == 2 * 60
    assert settings.SESSION_COOKIE_AGE == 12 * 60 * 60


def test_a_page_tells_its_script_how_long_and_whose(client, admin, clock):
    clock.shift(30 * timedelta(seconds=1))
    page = client.get("/office/").text
    for mark in (f'data-lock-who="{admin.pk}"', 'data-lock-left="870"', 'data-lock-ends="43170"', 'data-lock-warning="120"'):
        assert mark in page
    assert 'id="lock-cover"' in page
    for path in (UNLOCK + "?x=1", "/privacy/", "/nothing-here/"):
        assert "data-lock" not in client.get(path, follow=path.startswith("/privacy")).text


def test_the_script_unlocks_by_the_same_page_and_is_answered_in_its_own_way(client, admin, clock):
    clock.shift(15 * MINUTE)
    asks = {"headers": {"Accept": "application/json"}}
    wrong = client.post(UNLOCK, {"password": "wrong"}, **asks)
    assert wrong.json() == {"error": "This is not your password. Capital letters count."}
    empty = client.post(UNLOCK, {}, **asks)
    assert empty.json() == {"error": "This field is required."}
    assert is_locked(client.get("/"))
    right = client.post(UNLOCK, {"password": PASSWORD}, **asks).json()
    assert (right["who"], right["left"], right["ends"]) == (admin.pk, 900, 12 * 3600 - 900)


def test_to_keep_last_seen_costs_nothing_within_a_minute_and_one_writing_after(client, admin, queries_for, clock):
    Office.current()
    still = queries_for("/office/")
    assert [sql for sql in still if "meso_session" in sql and not sql.startswith("SELECT")] == []
    clock.shift(MINUTE)
    seen = [sql for sql in queries_for("/office/") if "SAVEPOINT" not in sql]
    assert len(seen) == len(still) + 1
    assert [sql for sql in seen if "meso_session" in sql and sql.startswith("UPDATE")] != []


# --- nothing typed is lost ------------------------------------------------------------------------------------------


def test_a_form_sent_into_the_lock_is_kept_and_back_after_unlocking(client, admin, clock):
    clock.shift(15 * MINUTE)
    page = client.post("/office/", {"name": "Cedar Lane", "promised_days": "20"})
    assert page.status_code == 401
    assert "what you typed is kept" in page.text
    assert "Cedar Lane" not in page.text
    assert Office.objects.filter(name="Cedar Lane").count() == 0
    assert unlock(client, next=page.context["next"])["Location"] == "/office/"
    assert 'value="Cedar Lane"' in client.get("/office/").text
    assert Office.current().name != "Cedar Lane"


def test_what_was_typed_is_kept_for_its_writer_when_somebody_else_logs_in(client, admin, clock):
    bea = UserFactory(username="bea", role="office_admin")
    clock.shift(15 * MINUTE)
    client.post("/office/", {"name": "Cedar Lane"})
    client.post("/accounts/logout/")
    log_in(client, bea)
    assert "Cedar Lane" not in client.get("/office/").text
    client.post("/accounts/logout/")
    log_in(client, admin)
    assert "Cedar Lane" in client.get("/office/").text


def test_a_locked_page_keeps_what_is_typed_in_it_before_it_gives_way(client, admin, clock):
    clock.shift(15 * MINUTE)
    typed = {"name": "Cedar Lane", "csrfmiddlewaretoken": "x"}
    answer = client.post(f"{STATE}typed/", typed, headers={"referer": "http://testserver/office/"})
    assert answer.status_code == 204
    assert Draft.objects.get().fields == {"name": ["Cedar Lane"]}
    assert Draft.objects.get().path == "/office/"
    assert is_locked(client.get("/"))


@pytest.mark.parametrize("path", ["/office/", "/patients/" + "9" * 200 + "/"], ids=["form", "address"])
def test_what_is_too_long_to_keep_is_said_to_be(client, admin, clock, path):
    drafts.save(admin, "/office/", QueryDict("name=older"))
    clock.shift(15 * MINUTE)
    typed = "x" * 1_000_001 if path == "/office/" else "x"
    page = client.post(path, {"name": typed})
    assert page.status_code == 401
    assert "too long to be kept" in page.text
    assert "what you typed is kept" not in page.text
    assert Draft.objects.get().fields == {"name": ["older"]}


def test_passwords_typed_into_the_lock_are_not_kept(client, admin, clock):
    clock.shift(15 * MINUTE)
    client.post("/staff/new/", {"username": "bea", "password1": "s3cret", "password2": "s3cret"})
    assert Draft.objects.get().fields == {"username": ["bea"]}


# --- twelve hours ---------------------------------------------------------------------------------------------------


def work_until(client, clock, end: datetime) -> None:
    """A request every ten minutes, and every hour a form from the patients' pages in the same browser."""
    minutes = 0
    while datetime.now(tz=end.tzinfo) + 10 * MINUTE < end:
        clock.shift(10 * MINUTE)
        minutes += 10
        assert client.get("/staff/").status_code == 200
        if minutes % 60 == 0:
            client.session["nothing"] = 1
            session = client.session
            session["complaint"] = "C-1"
            session.save()


def test_twelve_hours_after_the_login_it_is_over_whatever_was_done(client, admin, clock):
    work_until(client, clock, AT + 12 * HOUR)
    assert client.get("/staff/").status_code == 200
    clock.shift(10 * MINUTE)
    assert client.get("/staff/")["Location"] == "/accounts/login/?next=/staff/"


def test_a_complaint_or_a_request_from_the_patients_pages_renews_nothing(client, admin, clock):
    ends = Session.objects.get(user=admin).expire_date
    clock.shift(14 * MINUTE)
    for kind in ("complaint", "receipt"):
        with_kind = client.session
        with_kind[kind] = "1"
        with_kind.save()
        assert Session.objects.get(user=admin).expire_date == ends == AT + 12 * HOUR


def test_unlocking_does_not_renew_the_twelve_hours(client, admin, clock):
    for _ in range(47):
        clock.shift(15 * MINUTE)
        assert unlock(client).status_code == 302
    assert Session.objects.get(user=admin).expire_date == AT + 12 * HOUR
    clock.shift(15 * MINUTE)
    assert client.get("/")["Location"] == "/accounts/login/?next=/"


def test_the_cookie_is_kept_for_what_is_left_of_the_twelve_hours(client, admin, clock):
    assert client.cookies["sessionid"]["max-age"] == 12 * 3600
    clock.shift(10 * MINUTE)
    client.get("/staff/")
    assert client.cookies["sessionid"]["max-age"] == 12 * 3600 - 600


def test_what_has_expired_is_thrown_away_at_the_next_login(client, admin, clock):
    call_command("clearsessions")
    assert Session.objects.count() == 1
    clock.shift(12 * HOUR + MINUTE)
    log_in(Client(), UserFactory())
    assert list(Session.objects.values_list("user__username", flat=True)) != ["adele"]
    assert Session.objects.count() == 1


def test_clearsessions_clears_our_table(client, admin, clock):
    clock.shift(12 * HOUR + MINUTE)
    call_command("clearsessions")
    assert not Session.objects.exists()


# --- the list, and the ends -----------------------------------------------------------------------------------------


def test_each_person_sees_their_own_sessions(client, admin, clock):
    clock.shift(5 * MINUTE)
    log_in(Client(), admin, agent=FIREFOX)
    log_in(Client(), UserFactory())
    page = client.get(LIST)
    rows = page.context["sessions"]
    assert [row.device for row in rows] == ["Firefox on Windows", "A browser that does not say which"]
    assert "127.0.0.1" in page.text
    assert page.text.count("This one") == 1
    assert "Nov 24, 10:05 AM" in page.text
    assert all(row.session_key not in page.text for row in rows)


def test_the_list_costs_the_same_however_long_it_is(client, admin, queries_for):
    few = len(queries_for(LIST))
    for _ in range(5):
        log_in(Client(), admin)
    assert len(queries_for(LIST)) == few


def test_one_ends_a_session_of_theirs_and_the_other_browser_is_out(client, admin, clock):
    other, third = Client(), Client()
    log_in(other, admin, agent=FIREFOX)
    log_in(third, admin)
    name = next(row.name for row in client.get(LIST).context["sessions"] if row.agent == FIREFOX)
    response = client.post(LIST, {"end": name}, follow=True)
    assert "1 session is ended." in response.text
    assert other.get("/")["Location"].startswith("/accounts/login/")
    assert third.get("/").status_code == client.get("/").status_code == 200
    event = AccessEvent.objects.filter(action="logout").get()
    assert (event.user, event.subject, event.detail) == (admin, f"sessions of staff {admin.pk}", "1 ended")
    assert "ended already" in client.post(LIST, {"end": name}, follow=True).text


def test_one_ends_all_but_this_session(client, admin, clock):
    others = [Client(), Client()]
    for other in others:
        log_in(other, admin)
    assert "2 sessions are ended." in client.post(LIST, {"end": "all"}, follow=True).text
    assert client.get("/").status_code == 200
    assert {other.get("/").status_code for other in others} == {302}


def test_nobody_ends_a_session_of_somebody_else_from_their_own_list(client, admin, clock):
    bea = Client()
    log_in(bea, UserFactory())
    theirs = Session.objects.exclude(user=admin).get()
    client.post(LIST, {"end": theirs.name})
    client.post(LIST, {"end": "all"})
    assert bea.get("/").status_code == 200


def test_the_admin_sees_the_sessions_of_a_member_of_staff_and_ends_them(client, admin, clock):
    bea, browsers = UserFactory(), [Client(), Client(), Client()]
    for browser in browsers:
        log_in(browser, bea, agent=FIREFOX)
    page = client.get(f"/staff/{bea.pk}/")
    assert page.text.count("Firefox on Windows</th>") == 3
    client.post(f"/staff/{bea.pk}/sessions/end/", {"end": page.context["sessions"][0].name})
    assert sorted(browser.get("/").status_code for browser in browsers) == [200, 200, 302]
    client.post(f"/staff/{bea.pk}/sessions/end/", {"end": "all"})
    assert {browser.get("/").status_code for browser in browsers} == {302}
    events = AccessEvent.objects.filter(action="logout").order_by("pk").values_list("user", "subject", "detail")
    assert list(events) == [(admin.pk, f"sessions of staff {bea.pk}", f"{count} ended") for count in (1, 2)]
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605 (KHTML, like Gecko) Version/18 Safari/605",
            "Safari on Mac",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/130 Safari/537 Edg/130", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18 like Mac OS X) Version/18 Safari/604", "Safari on iPhone"),
        ("curl/8", "A browser that does not say which"),
        ("x" * 5000, "A browser that does not say which"),
        ("<script>alert(1)</script> Firefox", "Firefox"),
    ],
)
def test_a_browser_is_told_in_words(client, bea, agent, words):
    log_in(client, bea, agent=agent)
    row = Session.objects.get(user=bea)
    assert (row.device, row.agent) == (words, agent[:300])


# --- what ends all of them ------------------------------------------------------------------------------------------


@pytest.fixture
def bea(clock, db) -> User:
    return UserFactory(username="bea", first_name="Bea", last_name="Lund", role="physician")


@pytest.fixture
def browser(bea) -> Client:
    """Bea's browser, in which she is logged in."""
    browser = Client()
    log_in(browser, bea)
    return browser


def save_as_admin(client, person: User, **changed):
    fields = {"first_name": person.first_name, "last_name": person.last_name, "role": person.role, "is_active": "on", **changed}
    response = client.post(f"/staff/{person.pk}/", {name: value for name, value in fields.items() if value is not None})
    assert response.status_code == 302


def test_an_account_that_is_shut_has_no_session_and_opened_again_revives_none(client, admin, bea, browser):
    save_as_admin(client, bea, is_active=None)
    assert not Session.objects.of(bea, AT).exists()
    save_as_admin(client, bea)  # nobody has clicked in the old browser in between
    assert browser.get("/")["Location"].startswith("/accounts/login/")
    assert client.get("/").status_code == 200


def test_an_account_shut_past_the_model_is_out_for_good_at_the_next_click(bea, browser):
    User.objects.filter(pk=bea.pk).update(is_active=False)
    assert browser.get("/").status_code == 302
    User.objects.filter(pk=bea.pk).update(is_active=True)
    assert browser.get("/").status_code == 302
    assert not Session.objects.of(bea, AT).exists()


def test_another_role_ends_the_sessions(client, admin, bea, browser):
    save_as_admin(client, bea, role="front_desk")
    assert not Session.objects.of(bea, AT).exists()
    assert browser.get("/").status_code == 302


def test_another_telephone_or_name_ends_none(client, admin, bea, browser):
    save_as_admin(client, bea, last_name="Lund-Ito")
    bea.last_login = AT
    bea.save(update_fields=["last_login"])
    assert browser.get("/").status_code == 200


def test_a_password_set_by_the_command_or_the_admin_ends_the_sessions(bea, browser):
    bea.set_password("another pass phrase 9")
    bea.save()
    assert not Session.objects.of(bea, AT).exists()
    assert browser.get("/").status_code == 302


def test_whoever_changes_their_own_password_goes_on_here_and_nowhere_else(bea, browser, rf):
    from django.contrib.auth import update_session_auth_hash

    here = rf.get("/")
    here.session = sessions.SessionStore(browser.cookies["sessionid"].value)
    here.user = User.objects.get(pk=here.session["_auth_user_id"])
    elsewhere = Client()
    log_in(elsewhere, bea)
    here.user.set_password("another pass phrase 9")
    here.user.save()
    update_session_auth_hash(here, here.user)
    here.session.save()
    browser.cookies["sessionid"] = here.session.session_key
    assert browser.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert Session.objects.of(bea, AT).count() == 1


def test_a_second_factor_taken_away_by_somebody_else_ends_the_sessions(bea, browser):
    Authenticator.objects.get(user=bea).delete()
    assert not Session.objects.of(bea, AT).exists()
    assert browser.get("/").status_code == 302


def test_whoever_removes_a_factor_of_theirs_goes_on_here_and_nowhere_else(bea, browser):
    elsewhere = Client()
    log_in(elsewhere, bea)
    Authenticator.objects.create(user=bea, type="webauthn", data={})
    browser.post("/accounts/app/remove/")
    assert not Authenticator.objects.filter(user=bea, type="totp").exists()
    assert browser.get("/patients/").status_code == 200
    assert elsewhere.get("/patients/").status_code == 302


def test_the_page_of_ones_sign_in_leads_to_the_sessions(browser):
    assert f'href="{LIST}"' in browser.get("/accounts/").text


def test_a_session_of_the_table_belongs_to_its_person_and_a_visitors_to_nobody(client, admin, db):
    visitor = sessions.SessionStore()
    visitor["receipt"] = json.dumps({})
    visitor.save()
    row = Session.objects.get(session_key=visitor.session_key)
    assert (row.user, row.begun_at, row.seen_at) == (None, None, None)
    assert row.is_locked(AT)
    mine = Session.objects.get(user=admin)
    assert (mine.begun_at, mine.seen_at, mine.address, mine.is_locked(AT)) == (AT, AT, "127.0.0.1", False)
