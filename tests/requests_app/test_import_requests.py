"""`import_requests`: all or nothing, every bad row named, and the same file twice adds nothing."""

from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from meso.models import AccessEvent, Office
from requests_app.models import PatientRequest, RequestEvent
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory

HEADER = "chart_number,kind,received_on,description,closed_on,outcome"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


@pytest.fixture
def chart():
    return PatientFactory(chart_number="10023")


def csv_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "requests.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def run(path: Path, capsys, **options) -> str:
    call_command("import_requests", str(path), **options)
    return capsys.readouterr().out.strip()


def test_open_and_past_requests_come_in_with_their_clocks(tmp_path, capsys, chart):
    path = csv_file(
        tmp_path,
        "10023,access,2026-11-02,All visit notes,,",
        "10023,amendment,2026-09-01,\"Not a smoker, never was\",2026-09-20,granted",
    )  # fmt: skip
    assert run(path, capsys) == "2 requests added, 1 of them open; 0 were there already."
    running, past = PatientRequest.objects.order_by("-received_on")
    assert (running.kind, running.due_on, running.description) == ("access", date(2026, 12, 2), "All visit notes")
    assert (running.patient, running.asker_name, running.is_open) == (chart, chart.name, True)
    assert (past.closed_on, past.outcome, past.decided_on) == (date(2026, 9, 20), "granted", date(2026, 9, 20))
    assert past.description == "Not a smoker, never was"
    assert [event.verb for event in running.events.all()] == [Verb.IMPORTED]
    assert [event.verb for event in past.events.all()] == [Verb.IMPORTED, Verb.CLOSED]
    assert past.events.last().sentence == "Closed: Granted. On time."


def test_a_clock_that_ran_out_has_its_overdue_event(tmp_path, capsys, chart):
    path = csv_file(
        tmp_path, "10023,access,2026-10-01,,,", "10023,access,2026-01-31,,2026-03-03,denied", "10023,access,2026-10-25,,,"
    )
    run(path, capsys)
    late, past, due_today = PatientRequest.objects.order_by("id")
    assert [event.verb for event in late.events.all()] == [Verb.IMPORTED, Verb.OVERDUE]
    assert [event.verb for event in past.events.all()] == [Verb.IMPORTED, Verb.OVERDUE, Verb.CLOSED]
    assert past.events.last().sentence == "Closed: Denied. 1 day late."
    assert [event.verb for event in due_today.events.all()] == [Verb.IMPORTED]
    assert PatientRequest.objects.note_overdue(on=date(2026, 11, 24), at=late.entered_at) == 0


def test_the_same_file_twice_adds_nothing_and_a_longer_one_adds_the_rest(tmp_path, capsys, chart):
    rows = ["10023,access,2026-11-02,All visit notes,,", "10023,access,2026-11-02,All visit notes,,"]
    assert run(csv_file(tmp_path, *rows), capsys).startswith("2 requests added")
    assert run(csv_file(tmp_path, *rows), capsys) == "0 requests added, 0 of them open; 2 were there already."
    more = [rows[0].replace("All visit", "All  visit"), rows[1], rows[0], "10023,accounting,2026-11-03,,,"]
    assert run(csv_file(tmp_path, *more), capsys) == "2 requests added, 2 of them open; 2 were there already."
    assert PatientRequest.objects.count() == 4
    assert RequestEvent.objects.filter(verb=Verb.IMPORTED).count() == 4


@pytest.mark.parametrize(
    ("row", "column", "says"),
    [
        ("99999,access,2026-11-02,,,", "chart_number", "there is no chart '99999'"),
        (",access,2026-11-02,,,", "chart_number", "there is no chart ''"),
        ("10023,copies,2026-11-02,,,", "kind", "it can be access, amendment, restriction"),
        ("10023,access,,,,", "received_on", "a day is needed"),
        ("10023,access,11/02/2026,,,", "received_on", "write it as 2026-11-24"),
        ("10023,access,2026-11-25,,,", "received_on", "in the future"),
        ("10023,access,2026-11-02,,2026-11-25,granted", "closed_on", "in the future"),
        ("10023,access,2026-11-02,,2026-11-01,granted", "closed_on", "before the day of receipt"),
        ("10023,access,2026-11-02,,2026-11-10,", "outcome", "needs its outcome"),
        ("10023,access,2026-11-02,,,granted", "outcome", "needs its closed_on"),
        (
            "10023,access,2026-11-02,,2026-11-10,lost",
            "outcome",
            "it can be granted, granted_in_part, denied, no_records, withdrawn",
        ),
        (f"10023,access,2026-11-02,{'x' * 10_001},,", "description", "longer than 10,000 characters"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_stored(tmp_path, chart, row, column, says):
    path = csv_file(tmp_path, "10023,access,2026-11-02,,,", row)
    with pytest.raises(CommandError) as failure:
        call_command("import_requests", str(path))
    assert "Nothing was stored." in str(failure.value)
    assert f"line 3, {column}: " in str(failure.value)
    assert says in str(failure.value)
    assert not PatientRequest.objects.exists()


def test_every_bad_row_is_named_at_once(tmp_path, chart):
    path = csv_file(tmp_path, "1,access,2026-11-02,,,", "10023,x,2026-11-02,,,", "10023,access,2026-11-02,,2026-11-03,")
    with pytest.raises(CommandError) as failure:
        call_command("import_requests", str(path))
    assert [line.split(":")[0] for line in str(failure.value).splitlines()[1:]] == [
        "line 2, chart_number", "line 3, kind", "line 4, outcome",
    ]  # fmt: skip


def test_an_unknown_column_is_an_error_that_names_it(tmp_path, chart):
    with pytest.raises(CommandError, match="unknown columns: who"):
        call_command("import_requests", str(csv_file(tmp_path, header=HEADER + ",who")))


def test_a_dry_run_counts_and_stores_nothing(tmp_path, capsys, chart):
    path = csv_file(tmp_path, "10023,access,2026-11-02,,,", "10023,access,2026-11-02,,,")
    assert run(path, capsys, dry_run=True) == (
        "2 requests would be added (nothing is stored), 2 of them open; 0 were there already."
    )
    assert not PatientRequest.objects.exists()
    assert set(AccessEvent.objects.values_list("action", flat=True)) == {"command"}


def test_the_promise_of_the_day_of_import_is_pinned(tmp_path, capsys, chart):
    Office.current()
    Office.objects.update(promised_days=20)
    run(csv_file(tmp_path, "10023,accounting,2026-11-02,,,"), capsys)
    request = PatientRequest.objects.get()
    assert (request.promised_days, request.due_on) == (20, date(2026, 11, 22))


def test_the_import_is_audited_without_a_word_of_the_patients(tmp_path, capsys, chart):
    run(csv_file(tmp_path, "10023,access,2026-11-02,My diary,,"), capsys)
    event = AccessEvent.objects.exclude(action="command").get()
    assert (event.action, event.subject, event.detail) == ("create", "requests imported", "1 rows")


def test_many_rows_cost_few_queries(tmp_path, capsys, chart, django_assert_max_num_queries):
    path = csv_file(tmp_path, *(f"10023,access,2026-11-{day:02},,," for day in range(1, 24)))
    with django_assert_max_num_queries(25):
        run(path, capsys)
    assert PatientRequest.objects.count() == 23
