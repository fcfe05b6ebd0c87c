"""Passwords: long, hard to guess, one's own; the office admin helps whoever has lost theirs, or the second factor."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from meso import signin
from meso.models import AccessEvent, Office, User
from tests.factories import AT, PASSWORD, UserFactory
from tests.signing_in import CODE, LOGIN, give_app, log_in

PAGE = "/accounts/password/"
NEW = "velvet tractor rhubarb 12 moons"


@pytest.fixture
def bea(db):
    return UserFactory(username="beatrice", first_name="Beatrice", last_name="Ostrander", role="physician")


EASY = """short|password1234|Password2026!!|qwertyuiop12|aaaaaaaaaaaa|123456789012|letmeinletmein|iloveyou1234567
beatrice-beatrice|Ostrander2026|larkstreet2026|Lark Street 2026|mesotherapy123|november2026!""".replace("\n", "|").split("|")
FINE = [NEW, "correct horse battery", "пять тихих чайников", "   spaces at the ends   ", NEW + " over the harbour at dusk" * 5]


@pytest.mark.parametrize("word", EASY)
def test_what_is_short_common_or_close_to_the_person_or_the_office_is_refused(bea, word):
    Office.objects.update_or_create(pk=1, defaults={"name": "Lark Street Mesotherapy"})
    with pytest.raises(ValidationError):
        validate_password(word, bea)


@pytest.mark.parametrize("word", FINE)
def test_nothing_is_asked_of_its_letters_and_it_may_be_long(bea, word):
    validate_password(word, bea)
    bea.set_password(word)
    assert bea.check_password(word)
    assert not bea.check_password(word.strip() + "x")


def change(client, **fields):
    return client.post(PAGE, {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW, **fields})


def test_people_change_their_password_with_the_present_one_and_other_sessions_end(client, bea):
    other = Client()
    other.force_login(bea)
    log_in(client, bea)
    assert change(client)["Location"] == "/accounts/"
    bea.refresh_from_db()
    assert bea.check_password(NEW)
    assert client.get("/patients/").status_code == 200
    assert other.get("/patients/")["Location"].startswith(LOGIN)
    assert AccessEvent.objects.filter(action="change", user=bea, detail="password").count() == 1


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"old_password": "wrong"}, "old_password"),
        ({"new_password2": "another one 12345"}, "new_password2"),
        ({"new_password1": "password1234", "new_password2": "password1234"}, "new_password2"),
        ({"new_password1": PASSWORD, "new_password2": PASSWORD}, "new_password1"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(client, bea, fields, where):
    log_in(client, bea)
    assert change(client, **fields).context["form"].errors[where]
    bea.refresh_from_db()
    assert bea.check_password(PASSWORD)


# --- passwords that the admin gives ---------------------------------------------------------------------------------


def given(client, person: User) -> str:
    return client.post(f"/staff/{person.pk}/way-in/", {"act": "password"}).context["given"]


def test_the_admin_gives_a_password_by_chance_that_is_replaced_before_anything_else(client, signed_in, bea):
    give_app(bea)
    signed_in("office_admin")
    word = given(client, bea)
    assert len(word) == 23
    theirs = Client()
    log_in(theirs, bea, word)
    for path in ("/", "/patients/", "/accounts/app/", "/staff/"):
        assert theirs.get(path)["Location"] == PAGE
    assert "gave you the password" in theirs.get(PAGE).text
    change(theirs, old_password=word)
    assert theirs.get("/patients/").status_code == 200
    event = AccessEvent.objects.filter(subject=f"staff {bea.pk}", detail="password").earliest("pk")
    assert event.user.role == "office_admin"


def test_the_first_password_of_somebody_new_is_replaced_too_then_the_factor_is_set_up(client, signed_in):
    signed_in("office_admin")
    words = "needles and pins 99"
    client.post("/staff/new/", {"username": "cy", "role": "physician", "password1": words, "password2": words})
    theirs = Client()
    theirs.post(LOGIN, {"username": "cy", "password": words})
    assert theirs.get("/")["Location"] == theirs.get("/accounts/app/")["Location"] == PAGE
    change(theirs, old_password=words)
    assert theirs.get("/")["Location"] == "/accounts/"
    assert theirs.get("/accounts/app/").status_code == 200


def test_a_given_password_is_good_for_seven_days(client, signed_in, bea):
    give_app(bea)
    with time_machine.travel(AT, tick=False):
        signed_in("office_admin")
        word = given(client, bea)
    for days, opened in ((7, True), (8, False)):
        with time_machine.travel(AT + timedelta(days=days), tick=False):
            page = Client().post(LOGIN, {"username": bea.username, "password": word})
            assert (page.status_code == 302) is opened
    assert "more than seven days ago" in page.text


def test_a_lost_factor_is_taken_away_by_the_admin_and_a_new_one_is_set_up(client, signed_in, bea):
    theirs = Client()
    log_in(theirs, bea)
    signed_in("office_admin")
    client.post(f"/staff/{bea.pk}/way-in/", {"act": "factor"})
    assert not Authenticator.objects.filter(user=bea).exists()
    assert theirs.get("/")["Location"].startswith(LOGIN)
    theirs.post(LOGIN, {"username": bea.username, "password": PASSWORD})
    assert theirs.get("/")["Location"] == "/accounts/"
    removed = AccessEvent.objects.get(subject=f"staff {bea.pk}", detail="authenticator app removed")
    assert removed.user.role == "office_admin"


def test_the_admin_s_own_way_in_is_not_changed_here(client, signed_in):
    admin = signed_in("office_admin")
    give_app(admin)
    for act in ("password", "factor"):
        assert "This is you" in client.post(f"/staff/{admin.pk}/way-in/", {"act": act}).text
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)
    assert signin.has_factor(admin)


def test_a_password_given_again_ends_what_is_open(client, signed_in, bea):
    theirs = Client()
    log_in(theirs, bea)
    signed_in("office_admin")
    given(client, bea)
    assert theirs.get("/")["Location"].startswith(LOGIN)
    assert theirs.get(CODE)["Location"] == LOGIN
