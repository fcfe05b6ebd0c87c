"""FHIR resources of a history become entries: the right kind, the office's day, the source's own words, who answers for them."""

import base64
import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from meso import seals
from records.models import Attachment, Entry
from tests.factories import AttachmentFactory
from tests.records.fhir_data import a_bundle, a_patient, faults, of_patient, take, taken, the_entry

pytestmark = pytest.mark.django_db

DAY = {"effectiveDateTime": "2020-03-01"}
DOCTOR = {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Stark", "given": ["Antonia"], "prefix": ["Dr."]}]}
HOSPITAL = {"resourceType": "Organization", "id": "o1", "name": "LAHEY HOSPITAL"}


def coded(text: str, system: str = "http://snomed.info/sct", code: str = "1") -> dict:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def a_word_file() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<document/>")
    return made.getvalue()


# --- kinds, titles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "parts", "kind", "title"),
    [
        ("Encounter", {"type": [coded("Check up")], "period": {"start": "2020-03-01"}}, "visit_note", "Check up"),
        ("Encounter", {"class": {"code": "AMB"}, "period": {"start": "2020-03-01"}}, "visit_note", "AMB"),
        ("Condition", {"code": coded("Hypertension"), "onsetDateTime": "2020-03-01"}, "visit_note", "Condition: Hypertension"),
        ("AllergyIntolerance", {"code": coded("Aspirin"), "recordedDate": "2020-03-01"}, "visit_note", "Allergy: Aspirin"),
        ("Immunization", {"vaccineCode": coded("Flu"), "occurrenceDateTime": "2020-03-01"}, "visit_note", "Immunization: Flu"),
        ("CarePlan", {"category": [coded("Wound care")], "period": {"start": "2020-03-01"}}, "visit_note",
        "Care plan: Wound care"),
        ("CareTeam", {"name": "Team A", "period": {"start": "2020-03-01"}}, "visit_note", "Care team: Team A"),
        ("Goal", {"description": {"text": "Walk daily"}, "startDate": "2020-03-01"}, "visit_note", "Goal: Walk daily"),
        ("Procedure", {"code": coded("Laceration repair"), "performedDateTime": "2020-03-01"}, "treatment", "Laceration repair"),
        ("MedicationRequest", {"medicationCodeableConcept": coded("Amoxicillin"), "authoredOn": "2020-03-01"},
        "prescription", "Amoxicillin"),
        ("Observation", {"code": coded("Body Height"), **DAY}, "lab_result", "Body Height"),
        ("DiagnosticReport", {"code": coded("Lipid Panel"), **DAY}, "lab_result", "Lipid Panel"),
        ("ImagingStudy", {"description": "Chest", "started": "2020-03-01"}, "outside_record", "Imaging study: Chest"),
        ("Media", {"content": {"title": "Arm"}, "createdDateTime": "2020-03-01"}, "photograph", "Arm"),
        ("Consent", {"category": [{"text": "Treatment"}], "dateTime": "2020-03-01"}, "consent", "Consent: Treatment"),
        ("Communication", {"category": [{"text": "Alert"}], "sent": "2020-03-01"}, "correspondence", "Communication: Alert"),
        (
            "Claim", {"item": [{"productOrService": coded("Check up")}], "billablePeriod": {"start": "2020-03-01"}},
            "billing_record", "Claim: Check up",
        ),
        (
            "DocumentReference", {"type": coded("Outpatient Note"), "date": "2020-03-01T15:00:00Z", "content": []},
            "outside_record", "Outpatient Note",
        ),
    ],
)  # fmt: skip
def test_each_type_has_its_kind_and_its_title(tmp_path, type_, parts, kind, title):
    entry = the_entry(tmp_path, of_patient(type_, **parts))
    assert (entry.kind, entry.title, entry.service_on) == (kind, title, date(2020, 3, 1))
    assert entry.author is None


def test_a_resource_that_says_almost_nothing_still_has_a_title(tmp_path):
    assert the_entry(tmp_path, of_patient("Observation", **DAY)).title == "Observation"


def test_a_long_title_is_shortened_and_stands_whole_in_the_text(tmp_path):
    entry = the_entry(tmp_path, of_patient("Observation", code={"text": "x" * 300}, **DAY))
    assert entry.title == "x" * 199 + "…"
    assert "x" * 300 in entry.body


@pytest.mark.parametrize(
    "mark", [{"status": "entered-in-error"}, {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}]
)
def test_what_the_source_calls_an_error_is_marked_in_the_title(tmp_path, mark):
    entry = the_entry(tmp_path, of_patient("Condition", code=coded("Asthma"), onsetDateTime="2020-03-01", **mark))
    assert entry.title == "[entered in error] Condition: Asthma"


def test_a_medication_by_reference_gives_the_title(tmp_path):
    medication = {"resourceType": "Medication", "id": "m1", "code": coded("Lidocaine 2 %")}
    order = of_patient("MedicationRequest", medicationReference={"reference": "Medication/m1"}, authoredOn="2020-03-01")
    entry = the_entry(tmp_path, medication, order)
    assert entry.title == "Lidocaine 2 %"
    assert "Medication: Lidocaine 2 %" in entry.body


def test_a_contained_medication_gives_the_title(tmp_path):
    contained = [{"resourceType": "Medication", "id": "m", "code": coded("Lidocaine 1 %")}]
    order = of_patient("MedicationRequest", contained=contained, medicationReference={"reference": "#m"}, authoredOn="2020-03-01")
    assert the_entry(tmp_path, order).title == "Lidocaine 1 %"


# --- days -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2020-03-01", date(2020, 3, 1)),
        ("2020-03-02T03:30:00Z", date(2020, 3, 1)),
        ("2020-03-01T23:30:00-05:00", date(2020, 3, 1)),
        ("2020-07-01T00:30:00.123456789+02:00", date(2020, 6, 30)),
        ("2020-03-01T10:15:00", date(2020, 3, 1)),
        ("2020-03-01T10:15Z", date(2020, 3, 1)),
    ],
)
def test_the_date_of_service_is_the_offices_day_of_the_instant(tmp_path, written, day):
    assert the_entry(tmp_path, of_patient("Observation", code=coded("Weight"), effectiveDateTime=written)).service_on == day


@pytest.mark.parametrize(
    ("type_", "parts", "day"),
    [
        (
            "Observation",
            {"effectivePeriod": {"start": "2020-03-01", "end": "2020-03-05"}, "issued": "2020-04-01T00:00:00Z"},
            (2020, 3, 1),
        ),
        ("Observation", {"effectivePeriod": {"end": "2020-03-05"}}, (2020, 3, 5)),
        ("Observation", {"issued": "2020-04-01T15:00:00Z"}, (2020, 4, 1)),
        ("Condition", {"onsetDateTime": "1998", "recordedDate": "2020-03-01"}, (2020, 3, 1)),
        ("Condition", {"onsetDateTime": "2019-02-03", "recordedDate": "2020-03-01"}, (2019, 2, 3)),
        ("Claim", {"billablePeriod": {"start": "2020-03-01"}, "created": "2020-03-09"}, (2020, 3, 1)),
        (
            "DocumentReference",
            {"context": {"period": {"start": "2004-12-23"}}, "date": "2005-12-24T09:43:41+11:00"},
            (2004, 12, 23),
        ),
        ("Specimen", {"collection": {"collectedDateTime": "2020-03-01"}, "receivedTime": "2020-03-02"}, (2020, 3, 1)),
    ],
)
def test_of_several_dates_the_one_of_service_counts(tmp_path, type_, parts, day):
    assert the_entry(tmp_path, of_patient(type_, **parts)).service_on == date(*day)


def test_a_resource_without_a_date_has_that_of_its_encounter(tmp_path):
    visit = of_patient("Encounter", id="e1", period={"start": "2020-03-01"})
    entry = the_entry(tmp_path, visit, of_patient("Observation", code=coded("Mood"), encounter={"reference": "Encounter/e1"}))
    assert entry.service_on == date(2020, 3, 1)
    assert "gives no date" not in entry.body


@pytest.mark.parametrize(
    ("parts", "day", "remark"),
    [
        ({"onsetDateTime": "1998"}, (1998, 1, 1), "The source does not say the day; this is filed under 1998-01-01."),
        ({"onsetDateTime": "1998-05"}, (1998, 5, 1), "The source does not say the day; this is filed under 1998-05-01."),
        (
            {"meta": {"lastUpdated": "2021-05-06T12:00:00Z"}}, (2021, 5, 6),
            "The source gives no date; this is filed under the day on which the source last changed it, 2021-05-06.",
        ),
        ({}, (2026, 11, 24), "The source gives no date; this is filed under the day of the import, 2026-11-24."),
    ],
)  # fmt: skip
def test_an_entry_says_where_its_day_is_from_when_the_source_names_none(tmp_path, parts, day, remark):
    entry = the_entry(tmp_path, of_patient("Condition", code=coded("Asthma"), **parts))
    assert entry.service_on == date(*day)
    assert entry.body.endswith(remark)


@pytest.mark.parametrize(
    "written", ["0000-00-00", "2020-02-30", "soon", "2020-03-01T25:00:00Z", "0001-01-01T00:00:00+14:00", 2020]
)
def test_a_date_that_is_none_is_refused_by_its_path(tmp_path, written):
    (fault,) = faults(tmp_path / "b.json", a_bundle(a_patient(), of_patient("Observation", effectiveDateTime=written)))
    assert fault.startswith("b.json, entry 2, Observation.effectiveDateTime: ")


def test_written_is_when_the_source_wrote_it(tmp_path):
    entry = the_entry(tmp_path, of_patient("Observation", issued="2020-03-02T10:00:00Z", **DAY))
    assert entry.written_at == datetime(2020, 3, 2, 10, tzinfo=UTC)


# --- the text ---------------------------------------------------------------------------------------------------------------


def test_an_observation_reads_as_a_result(tmp_path):
    entry = the_entry(
        tmp_path,
        of_patient(
            "Observation", status="final", code=coded("Glucose", "http://loinc.org", "2339-0"),
            valueQuantity={"value": 5.10, "comparator": "<", "unit": "mg/dL", "system": "http://unitsofmeasure.org",
            "code": "mg/dL"},
            interpretation=[coded("Low", "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "L")],
            referenceRange=[{"low": {"value": 70, "unit": "mg/dL"}, "high": {"value": 99, "unit": "mg/dL"}}],
            note=[{"text": "Repeat fasting"}], effectiveDateTime="2020-03-01T10:15:30-05:00",
        ),
    )  # fmt: skip
    assert entry.body.split("\n") == [
        "Code: Glucose (LOINC 2339-0)",
        "Value: <5.1 mg/dL",
        "Interpretation: Low (v3-ObservationInterpretation L)",
        "Status: final",
        "Reference range: 70 mg/dL to 99 mg/dL",
        "Note: Repeat fasting",
        "Effective: 2020-03-01 10:15:30 UTC-05:00",
    ]


def test_figures_stay_as_the_source_wrote_them(tmp_path):
    resource = '{"resourceType":"Observation","id":"r1","subject":{"reference":"Patient/p1"},"effectiveDateTime":"2020-03-01",'
    bundle = '{"resourceType":"Bundle","entry":[{"resource":%s},{"resource":%s"valueQuantity":{"value":5.10,"unit":"mmol"}}}]}'
    import json

    take(tmp_path / "b.json", bundle % (json.dumps(a_patient()), resource))
    assert "Value: 5.10 mmol" in Entry.objects.get().body


@pytest.mark.parametrize(
    ("element", "line"),
    [
        ({"valueString": "clear"}, "Value: clear"),
        ({"valueBoolean": False}, "Value: no"),
        ({"valueInteger": 0}, "Value: 0"),
        ({"valueCodeableConcept": {"coding": [{"code": "POS"}]}}, "Value: POS"),
        ({"valueCodeableConcept": {"text": "none seen"}}, "Value: none seen"),
        ({"valueRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "cm"}}}, "Value: 1 to 2 cm"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "Value: 1 / 128"),
        ({"valuePeriod": {"start": "2020-03-01"}}, "Value: from 2020-03-01"),
        ({"valueTime": "10:15:00"}, "Value: 10:15:00"),
        ({"dataAbsentReason": {"coding": [{"code": "unknown"}]}}, "Data absent reason: unknown"),
        (
            {"bodySite": {"coding": [{"display": "Arm", "code": "1", "system": "http://snomed.info/sct"}]}},
            "Body site: Arm (SNOMED CT 1)",
        ),
        ({"identifier": [{"system": "http://lab.example/order", "value": "A-77"}]}, "Identifier: A-77 (order)"),
        ({"extension": [{"url": "http://x.example/fasting-state", "valueBoolean": True}]}, "Fasting state: yes"),
        ({"modifierExtension": [{"url": "http://x.example/negated", "valueCode": "yes"}]}, "Negated: yes"),
    ],
)
def test_every_kind_of_value_reads_as_text(tmp_path, element, line):
    assert line in the_entry(tmp_path, of_patient("Observation", **DAY, **element)).body.split("\n")


def test_components_stand_with_their_values(tmp_path):
    component = [
        {"code": coded("Systolic", "http://loinc.org", "8480-6"), "valueQuantity": {"value": 120, "unit": "mm[Hg]"}},
        {"code": coded("Diastolic", "http://loinc.org", "8462-4"), "valueQuantity": {"value": 80, "unit": "mm[Hg]"}},
    ]
    body = the_entry(tmp_path, of_patient("Observation", code=coded("Blood Pressure"), component=component, **DAY)).body
    assert "Component: Systolic (LOINC 8480-6): 120 mm[Hg]\nComponent: Diastolic (LOINC 8462-4): 80 mm[Hg]" in body


def test_a_report_shows_the_results_that_it_names(tmp_path):
    results = [
        of_patient("Observation", id=f"o{n}", code={"text": f"Test {n}"}, valueQuantity={"value": n, "unit": "U"}, **DAY)
        for n in (1, 2)
    ]
    report = of_patient(
        "DiagnosticReport", result=[{"reference": "Observation/o1"}, {"reference": "Observation/o2", "display": "x"}], **DAY
    )
    assert "Result: Test 1: 1 U; Test 2: 2 U" in the_entry(tmp_path, *results, report).body


def test_a_dosage_reads_as_an_order(tmp_path):
    dosage = [
        {"text": "One tablet twice a day", "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
         "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}], "asNeededBoolean": True},
    ]  # fmt: skip
    body = the_entry(
        tmp_path,
        of_patient("MedicationRequest", medicationCodeableConcept=coded("A"), authoredOn="2020-03-01", dosageInstruction=dosage),
    ).body
    for part in ("One tablet twice a day", "Timing: 2 times in 1 days", "1 tablet", "As needed: yes"):
        assert part in body


def test_answers_of_a_questionnaire_stand_with_their_questions(tmp_path):
    item = [
        {"linkId": "1", "text": "Habits", "item": [
            {"linkId": "1.1", "text": "Smoker?", "answer": [{"valueBoolean": False}]},
            {"linkId": "1.2", "text": "Sports", "answer": [{"valueString": "chess"}, {"valueCoding": {"display": "go"}}]},
        ]},
        {"linkId": "2", "text": "Pregnant?", "answer": [{"valueBoolean": True, "item": [{"linkId": "2.1",
        "answer": [{"valueInteger": 3}]}]}]},
    ]  # fmt: skip
    body = the_entry(tmp_path, of_patient("QuestionnaireResponse", item=item, authored="2020-03-01")).body
    assert body.split("\n")[:5] == ["Habits:", "  Smoker?: no", "  Sports: chess; go", "Pregnant?: yes", "  2.1: 3"]


def test_a_group_that_holds_lists_loses_none_of_them(tmp_path):
    """A group with one plain element and a list beside it once showed the plain one only."""
    parts = {
        "activity": [{"detail": {"status": "completed", "goal": [{"display": "Walk"}], "performer": [{"display": "Dr. S"}]}}]
    }
    body = the_entry(tmp_path, of_patient("CarePlan", **parts)).body
    for said in ("completed", "Walk", "Dr. S"):
        assert said in body


def test_no_entry_shows_json_or_the_patient_again(tmp_path):
    body = the_entry(
        tmp_path, of_patient("Claim", item=[{"sequence": 1, "net": {"value": 140.52, "currency": "USD"}}], created="2020-03-01")
    ).body
    assert "Net: 140.52 USD" in body
    assert not set('{}[]"') & set(body)
    assert "Patient/p1" not in body


@pytest.mark.parametrize(
    ("status", "shown"), [("additional", True), ("generated", False), ("extensions", False), ("empty", True), (None, True)]
)
def test_a_narrative_is_shown_where_it_may_say_more(tmp_path, status, shown):
    narrative = {
        "status": status,
        "div": "<div xmlns='http://www.w3.org/1999/xhtml'><p>Seen &amp; well.</p><ul><li>Rest</li></ul></div>",
    }
    if status is None:
        del narrative["status"]
    body = the_entry(tmp_path, of_patient("Observation", code=coded("Mood"), text=narrative, **DAY)).body
    assert ("Seen & well.\nRest" in body) is shown


def test_a_generated_narrative_is_shown_where_there_is_nothing_else(tmp_path):
    narrative = {"status": "generated", "div": "<div>Seen and well.</div>"}
    entry = the_entry(tmp_path, of_patient("CarePlan", text=narrative))
    assert entry.body.startswith("Seen and well.")


# --- who answers for it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "signed"),
    [
        ({"performer": [{"reference": "Practitioner/d1"}]}, "Dr. Antonia Stark"),
        ({"performer": [{"reference": "Organization/o1"}, {"reference": "Practitioner/d1"}]}, "Dr. Antonia Stark"),
        ({"performer": [{"display": "Nurse Kane"}]}, "Nurse Kane"),
        ({"performer": [{"reference": "PractitionerRole/role"}]}, "Dr. Antonia Stark"),
        ({"performer": [{"reference": "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|150"}]}, "Dr. Known"),
        ({"performer": [{"reference": "Organization/o1"}]}, "Imported from LAHEY HOSPITAL"),
        ({"performer": [{"reference": "Patient/p1"}]}, "Imported from http://hospital.example"),
        ({"performer": [{"reference": "Practitioner/not-here"}]}, "Imported from http://hospital.example"),
        ({"encounter": {"reference": "Encounter/e1"}}, "Imported from LAHEY HOSPITAL"),
        ({}, "Imported from http://hospital.example"),
    ],
)
def test_signed_is_who_the_source_says(tmp_path, parts, signed):
    role = {"resourceType": "PractitionerRole", "id": "role", "practitioner": {"reference": "Practitioner/d1"}}
    known = {"resourceType": "Practitioner", "id": "d2", "name": [{"text": "Dr. Known"}],
             "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "150"}]}  # fmt: skip
    visit = of_patient("Encounter", id="e1", period={"start": "2020-03-01"}, serviceProvider={"reference": "Organization/o1"})
    others = [DOCTOR, HOSPITAL, role, known, visit]
    assert the_entry(tmp_path, *others, of_patient("Observation", **DAY, **parts)).signed_as == signed


def test_an_actor_within_a_group_signs(tmp_path):
    entry = the_entry(
        tmp_path, DOCTOR,
        of_patient("Procedure", performer=[{"actor": {"reference": "Practitioner/d1"}}], performedDateTime="2020-03-01"),
    )  # fmt: skip
    assert entry.signed_as == "Dr. Antonia Stark"


def test_without_any_name_it_is_imported_from_a_file(tmp_path):
    take(tmp_path / "b.json", a_bundle(a_patient(identifier=None), of_patient("Observation", **DAY)))
    assert Entry.objects.get().signed_as == "Imported from a FHIR file"


# --- documents --------------------------------------------------------------------------------------------------------------


def a_document(**attachment) -> dict:
    return of_patient("DocumentReference", type=coded("Note"), date="2020-03-01T15:00:00Z", content=[{"attachment": attachment}])


@pytest.mark.parametrize(
    ("content_type", "data", "text"),
    [
        ("text/plain", "Seen — well.\r\nNo pain.", "Seen — well.\nNo pain."),
        ("text/plain; charset=utf-8", "Peña", "Peña"),
        ("text/plain; charset=iso-8859-1", "Peña".encode("latin-1"), "Peña"),
        ("text/plain", "Peña".encode("latin-1"), "Peña"),
        ("text/plain; charset=nonsense", "Peña", "Peña"),
        ("text/html", "<p>Seen &amp; well.</p><script>x()</script><p>No pain.</p>", "Seen & well.\nNo pain."),
        ("application/hl7-v3+xml", "<ClinicalDocument><title>Note</title><text>Seen.</text></ClinicalDocument>", "Note\nSeen."),
    ],
)
def test_an_inline_text_becomes_the_entrys_own(tmp_path, content_type, data, text):
    entry = the_entry(tmp_path, a_document(contentType=content_type, data=b64(data)))
    assert (entry.kind, entry.title) == ("visit_note", "Note")
    assert entry.body.startswith(text + "\n\nType: Note (SNOMED CT 1)")


@pytest.mark.parametrize(
    ("content", "format_", "name"),
    [
        (b"%PDF-1.7 ...", "application/pdf", "Letter.pdf"),
        (b"\xff\xd8\xff\xe0 ...", "image/jpeg", "Letter.jpg"),
        (b"\x89PNG\r\n\x1a\n ...", "image/png", "Letter.png"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic", "Letter.heic"),
        (a_word_file(), Attachment.Format.DOCX, "Letter.docx"),
    ],
)
def test_an_inline_file_becomes_an_attachment_with_its_bytes(tmp_path, content, format_, name):
    outcome = taken(tmp_path, a_document(contentType="application/octet-stream", title="Letter", data=b64(content)))
    attachment = Attachment.objects.with_bytes().get()
    assert (attachment.format, attachment.name, bytes(attachment.content)) == (format_, name, content)
    assert attachment.entry == Entry.objects.get()
    assert attachment.entry.kind == "outside_record"
    assert outcome.attachments_added == 1
    assert seals.verify().breaks == []


def test_a_binary_of_the_same_input_is_the_documents_content(tmp_path):
    binary = {"resourceType": "Binary", "id": "b1", "contentType": "application/pdf", "data": b64(b"%PDF-1.7 x")}
    outcome = taken(tmp_path, binary, a_document(url="Binary/b1"))
    assert Attachment.objects.get().name == "document.pdf"
    assert outcome.left_out["Binary", "kept with the document that names it"] == 1


def test_a_file_that_no_chart_keeps_is_described_and_said(tmp_path):
    outcome = taken(tmp_path, a_document(contentType="image/tiff", title="Scan", data=b64(b"II*\x00")))
    assert not Attachment.objects.exists()
    assert "Not kept in this chart: Scan, image/tiff, 4 bytes, SHA-256" in Entry.objects.get().body
    assert "in.json, entry 2, attachment: not kept: Scan, image/tiff" in outcome.in_words()


def test_a_document_elsewhere_is_named_by_its_address(tmp_path):
    entry = the_entry(tmp_path, a_document(contentType="application/pdf", url="http://x.example/1", title="Scan", size=3654))
    assert "Scan (application/pdf, 3654 bytes) http://x.example/1" in entry.body
    assert entry.kind == "outside_record"


@pytest.mark.parametrize(
    ("data", "reason"),
    [("???", "this is not base64"), (b64("a\0b"), "there is a NUL character in this text"), (5, "this should be text")],
)
def test_a_document_that_can_not_be_read_is_refused_by_its_path(tmp_path, data, reason):
    (fault,) = faults(tmp_path / "b.json", a_bundle(a_patient(), a_document(contentType="text/plain", data=data)))
    assert fault == f"b.json, entry 2, DocumentReference.content[0].attachment.data: {reason}"


def test_a_picture_is_a_photograph_with_its_bytes(tmp_path):
    picture = bytes(AttachmentFactory.build(patient=None, added_by=None).content)
    media = of_patient(
        "Media", content={"contentType": "image/png", "title": "Arm", "data": b64(picture)}, createdDateTime="2020-03-01"
    )
    entry = the_entry(tmp_path, media)
    assert entry.kind == "photograph"
    assert bytes(entry.attachments.with_bytes().get().content) == picture


# --- whose it is ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "Patient/p1"},
        {"reference": "http://hospital.example/fhir/Patient/p1"},
        {"reference": "Patient/p1/_history/3"},
        {"reference": "urn:uuid:p1"},
        {"reference": "Patient?identifier=http://hospital.example|10023"},
        {"reference": "Patient?identifier=http%3A%2F%2Fhospital.example%7C10023"},
        {"type": "Patient", "identifier": {"system": "http://hospital.example", "value": "10023"}},
    ],
)
def test_every_way_of_naming_a_patient_is_understood(tmp_path, reference):
    bundle = a_bundle(a_patient(), of_patient("Observation", subject=reference, **DAY))
    bundle["entry"][0]["fullUrl"] = "urn:uuid:p1"
    take(tmp_path / "b.json", bundle)
    assert Entry.objects.get().patient.chart_number == "10023"


def test_a_patient_who_is_not_in_the_input_is_refused(tmp_path):
    assert faults(tmp_path / "b.json", a_bundle(a_patient(), of_patient("Observation", subject={"reference": "Patient/p9"}))) == [
        "b.json, entry 2, Observation.subject: its patient (Patient/p9) is not in this input; put the Patient beside it"
    ]


def test_a_resource_that_names_no_patient_is_refused(tmp_path):
    assert faults(tmp_path / "b.json", a_bundle(a_patient(), of_patient("Observation", subject=None, **DAY))) == [
        "b.json, entry 2, Observation.subject: it does not say which patient it is about"
    ]


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        (of_patient("Observation", subject={"reference": "Group/g1"}, **DAY), ("Observation", "about a Group, not a patient")),
        (of_patient("Device", patient=None), ("Device", "a device of no patient")),
        ({"resourceType": "Provenance", "target": []}, ("Provenance", "says where other resources come from")),
        ({"resourceType": "Questionnaire", "status": "draft"}, ("Questionnaire", "an empty form")),
        ({"resourceType": "Starship"}, ("Starship", "not a kind of record that Meso files")),
    ],
)
def test_what_is_no_entry_is_counted_with_its_reason(tmp_path, resource, key):
    outcome = taken(tmp_path, resource)
    assert outcome.left_out == {key: 1}
    assert f"  {key[0]} 1: {key[1]}\n" in outcome.in_words()


def test_entries_of_a_patient_who_is_refused_add_no_faults_of_their_own(tmp_path):
    named = faults(tmp_path / "b.json", a_bundle(a_patient(birthDate="1984"), of_patient("Observation", **DAY)))
    assert [fault.split(":")[0] for fault in named] == ["b.json, entry 1, Patient.birthDate"]


# --- twice, and in order ----------------------------------------------------------------------------------------------------


def test_the_same_history_twice_adds_nothing(tmp_path):
    history = [of_patient("Observation", **DAY), a_document(contentType="application/pdf", data=b64(b"%PDF-1.7"))]
    taken(tmp_path, *history)
    counts = (Entry.objects.count(), Attachment.objects.count(), seals.Seal.objects.count())
    assert counts == (2, 1, 3)
    outcome = taken(tmp_path, *history)
    assert (outcome.entries_added.total(), outcome.entries_here.total(), outcome.entries_differing) == (0, 2, [])
    assert (Entry.objects.count(), Attachment.objects.count(), seals.Seal.objects.count()) == counts
    assert not outcome.has_added


def test_an_entry_that_differs_is_left_as_it_is_and_named(tmp_path):
    taken(tmp_path, of_patient("Observation", valueString="clear", **DAY))
    outcome = taken(tmp_path, of_patient("Observation", valueString="cloudy", **DAY))
    assert outcome.entries_differing == ["in.json, entry 2"]
    assert "1 already here differ from this input and were left as they are:\n    in.json, entry 2" in outcome.in_words()
    assert "clear" in Entry.objects.get().body


def test_resources_without_ids_are_known_again_by_what_they_say(tmp_path):
    history = [of_patient("Observation", id=None, valueString=word, **DAY) for word in ("one", "two")]
    assert taken(tmp_path, *history).entries_added.total() == 2
    assert taken(tmp_path, *history).entries_here.total() == 2
    assert Entry.objects.count() == 2


def test_a_new_entry_joins_a_chart_that_is_here(tmp_path):
    taken(tmp_path, of_patient("Observation", **DAY))
    outcome = taken(tmp_path, of_patient("Observation", **DAY), of_patient("Observation", id="r2", **DAY))
    assert (outcome.entries_added.total(), outcome.entries_here.total()) == (1, 1)
    assert seals.verify().breaks == []


def test_the_same_id_with_other_content_is_refused_and_the_same_again_counts_once(tmp_path):
    same = of_patient("Observation", **DAY)
    assert taken(tmp_path, same, {**same, "meta": {"versionId": "2"}}).repeated == {"Observation": 1}
    assert faults(
        tmp_path / "b.json", a_bundle(a_patient(), of_patient("Goal"), of_patient("Goal", description={"text": "x"}))
    ) == ["b.json, entry 3, Goal.id: Goal/r1 stands in b.json, entry 2 already, with other content"]


def test_one_record_number_of_two_systems_keeps_their_resources_apart(tmp_path):
    """Two hospitals that both count from 1: neither's Observation/r1 is taken for the other's."""
    taken(tmp_path, of_patient("Observation", valueString="a", **DAY))
    number = {"type": {"coding": [{"code": "MR"}]}, "system": "http://other.example", "value": "10023"}
    outcome = take(
        tmp_path / "o.json", a_bundle(a_patient(identifier=[number]), of_patient("Observation", valueString="b", **DAY))
    )
    assert (outcome.entries_added.total(), Entry.objects.count()) == (1, 2)


def test_an_entry_that_stands_in_another_chart_is_refused(tmp_path):
    taken(tmp_path, of_patient("Observation", **DAY))
    number = {"type": {"coding": [{"code": "MR"}]}, "system": "http://hospital.example", "value": "777"}
    bundle = a_bundle(a_patient(identifier=[number]), of_patient("Observation", **DAY))
    assert faults(tmp_path / "o.json", bundle) == ["o.json, entry 2: this stands in another chart here already"]


def test_entries_are_filed_in_the_order_of_their_dates(tmp_path):
    days = ["2020-03-03", "2019-01-01", "2020-03-01T12:00:00Z", "2020-03-01T09:00:00Z"]
    taken(tmp_path, *(of_patient("Observation", id=f"r{n}", effectiveDateTime=day) for n, day in enumerate(days)))
    assert [entry.source_id[-2:] for entry in Entry.objects.order_by("id")] == ["r1", "r3", "r2", "r0"]
    assert seals.verify().breaks == []


def test_an_entrys_attachment_is_sealed_right_behind_it(tmp_path):
    taken(
        tmp_path,
        a_document(contentType="application/pdf", data=b64(b"%PDF-1.7")),
        of_patient("Goal", id="g", startDate="2021-01-01"),
    )
    assert list(seals.Seal.objects.order_by("place").values_list("table", flat=True)) == [
        "records.entry", "records.attachment", "records.entry",
    ]  # fmt: skip


def test_a_long_history_takes_few_queries(tmp_path, django_assert_max_num_queries):
    history = [of_patient("Observation", id=f"o{n}", code=coded(f"Test {n}"), **DAY) for n in range(1500)]
    with django_assert_max_num_queries(200 if connection.vendor == "sqlite" else 60):
        taken(tmp_path, *history)
    assert Entry.objects.count() == 1500
