"""The real data beside the project: 300 people and eight whole histories, counted here without the importer's help."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from meso import seals
from meso.csv_in import BadFile
from meso.models import AccessEvent
from records.fhir.text import moment
from records.importers import import_patients
from records.models import Entry, NameKey, Patient
from tests.records.fhir_data import NOW, a_bundle, take

pytestmark = [pytest.mark.django_db, pytest.mark.shared]

KINDS = {
    "Encounter": "visit_note", "Condition": "visit_note", "Immunization": "visit_note", "CarePlan": "visit_note",
    "Procedure": "treatment",
    "MedicationRequest": "prescription", "Observation": "lab_result", "DiagnosticReport": "lab_result", "Claim": "billing_record",
    "ExplanationOfBenefit": "billing_record",
}  # fmt: skip
NO_ENTRY = {"Patient", "Organization", "Practitioner"}
DATED = {
    "Encounter": ("period", "start"), "Condition": ("onsetDateTime",), "Immunization": ("occurrenceDateTime",),
    "CarePlan": ("period", "start"),
    "Procedure": ("performedPeriod", "start"), "MedicationRequest": ("authoredOn",), "Observation": ("effectiveDateTime",),
    "DiagnosticReport": ("effectiveDateTime",), "Claim": ("billablePeriod", "start"),
    "ExplanationOfBenefit": ("billablePeriod", "start"),
}  # fmt: skip


@pytest.fixture
def people(shared) -> list[dict]:
    return [json.loads(line) for line in (shared / "data/synthea/patients.ndjson").read_text().splitlines()]


@pytest.fixture
def resources(shared) -> list[dict]:
    files = sorted((shared / "data/synthea/bundles").glob("*.json"))
    return [entry["resource"] for file in files for entry in json.loads(file.read_text())["entry"]]


def record_number(patient: dict) -> str:
    return next(item["value"] for item in patient["identifier"] if item.get("type", {}).get("text") == "Medical Record Number")


def run(path: Path):
    return import_patients(path, at=NOW)


def counts() -> tuple[int, ...]:
    models = (Patient, Patient.history.model, NameKey, Entry, seals.Seal, AccessEvent)
    return tuple(model.objects.count() for model in models)


def test_all_300_people_come_through_letter_for_letter(shared, people):
    outcome = run(shared / "data/synthea/patients.ndjson")
    assert (outcome.patients_added, outcome.patients_here, Patient.objects.count()) == (300, 0, 300)
    for source in people:
        patient = Patient.objects.get(chart_number=record_number(source))
        name = next(name for name in source["name"] if name["use"] == "official")
        address = source["address"][0]
        assert (patient.first_name, patient.last_name) == (" ".join(name["given"]), name["family"])
        assert (patient.address_1, patient.address_2) == (address["line"][0], "")
        assert (patient.city, patient.state, patient.zip) == (address["city"], address["state"], address.get("postalCode", ""))
        assert (patient.date_of_birth.isoformat(), patient.sex) == (source["birthDate"], source["gender"])
        assert patient.phone == source["telecom"][0]["value"]
        assert patient.language == source["communication"][0]["language"]["coding"][0]["code"]


def test_those_who_have_died_died_on_the_offices_day(shared, people):
    run(shared / "data/synthea/patients.ndjson")
    new_york = ZoneInfo("America/New_York")
    dead = {
        record_number(p): datetime.fromisoformat(p["deceasedDateTime"]).astimezone(new_york).date()
        for p in people
        if "deceasedDateTime" in p
    }
    assert len(dead) == 27
    assert dict(Patient.objects.exclude(deceased_on=None).values_list("chart_number", "deceased_on")) == dead


def test_every_maiden_name_finds_its_patient(shared, people):
    run(shared / "data/synthea/patients.ndjson")
    maiden = [(name["family"], record_number(source)) for source in people for name in source["name"] if name["use"] == "maiden"]
    assert len(maiden) == 48
    for family, number in maiden:
        assert number in {patient.chart_number for patient in Patient.objects.search(family, limit=100)}, family


def test_a_second_import_of_the_people_adds_nothing(shared):
    run(shared / "data/synthea/patients.ndjson")
    before = counts()
    outcome = run(shared / "data/synthea/patients.ndjson")
    assert (outcome.patients_added, outcome.patients_here, outcome.patients_differing) == (0, 300, [])
    assert counts() == before


def test_every_resource_of_the_histories_is_an_entry_or_said_to_be_none(shared, resources):
    outcome = run(shared / "data/synthea/bundles")
    source = Counter(resource["resourceType"] for resource in resources)
    assert outcome.read == source
    assert set(source) == set(KINDS) | NO_ENTRY
    added = Counter({type_: count for (_, type_), count in outcome.entries_added.items()})
    assert added == Counter({type_: source[type_] for type_ in KINDS})
    assert Counter({type_: count for (type_, _), count in outcome.left_out.items()}) == Counter(
        {type_: source[type_] for type_ in ("Organization", "Practitioner")}
    )
    stored = Counter(source_id.split("|")[1].split("/")[0] for source_id in Entry.objects.values_list("source_id", flat=True))
    assert stored == added
    assert Counter(Entry.objects.values_list("kind", flat=True)) == Counter(
        KINDS[resource["resourceType"]] for resource in resources if resource["resourceType"] in KINDS
    )
    assert outcome.notes == []


def test_every_patient_has_the_entries_of_their_own_bundle(shared):
    run(shared / "data/synthea/bundles")
    assert Patient.objects.count() == 8
    for file in (shared / "data/synthea/bundles").glob("*_*.json"):
        of_file = [entry["resource"] for entry in json.loads(file.read_text())["entry"]]
        patient = Patient.objects.get(chart_number=record_number(next(r for r in of_file if r["resourceType"] == "Patient")))
        wanted = Counter(r["resourceType"] for r in of_file if r["resourceType"] in KINDS)
        assert Counter(entry.source_id.split("|")[1].split("/")[0] for entry in patient.entries.all()) == wanted


def test_every_entry_has_its_day_its_title_and_its_value(shared, resources):
    run(shared / "data/synthea/bundles")
    entries = {entry.source_id.split("|")[1]: entry for entry in Entry.objects.all()}
    for resource in resources:
        type_ = resource["resourceType"]
        if type_ not in KINDS:
            continue
        entry = entries[f"{type_}/{resource['id']}"]
        when = resource
        for key in DATED[type_]:
            when = when[key]
        assert entry.service_on == datetime.fromisoformat(when).astimezone(ZoneInfo("America/New_York")).date(), entry
        if "code" in resource:
            assert entry.title == ("Condition: " if type_ == "Condition" else "") + resource["code"]["text"]
            assert resource["code"]["coding"][0]["code"] in entry.body
        for part in (resource, *resource.get("component", [])):
            if "valueQuantity" in part:
                assert f"{part['valueQuantity']['unit']}" in entry.body
                assert str(part["valueQuantity"]["value"])[:6] in entry.body
        assert entry.signed_as
        assert "urn:uuid" not in entry.body + entry.signed_as
        assert '{"' not in entry.body


def test_entries_stand_in_the_order_of_their_days_and_every_seal_holds(shared):
    run(shared / "data/synthea/bundles")
    for patient in Patient.objects.all():
        days = list(patient.entries.order_by("id").values_list("service_on", flat=True))
        assert days == sorted(days)
    report = seals.verify()
    assert (report.chains, report.links, report.breaks) == (9, Entry.objects.count() + 1, [])  # and the event of the import


def test_a_second_import_of_the_histories_adds_nothing(shared):
    first = run(shared / "data/synthea/bundles")
    before = counts()
    outcome = run(shared / "data/synthea/bundles")
    assert not outcome.has_added
    assert outcome.entries_here.total() == first.entries_added.total()
    assert (outcome.patients_here, outcome.patients_differing, outcome.entries_differing) == (8, [], [])
    assert counts() == before


def test_the_histories_join_the_charts_of_the_300(shared):
    run(shared / "data/synthea/patients.ndjson")
    outcome = run(shared / "data/synthea/bundles")
    assert (outcome.patients_added, outcome.patients_here, outcome.patients_differing) == (0, 8, [])
    assert Patient.objects.count() == 300


def test_one_bundle_alone_is_taken(shared):
    file = next((shared / "data/synthea/bundles").glob("Gustavo*.json"))
    assert run(file).patients_added == 1
    assert Patient.objects.get().last_name == "Mejía"


def test_hl7s_patient_example_is_taken(shared):
    outcome = run(shared / "data/hl7/patient-example.json")
    patient = Patient.objects.get()
    assert (patient.chart_number, patient.name, patient.preferred_name) == ("12345", "Peter James Chalmers", "Jim")
    assert (patient.phone, patient.sex, patient.deceased_on) == ("(03) 3410 5613", "male", None)
    assert patient.address_lines() == ["534 Erewhon St", "Rainbow", "PleasantVille, Vic 3999"]
    assert patient in Patient.objects.search("Windsor")
    assert outcome.notes == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("consent-example", r"its patient \(Patient/f001\) is not in this input"),
        ("documentreference-example", r"its patient \(Patient/xcda\) is not in this input"),
        ("communication-example", r"its patient \(Patient/example\) is not in this input"),
        ("questionnaireresponse-example-bluebook", "there is no Patient in this input"),
        ("questionnaire-example", "there is no Patient in this input"),
        ("auditevent-example", "there is no Patient in this input"),
    ],
)
def test_hl7s_other_examples_alone_are_refused_in_words(shared, name, words):
    with pytest.raises(BadFile, match=words):
        run(shared / f"data/hl7/{name}.json")


@pytest.mark.parametrize(
    ("name", "patient", "kind", "title", "day"),
    [
        ("documentreference-example", "xcda", "outside_record", "Outpatient Note", "2004-12-22"),
        ("consent-example", "f001", "consent", "Consent: 59284-0", "2016-05-11"),
        ("communication-example", "example", "correspondence", "Communication: Alert", "2014-12-12"),
        ("questionnaireresponse-example-bluebook", "1", "visit_note", "Questionnaire", "2013-02-18"),
    ],
)
def test_hl7s_other_examples_beside_their_patient_are_taken(shared, tmp_path, name, patient, kind, title, day):
    resource = json.loads((shared / f"data/hl7/{name}.json").read_text())
    person = {"resourceType": "Patient", "id": patient, "name": [{"family": "Vance"}], "birthDate": "1984-07-02"}
    take(tmp_path / "b.json", a_bundle(person, resource))
    entry = Entry.objects.get()
    assert (entry.kind, entry.title, entry.service_on.isoformat()) == (kind, title, day)
    assert entry.body


SILENT = {
    "system",
    "reference",
    "id",
    "resourceType",
    "meta",
    "url",
    "div",
    "contained",
    "version",
    "subject",
    "patient",
    "beneficiary",
}


def leaves(value) -> list[str]:
    """Every text and figure that a resource says of the patient, in the form in which it was written."""
    if isinstance(value, dict):
        unit = {"code"} if "unit" in value else set()
        return [leaf for key, part in value.items() if key not in SILENT | unit for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def test_nothing_that_a_history_says_is_lost(shared, resources):
    run(shared / "data/synthea/bundles")
    entries = {entry.source_id.split("|")[1]: entry.body for entry in Entry.objects.all()}
    checked = 0
    for resource in resources:
        body = entries.get(f"{resource['resourceType']}/{resource['id']}")
        for leaf in leaves({key: value for key, value in resource.items() if key != "text"}) if body else ():
            said = leaf.rsplit("/", 1)[-1] if "://" in leaf else moment(leaf)
            assert said in body, (resource["resourceType"], leaf)
            checked += 1
    assert checked > 5000
