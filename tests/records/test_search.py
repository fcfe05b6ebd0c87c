"""Finding a patient by whatever the desk knows of them."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from records import names
from records.models import NameKey, Patient
from records.parsing import parse
from tests.factories import PatientFactory

PEOPLE = {
    "obrien": ("Ruth", "O'Brien", "Ruthie"),
    "carreno": ("María-José", "Carreño Quiñones", "Majo"),
    "mao": ("泽东", "毛", ""),
    "mao in one": ("", "毛泽东", ""),
    "kim": ("철수", "김", ""),
    "isa": ("", "Isa", ""),
    "bjork": ("Björk", "Guðmundsdóttir", ""),
    "kovacs": ("Enikő", "Kovács", ""),
    "song-yi": ("Song-yi", "O", ""),
    "vega": ("Juan Q. Xavier", "de la Vega", ""),
    "strasse": ("Jörg", "Weißhaupt", ""),
    "łukasz": ("Łukasz", "Żółć", ""),
    "nguyen": ("Văn", "Nguyễn", ""),
    "arabic": ("محمد", "الخوارزمي", ""),
    "cyrillic": ("Анна", "Ёлкина", ""),
}


@pytest.fixture
def people(db) -> dict[str, Patient]:
    return {
        key: PatientFactory(
            chart_number=f"C{place:03d}", first_name=first, last_name=last, preferred_name=preferred,
            phone=f"(518) 555-{place:04d}", date_of_birth=date(1980, 1, 1 + place),
        )
        for place, (key, (first, last, preferred)) in enumerate(PEOPLE.items())
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("o'brien", "obrien"), ("OBRIEN", "obrien"), ("O’Brien", "obrien"), ("obr", "obrien"), ("ruthie", "obrien"),
        ("ruth o'brien", "obrien"), ("o'brien ruth", "obrien"), ("O'Brien, Ruth", "obrien"), ("obrien ru", "obrien"),
        ("Carreño", "carreno"), ("carreno quinones", "carreno"), ("quiñones", "carreno"), ("Quinones", "carreno"),
        ("maria jose carreno", "carreno"), ("maría-josé", "carreno"), ("jose carreno", "carreno"), ("majo", "carreno"),
        ("carreño quiñones maría-josé", "carreno"),
        ("毛泽东", "mao"), ("毛 泽东", "mao"), ("毛泽东", "mao in one"), ("김철수", "kim"), ("김", "kim"),
        ("isa", "isa"), ("Isa", "isa"), ("björk", "bjork"), ("bjork", "bjork"), ("Gudmundsdottir", "bjork"),
        ("guðmunds", "bjork"), ("kovacs eniko", "kovacs"), ("Enikő Kovács", "kovacs"),
        ("o song-yi", "song-yi"), ("song yi o", "song-yi"), ("songyi", "song-yi"), ("vega", "vega"), ("de la vega", "vega"),
        ("juan de la vega", "vega"), ("xavier vega", "vega"), ("weisshaupt", "strasse"), ("lukasz zolc", "łukasz"),
        ("nguyen van", "nguyen"), ("محمد", "arabic"), ("анна ёлкина", "cyrillic"), ("АННА", "cyrillic"),
        ("C000", "obrien"), ("c003", "mao in one"), ("1980-01-01", "obrien"), ("1/1/1980", "obrien"), ("01/01/1980", "obrien"),
        ("01-01-1980", "obrien"), ("o'brien 1/1/1980", "obrien"), ("1980-01-01 ruth", "obrien"),
        ("518 555 0000", "obrien"), ("(518) 555-0000", "obrien"), ("+1 518 555 0000", "obrien"), ("+1 518 555 00", "obrien"),
        ("1-518-555-0000", "obrien"), ("518.555.0005", "isa"),
    ],
)  # fmt: skip
def test_a_patient_is_found_by(people, typed, key):
    assert people[key] in Patient.objects.search(typed)


@pytest.mark.parametrize(
    "typed", ["", "   ", "ruth carreño", "o'brien 2/2/1980", "zzz", "99", "'", "%", "_", "\0", "1980-13-45", "😊", "--"]
)
def test_nobody_is_found_by(people, typed):
    assert Patient.objects.search(typed) == []


def test_the_best_way_of_asking_comes_first(db):
    by_chart = PatientFactory(chart_number="518", last_name="Zimmer")
    by_phone = PatientFactory(phone="518-555-0000", last_name="Abel")
    assert Patient.objects.search("518") == [by_chart, by_phone]


def test_a_search_gives_at_most_its_limit_sorted_by_name(db):
    for place in range(30):
        PatientFactory(last_name="Vance", first_name=f"A{place:02d}")
    found = Patient.objects.search("vance")
    assert [patient.first_name for patient in found] == [f"A{place:02d}" for place in range(25)]


def test_a_name_of_before_still_finds_the_chart(db):
    patient = PatientFactory(first_name="Ada", last_name="Alvarez Soto")
    patient.last_name = "Marsh"
    patient.save()
    for typed in ("marsh", "alvarez", "alvarezsoto", "soto"):
        assert Patient.objects.search(typed) == [patient], typed


def test_a_birth_date_of_feb_29_is_found(db):
    patient = PatientFactory(date_of_birth=date(2004, 2, 29))
    assert Patient.objects.search("2/29/2004") == [patient]
    assert Patient.objects.search("2/29/2003") == []


def test_a_name_of_200_characters_is_stored_and_found(db):
    patient = PatientFactory(first_name="Á" * 200, last_name="ﷺ" * 200)  # the latter is 18 letters each when taken apart
    assert patient in Patient.objects.search("a" * 200)
    assert patient in Patient.objects.search("ﷺ" * 3)


@pytest.mark.shared
def test_every_name_of_the_real_lists_is_found_as_it_is_written(db, shared):
    lines = {
        line.strip()
        for file in ("nameparser_test_names.txt", "nameparser_all_test_strings.txt", "w3c_personal_names.txt")
        for line in (shared / "data/names" / file).read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    }
    assert len(lines) > 200
    for number, line in enumerate(sorted(lines)):
        first, _, last = line.rpartition(" ")
        PatientFactory(chart_number=f"N{number:04d}", first_name=first[:200], last_name=last[:200])
    missed = []
    for number, line in enumerate(sorted(lines)):
        found = {patient.chart_number for patient in Patient.objects.search(line, limit=1000)}
        if f"N{number:04d}" not in found:
            missed.append(line)
    assert missed == []


def test_a_search_costs_the_same_among_many(db):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            Patient.objects.search("maria alv")
        return len(captured)

    PatientFactory()
    few = cost()
    for _ in range(40):
        PatientFactory()
    assert cost() <= few


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("O'Brien-Peña", "obrienpena"), ("Łukasz", "lukasz"), ("Þóra", "thora"), ("Ærø", "aero"), ("毛泽东", "毛泽东"),
        ("", ""), ("-'", ""),
        ("ＡＢ", "ab"), ("ﬁ", "fi"), ("İpek", "ipek"), ("Straße", "strasse"),
    ],
)  # fmt: skip
def test_a_key_is_what_people_type(text, key):
    assert names.key(text) == key


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("+1 (555) 123-4567", "5551234567"), ("1 555 123 4567", "5551234567"), ("+1 555", "555"), ("+44 20 7946", "44207946"),
        ("1555", "1555"), ("", ""),
    ],
)  # fmt: skip
def test_digits_leave_out_the_country_of_the_office(typed, digits):
    assert names.digits(typed) == digits


def test_what_was_typed_is_taken_apart():
    query = parse("O'Brien, Ruth 7/2/1984")
    assert (query.words, query.born, query.digits) == (["obrien", "ruth"], date(1984, 7, 2), "")


# --- resembling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "born"),
    [
        ("Maria", "Alvarez", date(1984, 7, 2)),
        ("MARÍA", "álvarez", date(1984, 7, 2)),
        ("Alvarez", "Maria", date(1984, 7, 2)),
        ("Mary", "Alvarez", date(1984, 7, 2)),
        ("Maria", "Marsh", date(1984, 7, 2)),
        ("Maria", "Alvarez", date(1984, 2, 7)),
        ("Maria", "Alvarez", date(1985, 7, 2)),
        ("Maria", "Alvarez", date(1974, 7, 2)),
        ("Maria", "Alvarez", date(1984, 7, 3)),
        ("Maria", "Alvarez", date(1984, 6, 2)),
        ("", "Alvarez", date(1984, 7, 2)),
    ],
)
def test_a_chart_resembles(db, first, last, born):
    chart = PatientFactory(first_name="Maria", last_name="Alvarez", date_of_birth=date(1984, 7, 2))
    assert list(Patient.objects.resembling(first, last, born)) == [chart]


@pytest.mark.parametrize(
    ("first", "last", "born"),
    [
        ("Maria", "Alvarez", date(1990, 12, 24)),
        ("Ruth", "O'Brien", date(1984, 7, 2)),
        ("Mary", "Alvarez", date(1984, 7, 3)),
        ("", "", date(1984, 7, 2)),
    ],
)
def test_no_chart_resembles(db, first, last, born):
    PatientFactory(first_name="Maria", last_name="Alvarez", date_of_birth=date(1984, 7, 2))
    PatientFactory(first_name="", last_name="Isa", date_of_birth=date(1984, 7, 2))
    assert not Patient.objects.resembling(first, last, born).exists()


def test_keys_are_stored_once_a_word(db):
    patient = PatientFactory(first_name="Ana Ana", last_name="Ana-Ana", preferred_name="Ana")
    patient.save()
    assert sorted(NameKey.objects.filter(patient=patient).values_list("word", flat=True)) == ["ana", "anaana"]
