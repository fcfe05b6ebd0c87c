"""What is written into the log: never a value, whatever was being handled when it went wrong."""

import ast
import json
import logging
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from meso import logs
from meso.models import Office
from records.models import Patient
from tests.factories import PatientFactory, UserFactory
from tests.meso.test_gates import PRODUCTION
from tests.test_house import MODULES, name_of

SECRET = "Zwetschgenwasser"


def fails_with_a_row(*args, **kwargs):
    name = SECRET  # a local of the frame
    raise ValueError(f"{name}, born 1984-07-02, is no name")


# --- errors -----------------------------------------------------------------------------------------------------------


def test_a_view_that_fails_logs_kind_and_places_and_nothing_that_it_handled(client, signed_in, monkeypatch, written):
    signed_in("office_admin", last_name=SECRET)
    Office.current()
    client.raise_request_exception = False
    monkeypatch.setattr(Office, "history", property(fails_with_a_row))
    assert client.get(f"/office/?q={SECRET}").status_code == 500
    line, error = written().splitlines()
    assert line.endswith("Z ERROR django.request 500 Internal Server Error: GET office/")
    assert error.startswith("  ValueError at django/core/handlers/exception.py:")
    assert re.search(r" > meso/views\.py:\d+ office_profile > tests/meso/test_logs\.py:\d+ fails_with_a_row$", error)
    assert SECRET not in written()
    assert "1984" not in written()


def test_a_row_that_the_database_refuses_is_not_quoted(db, written):
    """PostgreSQL's DETAIL says the whole row; the error that it led to is told by its kind too."""
    known = PatientFactory()
    try:
        try:
            with transaction.atomic():
                Patient.objects.create(chart_number=known.chart_number, first_name=SECRET, date_of_birth="1984-07-02")
        except IntegrityError as error:
            raise LookupError(SECRET) from error
    except LookupError:
        logging.getLogger("meso").exception("The import stopped.")
    kinds = [line.split(" at ")[0].strip() for line in written().splitlines()[1:]]
    assert kinds[:2] == ["LookupError", "django.db.utils.IntegrityError"]
    assert len(kinds) == 3  # and the driver's own
    assert known.chart_number not in written()
    assert SECRET not in written()


def test_the_driver_does_quote_what_the_log_leaves_out(db):
    """Without this the test above could pass because there was nothing to hide."""
    from django.db import connection

    known = PatientFactory()
    with pytest.raises(IntegrityError) as raised, transaction.atomic():
        Patient.objects.create(chart_number=known.chart_number, first_name=SECRET, date_of_birth="1984-07-02")
    assert (known.chart_number in str(raised.value)) is (connection.vendor == "postgresql")


def test_a_circle_of_errors_is_walked_once():
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    assert [one["kind"] for one in logs.places(first)] == ["ValueError", "KeyError"]


def test_a_cause_that_was_taken_back_is_not_told():
    error = ValueError()
    error.__context__, error.__suppress_context__ = KeyError(), True
    assert [one["kind"] for one in logs.places(error)] == ["ValueError"]


# --- addresses --------------------------------------------------------------------------------------------------------


def test_an_address_is_told_by_its_route(client, signed_in, written):
    signed_in("front_desk")
    client.get(f"/patients/{SECRET}/")
    client.get(f"/{SECRET}/")
    client.get("/", headers={"host": f"{SECRET}.example"})
    lines = [line.split(" ", 2)[2] for line in written().splitlines() if not line.startswith("  ")]
    assert lines == [
        "django.request 404 Not Found: GET patients/<str:chart>/",
        "django.request 404 Not Found: GET an address of no page",
        "django.security.DisallowedHost 400 Bad Request: GET an address of no page",
    ]
    assert SECRET not in written()


def test_a_forged_form_is_told_with_the_reason_and_not_with_whence(db, written):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(UserFactory(role="office_admin"))
    careful.post("/office/", {}, headers={"origin": f"https://{SECRET}.example"})
    careful.post("/office/", {})
    assert "403 Forbidden (Origin checking failed): POST office/" in written()
    assert "403 Forbidden (CSRF token missing.): POST office/" in written()
    assert SECRET not in written()


# --- sentences --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logger", "level", "message", "arguments", "told"),
    [
        ("weasyprint", 40, "No such image: %s in %d", (SECRET, 7), "No such image: … in 7"),
        ("some.library", 40, "%(who)s was late", ({"who": SECRET},), "… was late"),
        ("some.library", 40, "%s", (ValueError(SECRET),), "ValueError"),
        ("some.library", 40, "%d wrong", (SECRET,), "%d wrong"),
        ("some.library", 40, f"found {SECRET}", (), "(words left out) tests/meso/test_logs.py:1"),
        ("some.library", 40, ValueError(SECRET), (), "(words left out) tests/meso/test_logs.py:1"),
        ("gunicorn.error", 20, "Listening at: %s", ("http://127.0.0.1:8000",), "Listening at: http://127.0.0.1:8000"),
        ("gunicorn.error", 40, "Error handling request %s", (f"/?q={SECRET}",), "Error handling request …"),
        ("meso", 30, "The drill is %d days old.", (9,), "The drill is 9 days old."),
    ],
)
def test_a_sentence_of_a_library_is_told_as_its_code_has_it(logger, level, message, arguments, told):
    record = logging.LogRecord(logger, level, __file__, 1, message, arguments, None)
    assert logs.words(record) == told


def log_calls(source: str) -> list[ast.Call]:
    """The calls that write into a log."""
    levels = {"debug", "info", "warning", "error", "exception", "critical", "log"}
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in levels
        and re.search(r"(?i)\blog(ger)?\b|getLogger", ast.unparse(node.func.value))
    ]


def test_our_own_sentences_are_constants():
    """They are shown whole, so nothing may be put into them but numbers: no f-string, no value by %s."""
    wrong = []
    for path in MODULES:
        for call in log_calls(path.read_text()):
            first = call.args[0] if call.args else None
            if not (isinstance(first, ast.Constant) and isinstance(first.value, str) and not re.search(r"%[^d%]", first.value)):
                wrong.append((name_of(path), call.lineno))
    assert wrong == []


def test_the_search_for_log_calls_finds_them():
    source = 'log.info("x")\nlogging.getLogger("meso").error(f"{x}")\nself.logger.warning("y")\nmessages.error(request, "z")'
    assert len(log_calls(source)) == 3


# --- where it goes ----------------------------------------------------------------------------------------------------


def test_every_handler_leaves_values_out():
    used = {handler["formatter"] for handler in settings.LOGGING["handlers"].values()}
    assert {settings.LOGGING["formatters"][name]["()"] for name in used} == {"meso.logs.Lines"}
    assert logging.getLogger("django").handlers == []


def test_nobody_is_mailed_a_report(client, signed_in, monkeypatch, settings):
    settings.ADMINS = [("Ops", "ops@example.org")]
    signed_in("office_admin")
    Office.current()
    client.raise_request_exception = False
    monkeypatch.setattr(Office, "history", property(fails_with_a_row))
    client.get("/office/")
    assert mail.outbox == []


def test_what_nothing_catches_goes_the_same_way_in_production(tmp_path):
    code = f"import django; django.setup(); raise ValueError('{SECRET}')"
    thread = f"import django, threading; django.setup(); threading.Thread(target=lambda: int('{SECRET}')).start()"
    for program in (code, thread):
        environment = {"DJANGO_SETTINGS_MODULE": "meso.settings", "MESO_DATA": str(tmp_path), **PRODUCTION}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        line = json.loads(done.stderr)
        assert (line["level"], line["message"], line["error"][0]["kind"]) == ("CRITICAL", "Stopped by an error.", "ValueError")
        assert SECRET not in done.stderr
