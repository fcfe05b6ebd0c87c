"""In production the log is one JSON object a line, with a line for each answer, and nothing in it of what was asked or typed."""

import json
import logging
import re

import pytest
from django.http import HttpResponse

from meso import gunicorn_conf, logs_json
from tests.factories import PatientFactory

SECRET = "Zwetschgenwasser"


@pytest.fixture
def written():
    """What the service would write: a function that gives the lines, each as an object."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(self.format(record))

    handler, access = Keep(), logging.getLogger("meso.access")
    handler.setFormatter(logs_json.JsonLines())
    before = access.level
    logging.getLogger().addHandler(handler)
    access.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in lines]
    access.setLevel(before)
    logging.getLogger().removeHandler(handler)


def test_an_answer_is_one_line_with_who_what_how_and_how_long(client, signed_in, written):
    who = signed_in("front_desk")
    PatientFactory(chart_number="10023", last_name=SECRET)
    answer = client.get(f"/patients/10023/?q={SECRET}", headers={"X-Request-Id": SECRET})
    (line,) = written()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert re.fullmatch(r"[0-9a-f]{16}", line["request"])
    assert line.pop("request") == answer[logs_json.HEADER]
    assert isinstance(line.pop("ms"), int)
    assert line == {
        "level": "INFO", "logger": "meso.access", "message": "answered",
        "method": "GET", "view": "chart", "status": 200, "user": who.pk,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/privacy/status/", f"/nothing/{SECRET}/", f"/patients/{SECRET}/", "/accounts/login/"])
def test_no_line_holds_what_was_asked_or_typed(client, signed_in, written, path):
    signed_in("front_desk")
    client.post(f"{path}?name={SECRET}", {"number": SECRET, "code": SECRET, "username": SECRET, "password": SECRET})
    assert written()
    assert SECRET not in json.dumps(written())


def test_nobody_is_looked_up_for_the_log(client, db, written, django_assert_num_queries):
    request = type("Asked", (), {"method": "GET", "path": "/x/", "resolver_match": None})()
    with django_assert_num_queries(0):
        logs_json.AccessLogMiddleware(lambda _: HttpResponse(status=404))(request)
    assert (written()[0]["user"], written()[0]["view"], written()[0]["status"]) == (None, None, 404)


def test_the_lines_of_one_request_carry_its_number_and_others_none(written):
    def answer(request):
        logging.getLogger("meso").warning("Halfway.")
        return HttpResponse()

    request = type("Asked", (), {"method": "GET", "path": "/x/", "resolver_match": None})()
    logs_json.AccessLogMiddleware(answer)(request)
    logging.getLogger("meso").warning("Elsewhere.")
    halfway, answered, elsewhere = written()
    assert halfway["request"] == answered["request"]
    assert "request" not in elsewhere


def test_a_good_answer_about_health_is_no_line(client, db, written):
    client.get("/healthz/")
    assert written() == []


def test_an_error_is_its_kind_and_places_on_the_same_line(written):
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("meso").exception("Stopped.\nAnd a second line.")
    (line,) = written()
    assert line["error"][0]["kind"] == "ValueError"
    assert line["error"][0]["at"][0].startswith("tests/meso/test_logs_json.py:")
    assert SECRET not in json.dumps(line)


def test_gunicorn_writes_the_same_lines_and_no_address():
    assert gunicorn_conf.accesslog is None
    assert gunicorn_conf.logconfig_dict["formatters"]["json"]["()"] == "meso.logs_json.JsonLines"
    asked = logging.makeLogRecord(
        {
            "name": "gunicorn.error",
            "levelno": logging.ERROR,
            "levelname": "ERROR",
            "msg": "Error handling request %s",
            "args": (f"/{SECRET}",),
        }
    )
    assert SECRET not in logs_json.JsonLines().format(asked)
