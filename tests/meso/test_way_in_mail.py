"""Whose way in was changed hears of it by mail, whoever changed it; the privacy officer finds it in the queue."""

import io
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.test import Client

from meso import clock, seals, signin, way_in_mail
from meso.models import AccessEvent, Office, User
from requests_app import unusual
from tests.factories import AT, PASSWORD, UserFactory
from tests.signing_in import give_app, log_in

WORDS = "needles and pins 99"
PASSWORDS = {"old_password": PASSWORD, "new_password1": WORDS, "new_password2": WORDS}


@pytest.fixture(autouse=True)
def _in_albany(nov_24, db):
    clock.set_zone("America/New_York")


@pytest.fixture
def bea():
    return UserFactory(username="bea", email="bea@example.org", last_name="Quill")


@pytest.fixture
def mails(django_capture_on_commit_callbacks, mailoutbox):
    """Does something as if it were stored, and says what was mailed meanwhile, to whom and what of it."""

    def during(act) -> list[tuple[list[str], str]]:
        mailoutbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
        return [(mail.to, mail.body.splitlines()[0].partition(": ")[2]) for mail in mailoutbox]

    return during


def listed() -> list[tuple[str, int, int]]:
    on = AT.date()
    found = unusual.findings(on - timedelta(days=6), on, Office.current())
    return [(one.rule.value, one.about.pk, one.looks) for one in found]


def test_a_password_from_the_admin_is_told_to_its_owner_and_to_the_officer(client, signed_in, bea, mails):
    signed_in("office_admin")
    told = mails(lambda: client.post(f"/staff/{bea.pk}/way-in/", {"act": "password"}))
    assert told == [(["bea@example.org"], "The office admin gave you a password for the next login.")]
    assert listed() == [("way_in", bea.pk, 1)]
    assert AccessEvent.objects.filter(action="sent", subject=f"staff {bea.pk}").count() == 1


def test_a_factor_that_the_admin_takes_away_is_told_to_its_owner_and_to_the_officer(client, signed_in, bea, mails):
    give_app(bea)
    Authenticator.objects.create(user=bea, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    signed_in("office_admin")
    told = mails(lambda: client.post(f"/staff/{bea.pk}/way-in/", {"act": "factor"}))
    words = "Somebody else took your authenticator app away: at the next login a new one is set up."
    assert told == [(["bea@example.org"], words)]
    assert listed() == [("way_in", bea.pk, 2)]


def test_the_officer_finds_it_among_the_tasks_and_signs_it_off(client, signed_in, bea):
    signed_in("office_admin")
    client.post(f"/staff/{bea.pk}/way-in/", {"act": "password"})
    signed_in("privacy_officer")
    assert "Look through 1 unusual look" in client.get("/").text
    page = client.get("/audit/review/").text
    assert "Somebody else gave this login a new way in" in page
    assert "many" not in page.partition("<tbody>")[2].partition("</tbody>")[0]
    (line,) = client.get("/audit/review/").context["lines"]
    sent = {"line": line[0].key, "outcome": "explained", "note": "She asked for it"}
    assert client.post("/audit/review/", sent).status_code == 302
    assert listed() == []


def test_what_one_does_oneself_is_told_and_stands_in_no_queue(bea, mails):
    own = Client()
    log_in(own, bea)
    assert mails(lambda: own.post("/accounts/password/", PASSWORDS)) == [(["bea@example.org"], "Your password was changed.")]
    made = mails(lambda: own.post("/accounts/recovery-codes/new/"))
    assert made == [(["bea@example.org"], "New recovery codes were made for your login.")]
    added = mails(lambda: Authenticator.objects.create(user=bea, type="webauthn", data={"name": "Key", "credential": {}}))
    assert added == [(["bea@example.org"], "A passkey was added to your login.")]
    removed = mails(lambda: own.post("/accounts/app/remove/"))
    assert removed == [(["bea@example.org"], "Your authenticator app was removed from your login.")]
    assert listed() == []


def test_the_first_factor_of_a_login_is_told(bea, mails):
    (told, *_codes) = mails(lambda: give_app(bea))
    assert told == (["bea@example.org"], "An authenticator app was added to your login.")


def test_the_mail_holds_nothing_but_when_and_what(bea, mails, mailoutbox):
    mails(lambda: give_app(bea))
    (mail,) = mailoutbox
    assert "Nov 24, 2026, 10:00 AM" in mail.body
    for word in ("Quill", "JBSWY3DP", "/accounts/", "http"):
        assert word not in mail.subject + mail.body


def test_nothing_is_mailed_for_what_was_not_stored_or_to_nobody(bea, mails, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as waiting:
        way_in_mail.tell(UserFactory(email=""), "Something")
    assert waiting == []
    invented = {"secret": "x", "invented": True}
    assert mails(lambda: Authenticator.objects.create(user=bea, type="totp", data=invented)) == []


def test_a_mail_server_that_is_down_undoes_nothing_and_an_event_says_so(client, signed_in, bea, mails, monkeypatch):
    def fail(self, *args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailMessage, "send", fail)
    give_app(bea)
    signed_in("office_admin")
    assert mails(lambda: client.post(f"/staff/{bea.pk}/way-in/", {"act": "factor"})) == []
    assert not signin.has_factor(bea)
    assert AccessEvent.objects.filter(subject=f"staff {bea.pk}", action="check", detail="no mail went out").exists()


# --- commands of the machine ------------------------------------------------------------------------------------------


def commands() -> list[tuple[str, str]]:
    return list(AccessEvent.objects.filter(action="command").order_by("pk").values_list("subject", "detail"))


def test_a_password_set_at_the_machine_is_an_event_told_and_replaced_by_its_owner(bea, mails, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt="": WORDS)
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    told = mails(lambda: call_command("changepassword", "bea", stdout=io.StringIO()))
    assert told == [(["bea@example.org"], "Somebody at the machine gave your login another password.")]
    assert commands() == [("command changepassword", "by root")]
    assert listed() == [("way_in", bea.pk, 1)]
    theirs = Client()
    log_in(theirs, bea, WORDS)
    assert theirs.get("/")["Location"] == "/accounts/password/"
    assert seals.verify().breaks == []


def test_a_login_made_at_the_machine_is_an_event(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    facts = {"interactive": False, "username": "first", "email": "a@office.example", "role": "office_admin"}
    call_command("createsuperuser", **facts, stdout=io.StringIO())
    assert commands() == [("command createsuperuser", "by root")]
    made = AccessEvent.objects.get(action="create")
    assert (made.subject, made.detail) == (f"staff {User.objects.get(username='first').pk}", "role office_admin")


def test_whoever_opens_a_shell_is_written_down_first(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    call_command("shell", command="pass")
    assert commands() == [("command shell", "by root")]


def test_where_no_event_can_be_written_the_command_does_nothing(bea, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda prompt="": WORDS)
    monkeypatch.setattr(AccessEvent, "save", lambda self, *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("changepassword", "bea", stdout=io.StringIO())
    bea.refresh_from_db()
    assert bea.check_password(PASSWORD)
