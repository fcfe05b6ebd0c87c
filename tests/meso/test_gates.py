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
from django.http import HttpResponse, QueryDict
from django.test import Client, RequestFactory

from meso import audit, drafts, errors
from meso.http import file_answer
from meso.middleware import BodyMiddleware
from meso.models import AccessEvent, Office, Session, User
from tests.factories import PatientFactory, UserFactory
from tests.signing_in import log_in
from tests.test_house import URLS, path_of

# --- what every answer carries --------------------------------------------------------------------------------------


def policy_of(response) -> dict[str, str]:
    return dict(part.strip().partition(" ")[::2] for part in response.headers["Content-Security-Policy"].split(";"))


def is_strict(response) -> bool:
    """Whether this answer carries all that every answer must, and nothing that weakens it."""
    policy, headers = policy_of(response), response.headers
    assert not re.search(r"unsafe|https?:|\*", headers["Content-Security-Policy"])
    if "sandbox" in policy:  # a file to save
        assert policy == {"default-src": "'none'", "sandbox": ""}
    else:
        assert policy["default-src"] == policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["style-src"] == policy["connect-src"] == policy["form-action"] == policy["font-src"] == "'self'"
        assert policy["worker-src"] == "'self'"
        assert re.fullmatch(r"|'nonce-[^']{20,}'", policy["script-src"])
    assert "publickey-credentials-get=(self)" in headers["Permissions-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]
    wanted = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    assert {name: headers.get(name) for name in wanted} == wanted
    return "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize("role", ["privacy_officer", ""], ids=["officer", "nobody"])
def test_every_answer_of_every_address_carries_a_strict_policy_and_is_kept_by_no_cache(client, db, role):
    """Pages, files, fragments, redirects, refusals, what is not there and what fails: by GET and by POST."""
    client.raise_request_exception = False
    user = UserFactory(role=role) if role else None
    statuses = set()
    for path in [
        *(path_of(pattern) for route, pattern in URLS if "logout" not in route),
        "/nothing-here/",
        "/patients",
        "/patients/%00/",
    ]:
        for ask in (client.get, client.post):
            if user:  # some pages lock or end the session
                client.force_login(user)
            response = ask(path, headers={"HX-Request": "true"} if path.count("/") % 2 else {})
            assert is_strict(response), path
            statuses.add(response.status_code)
    assert statuses >= ({200, 301, 302, 404, 405} | ({403} if role else {401}))


def test_files_to_print_and_to_save_and_streams_carry_it_too(client, signed_in):
    patient = PatientFactory()
    signed_in("privacy_officer")
    for path in [f"/patients/{patient.chart_number}/print/", "/privacy/notice.pdf", "/retention/list.csv"]:
        response = client.get(path)
        assert response.status_code == 200, path
        assert is_strict(response), path


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda client: client.get("/", headers={"host": "elsewhere.example"}), 400),
        (lambda client: client.post("/privacy/status/", "x" * 1_100_000, "application/x-www-form-urlencoded"), 413),
        (lambda client: client.post("/privacy/status/", headers={"transfer-encoding": "chunked"}, CONTENT_LENGTH=""), 411),
        (lambda client: client.get("/static/meso.css"), 200),
        (lambda client: client.get("/static/nothing.css"), 404),
    ],
)
def test_answers_of_the_outer_gates_carry_it_too(client, db, ask, status):
    response = ask(client)
    assert response.status_code == status
    if status == 200:
        assert policy_of(response)["frame-ancestors"] == "'none'"
        assert response.headers["Cache-Control"] == "max-age=60, public"
    else:
        assert is_strict(response)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH", "BREW"])
def test_pages_are_read_and_forms_are_sent_and_nothing_else_is_done(client, signed_in, method):
    signed_in("front_desk")
    response = client.generic(method, "/")
    assert response.status_code == 405
    assert is_strict(response)


def test_a_failure_carries_it_too(client, signed_in, monkeypatch):
    signed_in("office_admin")
    client.raise_request_exception = False
    monkeypatch.setattr(Office, "current", lambda: 1 / 0)
    response = client.get("/office/")
    assert response.status_code == 500
    assert is_strict(response)


def test_scripts_run_by_their_nonce_alone_and_each_page_has_its_own(client, signed_in):
    signed_in("office_admin")
    nonces = set()
    for _ in range(2):
        response = client.get("/office/")
        allowed = re.fullmatch(r"'nonce-([^']+)'", policy_of(response)["script-src"])[1]
        assert set(re.findall(r'<script[^>]*nonce="([^"]*)"', response.text)) == {allowed}
        assert re.findall(r"<script(?![^>]*nonce=)", response.text) == []
        nonces.add(allowed)
    assert len(nonces) == 2


def test_whoever_logs_out_leaves_nothing_behind_in_the_browser(client, signed_in):
    signed_in("front_desk")
    assert not client.get("/").has_header("Clear-Site-Data")
    assert client.post("/accounts/logout/").headers["Clear-Site-Data"] == '"cache", "storage"'


# --- how much may be sent -------------------------------------------------------------------------------------------


MB = 1024 * 1024
FILES, FORM = "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"


def sent(rf, path: str, size: int, kind: str, session: dict) -> int:
    """The status of the answer to a body of this many bytes, of which none is there to be read."""
    request = rf.generic("POST", path, b"", CONTENT_TYPE=kind, CONTENT_LENGTH=str(size))
    request.session = session
    return BodyMiddleware(lambda request: HttpResponse("let in"))(request).status_code


@pytest.mark.parametrize(
    ("logged_in", "path", "most", "kind"),
    [
        (False, "/privacy/status/", 1 * MB, FILES),
        (True, "/privacy/status/", 1 * MB, FILES),
        (False, "/patients/10023/files/", 6 * MB, FILES),
        (False, "/accounts/login/", 6 * MB, FORM),
        (True, "/patients/10023/files/", 260 * MB, FILES),
        (True, "/patients/10023/files/", 6 * MB, FORM),
    ],
)
def test_little_is_taken_without_a_login_and_files_only_with_one(rf, logged_in, path, most, kind):
    session = {"_auth_user_id": "1"} if logged_in else {}
    sizes = (most, most + 1, 10**30)
    assert [sent(rf, path, size, kind, session) for size in sizes] == [200, 413, 413]


def test_a_session_that_is_gone_takes_no_files(client, db):
    client.force_login(UserFactory())
    Session.objects.all().delete()
    response = client.generic("POST", "/patients/10023/files/", b"", CONTENT_TYPE=FILES, CONTENT_LENGTH=str(7 * MB))
    assert response.status_code == 413
    assert "log in again in another tab" in response.text


def test_a_refused_body_is_not_read_and_its_page_says_what_to_do(rf):
    class Unread:
        def read(self, *args):
            raise AssertionError("the body was read")

    request = rf.generic("POST", "/privacy/request/", b"", CONTENT_LENGTH=str(2 * MB))
    request._stream = Unread()
    response = BodyMiddleware(lambda request: HttpResponse())(request)
    assert response.status_code == 413
    assert "Nothing was saved" in response.text


@pytest.mark.parametrize(("more", "status"), [({"CONTENT_LENGTH": "-1"}, 400), ({"CONTENT_LENGTH": "1e3"}, 400)])
def test_a_length_that_is_none_is_refused(client, db, more, status):
    assert client.generic("POST", "/privacy/status/", b"", **more).status_code == status


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


def test_a_patient_is_led_back_to_the_patients_pages_in_their_language(client, db):
    text = client.get("/privacy/nothing/", headers={"accept-language": "es"}).text
    assert '<html lang="es">' in text
    assert 'href="/privacy/"' in text
    assert "Nothing here" not in text


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


@pytest.mark.parametrize("status", errors.WORDS)
def test_the_pages_of_errors_need_neither_database_nor_context(status):
    """No `db` here: a query would fail the test. The request has passed no middleware: no user, no office."""
    response = errors.page(RequestFactory().get("/"), status)
    text = response.text
    assert response.status_code == status
    assert text.count("<h1>") == 1
    assert str(errors.WORDS[status][0]) in text
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


def test_a_secret_may_lie_in_a_file_and_the_variable_itself_goes_first(tmp_path):
    """A restore drill points DATABASE_URL elsewhere: the file of the office's own database must not win over it."""
    given = dict(PRODUCTION)
    for name in ("SECRET_KEY", "DATABASE_URL"):
        (tmp_path / name).write_text(given.pop(name) + "\n")
        given[f"{name}_FILE"] = str(tmp_path / name)
    shown = "s.SECRET_KEY == s.SECRET_KEY.strip() and len(s.SECRET_KEY) > 20, s.DATABASES['default']['NAME']"
    assert start(tmp_path, shown, **given).stdout == "True meso\n"
    elsewhere = {"DATABASE_URL": "postgres://meso@127.0.0.1:5432/drill"}
    assert start(tmp_path, shown, **given, **elsewhere).stdout == "True drill\n"


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
    shown = "s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, "
    shown += "s.CONTENT_SECURITY_POLICY['DIRECTIVES']['upgrade-insecure-requests']"
    assert start(tmp_path, shown, **PRODUCTION).stdout == "True 31536000 True True\n"


def test_each_cookie_is_of_this_host_alone_in_production(tmp_path):
    """A name that begins with __Host- is taken by browsers only with Secure, Path=/ and no Domain."""
    kinds = ("SESSION", "CSRF", "LANGUAGE")
    shown = ", ".join(f"(s.{kind}_COOKIE_{what})" for what in ("NAME", "SECURE", "DOMAIN", "PATH") for kind in kinds)
    host = ("__Host-sessionid", "__Host-csrftoken", "__Host-language")
    told = " ".join(map(str, (*host, *[True] * 3, *[None] * 3, *["/"] * 3)))
    assert start(tmp_path, shown, **PRODUCTION).stdout == f"{told}\n"
    messages = "__import__('django').setup() or __import__('meso.http').http.MessageCookie.cookie_name"
    assert start(tmp_path, messages, **PRODUCTION).stdout == "__Host-messages\n"
    browser = "__import__('django').setup() or __import__('meso.lockout').lockout.COOKIE"
    assert start(tmp_path, browser, **PRODUCTION).stdout == "__Host-browser\n"


def test_each_cookie_that_is_set_is_out_of_the_reach_of_scripts_and_other_sites(client, db):
    client.get("/accounts/login/")
    log_in(client, UserFactory(username="adele", role="office_admin"))
    client.post("/privacy/language/", {"language": "es", "next": "/privacy/"})
    client.post(
        f"/staff/{User.objects.get().pk}/",
        {"username": "adele", "first_name": "A", "last_name": "B", "email": "a@b.org", "role": "office_admin", "is_active": "on"},
    )
    assert set(client.cookies) == {"sessionid", "csrftoken", "django_language", "messages", "browser"}
    assert {(cookie["httponly"], cookie["samesite"], cookie["path"]) for cookie in client.cookies.values()} == {
        (True, "Lax", "/")
    }


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
    for address in ("/patients/%00/", "/requests/?chart=%00", "/requests/?%00=1", "/privacy/request/?kind=a%00"):
        assert client.get(address).status_code == 404
    assert client.get("/requests/?chart=%2500").status_code == 200


def test_a_form_that_names_a_chart_with_a_nul_names_none(client, db):
    client.force_login(UserFactory(role="front_desk"))
    for name in ("chart", "patient", "patient_picked"):
        assert client.post("/accounts/sessions/", {name: "\0"}).status_code == 302


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
