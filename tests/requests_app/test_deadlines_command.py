"""`deadlines`: every open request with its clock, in the words that other programs rely on (design.md, "Files")."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, RequestFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


def run(capsys, *arguments: str) -> str:
    call_command("deadlines", *arguments)
    return capsys.readouterr().out


def test_json_is_exactly_as_the_design_fixes_it(capsys):
    patient = PatientFactory(chart_number="10023")
    officer = UserFactory(role="privacy_officer")
    later = RequestFactory(kind="amendment", patient=patient, received_on=date(2026, 11, 20), on=date(2026, 11, 24))
    late = RequestFactory(kind="restriction", patient=None, received_on=date(2026, 10, 20), on=date(2026, 11, 24))
    extended = RequestFactory(patient=patient, received_on=date(2026, 10, 25), on=date(2026, 11, 24))
    extended.extend(
        until=date(2026, 12, 1), reason="Storage", told_on=date(2026, 11, 24),
        by=officer, at=datetime(2026, 11, 24, tzinfo=UTC), on=date(2026, 11, 24),
    )  # fmt: skip
    assert json.loads(run(capsys, "--format", "json")) == [
        {
            "number": late.number, "kind": "restriction", "chart_number": None, "received_on": "2026-10-20",
            "due_on": "2026-11-19", "extended": False, "statutory_due_on": None, "days_left": -5, "status": "to_match",
        },
        {
            "number": extended.number, "kind": "access", "chart_number": "10023", "received_on": "2026-10-25",
            "due_on": "2026-12-01", "extended": True, "statutory_due_on": "2026-12-24", "days_left": 7, "status": "to_verify",
        },
        {
            "number": later.number, "kind": "amendment", "chart_number": "10023", "received_on": "2026-11-20",
            "due_on": "2026-12-20", "extended": False, "statutory_due_on": "2027-01-19", "days_left": 26, "status": "to_verify",
        },
    ]  # fmt: skip


@pytest.mark.parametrize(("on", "left"), [("2026-12-24", 0), ("2026-12-25", -1), ("2026-11-24", 30)])
def test_days_are_counted_from_the_day_asked_for(capsys, on, left):
    RequestFactory()
    assert json.loads(run(capsys, "--on", on, "--format", "json"))[0]["days_left"] == left


def test_no_open_request_is_an_empty_list_and_a_sentence(capsys):
    RequestFactory().withdraw(reason="", by=UserFactory(), at=datetime(2026, 11, 24, tzinfo=UTC), on=date(2026, 11, 24))
    assert json.loads(run(capsys, "--format", "json")) == []
    assert run(capsys).strip() == "No request is open."


def test_csv_has_the_same_columns_and_the_table_says_it_in_words(capsys):
    request = RequestFactory(patient=None)
    rows = list(csv.DictReader(io.StringIO(run(capsys, "--format", "csv"))))
    assert rows == [
        {
            "number": request.number, "kind": "access", "chart_number": "", "received_on": "2026-11-24",
            "due_on": "2026-12-24", "extended": "false", "statutory_due_on": "2026-12-24", "days_left": "30",
            "status": "to_match",
        }
    ]  # fmt: skip
    table = run(capsys)
    assert "30 days left" in table
    assert request.number in table
    assert len(table.strip().splitlines()) == 2


def test_no_name_is_printed(capsys):
    RequestFactory(patient=PatientFactory(last_name="Unmistakable"), description="Secret words")
    for form in ("table", "json", "csv"):
        printed = run(capsys, "--format", form)
        assert "Unmistakable" not in printed
        assert "Secret" not in printed


def test_looking_notes_what_has_gone_overdue_by_today_and_not_what_would_by_another_day(capsys):
    late = RequestFactory(received_on=date(2026, 10, 1), on=date(2026, 11, 24))
    running = RequestFactory()
    run(capsys, "--on", "2027-06-01")
    assert late.events.filter(verb=Verb.OVERDUE).count() == 1
    assert running.events.filter(verb=Verb.OVERDUE).count() == 0


def test_the_cost_is_flat(capsys, django_assert_max_num_queries):
    for days in range(20):
        RequestFactory(received_on=date(2026, 11, 24) - timedelta(days=days), on=date(2026, 11, 24))
    with django_assert_max_num_queries(12):
        assert len(json.loads(run(capsys, "--format", "json"))) == 20
    assert PatientRequest.objects.count() == 20


@pytest.mark.parametrize("arguments", [["--on", "yesterday"], ["--format", "xml"], ["--when", "2026-11-24"]])
def test_misuse_is_refused_before_anything_is_done(arguments):
    with pytest.raises(CommandError):
        call_command("deadlines", *arguments)


@pytest.mark.parametrize("command", ["deadlines", "send_reminders", "import_requests"])
def test_misuse_exits_with_2_and_help_with_0(command):
    def code(*arguments: str) -> int:
        return subprocess.run([sys.executable, "manage.py", command, *arguments], capture_output=True, check=False).returncode

    assert code("--no-such-option") == 2
    assert code("--help") == 0
