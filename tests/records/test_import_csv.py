"""`import_patients` with a spreadsheet: design.md's columns, all or nothing, the same file twice adds nothing."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from meso.models import AccessEvent
from records.models import NameKey, Patient
from tests.factories import PatientFactory
from tests.records.fhir_data import NOW, faults, take

HEADER = "chart_number,first_name,last_name,date_of_birth,sex,phone,email,address_1,address_2,city,state,zip,language\n"
ADA = "10023,Ada,Vance,1984-07-02,F,555-010-2233,ada@example.org,12 Elm Street,Apt 4,Albany,NY,12207,en\n"

pytestmark = pytest.mark.django_db


def test_every_column_comes_through_letter_for_letter(tmp_path):
    outcome = take(tmp_path / "p.csv", HEADER + ADA)
    assert (outcome.patients_added, outcome.patients_here) == (1, 0)
    patient = Patient.objects.get(chart_number="10023")
    assert (patient.first_name, patient.last_name, patient.date_of_birth) == ("Ada", "Vance", date(1984, 7, 2))
    assert (patient.sex, patient.phone, patient.email) == ("female", "555-010-2233", "ada@example.org")
    assert patient.address_lines() == ["12 Elm Street", "Apt 4", "Albany, NY 12207"]
    assert patient.language == "en"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Zoë", "O'Brien-Peña"),
        ("", "Sukarno"),
        ("محمد", "ابن سينا"),
        ("小明", "王"),
        ("Ngọc", "Nguyễn"),
        ("Ana María", "de la Cruz y Gómez"),
    ],
)
def test_names_come_as_people_have_them(tmp_path, first, last):
    take(tmp_path / "p.csv", f'chart_number,first_name,last_name,date_of_birth\n1,{first},"{last}",1990-01-31\n')
    patient = Patient.objects.get()
    assert (patient.first_name, patient.last_name) == (first, last)
    assert patient in Patient.objects.search(last)


def test_columns_that_are_not_there_leave_nothing_said(tmp_path):
    take(tmp_path / "p.csv", "date_of_birth,last_name,chart_number\n1990-01-31,Sukarno,7\n")
    patient = Patient.objects.get()
    assert (patient.sex, patient.phone, patient.language) == ("unknown", "", "")


@pytest.mark.parametrize(
    ("written", "sex"),
    [("F", "female"), ("male", "male"), ("FEMALE", "female"), ("o", "other"), ("", "unknown"), ("U", "unknown")],
)
def test_sex_is_read_as_a_word_or_a_letter(tmp_path, written, sex):
    take(tmp_path / "p.csv", f"chart_number,last_name,date_of_birth,sex\n1,Vance,1990-01-31,{written}\n")
    assert Patient.objects.get().sex == sex


def test_the_same_file_twice_adds_nothing(tmp_path):
    take(tmp_path / "p.csv", HEADER + ADA)
    counts = (Patient.objects.count(), Patient.history.count(), NameKey.objects.count(), AccessEvent.objects.count())
    outcome = take(tmp_path / "p.csv", HEADER + ADA)
    assert (outcome.patients_added, outcome.patients_here, outcome.patients_differing) == (0, 1, [])
    assert (Patient.objects.count(), Patient.history.count(), NameKey.objects.count(), AccessEvent.objects.count()) == counts


def test_a_chart_that_differs_is_left_as_it_is_and_named(tmp_path):
    take(tmp_path / "p.csv", HEADER + ADA)
    outcome = take(tmp_path / "p.csv", HEADER + ADA.replace("555-010-2233", "555-999-0000"))
    assert (outcome.patients_added, outcome.patients_here, outcome.patients_differing) == (0, 1, ["10023"])
    assert "1 of them differ from this input; their charts were left as they are: 10023" in outcome.in_words()
    assert Patient.objects.get().phone == "555-010-2233"


def test_what_a_file_does_not_say_is_no_difference(tmp_path):
    take(tmp_path / "p.csv", HEADER + ADA)
    outcome = take(tmp_path / "q.csv", "chart_number,last_name,date_of_birth\n10023,Vance,1984-07-02\n")
    assert outcome.patients_differing == []


def test_a_chart_number_that_is_another_persons_here_is_refused(tmp_path):
    PatientFactory(chart_number="10023", first_name="Bo", last_name="Lindqvist", date_of_birth=date(1950, 1, 1))
    assert faults(tmp_path / "p.csv", HEADER + ADA) == [
        "line 2: chart 10023 here is another person's: other names and another birth date"
    ]


def test_imported_patients_have_a_history_and_are_found(tmp_path):
    take(tmp_path / "p.csv", HEADER + ADA)
    patient = Patient.objects.get()
    assert patient.history.count() == 1
    for asked in ("vance", "ada v", "Vance, Ada", "10023", "7/2/1984", "555010"):
        assert Patient.objects.search(asked) == [patient], asked


def test_every_bad_cell_is_named_by_line_and_column_and_nothing_is_stored(tmp_path):
    rows = [
        "1,Ada,Vance,07/02/1984,F,,,,,,,,",
        "2,Ada,Vance,1984-07-02,X,,,,,,,,",
        ",Ada,Vance,1984-07-02,F,,,,,,,,",
        "4,,,1984-07-02,F,,,,,,,,",
        "5,Ada,Vance,1984-07-02,F,,not-a-mail,,,,,,",
        f"6,Ada,Vance,1984-07-02,F,{'5' * 41},,,,,,,",
        f"7,Ada,{'x' * 201},1984-07-02,F,,,,,,,,",
        "8,Ada,Vance,2027-01-01,F,,,,,,,,",
        "9,Good,One,1984-07-02,F,,,,,,,,",
        "9,Good,Two,1984-07-02,F,,,,,,,,",
        "a/b,Ada,Vance,1984-07-02,F,,,,,,,,",
        "new,Ada,Vance,1984-07-02,F,,,,,,,,",
        f"{'1' * 65},Ada,Vance,1984-07-02,F,,,,,,,,",
        "14,Ada,Vance,,F,,,,,,,,",
        "15,Ada,Vance,1984-02-30,F,,,,,,,,",
        "16,?,-,1984-02-28,F,,,,,,,,",
    ]
    named = faults(tmp_path / "p.csv", HEADER + "\n".join(rows) + "\n")
    assert [fault.split(":")[0] for fault in named] == [
        "line 2, date_of_birth", "line 3, sex", "line 4, chart_number", "line 5, last_name", "line 6, email", "line 7, phone",
        "line 8, last_name", "line 9, date_of_birth", "line 11, chart_number", "line 12, chart_number", "line 13, chart_number",
        "line 14, chart_number", "line 15, date_of_birth", "line 16, date_of_birth", "line 17, last_name",
    ]  # fmt: skip
    assert named[0] == "line 2, date_of_birth: '07/02/1984' is not a day; write it as 2026-11-24"
    assert named[8] == "line 11, chart_number: 9 stands in line 10 already"


def test_an_unknown_column_is_named(tmp_path):
    assert faults(tmp_path / "p.csv", "chart_number,date_of_birth,ssn\n") == ["line 1: unknown columns: ssn"]


def test_the_columns_that_a_chart_needs_are_asked_for(tmp_path):
    assert faults(tmp_path / "p.csv", "first_name\nAda\n") == ["line 1: missing columns: chart_number, date_of_birth"]


def test_a_dry_run_says_the_same_and_stores_nothing(tmp_path):
    outcome = take(tmp_path / "p.csv", HEADER + ADA, dry_run=True)
    assert outcome.patients_added == 1
    assert not Patient.objects.exists()
    assert not AccessEvent.objects.exists()


def test_a_file_of_another_name_is_taken_for_csv_unless_it_begins_as_json(tmp_path):
    assert take(tmp_path / "patients.txt", HEADER + ADA).patients_added == 1
    assert faults(tmp_path / "bundle.txt", '{"resourceType": "AuditEvent"}')[0].startswith("bundle.txt: there is no Patient")


def test_an_import_is_one_audit_event_without_names(tmp_path):
    take(tmp_path / "p.csv", HEADER + ADA)
    event = AccessEvent.objects.get()
    assert (event.action, event.subject, event.user, event.detail) == ("create", "import", None, "1 patients, 0 entries")


def test_thousands_of_rows_take_few_queries(tmp_path, django_assert_max_num_queries):
    rows = "".join(f"{number},Ada,Vance{number},1984-07-02,F,,,,,,,,\n" for number in range(2000))
    with django_assert_max_num_queries(150):
        outcome = take(tmp_path / "p.csv", HEADER + rows)
    assert outcome.patients_added == Patient.objects.count() == 2000


def test_the_command_gives_the_account(tmp_path):
    (tmp_path / "p.csv").write_text(HEADER + ADA)
    out = StringIO()
    call_command("import_patients", str(tmp_path / "p.csv"), stdout=out)
    assert out.getvalue() == "Patients: 1 added, 0 already here.\n"


def test_the_command_says_that_a_dry_run_stored_nothing(tmp_path):
    (tmp_path / "p.csv").write_text(HEADER + ADA)
    out = StringIO()
    call_command("import_patients", str(tmp_path / "p.csv"), "--dry-run", stdout=out)
    assert out.getvalue().startswith("Dry run: nothing was stored.")
    assert not Patient.objects.exists()


def test_the_command_fails_with_every_fault(tmp_path):
    (tmp_path / "p.csv").write_text("chart_number,last_name,date_of_birth\n1,,x\n")
    with pytest.raises(CommandError) as failed:
        call_command("import_patients", str(tmp_path / "p.csv"))
    assert failed.value.returncode == 1
    assert str(failed.value) == "Nothing was stored.\nline 2, last_name: a patient needs a name; one word is enough"


def test_a_path_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="the file can't be read: No such file"):
        call_command("import_patients", str(tmp_path / "none.csv"))


def test_an_import_beside_another_of_the_same_patients_fails_in_words(tmp_path, monkeypatch):
    from django.db import IntegrityError

    def collide(*args, **kwargs):
        raise IntegrityError("UNIQUE constraint failed")

    monkeypatch.setattr("records.management.commands.import_patients.import_patients", collide)
    with pytest.raises(CommandError, match="somebody else added the same patients"):
        call_command("import_patients", str(tmp_path))


def test_now_is_passed_in(tmp_path):
    """Born on the office's today is taken, born tomorrow is not, whatever day this test runs on."""
    assert NOW.date() == date(2026, 11, 24)
    take(tmp_path / "p.csv", "chart_number,last_name,date_of_birth\n1,Vance,2026-11-24\n")
    (fault,) = faults(tmp_path / "p.csv", "chart_number,last_name,date_of_birth\n2,Vance,2026-11-25\n")
    assert fault == "line 2, date_of_birth: 2026-11-25 is in the future"
