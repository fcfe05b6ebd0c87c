"""`import_disclosures`: all or nothing, every bad row named, exempt rows left out, the same file twice adds nothing."""

import pytest
from django.core.management import CommandError, call_command

from disclosures.models import Disclosure
from meso import seals
from meso.models import AccessEvent

HEADER = "chart_number,disclosed_on,recipient,recipient_address,information,purpose_code,purpose,authorized_on"
GOOD = '10023,2026-06-15,"Dept. of Health","1 Capitol Sq, Albany",Visit note,required_by_law,State law,'
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("patient", "nov_24")]


@pytest.fixture
def run(tmp_path, capsys):
    def run_(*rows, header=HEADER, **options):
        path = tmp_path / "log.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
        call_command("import_disclosures", str(path), **options)
        return capsys.readouterr().out.strip()

    return run_


def test_rows_come_in_letter_for_letter_and_sealed(patient, run):
    assert run(GOOD, "10023,2026-01-02,Beacon,,Notes,authorization,Insurance,2025-12-30") == (
        "2 disclosures added; 0 were there already."
    )
    row = Disclosure.objects.get(purpose_code="required_by_law")
    assert (row.patient, row.recipient, row.recipient_address, row.logged_by) == (
        patient,
        "Dept. of Health",
        "1 Capitol Sq, Albany",
        None,
    )
    assert seals.verify().breaks == []
    assert AccessEvent.objects.exclude(action="command").get().detail == "2 rows"


def test_the_same_file_twice_adds_nothing_and_two_like_rows_are_two(run):
    assert run(GOOD, GOOD).startswith("2 disclosures added")
    assert run(GOOD, GOOD) == "0 disclosures added; 2 were there already."
    assert run(GOOD, GOOD, GOOD) == "1 disclosures added; 2 were there already."
    assert Disclosure.objects.count() == 3


def test_exempt_rows_are_counted_and_left_out(run):
    told = run(GOOD, "10023,2026-06-16,Dr. B,,Note,treatment,Referral,", "10023,2026-06-17,Plan,,,payment,,")
    assert "1 disclosures added" in told
    assert "2 exempt rows left out, as 45 CFR 164.528(a)(1)(i) has it: 1 payment, 1 treatment." in told
    assert Disclosure.objects.count() == 1


def test_a_dry_run_stores_nothing(run):
    assert run(GOOD, dry_run=True) == "1 disclosures would be added (nothing is stored); 0 were there already."
    assert not Disclosure.objects.exists()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("99,2026-06-15,A,,B,subpoena,C,", "line 3, chart_number: there is no chart '99'"),
        ("10023,2026-11-25,A,,B,subpoena,C,", "line 3, disclosed_on: 2026-11-25 is in the future"),
        ("10023,0206-06-15,A,,B,subpoena,C,", "line 3, disclosed_on: 0206-06-15 is before 1950; check the year"),
        ("10023,06/15/2026,A,,B,subpoena,C,", "line 3, disclosed_on: '06/15/2026' is not a day"),
        ("10023,,A,,B,subpoena,C,", "line 3, disclosed_on: a day is needed"),
        ("10023,2026-06-15,,,B,subpoena,C,", "line 3, recipient: must not be empty"),
        ("10023,2026-06-15,A,,,subpoena,C,", "line 3, information: must not be empty"),
        ("10023,2026-06-15,A,,B,subpoena,,", "line 3, purpose: must not be empty"),
        ("10023,2026-06-15,A,,B,tpo,C,", "line 3, purpose_code: 'tpo' is not a purpose code"),
        ("10023,2026-06-15,A,,B,,C,", "line 3, purpose_code: '' is not a purpose code"),
        ("10023,2026-06-15,A,,B,authorization,C,2026-06-16", "line 3, authorized_on: 2026-06-16 comes after"),
        (f"10023,2026-06-15,{'x' * 301},,B,subpoena,C,", "line 3, recipient: longer than 300"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_stored(run, row, words):
    with pytest.raises(CommandError) as refused:
        run(GOOD, row)
    assert words in str(refused.value)
    assert "Nothing was stored." in str(refused.value)
    assert not Disclosure.objects.exists()


def test_every_bad_row_is_named(run):
    with pytest.raises(CommandError) as refused:
        run("99,2026-06-15,A,,B,subpoena,C,", GOOD, "10023,soon,A,,B,subpoena,C,")
    assert "line 2, chart_number" in str(refused.value)
    assert "line 4, disclosed_on" in str(refused.value)


def test_unknown_columns_are_named(run):
    with pytest.raises(CommandError, match="mood"):
        run(GOOD + ",glad", header=HEADER + ",mood")
