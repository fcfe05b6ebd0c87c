"""FHIR in files: Bundles, single resources, NDJSON, folders; and everything that can be wrong with a file, named by its place."""

import copy
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meso.csv_in import BadFile
from meso.models import AccessEvent
from records.fhir import files
from records.models import Entry, Patient
from tests.records.fhir_data import NOW, a_bundle, a_patient, faults, of_patient, take

pytestmark = pytest.mark.django_db

SEEN = of_patient(
    "Observation", code={"text": "Weight"}, valueQuantity={"value": 70, "unit": "kg"}, effectiveDateTime="2020-03-01"
)


def into(folder, **contents) -> None:
    for name, content in contents.items():
        (folder / name.replace("__", ".")).write_text(content if isinstance(content, str) else json.dumps(content))


def imported(path):
    from records.importers import import_patients

    return import_patients(path, at=NOW)


# --- what is taken ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["transaction", "collection", "searchset", "document", "batch", "history", None])
def test_a_bundle_of_any_type_is_taken(tmp_path, kind):
    bundle = {key: value for key, value in {**a_bundle(a_patient(), SEEN), "type": kind}.items() if value}
    assert take(tmp_path / "b.json", bundle).entries_added.total() == 1


def test_a_single_patient_is_taken(tmp_path):
    assert take(tmp_path / "p.json", a_patient()).patients_added == 1


def test_ndjson_is_taken_a_resource_a_line_with_blank_lines_and_a_byte_order_mark(tmp_path):
    lines = "\ufeff" + json.dumps(SEEN) + "\r\n\r\n" + json.dumps(a_patient()) + "\r\n"
    outcome = take(tmp_path / "x.ndjson", lines)
    assert (outcome.patients_added, outcome.entries_added.total()) == (1, 1)


def test_ndjson_under_the_name_of_json_is_taken(tmp_path):
    assert take(tmp_path / "x.json", [a_patient(), SEEN]).entries_added.total() == 1


def test_a_bundle_on_a_line_of_ndjson_is_taken(tmp_path):
    assert take(tmp_path / "x.ndjson", [a_bundle(a_patient(), SEEN)]).entries_added.total() == 1


def test_json_of_one_line_or_of_many_is_the_same(tmp_path):
    assert take(tmp_path / "x.json", json.dumps(a_bundle(a_patient(), SEEN), indent=4)).entries_added.total() == 1


def test_a_folder_resolves_references_across_its_files(tmp_path):
    into(tmp_path, Observation__ndjson=SEEN, Patient__ndjson=a_patient(), notes__txt="not read", __hidden__json="not read")
    assert (tmp_path / ".hidden.json").exists()
    outcome = imported(tmp_path)
    assert (outcome.patients_added, outcome.entries_added.total()) == (1, 1)


def test_a_practitioner_of_another_file_gives_the_name(tmp_path):
    doctor = {"resourceType": "Practitioner", "id": "d1", "name": [{"text": "Dr. Stark"}]}
    into(
        tmp_path,
        a__json=a_bundle(a_patient(), {**SEEN, "performer": [{"reference": "Practitioner/d1"}]}),
        b__json=a_bundle(doctor),
    )
    imported(tmp_path)
    assert Entry.objects.get().signed_as == "Dr. Stark"


def test_of_two_practitioners_with_one_id_the_one_of_the_same_file_is_meant(tmp_path):
    for name in ("a", "b"):
        doctor = {"resourceType": "Practitioner", "id": "d1", "name": [{"text": f"Dr. {name}"}]}
        patient = a_patient(id=f"p{name}", identifier=None)
        seen = {
            **SEEN,
            "id": f"r{name}",
            "subject": {"reference": f"Patient/p{name}"},
            "performer": [{"reference": "Practitioner/d1"}],
        }
        into(tmp_path, **{f"{name}__json": a_bundle(patient, seen, doctor)})
    imported(tmp_path)
    assert {entry.patient.chart_number: entry.signed_as for entry in Entry.objects.all()} == {"pa": "Dr. a", "pb": "Dr. b"}


def test_the_same_patient_in_every_file_of_a_folder_counts_once(tmp_path):
    into(
        tmp_path,
        a__json=a_bundle(a_patient()),
        b__json=a_bundle({**a_patient(), "meta": {"lastUpdated": "2020-01-01T00:00:00Z"}}, SEEN),
    )
    outcome = imported(tmp_path)
    assert (outcome.patients_added, outcome.repeated, outcome.entries_added.total()) == (1, {"Patient": 1}, 1)


def test_an_entry_without_a_resource_is_no_fault(tmp_path):
    bundle = a_bundle(a_patient())
    bundle["entry"].append({"request": {"method": "DELETE", "url": "Patient/9"}})
    assert take(tmp_path / "b.json", bundle).patients_added == 1


def test_a_dry_run_counts_and_stores_nothing(tmp_path):
    outcome = take(tmp_path / "b.json", a_bundle(a_patient(), SEEN), dry_run=True)
    assert (outcome.patients_added, outcome.entries_added.total()) == (1, 1)
    assert not Patient.objects.exists()
    assert not Entry.objects.exists()
    assert not AccessEvent.objects.exists()


# --- what is refused --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("x.json", "", "x.json: the file is empty"),
        ("x.json", " \n", "x.json: the file is empty"),
        ("x.ndjson", "", "x.ndjson: the file is empty"),
        ("x.ndjson", "\n\n", "x.ndjson: the file is empty"),
        ("x.json", "{\n", "x.json, line 2, column 1: the JSON is broken"),
        ("x.ndjson", "\n{\n", "x.ndjson, line 2, column 2: the JSON is broken"),
        ("x.json", "{", "x.json, column 2: the JSON is broken: Expecting property name enclosed in double quotes"),
        ("x.json", '{\n "resourceType": "Patient",\n "id": p1\n}',
         "x.json, line 3, column 8: the JSON is broken: Expecting value"),
        ("x.json", '{"a": 1}\n{', 'x.json, line 1, resourceType: this is no FHIR resource: it names no resourceType'),
        ("x.json", '{\n"a": 1}\n]', "x.json, line 3, column 1: the JSON is broken: Extra data"),
        ("x.json", "<Patient xmlns='http://hl7.org/fhir'/>", "x.json: this is XML; Meso reads FHIR as JSON"),
        ("x.json", "[]", "x.json, resourceType: this is no FHIR resource: it names no resourceType"),
        ("x.json", "null", "x.json, resourceType: this is no FHIR resource: it names no resourceType"),
        ("x.json", '"Patient"', "x.json, resourceType: this is no FHIR resource: it names no resourceType"),
        ("x.json", '{"resourceType": ["Patient"]}', "x.json, resourceType: this is no FHIR resource: it names no resourceType"),
        ("x.json", '{"resourceType": "Patient", "n": NaN}', "x.json: the JSON holds a number that is none: NaN"),
        ("x.json", b'{"resourceType": "Patient\xe9"}', "x.json: this is not UTF-8 text"),
        ("x.json", '{"resourceType": "Patient"}'.encode("utf-16"), "x.json: this is not UTF-8 text"),
        ("x.json", {"resourceType": "Bundle"}, "x.json: there is no Patient in this input, so there is no chart to file it in"),
        ("x.json", {"resourceType": "Bundle", "entry": {}}, "x.json, Bundle.entry: this should be a list in [ ]"),
        (
            "x.json", {"resourceType": "Bundle", "entry": [{"resource": {}}, {"resource": "Patient"}]},
            "x.json, entry 1, Bundle.entry[0].resource: this is no FHIR resource: it names no resourceType",
        ),
        ("x.json", {"resourceType": "Bundle", "entry": ["x"]},
         "x.json, entry 1, Bundle.entry[0].resource: this is no FHIR resource"),
        (
            "x.json", {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle"}}]},
            "x.json, entry 1, Bundle.entry[0]: a Bundle within a Bundle is not read",
        ),
        ("x.json", {"resourceType": "AuditEvent"}, "x.json: there is no Patient in this input"),
        (
            "x.json", {"resourceType": "Consent", "id": "c", "patient": {"reference": "Patient/f001"}},
            "x.json: there is no Patient in this input, so there is no chart to file it in",
        ),
    ],
)  # fmt: skip
def test_a_file_that_can_not_be_taken_is_refused_in_words(tmp_path, name, content, fault):
    assert faults(tmp_path / name, content)[0].startswith(fault)


def test_a_lone_document_says_which_patient_is_missing(tmp_path):
    named = faults(tmp_path / "d.json", of_patient("DocumentReference", subject={"reference": "Patient/xcda"}))
    assert named == [
        "d.json: there is no Patient in this input, so there is no chart to file it in",
        "d.json, DocumentReference.subject: its patient (Patient/xcda) is not in this input; put the Patient beside it",
    ]


def test_a_broken_line_of_ndjson_is_named_and_the_others_are_looked_at(tmp_path):
    lines = [
        json.dumps(a_patient()),
        '{"resourceType": "Observation", }',
        json.dumps(a_patient(id="p2", identifier=None, birthDate="1984")),
    ]
    named = faults(tmp_path / "x.ndjson", "\n".join(lines))
    assert named[0].startswith("x.ndjson, line 2, column 33: the JSON is broken")
    assert named[1].startswith("x.ndjson, line 3, Patient.birthDate: a chart needs the whole day")


def test_a_fault_in_one_file_of_a_folder_refuses_all_of_it(tmp_path):
    into(tmp_path, a__json=a_patient(), b__json="{")
    with pytest.raises(BadFile) as refused:
        imported(tmp_path)
    assert [problem.file for problem in refused.value.problems] == ["b.json"]
    assert not Patient.objects.exists()


def test_a_folder_with_nothing_to_read_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadFile, match=r"there is no \.json or \.ndjson file in this folder"):
        imported(tmp_path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadFile, match=r"none\.json: the file can't be read: No such file"):
        imported(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("text", "reason"), [("a\\u0000b", "there is a NUL character in this text"), ("\\ud800", "half a character")]
)
def test_text_that_no_database_keeps_is_refused_by_its_path(tmp_path, text, reason):
    bundle = json.dumps(a_bundle(a_patient(), {**SEEN, "note": [{"text": "MARK"}]})).replace("MARK", text)
    (fault,) = faults(tmp_path / "b.json", bundle)
    assert fault.startswith("b.json, entry 2, Observation.note[0].text: ")
    assert reason in fault


def test_a_key_with_a_nul_is_refused(tmp_path):
    (fault,) = faults(
        tmp_path / "b.json", json.dumps(a_bundle(a_patient(), {**SEEN, "no MARK te": "x"})).replace("MARK", "\\u0000")
    )
    assert "there is a NUL character in this text" in fault


@pytest.mark.parametrize("depth", [100, 900, 100_000])
def test_elements_nested_too_deeply_are_refused(tmp_path, depth):
    deep = json.dumps(a_bundle(a_patient(), {**SEEN, "extension": "MARK"})).replace('"MARK"', '{"a":' * depth + "1" + "}" * depth)
    (fault,) = faults(tmp_path / "b.json", deep)
    assert "nested" in fault


def test_deep_lists_are_refused_too(tmp_path):
    (fault,) = faults(
        tmp_path / "b.json", json.dumps(a_bundle(a_patient(), {**SEEN, "x": "MARK"})).replace('"MARK"', "[" * 500 + "]" * 500)
    )
    assert "nested more than 64 deep" in fault


def test_what_is_nested_as_deep_as_it_may_be_is_taken(tmp_path):
    deep: dict = {"valueString": "x"}
    for _ in range(55):
        deep = {"item": deep}
    assert take(tmp_path / "b.json", a_bundle(a_patient(), {**SEEN, "extra": deep})).entries_added.total() == 1


def test_a_line_without_end_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_LINE", 2000)
    lines = json.dumps(a_patient()) + "\n" + "x" * 5000 + "\n" + json.dumps(SEEN)
    assert faults(tmp_path / "x.ndjson", lines) == [
        "x.ndjson, line 2: this line is longer than 64 MB; NDJSON has one resource a line"
    ]


def test_a_number_of_thousands_of_digits_is_refused(tmp_path):
    (fault,) = faults(tmp_path / "p.json", json.dumps(a_patient(extra="MARK")).replace('"MARK"', "9" * 5000))
    assert fault.startswith("p.json: the JSON holds a number that is none")


def test_every_fault_of_every_resource_is_named(tmp_path):
    bundle = a_bundle(
        a_patient(birthDate="1984"), a_patient(id="p2", identifier=None),
        {**SEEN, "subject": {"reference": "Patient/p2"}, "effectiveDateTime": "x"}, {**SEEN, "id": "r2",
        "subject": {"reference": "Patient/p9"}},
    )  # fmt: skip
    assert [fault.split(":")[0] for fault in faults(tmp_path / "b.json", bundle)] == [
        "b.json, entry 1, Patient.birthDate", "b.json, entry 3, Observation.effectiveDateTime",
        "b.json, entry 4, Observation.subject",
    ]  # fmt: skip


# --- the command ------------------------------------------------------------------------------------------------------------


def test_the_command_accounts_for_every_resource(tmp_path):
    into(
        tmp_path,
        b__json=a_bundle(a_patient(), SEEN, of_patient("Goal", id="g", startDate="2020-01-01"), {"resourceType": "Location"}),
    )
    out = StringIO()
    call_command("import_patients", str(tmp_path / "b.json"), stdout=out)
    assert out.getvalue() == (
        "Patients: 1 added, 0 already here.\n"
        "Entries: 2 added, 0 already here.\n"
        "  Visit note 1: Goal 1\n"
        "  Lab result 1: Observation 1\n"
        "Left out:\n"
        "  Location 1: looked up for names, not an entry itself\n"
    )
    event = AccessEvent.objects.exclude(action="command").get()
    assert (event.action, event.subject, event.detail) == ("create", "import", "1 patients, 2 entries")


def test_the_command_refuses_with_each_fault_on_its_line(tmp_path):
    into(tmp_path, b__json=a_bundle(a_patient(birthDate=None), {"resourceType": 5}))
    with pytest.raises(CommandError) as failed:
        call_command("import_patients", str(tmp_path / "b.json"))
    assert failed.value.returncode == 1
    assert str(failed.value).split("\n") == [
        "Nothing was stored.",
        "b.json, entry 1, Patient.birthDate: a chart needs a birth date; there is none here",
        "b.json, entry 2, Bundle.entry[1].resource: this is no FHIR resource: it names no resourceType",
    ]


# --- anything at all --------------------------------------------------------------------------------------------------------

CORPUS = [
    a_patient(telecom=[{"system": "phone", "value": "1"}], address=[{"line": ["x"]}], gender="female"),
    {
        **SEEN,
        "performer": [{"reference": "Practitioner/d"}],
        "component": [{"code": {"text": "c"}, "valueString": "v"}],
        "note": [{"text": "n"}],
    },
    of_patient(
        "DocumentReference",
        id="r2",
        date="2020-03-01T00:00:00Z",
        content=[{"attachment": {"contentType": "text/plain", "data": "eA=="}}],
    ),
    of_patient(
        "MedicationRequest",
        id="r3",
        medicationReference={"reference": "#m"},
        contained=[{"resourceType": "Medication", "id": "m"}],
    ),
    of_patient(
        "Claim", id="r4", item=[{"productOrService": {"text": "x"}, "net": {"value": 1, "currency": "USD"}}], created="2020-03-01"
    ),
    {"resourceType": "Practitioner", "id": "d", "name": [{"family": "S"}], "identifier": [{"system": "s", "value": "1"}]},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["2020-13-01", "2020", "Patient/p1",
    "#m", "<![x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["coding", "text", "reference", "code", "value", "url", "extension", "start", "attachment", "id"]),
        inner, max_size=3
    ),
    max_leaves=6,
)  # fmt: skip


def places(value, path=()):
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_resource_it_is_taken_or_refused_in_words(tmp_path, data):
    resources = copy.deepcopy(CORPUS)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([path for path in places(resources) if len(path) > 1]))
        holder = resources
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = data.draw(JSON)
    try:
        outcome = take(tmp_path / "any.json", a_bundle(*resources), dry_run=True)
    except BadFile as refused:
        named = [str(problem) for problem in refused.problems]
        assert named
        assert all(fault.startswith("any.json") for fault in named)
        return
    entries = outcome.entries_added.total() + sum(outcome.left_out.values()) + sum(outcome.repeated.values())
    assert outcome.read.total() == outcome.patients_added + entries
