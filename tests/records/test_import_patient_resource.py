"""A FHIR Patient becomes a chart: what R4 allows is taken, what a chart needs is asked for, nothing untrue is recorded."""

from datetime import date

import pytest

from records.models import NameKey, Patient
from tests.records.fhir_data import MR, a_bundle, a_patient, faults, take, the_patient

pytestmark = pytest.mark.django_db


def test_a_patient_with_nothing_but_what_a_chart_needs(tmp_path):
    patient = the_patient(tmp_path, identifier=None)
    assert (patient.chart_number, patient.name, patient.date_of_birth) == ("p1", "Ada Vance", date(1984, 7, 2))
    assert (patient.sex, patient.phone, patient.email, patient.address_lines(), patient.language) == ("unknown", "", "", [], "")
    assert patient.deceased_on is None


# --- the chart number -------------------------------------------------------------------------------------------------------


def test_the_medical_record_number_is_the_chart_number(tmp_path):
    numbers = [
        {"system": "https://github.com/synthetichealth/synthea", "value": "first"},
        {"type": {"coding": [{"code": "SS"}]}, "value": "999-48-8934"},
        {"type": MR, "system": "http://hospital.example", "value": "MR-7"},
    ]
    assert the_patient(tmp_path, identifier=numbers).chart_number == "MR-7"


def test_a_record_number_may_be_called_so_in_words_only(tmp_path):
    assert the_patient(tmp_path, identifier=[{"type": {"text": "Medical Record Number"}, "value": "7"}]).chart_number == "7"


def test_an_old_or_ended_record_number_does_not_count(tmp_path):
    numbers = [
        {"use": "old", "type": MR, "value": "1"},
        {"type": MR, "value": "2", "period": {"end": "2014"}},
        {"type": MR, "value": "3", "period": {"start": "2015", "end": "2090"}},
        {"use": "usual", "type": MR, "value": "4"},
    ]
    assert the_patient(tmp_path, identifier=numbers).chart_number == "4"


def test_without_an_id_the_full_url_is_the_chart_number(tmp_path):
    bundle = a_bundle(a_patient(id=None, identifier=None))
    bundle["entry"][0]["fullUrl"] = "urn:uuid:11111111-2222-3333-4444-555555555555"
    take(tmp_path / "b.json", bundle)
    assert Patient.objects.get().chart_number == "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("identifier", "id_", "reason"),
    [
        (None, None, "Patient.id: a chart needs a medical record number (identifier of type MR) or an id"),
        ([{"type": MR, "value": "x" * 65}], "p1", "Patient.identifier[0].value: a chart number has at most 64 characters"),
        ([{"type": MR, "value": "a/b"}], "p1", "Patient.identifier[0].value: 'a/b' can't be a chart number"),
    ],
)
def test_a_chart_number_that_can_be_none_is_refused(tmp_path, identifier, id_, reason):
    (fault,) = faults(tmp_path / "p.json", a_patient(identifier=identifier, id=id_))
    assert fault.startswith(f"p.json, {reason}")


def test_two_patients_with_one_record_number_are_refused(tmp_path):
    assert faults(tmp_path / "p.ndjson", [a_patient(), a_patient(id="p2", name=[{"family": "Other"}])]) == [
        "p.ndjson, line 2, Patient.identifier: chart 10023 is another Patient's already (p.ndjson, line 1)"
    ]


# --- names ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ({"family": "de la Cruz", "given": ["Ana", "María"]}, "Ana María", "de la Cruz"),
        ({"given": ["Sukarno"]}, "Sukarno", ""),
        ({"family": "Sukarno"}, "", "Sukarno"),
        ({"text": "王小明"}, "", "王小明"),
        ({"text": "Dr. Ada Vance", "family": "Vance", "given": ["Ada"], "prefix": ["Dr."], "suffix": ["PhD"]}, "Ada", "Vance"),
        ({"family": "O'Brien-Peña", "given": ["Zoë", None, "  "]}, "Zoë", "O'Brien-Peña"),
        ({"family": "x" * 200}, "", "x" * 200),
    ],
)
def test_given_and_family_come_letter_for_letter(tmp_path, name, first, last):
    patient = the_patient(tmp_path, name=[name])
    assert (patient.first_name, patient.last_name) == (first, last)


def test_the_official_name_is_the_charts_and_the_others_find_it(tmp_path):
    names = [
        {"use": "maiden", "family": "Windsor-Lang", "given": ["Petra"]},
        {"use": "usual", "given": ["Jim"]},
        {"use": "old", "text": "Piet Hein"},
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
    ]
    patient = the_patient(tmp_path, name=names)
    assert (patient.first_name, patient.last_name, patient.preferred_name) == ("Peter James", "Chalmers", "Jim")
    for asked in ("chalmers", "james", "windsor", "lang", "windsorlang", "jim", "hein", "petra"):
        assert patient in Patient.objects.search(asked), asked


def test_an_ended_official_name_gives_way_to_a_current_one(tmp_path):
    names = [{"use": "official", "family": "Before", "period": {"end": "2002"}}, {"use": "usual", "family": "Now"}]
    patient = the_patient(tmp_path, name=names)
    assert patient.last_name == "Now"
    assert NameKey.objects.filter(patient=patient, word="before").exists()


@pytest.mark.parametrize("use", ["maiden", "old"])
def test_a_name_of_before_is_never_the_charts(tmp_path, use):
    assert faults(tmp_path / "p.json", a_patient(name=[{"use": use, "family": "Windsor"}])) == [
        "p.json, Patient.name: a chart needs a name; there is only a name of before (maiden or old) here"
    ]


@pytest.mark.parametrize(
    "name", [None, [], [{"use": "official"}], [{"family": " "}], [{"extension": [{"url": "x", "valueCode": "masked"}]}]]
)
def test_a_patient_without_a_name_is_refused(tmp_path, name):
    assert faults(tmp_path / "p.json", a_patient(name=name)) == [
        "p.json, Patient.name: a chart needs a name; there is no name here"
    ]


def test_a_name_without_a_letter_is_refused(tmp_path):
    assert faults(tmp_path / "p.json", a_patient(name=[{"family": "?"}])) == [
        "p.json, Patient.name[0]: a name needs at least one letter, of any script"
    ]


def test_a_name_too_long_is_refused_and_not_cut(tmp_path):
    assert faults(tmp_path / "p.json", a_patient(name=[{"family": "x" * 201}])) == [
        "p.json, Patient: the last name is longer than the 200 characters that a chart holds"
    ]


# --- birth, death, sex ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (None, "a chart needs a birth date; there is none here"),
        ("1984", "a chart needs the whole day of birth, such as 1984-07-02; this is '1984'"),
        ("1984-07", "a chart needs the whole day of birth, such as 1984-07-02; this is '1984-07'"),
        ("1984-07-02T10:00:00Z", "a chart needs the whole day of birth, such as 1984-07-02; this is '1984-07-02T10:00:00Z'"),
        ("0000-00-00", "'0000-00-00' is no date"),
        ("07/02/1984", "'07/02/1984' is no date"),
        ("1984-02-30", "'1984-02-30' is no date"),
        ("2026-11-25", "2026-11-25 is in the future"),
        (19840702, "this should be text"),
    ],
)
def test_a_birth_date_that_is_no_whole_day_is_refused(tmp_path, written, reason):
    assert faults(tmp_path / "p.json", a_patient(birthDate=written)) == [f"p.json, Patient.birthDate: {reason}"]


def test_a_death_is_recorded_on_the_offices_day(tmp_path):
    """1973-07-20 03:30 UTC is still July 19 in New York."""
    patient = the_patient(tmp_path, birthDate="1920-04-23", deceasedDateTime="1973-07-20T03:30:00+00:00")
    assert patient.deceased_on == date(1973, 7, 19)


@pytest.mark.parametrize(
    ("parts", "note"),
    [
        ({"deceasedBoolean": True}, "Patient.deceasedBoolean: has died; the day is not said, so no date of death is recorded"),
        ({"deceasedDateTime": "2010-05"}, "Patient.deceasedDateTime: died in 2010-05; the day is not said"),
    ],
)
def test_a_death_without_a_day_is_said_and_no_day_made_up(tmp_path, parts, note):
    outcome = take(tmp_path / "p.json", a_patient(**parts))
    assert Patient.objects.get().deceased_on is None
    assert f"p.json, {note}" in outcome.in_words()


def test_somebody_who_has_not_died_is_nothing_to_look_at(tmp_path):
    assert take(tmp_path / "p.json", a_patient(deceasedBoolean=False)).notes == []


@pytest.mark.parametrize("died", ["1984-07-01", "2026-11-25"])
def test_a_death_before_the_birth_or_in_the_future_is_refused(tmp_path, died):
    (fault,) = faults(tmp_path / "p.json", a_patient(deceasedDateTime=died))
    assert fault == f"p.json, Patient.deceasedDateTime: {died} is before the birth or in the future"


@pytest.mark.parametrize("sex", ["female", "male", "other", "unknown"])
def test_administrative_gender_is_the_sex(tmp_path, sex):
    assert the_patient(tmp_path, gender=sex).sex == sex


def test_a_gender_of_another_code_is_refused(tmp_path):
    assert faults(tmp_path / "p.json", a_patient(gender="F")) == [
        "p.json, Patient.gender: 'F' is none of female, male, other, unknown"
    ]


# --- where they are reached -------------------------------------------------------------------------------------------------


def test_a_mobile_or_home_number_comes_before_one_at_work_and_an_old_one_never(tmp_path):
    telecom = [
        {"use": "home"},
        {"system": "phone", "value": "work", "use": "work", "rank": 1},
        {"system": "phone", "value": "second", "use": "home", "rank": 3},
        {"system": "phone", "value": "first", "use": "mobile", "rank": 2},
        {"system": "phone", "value": "old", "use": "old", "rank": 1},
        {"system": "phone", "value": "ended", "use": "home", "rank": 1, "period": {"end": "2014"}},
        {"system": "fax", "value": "fax", "use": "home", "rank": 1},
        {"system": "email", "value": "ada@work.example", "use": "work"},
        {"system": "email", "value": "ada@home.example", "use": "home"},
    ]
    patient = the_patient(tmp_path, telecom=telecom)
    assert (patient.phone, patient.email) == ("first", "ada@home.example")


def test_a_number_too_long_and_what_is_no_e_mail_are_left_out_and_said(tmp_path):
    telecom = [{"system": "phone", "value": "5" * 41}, {"system": "email", "value": "at home"}]
    outcome = take(tmp_path / "p.json", a_patient(telecom=telecom))
    patient = Patient.objects.get()
    assert (patient.phone, patient.email) == ("", "")
    assert [str(note) for note in outcome.notes] == [
        "p.json, Patient.telecom[0].value: longer than the 40 characters of a telephone number; left out",
        "p.json, Patient.telecom[1].value: this is no e-mail address; left out",
    ]


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (
            {"line": ["12 Elm St", "Apt 4", "c/o Lang"], "city": "Albany", "state": "NY", "postalCode": "12207", "country": "US"},
            ["12 Elm St", "Apt 4, c/o Lang", "Albany, NY 12207"],
        ),
        (
            {"line": ["12 Elm St"], "city": "Albany", "district": "Albany County", "state": "New York", "country": "USA"},
            ["12 Elm St", "Albany, New York"],
        ),
        (
            {"line": ["24 Sussex Dr"], "city": "Ottawa", "state": "Ontario", "postalCode": "K1M 1M4", "country": "Canada"},
            ["24 Sussex Dr", "Canada", "Ottawa, Ontario K1M 1M4"],
        ),
        (
            {"line": ["534 Erewhon St"], "city": "PleasantVille", "district": "Rainbow", "state": "Vic", "postalCode": "3999"},
            ["534 Erewhon St", "Rainbow", "PleasantVille, Vic 3999"],
        ),
        ({"text": "12 Elm St\nAlbany NY"}, ["12 Elm St", "Albany NY"]),
        ({"city": "Boston"}, ["Boston"]),
    ],
)
def test_an_address_loses_nothing(tmp_path, address, lines):
    assert the_patient(tmp_path, address=[address]).address_lines() == lines


def test_the_home_address_is_the_charts_and_an_old_one_never(tmp_path):
    addresses = [
        {"use": "old", "line": ["old"]},
        {"use": "home", "line": ["ended"], "period": {"end": "2020-01-01"}},
        {"use": "work", "line": ["work"]},
        {"use": "home", "line": ["home"]},
    ]
    assert the_patient(tmp_path, address=addresses).address_1 == "home"
    assert Patient.objects.get().address_2 == ""


def test_a_state_too_long_is_refused_and_not_cut(tmp_path):
    (fault,) = faults(tmp_path / "p.json", a_patient(address=[{"state": "x" * 51}]))
    assert fault == "p.json, Patient: the state is longer than the 50 characters that a chart holds"


@pytest.mark.parametrize(
    ("communication", "language"),
    [
        ([{"language": {"coding": [{"code": "en-US"}]}}, {"language": {"coding": [{"code": "es"}]}, "preferred": True}], "es"),
        ([{"language": {"text": "Spanish"}}], ""),
        ([{"language": {"coding": [{"code": "zh-Hans-CN"}], "text": "Chinese"}}], "zh-Hans-CN"),
        (None, ""),
    ],
)
def test_the_preferred_language_is_kept_as_its_tag(tmp_path, communication, language):
    assert the_patient(tmp_path, communication=communication).language == language


# --- all of it --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"name": "Ada Vance"}, "Patient.name"),
        ({"name": {"family": "Vance"}}, "Patient.name"),
        ({"name": ["Ada"]}, "Patient.name[0]"),
        ({"name": [{"family": ["Vance"]}]}, "Patient.name[0].family"),
        ({"name": [{"given": "Ada"}]}, "Patient.name[0].given"),
        ({"name": [{"given": [5]}]}, "Patient.name[0].given[0]"),
        ({"identifier": {"value": "1"}}, "Patient.identifier"),
        ({"telecom": "555"}, "Patient.telecom"),
        ({"address": ["12 Elm"]}, "Patient.address[0]"),
        ({"gender": True}, "Patient.gender"),
        ({"deceasedBoolean": "true"}, "Patient.deceasedBoolean"),
        ({"communication": [{"language": "en"}]}, "Patient.communication[0].language"),
    ],
)
def test_an_element_of_another_type_is_named_by_its_path(tmp_path, parts, path):
    (fault, *_) = faults(tmp_path / "p.json", a_patient(**parts))
    assert fault.startswith(f"p.json, {path}: this should be ")


def test_every_fault_of_a_patient_is_named_at_once(tmp_path):
    named = faults(tmp_path / "p.json", a_patient(name=None, birthDate="1984", gender="x"))
    assert [fault.split(":")[0] for fault in named] == [
        "p.json, Patient.name",
        "p.json, Patient.birthDate",
        "p.json, Patient.gender",
    ]


def test_what_a_chart_has_no_place_for_is_counted(tmp_path):
    parts = {
        "maritalStatus": {"text": "M"},
        "contact": [{"name": {"family": "Lang"}}],
        "multipleBirthInteger": 3,
        "multipleBirthBoolean": False,
    }
    said = take(tmp_path / "p.json", a_patient(**parts)).in_words()
    assert "Of patients, left out for want of a place in the chart: contact 1, maritalStatus 1, multipleBirth 1\n" in said


def test_the_same_patient_twice_is_here_already_and_a_changed_one_is_named(tmp_path):
    assert take(tmp_path / "p.json", a_patient(gender="female")).patients_added == 1
    again = take(tmp_path / "p.json", a_patient(gender="female"))
    assert (again.patients_added, again.patients_here, again.patients_differing) == (0, 1, [])
    changed = take(tmp_path / "p.json", a_patient(gender="male"))
    assert (changed.patients_here, changed.patients_differing) == (1, ["10023"])
    assert Patient.objects.get().sex == "female"


def test_a_chart_of_another_person_is_refused(tmp_path):
    take(tmp_path / "p.json", a_patient())
    (fault,) = faults(tmp_path / "q.json", a_patient(name=[{"family": "Lindqvist", "given": ["Bo"]}], birthDate="1950-01-01"))
    assert fault == "q.json: chart 10023 here is another person's: other names and another birth date"
