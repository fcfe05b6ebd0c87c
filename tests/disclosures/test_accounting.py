"""What an accounting lists, how a series is told, and that what is given is kept (164.528; law.md §1, §4, §7)."""

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from disclosures import accounting, accounting_rules
from disclosures.models import AccountingGiven
from disclosures.purposes import PURPOSES, Scope
from meso.models import AccessEvent, Office
from tests.factories import AT, DisclosureFactory, PatientFactory, UserFactory

NOV_24 = date(2026, 11, 24)
EVER = (date(1950, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("requested_on", "start"),
    [
        (date(2026, 11, 24), date(2020, 11, 24)),
        (date(2028, 2, 29), date(2022, 2, 28)),
        (date(2030, 2, 28), date(2024, 2, 28)),
        (date(2027, 12, 31), date(2021, 12, 31)),
    ],
)
def test_an_accounting_reaches_back_six_years(requested_on, start):
    assert accounting_rules.look_back_start(requested_on) == start


@pytest.mark.parametrize(
    ("requested_on", "free"),
    [
        (date(2026, 3, 15), False),
        (date(2027, 3, 14), False),
        (date(2027, 3, 15), True),
        (date(2026, 3, 14), True),  # before the first one
    ],
)
def test_the_first_in_twelve_months_is_free(requested_on, free):
    assert accounting_rules.is_free(requested_on, [date(2026, 3, 15)]) is free
    assert accounting_rules.is_free(requested_on, [])


def test_a_free_one_on_a_leap_day_comes_round_on_february_28():
    assert not accounting_rules.is_free(date(2029, 2, 27), [date(2028, 2, 29)])
    assert accounting_rules.is_free(date(2029, 2, 28), [date(2028, 2, 29)])


@given(requested_on=st.dates(date(1960, 1, 1), date(2200, 12, 31)))
def test_the_look_back_is_six_years_to_the_day_and_never_shorter(requested_on):
    start = accounting_rules.look_back_start(requested_on)
    assert (start.year, start.month) == (requested_on.year - 6, requested_on.month)
    assert requested_on.day - start.day == (1 if (requested_on.month, requested_on.day) == (2, 29) and start.day == 28 else 0)
    assert accounting_rules.look_back_start(requested_on + timedelta(days=1)) >= start


@given(first=st.dates(date(1960, 1, 1), date(2200, 12, 31)), later=st.integers(0, 1200))
def test_there_is_one_free_accounting_in_any_year(first, later):
    asked = first + timedelta(days=later)
    free = accounting_rules.is_free(asked, [first])
    assert free is (asked >= accounting_rules.free_again_on(first))
    assert not free or later >= 365
    assert free or later <= 366


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ([], ""),
        ([7], "2 times"),
        ([30], "2 times"),
        ([7] * 3, "weekly"),
        ([1, 1], "daily"),
        ([14, 14], "every two weeks"),
        ([28, 31, 30], "monthly"),
        ([3, 9], "3 times"),
    ],
)
def test_a_series_is_told_in_words(gaps, words):
    days = [NOV_24]
    for gap in gaps:
        days.append(days[-1] + timedelta(days=gap))
    assert accounting_rules.frequency(days) == words


@pytest.mark.parametrize("code", [code for code, purpose in PURPOSES.items() if not purpose.exempt])
@pytest.mark.parametrize("scope", list(Scope))
def test_each_code_is_listed_as_the_table_says(patient, code, scope):
    DisclosureFactory(patient=patient, purpose_code=code)
    purpose = PURPOSES[code]
    listed = (purpose.notice and not purpose.held) if scope == Scope.NOTICE else purpose.hipaa
    assert len(accounting.for_patient(patient, *EVER, scope, on=NOV_24).lines) == (1 if listed else 0)


@pytest.mark.parametrize(("listed", "count"), [(True, 1), (False, 0)])
def test_a_held_row_is_listed_only_when_the_officer_decided_so(patient, listed, count):
    row = DisclosureFactory(patient=patient, purpose_code="national_security")
    assert accounting.for_patient(patient, *EVER, on=NOV_24).lines == []
    row.decide_hold(by=UserFactory(role="privacy_officer"), at=AT, listed=listed, reason="No order forbids it.")
    assert len(accounting.for_patient(patient, *EVER, Scope.NOTICE, on=NOV_24).lines) == count
    assert accounting.for_patient(patient, *EVER, Scope.HIPAA, on=NOV_24).lines == []


def test_both_edges_of_the_window_count(patient):
    for day in (date(2020, 11, 23), date(2020, 11, 24), date(2026, 11, 24), date(2026, 11, 25)):
        DisclosureFactory(patient=patient, disclosed_on=day, purpose_code="authorization")
    lines = accounting.for_patient(patient, accounting_rules.look_back_start(NOV_24), NOV_24, on=NOV_24).lines
    assert [line.disclosed_on for line in lines] == [date(2020, 11, 24), date(2026, 11, 24)]


def weekly_reports(patient, **more):
    days = [date(2026, 1, 5) + timedelta(days=7 * week) for week in range(14)]
    return [DisclosureFactory(patient=patient, disclosed_on=day, **more) for day in days]


def test_fourteen_weekly_reports_are_one_line(patient):
    weekly_reports(patient)
    (line,) = accounting.for_patient(patient, *EVER, on=NOV_24).lines
    assert (line.disclosed_on, line.last_disclosed_on, line.count, line.frequency) == (
        date(2026, 1, 5), date(2026, 4, 6), 14, "weekly",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "frequency", "words"), [(1, "", ""), (14, "weekly", "14 times, weekly"), (3, "3 times", "3 times")]
)
def test_a_series_is_told_to_a_reader_without_saying_it_twice(count, frequency, words):
    line = accounting.Line(NOV_24, "Board", "", "Note", "Report", "public_health", False, count, NOV_24, frequency)
    assert line.series == words


def test_a_series_is_cut_to_the_window(patient):
    weekly_reports(patient)
    (line,) = accounting.for_patient(patient, date(2026, 2, 1), date(2026, 3, 1), on=NOV_24).lines
    assert (line.disclosed_on, line.last_disclosed_on, line.count) == (date(2026, 2, 2), date(2026, 2, 23), 4)


@pytest.mark.parametrize("code", ["authorization", "impermissible"])
def test_authorizations_and_slips_stay_line_by_line(patient, code):
    weekly_reports(patient, purpose_code=code)
    assert len(accounting.for_patient(patient, *EVER, on=NOV_24).lines) == 14


@pytest.mark.parametrize(
    "other", [{"recipient": "Another agency"}, {"purpose": "Another purpose"}, {"purpose_code": "public_health"}]
)
def test_another_recipient_or_purpose_is_a_line_of_its_own(patient, other):
    DisclosureFactory(patient=patient)
    DisclosureFactory(patient=patient)
    DisclosureFactory(patient=patient, **other)
    assert sorted(line.count for line in accounting.for_patient(patient, *EVER, on=NOV_24).lines) == [1, 2]


def test_a_series_tells_all_that_was_given(patient):
    DisclosureFactory(patient=patient, information="Visit note")
    DisclosureFactory(patient=patient, information="Lot numbers")
    assert accounting.for_patient(patient, *EVER, on=NOV_24).lines[0].information == "Visit note; Lot numbers"


def test_a_corrected_row_is_told_as_corrected_and_one_never_made_is_not_told(patient):
    officer = UserFactory(role="privacy_officer")
    wrong, never = DisclosureFactory(patient=patient, recipient="Wrong"), DisclosureFactory(patient=patient)
    right = {
        "disclosed_on": wrong.disclosed_on, "recipient": "Right", "information": "Note", "purpose_code": "court_order",
        "purpose": "Order",
    }  # fmt: skip
    wrong.correct(by=officer, at=AT, reason="Wrong name", replacement=right)
    never.correct(by=officer, at=AT, reason="Never sent", replacement=None)
    assert [line.recipient for line in accounting.for_patient(patient, *EVER, on=NOV_24).lines] == ["Right"]


def test_another_patients_rows_are_not_in_it(patient):
    DisclosureFactory()
    assert accounting.for_patient(patient, *EVER, on=NOV_24).lines == []


_rows = st.lists(
    st.tuples(
        st.integers(0, 4000), st.sampled_from(["Board", "Court", "Police"]),
        st.sampled_from([code for code, purpose in PURPOSES.items() if not purpose.exempt]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=_rows, begin=st.integers(0, 4000), length=st.integers(0, 2200), scope=st.sampled_from(list(Scope)))
def test_no_row_is_lost_and_none_told_twice(patient, rows, begin, length, scope):
    patient = PatientFactory()
    first = date(2016, 1, 1)
    for offset, recipient, code in rows:
        DisclosureFactory(patient=patient, disclosed_on=first + timedelta(days=offset), recipient=recipient, purpose_code=code)
    start = first + timedelta(days=begin)
    end = start + timedelta(days=length)
    made = accounting.for_patient(patient, start, end, scope, on=NOV_24)
    listed = [
        1 for offset, _, code in rows
        if begin <= offset <= begin + length and not PURPOSES[code].held
        and (PURPOSES[code].notice if scope == Scope.NOTICE else PURPOSES[code].hipaa)
    ]  # fmt: skip
    assert sum(line.count for line in made.lines) == len(listed)
    assert [line.disclosed_on for line in made.lines] == sorted(line.disclosed_on for line in made.lines)
    assert all(start <= line.disclosed_on <= line.last_disclosed_on <= end for line in made.lines)


def test_what_is_given_is_kept_byte_for_byte_and_names_all(patient):
    DisclosureFactory(patient=patient, recipient="Beacon Life", purpose_code="authorization", purpose="Life insurance")
    office = Office.current()
    office.officer_name = "Nora Lindqvist"
    given_one = accounting.give(
        patient, date(2001, 1, 1), NOV_24, by=UserFactory(), at=AT, on=NOV_24, office=office, request_number="R-1001"
    )
    assert (given_one.start, given_one.lines, given_one.fee) == (date(2020, 11, 24), 1, Decimal("0.00"))
    kept = AccountingGiven.objects.defer(None).get(pk=given_one.pk)
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(bytes(kept.document))).pages)
    for words in (patient.name, patient.chart_number, "Beacon Life", "Life insurance", "Nora Lindqvist", "page 1 of 1"):
        assert words in text


@pytest.mark.parametrize(
    ("scope", "words"), [(Scope.NOTICE, "as our privacy notice promises"), (Scope.HIPAA, "that federal law (45 CFR 164.528)")]
)
def test_the_printed_list_names_its_scope_and_tells_series(patient, scope, words):
    weekly_reports(patient)
    pdf = accounting.for_patient(patient, *EVER, scope, on=NOV_24).as_pdf(Office.current(), NOV_24)
    text = " ".join(PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text().split())
    assert words in text
    assert "Jan 5, 2026 to Apr 6, 2026: 14 times, weekly" in text


def test_the_same_accounting_given_twice_in_a_day_is_one(patient):
    DisclosureFactory(patient=patient)
    now = {"by": UserFactory(), "at": AT, "office": Office.current(), "how": "handed over"}
    first, again = (accounting.give(patient, date(2026, 1, 1), NOV_24, on=NOV_24, **now) for _ in range(2))
    assert first.pk == again.pk
    DisclosureFactory(patient=patient, recipient="Somebody since")
    accounting.give(patient, date(2026, 1, 1), NOV_24, on=NOV_24, **now)
    accounting.give(patient, date(2026, 1, 1), NOV_24, on=NOV_24 + timedelta(days=1), **now)
    assert AccountingGiven.objects.count() == 3
    accounting.give(patient, date(2026, 1, 1), NOV_24, on=NOV_24, **now | {"how": "by mail"})  # in another way: another giving
    assert AccountingGiven.objects.count() == 4


def test_a_nil_accounting_says_so(patient):
    pdf = accounting.for_patient(patient, *EVER, on=NOV_24).as_pdf(Office.current(), NOV_24)
    assert "no accountable disclosures in this period" in PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()


def test_what_is_held_leaves_no_trace(patient):
    DisclosureFactory(patient=patient, purpose_code="court_order", disclosed_on=date(2026, 1, 2))
    without = accounting.for_patient(patient, *EVER, on=NOV_24)
    DisclosureFactory(patient=patient, purpose_code="national_security", disclosed_on=date(2026, 1, 1))
    held = accounting.for_patient(patient, *EVER, on=NOV_24)
    assert held.as_dict() == without.as_dict()
    assert held.as_csv() == without.as_csv()


def test_the_command_prints_the_fixed_json(patient, capsys):
    DisclosureFactory(patient=patient, recipient_address="")
    call_command("accounting", patient.chart_number, "--from", "2020-11-24", "--to", "2026-11-24")
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["chart_number", "patient", "from", "to", "scope", "entries", "fee"]
    assert (told["scope"], told["fee"], told["from"]) == ("notice", "0.00", "2020-11-24")
    assert told["entries"] == [
        {
            "disclosed_on": "2026-06-15", "recipient": "State Department of Health", "recipient_address": "",
            "information": "Visit note of May 1, 2026", "purpose": "Report required by state law",
            "purpose_code": "required_by_law", "authorization_required": False, "count": 1,
            "last_disclosed_on": "2026-06-15", "frequency": "",
        }
    ]  # fmt: skip
    event = AccessEvent.objects.exclude(action="command").get()
    assert (event.action, event.chart_number, event.user) == ("export", patient.chart_number, None)


def test_the_command_writes_csv_whose_cells_start_no_formula(patient, tmp_path):
    DisclosureFactory(patient=patient, recipient="=HYPERLINK(0)")
    path = tmp_path / "a.csv"
    call_command(
        "accounting", patient.chart_number, "--from", "2026-01-01", "--to", "2026-11-24", "--format", "csv", "--output", str(path)
    )
    (row,) = csv.DictReader(path.open(newline=""))
    assert row["recipient"] == "'=HYPERLINK(0)"


def test_the_command_writes_a_pdf(patient, tmp_path):
    path = tmp_path / "a.pdf"
    call_command(
        "accounting", patient.chart_number, "--from", "2026-01-01", "--to", "2026-11-24", "--format", "pdf", "--output", str(path)
    )
    assert path.read_bytes().startswith(b"%PDF-")


def test_the_command_reaches_back_six_years_and_says_so(patient, capsys):
    DisclosureFactory(patient=patient, disclosed_on=date(2020, 11, 23))
    call_command("accounting", patient.chart_number, "--from", "2010-01-01", "--to", "2026-11-24")
    out = capsys.readouterr()
    assert json.loads(out.out)["entries"] == []
    assert "six years: it begins on 2020-11-24" in out.err


@pytest.mark.parametrize(
    ("chart", "start", "end", "words"),
    [("nobody", "2026-01-01", "2026-11-24", "no chart 'nobody'"), ("T", "2026-11-24", "2026-01-01", "comes after the last")],
)
def test_the_command_fails_in_words(db, chart, start, end, words):
    PatientFactory(chart_number="T")
    with pytest.raises(CommandError, match=words):
        call_command("accounting", chart, "--from", start, "--to", end)
