"""What every answer carries, what a broken one looks like, and what production refuses to start without."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.views.defaults import page_not_found, permission_denied, server_error

from meso import audit, drafts
from meso.http import file_answer
from meso.models import AccessEvent, Office, User
from tests.factories import UserFactory
from tests.signing_in import log_in

# --- what every answer carries --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/office/", "/staff/", "/accounts/login/", "/healthz/", "/nothing-here/", "/privacy/"])
def test_every_answer_carries_a_strict_policy(client, signed_in, path):
    signed_in("office_admin")
    response = client.get(path)
    policy = dict(part.strip().partition(" ")[::2] for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["style-src"] == policy["connect-src"] == policy["form-action"] == policy["font-src"] == "'self'"
    assert re.fullmatch(r"'self'( 'nonce-[^']+')?", policy["script-src"])
    assert not re.search(r"unsafe|https?:|\*", response.headers["Content-Security-Policy"])
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/", "/office/", "/staff/", "/accounts/login/", "/nothing-here/"])
def test_no_cache_keeps_a_page_of_the_staff(client, signed_in, path):
    signed_in("office_admin")
    assert "no-store" in client.get(path).headers["Cache-Control"]


def test_a_login_lives_twelve_hours_in_a_cookie_that_scripts_can_not_read(client, db, nov_24):
    log_in(client, UserFactory())
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 12 * 60 * 60)


def test_a_page_holds_no_inline_script_and_loads_nothing_from_elsewhere(client, signed_in):
    signed_in("office_admin")
    text = client.get("/office/").text
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"\s(?:style|on\w+)=", text) == []
    assert [
        url for url in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"', text) if not url.startswith("/static/")
    ] == []


# --- refusals and errors --------------------------------------------------------------------------------------------


def test_a_refusal_is_a_page_in_words_and_an_event(client, signed_in):
    user = signed_in("front_desk")
    response = client.get("/office/")
    assert response.status_code == 403
    assert "Not yours to open" in response.text
    event = AccessEvent.objects.get(action="refused")
    assert (event.user, event.subject, event.detail, event.address) == (user, "office.edit", "GET", "127.0.0.1")


def test_a_form_whose_token_does_not_fit_says_what_to_do(db):
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(role="office_admin"))
    response = client.post("/office/", {"name": "Cedar Lane"})
    assert response.status_code == 403
    assert "Please send it again" in response.text
    assert Office.current().name != "Cedar Lane"


def test_an_address_that_leads_nowhere_is_told_in_words(client, db):
    response = client.get("/nothing-here/")
    assert response.status_code == 404
    assert "Nothing here" in response.text


def test_a_failure_is_told_in_words_and_shows_nothing_of_the_inside(client, signed_in, monkeypatch):
    signed_in("office_admin")
    client.raise_request_exception = False

    def fail(*args, **kwargs):
        raise RuntimeError("Maria Alvarez, born 1984")

    monkeypatch.setattr(Office, "history", property(fail))
    response = client.get("/office/")
    assert response.status_code == 500
    assert "Something went wrong" in response.text
    assert "Alvarez" not in response.text


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: page_not_found(request, Exception()),
        lambda request: permission_denied(request, Exception()),
        server_error,
    ],
    ids=["404", "403", "500"],
)
def test_the_pages_of_errors_need_neither_database_nor_context(answer):
    """No `db` here: a query would fail the test. The request has passed no middleware: no user, no office."""
    text = answer(RequestFactory().get("/")).content.decode()
    assert text.count("<h1>") == 1
    assert "{{" not in text
    assert "{%" not in text


def test_the_zone_of_one_request_does_not_stay_for_the_next(client, signed_in):
    from django.utils import timezone

    signed_in("office_admin")
    Office.current()
    Office.objects.update(time_zone="Pacific/Auckland")
    client.get("/")
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


# --- from which address ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behind_proxy", "forwarded", "address"),
    [
        (False, "203.0.113.9", "198.51.100.7"),
        (True, "203.0.113.9", "203.0.113.9"),
        (True, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (True, "", "198.51.100.7"),
        (True, "'; DROP TABLE", None),
        (True, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_what_our_own_proxy_saw_and_not_what_a_stranger_says(rf, settings, behind_proxy, forwarded, address):
    settings.BEHIND_PROXY = behind_proxy
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert audit.address_of(rf.get("/", REMOTE_ADDR="198.51.100.7", headers=headers)) == address


def test_a_web_server_on_a_socket_has_no_address(rf):
    assert audit.address_of(rf.get("/", REMOTE_ADDR="")) is None
    assert audit.address_of(None) is None


# --- settings -------------------------------------------------------------------------------------------------------

SECRETS = {"SECRET_KEY": "k" * 30 + "0123456789abcdefghijklmnopqrst", "ALLOWED_HOSTS": "office.example"}
PRODUCTION = {"MESO_ENV": "production", "DATABASE_URL": "postgres://meso@127.0.0.1:5432/meso", **SECRETS}


def start(folder: Path, show: str = "0", **environment: str) -> subprocess.CompletedProcess:
    """A process of its own that reads the settings and prints an expression over them."""
    bare = {"PATH": os.environ["PATH"], "MESO_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "meso.settings"}
    code = f"from django.conf import settings as s; s.DEBUG; print({show})"
    return subprocess.run(
        [sys.executable, "-c", code], env=bare | environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )


def test_with_an_empty_environment_it_starts_on_sqlite_with_debug_off(tmp_path):
    done = start(tmp_path, "s.DEBUG, s.DATABASES['default']['ENGINE'], s.ALLOWED_HOSTS")
    assert done.stdout == "False meso.db.sqlite3 ['localhost', '127.0.0.1', '[::1]']\n"


def test_an_empty_value_is_no_value(tmp_path):
    done = start(
        tmp_path, "s.DATABASES['default']['NAME'].name, s.TIME_ZONE", DATABASE_URL="", EMAIL_URL="", TIME_ZONE="", DEBUG=""
    )
    assert done.stdout == "meso.sqlite3 America/New_York\n"


def test_the_folder_of_the_data_may_have_any_name(tmp_path):
    folder = tmp_path / "the office's data #1 100% é?"
    done = start(folder, "s.DATABASES['default']['NAME']")
    assert done.stdout.strip() == str(folder / "meso.sqlite3")


@pytest.mark.parametrize("url", ["mysql://meso@127.0.0.1/meso", "nonsense", "/var/lib/meso.sqlite3"])
def test_another_kind_of_database_is_refused_in_words(tmp_path, url):
    assert "DATABASE_URL can begin with postgres:// or sqlite:///" in start(tmp_path, DATABASE_URL=url).stderr


def test_debug_is_on_only_when_asked_for(tmp_path):
    assert start(tmp_path, "s.DEBUG", DEBUG="true").stdout == "True\n"


def test_its_own_secret_is_made_once_and_for_its_owner_only(tmp_path):
    first, second = start(tmp_path, "s.SECRET_KEY").stdout, start(tmp_path, "s.SECRET_KEY").stdout
    assert first == second
    assert len(first) > 60
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"])
def test_production_refuses_to_start_without(tmp_path, name):
    for environment in ({k: v for k, v in PRODUCTION.items() if k != name}, PRODUCTION | {name: ""}):
        done = start(tmp_path, **environment)
        assert done.returncode == 1
        assert f"MESO_ENV=production needs {name}" in done.stderr
    assert not (tmp_path / "secret.key").exists()


def test_production_refuses_debug(tmp_path):
    assert "DEBUG can't be on" in start(tmp_path, DEBUG="true", **PRODUCTION).stderr


def test_production_shows_no_codes_of_invented_people(tmp_path):
    assert "MESO_DEMO can't be on" in start(tmp_path, MESO_DEMO="true", **PRODUCTION).stderr
    assert start(tmp_path, "s.DEMO").stdout == start(tmp_path, "s.DEMO", **PRODUCTION).stdout == "False\n"


def test_production_takes_passkeys_over_https_only(tmp_path):
    assert start(tmp_path, "s.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", **PRODUCTION).stdout == "False\n"


def test_an_unknown_environment_is_refused(tmp_path):
    assert "it can be local or production" in start(tmp_path, MESO_ENV="prod").stderr


def test_production_turns_every_safety_on(tmp_path):
    shown = "s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_NAME, s.SECURE_HSTS_SECONDS"
    assert start(tmp_path, shown, **PRODUCTION).stdout == "True True True __Host-sessionid 31536000\n"


def test_djangos_own_check_finds_nothing_in_production(tmp_path):
    bare = {"PATH": os.environ["PATH"], "MESO_DATA": str(tmp_path)}
    for command in (["make_master_key"], ["check", "--deploy", "--fail-level", "WARNING"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            env=bare | PRODUCTION,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_a_command_on_a_database_that_is_not_migrated_says_so_in_one_line(tmp_path):
    bare = {"PATH": os.environ["PATH"], "MESO_DATA": str(tmp_path)}
    command = [sys.executable, "manage.py", "verify_records"]
    done = subprocess.run(command, env=bare, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip() == "Failed: This database is not migrated. Run: python manage.py migrate"


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--unknown"]])
def test_a_misused_command_exits_2(tmp_path, arguments):
    bare = {"PATH": os.environ["PATH"], "MESO_DATA": str(tmp_path)}
    command = [sys.executable, "manage.py", "verify_records", *arguments]
    assert subprocess.run(command, env=bare, cwd=settings.BASE_DIR, capture_output=True, check=False).returncode == 2


# --- what no database keeps ------------------------------------------------------------------------------------------


def test_an_address_with_a_nul_is_no_page(client, db):
    client.force_login(UserFactory(role="front_desk"))
    assert client.get("/patients/%00/").status_code == 404


def test_a_draft_keeps_no_nul(db):
    user, typed = UserFactory(role="front_desk"), QueryDict(mutable=True)
    typed["title"] = "a\0b"
    drafts.save(user, "/requests/new/", typed)
    assert drafts.find(user, "/requests/new/").fields == {"title": ["ab"]}


def test_a_login_on_its_way_to_an_address_too_long_to_keep_a_draft_for_just_logs_in(client, db):
    user = UserFactory(role="front_desk")
    kept = json.dumps({"title": ["typed"]})
    assert log_in(client, user, next=f"/patients/{'9' * 300}/", kept=kept)["Location"].startswith("/patients/9")


def test_a_file_to_save_is_locked_in():
    assert file_answer(b"x", "x.pdf", download=True)["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert not file_answer(b"x", "x.pdf").has_header("Content-Security-Policy")


def test_no_invented_office_in_production(settings, db):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="has no place there"):
        call_command("demo", no_serve=True)
    assert not User.objects.exists()
