"""The login: nothing typed is lost when it expires, nobody is led astray by it, and whoever is let go is out at once."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict

from meso import drafts
from meso.models import AccessEvent, Draft, Office, User
from tests import signing_in
from tests.factories import UserFactory

LOGIN = "/accounts/login/"


@pytest.fixture
def admin(db, password):
    return UserFactory(role="office_admin", username="adele")


def log_in(client, password: str, **fields):
    return signing_in.log_in(client, User.objects.get(username="adele"), password, **fields)


def kept_by(response) -> str:
    return response.context["kept"]


def test_a_post_from_an_expired_login_is_answered_by_the_login_with_the_fields_kept(client, admin):
    response = client.post("/office/", {"name": "Cedar Lane", "city": "Albany", "state": "", "csrfmiddlewaretoken": "x"})
    assert response.status_code == 401
    assert "What you typed is kept" in response.text
    assert json.loads(kept_by(response)) == {"name": ["Cedar Lane"], "city": ["Albany"]}
    assert 'name="next" value="/office/"' in response.text
    assert Office.objects.filter(name="Cedar Lane").count() == 0


def test_after_the_login_the_form_is_filled_and_nothing_is_saved_yet(client, admin, password):
    kept = kept_by(client.post("/office/", {"name": "Cedar Lane", "promised_days": "20"}))
    response = log_in(client, password, next="/office/", kept=kept)
    assert response.headers["Location"] == "/office/"
    page = client.get("/office/")
    assert 'value="Cedar Lane"' in page.text
    assert 'value="20"' in page.text
    assert Office.current().name != "Cedar Lane"


def test_a_draft_is_gone_once_its_form_was_saved(client, admin, password):
    log_in(client, password, next="/staff/new/", kept='{"username": ["bea"]}')
    assert Draft.objects.filter(user=admin, path="/staff/new/").exists()
    long = "needles and pins 99"
    new = {"username": "bea", "role": "front_desk", "password1": long, "password2": long}
    assert client.post("/staff/new/", new).status_code == 302
    assert not Draft.objects.exists()


def test_a_mistyped_password_loses_nothing(client, admin, password):
    kept = json.dumps({"name": ["Cedar Lane"]})
    response = log_in(client, "wrong", next="/office/", kept=kept)
    assert response.status_code == 200
    assert kept_by(response) == kept
    log_in(client, password, next="/office/", kept=kept_by(response))
    assert Draft.objects.get().fields == {"name": ["Cedar Lane"]}


def test_an_unticked_box_comes_back_unticked(client, admin, password):
    assert Office.current().charge_electronic_pages
    log_in(client, password, next="/office/", kept=json.dumps({"name": ["Cedar Lane"]}))
    assert client.get("/office/").context["form"]["charge_electronic_pages"].value() is False


def test_several_ticks_come_back_as_several(rf, admin):
    drafts.save(admin, "/x/", QueryDict("entry=1&entry=2&title=One"))
    request = rf.get("/x/")
    request.user = admin
    assert drafts.initial(request) == {"entry": ["1", "2"], "title": "One"}


def test_passwords_are_never_kept(client, admin):
    response = client.post("/staff/new/", {"username": "bea", "password1": "s3cret needles", "password2": "s3cret needles"})
    assert json.loads(kept_by(response)) == {"username": ["bea"]}
    assert "s3cret" not in response.text


def test_a_form_goes_back_to_the_page_it_stood_on(client, admin):
    """A form that is sent elsewhere is found again on its own page, if that page is ours."""
    here = client.post("/office/", {"name": "A"}, headers={"referer": "http://testserver/staff/new/?tab=1"})
    assert here.context["next"] == "/staff/new/"
    elsewhere = client.post("/office/", {"name": "A"}, headers={"referer": "http://evil.example/staff/new/"})
    assert elsewhere.context["next"] == "/office/"


def test_a_part_of_a_page_gets_one_line_and_the_page_stays(client, admin):
    response = client.post("/office/", {"name": "Cedar Lane"}, headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert 'role="alert"' in response.text
    assert "<html" not in response.text


def test_a_file_must_be_chosen_again_and_that_is_said(client, admin):
    response = client.post("/office/", {"name": "Cedar Lane", "file": SimpleUploadedFile("a.pdf", b"%PDF-1.7")})
    assert "choose it again" in response.text


def test_a_form_too_long_to_keep_is_dropped_and_that_is_said(client, admin):
    response = client.post("/office/", {"name": "x" * 1_000_001})
    assert response.status_code == 401
    assert kept_by(response) == ""
    assert "too long to be kept" in response.text
    assert "xxxx" not in response.text


@pytest.mark.parametrize(
    "kept",
    [
        json.dumps({"name": ["x" * 1_000_001]}),
        "not json",
        "[1, 2]",
        '{"name": 7}',
        "null",
        "[" * 100_000,
    ],
    ids=["too long", "no JSON", "a list", "a number", "null", "deep"],
)
def test_what_is_no_kept_form_is_dropped_cleanly(client, admin, password, kept):
    response = log_in(client, password, next="/office/", kept=kept)
    assert response.headers["Location"] == "/office/"
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "\thttps://evil.example/",
        "https://testserver@evil.example/",
        "needles",
    ],
)
def test_nobody_is_led_to_another_host_after_the_login(client, admin, password, target):
    response = log_in(client, password, next=target, kept='{"name": ["A"]}')
    assert response.status_code == 302
    assert response.headers["Location"] == "/"
    assert not Draft.objects.exists()


def test_who_is_logged_in_already_is_not_led_astray_either(client, admin):
    client.force_login(admin)
    assert client.get(LOGIN + "?next=https://evil.example/").headers["Location"] == "/"


def test_a_draft_is_its_writers_alone(client, admin, password):
    other = UserFactory(role="office_admin")
    drafts.save(other, "/office/", QueryDict("name=Not+for+Adele"))
    client.force_login(admin)
    assert "Not for Adele" not in client.get("/office/").text


def test_logging_in_and_out_and_failing_is_audited_without_what_was_typed(client, admin, password):
    log_in(client, "wrong")
    client.post(LOGIN, {"username": "my password typed in the wrong box", "password": "x"})
    log_in(client, password)
    client.post("/accounts/logout/")
    events = (
        AccessEvent.objects.exclude(action__in=["change", "create"])
        .order_by("pk")
        .values_list("action", "user", "subject", "detail")
    )
    assert list(events) == [
        ("login_failed", admin.pk, "login", ""),
        ("login_failed", None, "login", ""),
        ("login", admin.pk, "login", ""),
        ("logout", admin.pk, "login", ""),
    ]


def test_logging_out_takes_a_post(client, admin):
    client.force_login(admin)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.get("/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302


def test_whoever_may_not_log_in_any_more_is_out_at_once(client, admin):
    client.force_login(admin)
    assert client.get("/office/").status_code == 200
    admin.is_active = False
    admin.save()
    assert client.get("/office/").headers["Location"] == LOGIN + "?next=/office/"


def test_a_role_that_was_taken_away_is_gone_at_once(client, admin):
    client.force_login(admin)
    admin.role = "front_desk"
    admin.save()
    assert client.get("/office/").headers["Location"] == LOGIN + "?next=/office/"
    client.force_login(admin)
    assert client.get("/office/").status_code == 403


def test_whoever_may_not_log_in_is_refused_with_the_right_password(client, admin, password):
    admin.is_active = False
    admin.save()
    assert "correct username and password" in log_in(client, password).text
