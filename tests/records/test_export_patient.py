"""A patient's whole record as FHIR R4, PDF and ZIP; and out of one Meso into another."""

import base64
import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pypdf import PdfReader

from meso import seals
from meso.models import AccessEvent
from records import exporters, record_set
from records.importers import import_patients
from records.models import Attachment, Entry, Patient
from tests.factories import AttachmentFactory, EntryFactory, PatientFactory, RestrictionFactory, UserFactory
from tests.records.fhir_data import NOW

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 6, 2, 14, 30, tzinfo=UTC)


@pytest.fixture
def doctor():
    return UserFactory(role="physician", first_name="Ada", last_name="Vance", credentials="MD")


@pytest.fixture
def chart(doctor) -> Patient:
    """A chart with one of everything: entries, a struck passage, a whole line, an addendum, attachments, a wrong entry."""
    patient = PatientFactory(
        chart_number="10023", first_name="Ana María", last_name="O'Brien-Peña", preferred_name="Annie", email="ana@example.org",
        address_2="Apt 4", language="es", deceased_on=date(2026, 9, 1),
    )  # fmt: skip
    note = EntryFactory(patient=patient, author=doctor, body="Seen <today> & well.\nSmokes a pack a day.\nPlan: rest.")
    note.strike(by=doctor, at=LATER, reason="The patient never smoked", passage="Smokes a pack a day.")
    note.add_addendum(by=doctor, at=LATER, body="The patient states that she has never smoked.")
    AttachmentFactory(patient=patient, entry=note, name="Arm – left.png", added_by=doctor)
    treatment = EntryFactory(
        patient=patient, author=doctor, kind="treatment", service_on=date(2026, 5, 8), title="Session 1", body="Tolerated well.",
        areas="left thigh", products=[{"name": "Lidocaine", "lot": "A-7", "dose": "2 ml"}, {"name": "Saline", "lot": "",
        "dose": "1 ml"}],
        technique="nappage", reaction="none",
    )  # fmt: skip
    treatment.strike(by=doctor, at=LATER, reason="Another patient's session")
    wrong = EntryFactory(patient=patient, author=doctor, title="Of somebody else", body="Not hers")
    AttachmentFactory(patient=patient, entry=wrong, name="wrong.png")
    wrong.mark_misfiled(by=doctor, at=LATER, reason="Belongs to another chart")
    EntryFactory(patient=patient, author=doctor, title="Nothing in it", body="", service_on=date(2026, 4, 1))
    AttachmentFactory(patient=patient, entry=None, name="consent.png")
    RestrictionFactory(patient=patient)
    ended = RestrictionFactory(patient=patient, what="An old one")
    ended.end("in_writing", by=doctor, at=LATER, on=date(2026, 6, 2), reason="Agreed", evidence="Letter on file")
    return patient


def exported(patient: Patient) -> dict:
    return json.loads(exporters.export(patient, "fhir", NOW))


def documents(bundle: dict, kind: str) -> list[dict]:
    """The DocumentReferences of this kind."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    return [r for r in resources if r["resourceType"] == "DocumentReference" and r["type"]["coding"][0]["code"] == kind]


def content_of(document: dict, place: int = 0) -> str:
    return base64.b64decode(document["content"][place]["attachment"].get("data", "")).decode()


# --- FHIR -------------------------------------------------------------------------------------------------------------------


def test_the_patient_is_told_in_full(chart):
    patient = exported(chart)["entry"][0]["resource"]
    assert patient["identifier"][0]["type"]["coding"][0]["code"] == "MR"
    assert patient["identifier"][0]["value"] == "10023"
    assert patient["name"] == [
        {"use": "official", "family": "O'Brien-Peña", "given": ["Ana María"]},
        {"use": "nickname", "given": ["Annie"]},
    ]
    assert (patient["gender"], patient["birthDate"], patient["deceasedDateTime"]) == ("female", "1984-07-02", "2026-09-01")
    assert patient["telecom"][0] == {"system": "phone", "value": "555-010-2233", "use": "home"}
    assert patient["address"] == [
        {"use": "home", "line": ["12 Elm Street", "Apt 4"], "city": "Albany", "state": "NY", "postalCode": "12207"}
    ]
    assert patient["communication"][0]["language"]["coding"][0]["code"] == "es"


def test_an_entry_is_a_document_with_its_text_letter_for_letter(chart):
    (note,) = [d for d in documents(exported(chart), "visit_note") if content_of(d).startswith("Seen")]
    assert content_of(note) == "Seen <today> & well.\nSmokes a pack a day.\nPlan: rest."
    assert note["content"][0]["attachment"]["contentType"] == "text/plain; charset=utf-8"
    assert note["content"][0]["attachment"]["title"] == "First visit"
    assert note["author"] == [{"display": "Ada Vance, MD"}]
    assert note["context"]["period"] == {"start": "2026-05-01", "end": "2026-05-01"}
    assert note["date"] == "2026-11-24T15:00:00+00:00"


def test_struck_words_are_marked_where_they_stand_and_said_in_a_document_of_their_own(chart):
    bundle = exported(chart)
    note = next(d for d in documents(bundle, "visit_note") if content_of(d).startswith("Seen"))
    assert note["docStatus"] == "amended"
    assert note["description"] == "First visit (disputed in part: a line goes through some of its words)"
    shown = content_of(note, 1)
    assert note["content"][1]["attachment"]["contentType"] == "text/html; charset=utf-8"
    assert "Seen &lt;today&gt; &amp; well.\n<del>Smokes a pack a day.</del>\nPlan: rest." in shown
    assert "The patient never smoked" in shown
    line = documents(bundle, "line_through")[0]
    assert line["relatesTo"] == [{"code": "appends", "target": {"reference": f"urn:uuid:{note['id']}"}}]
    assert content_of(line) == (
        "These words of the entry of 2026-05-01 “First visit” are disputed and have a line through them:\n"
        "Smokes a pack a day.\nReason: The patient never smoked"
    )
    assert (line["author"], line["date"]) == ([{"display": "Ada Vance, MD"}], "2026-06-02T14:30:00+00:00")


def test_an_entry_struck_whole_says_so_and_stays_legible(chart):
    bundle = exported(chart)
    (treatment,) = documents(bundle, "treatment")
    assert treatment["description"] == "Session 1 (disputed: a line goes through the whole entry)"
    assert content_of(treatment) == "Tolerated well."
    shown = content_of(treatment, 1)
    assert "<del>Tolerated well.</del>" in shown
    assert "<dd><del>left thigh</del></dd>" in shown
    line = documents(bundle, "line_through")[1]
    assert content_of(line) == (
        "The whole entry of 2026-05-08 “Session 1” is disputed and has a line through it.\nReason: Another patient's session"
    )


def test_an_addendum_is_a_document_that_appends_to_its_entry(chart):
    bundle = exported(chart)
    note = next(d for d in documents(bundle, "visit_note") if content_of(d).startswith("Seen"))
    (addendum,) = documents(bundle, "addendum")
    assert content_of(addendum) == "The patient states that she has never smoked."
    assert addendum["relatesTo"][0] == {"code": "appends", "target": {"reference": f"urn:uuid:{note['id']}"}}


def test_an_entry_without_marks_is_final_and_has_one_content(chart):
    empty = next(d for d in documents(exported(chart), "visit_note") if d["description"] == "Nothing in it")
    assert empty["docStatus"] == "final"
    assert empty["content"] == [{"attachment": {"contentType": "text/plain; charset=utf-8", "title": "Nothing in it"}}]


def test_attachments_come_with_their_bytes(chart):
    files = documents(exported(chart), "attachment")
    assert [file["content"][0]["attachment"]["title"] for file in files] == ["Arm – left.png", "consent.png"]
    stored = bytes(Attachment.objects.with_bytes().first().content)
    assert all(base64.b64decode(file["content"][0]["attachment"]["data"]) == stored for file in files)
    assert "relatesTo" in files[0]
    assert "relatesTo" not in files[1]


def test_what_was_filed_in_the_wrong_chart_is_left_out(chart):
    text = exporters.export(chart, "fhir", NOW).decode()
    assert "Of somebody else" not in text
    assert "wrong.png" not in text
    assert base64.b64encode(b"Not hers").decode() not in text


def test_a_restriction_in_force_is_a_consent_that_denies_and_an_ended_one_is_not_there(chart):
    consents = [e["resource"] for e in exported(chart)["entry"] if e["resource"]["resourceType"] == "Consent"]
    assert [base64.b64decode(c["sourceAttachment"]["data"]).decode() for c in consents] == [
        "Nothing about the May visit to the health plan"
    ]
    assert consents[0]["provision"] == {"type": "deny", "period": {"start": "2026-05-01"}}


def empty_places(value, path="") -> list[str]:
    if value in (None, "", [], {}):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in empty_places(item, f"{path}.{key}")]


def test_the_bundle_keeps_r4s_own_rules(chart):
    bundle = exported(chart)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    assert empty_places(bundle) == []
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    for entry in bundle["entry"]:
        resource = entry["resource"]
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", resource["id"])
        assert entry["fullUrl"] == f"urn:uuid:{resource['id']}"
        references = re.findall(r'"reference": "([^"]+)"', json.dumps(resource))
        assert set(references) <= set(urls)
        if resource["resourceType"] == "DocumentReference":
            assert resource["status"] == "current"
            assert resource["docStatus"] in ("final", "amended")
            assert resource["content"]
        if resource["resourceType"] == "Consent":
            assert {"status", "scope", "category", "policyRule"} <= set(resource)


def test_ids_are_the_same_in_every_export(chart):
    first, second = exported(chart), exported(chart)
    assert [entry["fullUrl"] for entry in first["entry"]] == [entry["fullUrl"] for entry in second["entry"]]


def test_a_chart_without_entries_is_exported(db):
    assert [entry["resource"]["resourceType"] for entry in exported(PatientFactory())["entry"]] == ["Patient"]


def test_gathering_takes_the_same_queries_for_few_and_for_many(chart, django_assert_max_num_queries):
    for number in range(40):
        EntryFactory(patient=chart, title=f"Note {number}")
    with django_assert_max_num_queries(13):
        record = record_set.of(chart, date(2026, 11, 24))
        record.seals()
        record.attachments_by_entry()
    assert len(record.entries) == 43


# --- out of one Meso into another ---------------------------------------------------------------------------------------------

DETAILS = (
    "chart_number", "first_name", "last_name", "preferred_name", "date_of_birth", "sex", "phone", "email", "address_1",
    "address_2",
    "city", "state", "zip", "language", "deceased_on",
)  # fmt: skip


def emptied() -> None:
    """Another, empty Meso."""
    call_command("flush", interactive=False, verbosity=0)
    assert not Patient.objects.exists()


@pytest.fixture
def moved(chart, tmp_path, transactional_db):
    """The chart as it was, and the outcome of importing its export into an empty Meso."""
    path = tmp_path / "10023.fhir.json"
    path.write_bytes(exporters.export(chart, "fhir", NOW))
    before = {
        "details": {name: getattr(chart, name) for name in DETAILS},
        "entries": [_of_entry(entry) for entry in chart.entries.of_record().oldest_first()],
        "files": _files(chart.attachments.filter(entry__misfiling=None)),
    }
    emptied()
    return before, import_patients(path, at=NOW), path


def _files(rows) -> list[tuple]:
    return sorted((row.name, row.sha256, row.entry and row.entry.title) for row in rows.select_related("entry"))


def _of_entry(entry: Entry) -> tuple:
    return (
        entry.kind, entry.service_on, entry.title, entry.body, entry.areas, entry.technique, entry.reaction,
        [{name: value for name, value in product.items() if value} for product in entry.products], entry.signed_as,
        entry.written_at,
    )  # fmt: skip


def test_another_meso_has_the_same_details_entries_and_files(moved):
    before, outcome, _ = moved
    patient = Patient.objects.get()
    assert {name: getattr(patient, name) for name in DETAILS} == before["details"]
    own = ("Addendum to:", "Line through:", "Consent:")
    assert [_of_entry(e) for e in patient.entries.oldest_first() if not e.title.startswith(own)] == before["entries"]
    assert _files(patient.attachments.all()) == before["files"]
    assert (outcome.patients_added, outcome.attachments_added, outcome.notes) == (1, 2, [])
    assert seals.verify().breaks == []


def test_in_another_meso_addenda_lines_and_restrictions_are_entries_that_say_what_they_belong_to(moved):
    entries = {entry.title: entry for entry in Patient.objects.get().entries.all()}
    addendum = entries["Addendum to: First visit"]
    assert (addendum.body, addendum.signed_as, addendum.author) == (
        "The patient states that she has never smoked.", "Ada Vance, MD", None,
    )  # fmt: skip
    assert "Smokes a pack a day.\nReason: The patient never smoked" in entries["Line through: First visit"].body
    assert "The whole entry of 2026-05-08" in entries["Line through: Session 1"].body
    consent = next(entry for title, entry in entries.items() if title.startswith("Consent"))
    assert consent.kind == "consent"
    assert "Nothing about the May visit to the health plan" in consent.body


def test_the_same_export_twice_adds_nothing(moved):
    _, first, path = moved
    counts = (Entry.objects.count(), Attachment.objects.count(), seals.Seal.objects.count())
    again = import_patients(path, at=NOW)
    assert not again.has_added
    assert (again.entries_here.total(), again.attachments_here) == (first.entries_added.total(), 2)
    assert (again.patients_differing, again.entries_differing) == ([], [])
    assert (Entry.objects.count(), Attachment.objects.count(), seals.Seal.objects.count()) == counts


def test_an_export_of_the_import_is_known_again_too(moved, tmp_path):
    """Out of the second Meso again: what it had from the first goes under its first name."""
    path = tmp_path / "again.json"
    path.write_bytes(exporters.export(Patient.objects.get(), "fhir", NOW))
    assert not import_patients(path, at=NOW).has_added


def test_a_meso_knows_its_own_export(chart, tmp_path):
    path = tmp_path / "own.json"
    path.write_bytes(exporters.export(chart, "fhir", NOW))
    outcome = import_patients(path, at=NOW)
    assert not outcome.has_added
    assert (outcome.patients_here, outcome.patients_differing, outcome.entries_differing) == (1, [], [])


@pytest.mark.shared
def test_real_histories_go_out_and_in_again(shared, tmp_path, transactional_db):
    import_patients(shared / "data/synthea/bundles", at=NOW)
    folder = tmp_path / "out"
    folder.mkdir()
    before = {}
    for patient in Patient.objects.all():
        (folder / f"{patient.chart_number}.json").write_bytes(exporters.export(patient, "fhir", NOW))
        before[patient.chart_number] = [_of_entry(entry) for entry in patient.entries.order_by("source_id")]
    emptied()
    outcome = import_patients(folder, at=NOW)
    assert (outcome.patients_added, outcome.entries_added.total()) == (8, sum(map(len, before.values())))
    for patient in Patient.objects.all():
        assert [_of_entry(entry) for entry in patient.entries.order_by("source_id")] == before[patient.chart_number]
    assert not import_patients(shared / "data/synthea/bundles", at=NOW).has_added


# --- PDF and ZIP ------------------------------------------------------------------------------------------------------------


def test_the_pdf_holds_every_entry_of_the_record(chart):
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(exporters.export(chart, "pdf", NOW))).pages)
    for said in ("10023", "First visit", "Session 1", "never smoked", "Smokes a pack a day."):
        assert said in text
    assert "Of somebody else" not in text


def test_the_zip_holds_both_forms_the_files_and_a_manifest_that_checks_out(chart):
    with zipfile.ZipFile(io.BytesIO(exporters.export(chart, "zip", NOW))) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names == [
            "record.pdf", "record.fhir.json", "attachments/001_Arm_left.png", "attachments/002_consent.png", "manifest.json",
        ]  # fmt: skip
        manifest = json.loads(archive.read("manifest.json"))
        assert [file["name"] for file in manifest["files"]] == names[:-1]
        for file in manifest["files"]:
            content = archive.read(file["name"])
            assert (file["size"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
        assert archive.read("record.pdf").startswith(b"%PDF-")
        assert json.loads(archive.read("record.fhir.json"))["resourceType"] == "Bundle"
    assert manifest["chart_number"] == "10023"
    laid = {"addenda": 1, "lines_through": 2, "linked_to_entries": 0}
    assert manifest["counts"] == {"entries": 3, **laid, "attachments": 2, "restrictions": 1}
    assert manifest["files"][2]["original_name"] == "Arm – left.png"
    assert "O'Brien" not in json.dumps(manifest)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc_passwd.png"), ("photo.png", "photo.png"), ("CON", "CON.png"), ("a\\b:c*?.png", "a_b_c.png"),
        ("...", "attachment.png"), ("x" * 200, "x" * 80 + ".png"), ("рука.png", "рука.png"), ("a.PNG", "a_PNG.png"),
    ],
)  # fmt: skip
def test_a_name_in_the_zip_is_only_a_name(name, safe):
    assert exporters.safe_name(Attachment(name=name, format="image/png")) == safe


def test_two_attachments_of_one_name_both_come(db):
    patient = PatientFactory()
    AttachmentFactory.create_batch(2, patient=patient, name="photo.png")
    with zipfile.ZipFile(io.BytesIO(exporters.export(patient, "zip", NOW))) as archive:
        assert [name for name in archive.namelist() if "photo" in name] == [
            "attachments/001_photo.png",
            "attachments/002_photo.png",
        ]


# --- the command ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", exporters.FORMATS)
def test_the_command_writes_the_file_and_its_events(chart, tmp_path, form):
    path = tmp_path / f"record.{form}"
    call_command("export_patient", "10023", "--format", form, "--output", str(path))
    starts = {"fhir": b"{", "pdf": b"%PDF-", "zip": b"PK"}
    assert path.read_bytes().startswith(starts[form])
    command, event = AccessEvent.objects.order_by("pk")
    assert (command.action, command.subject, command.user) == ("command", "command export_patient", None)
    assert (event.action, event.subject, event.chart_number, event.detail, event.user) == (
        "export",
        "record",
        "10023",
        form,
        None,
    )


def test_without_a_file_fhir_goes_to_standard_output(chart):
    out = StringIO()
    call_command("export_patient", "10023", "--format", "fhir", stdout=out)
    assert json.loads(out.getvalue())["resourceType"] == "Bundle"


def test_without_a_file_the_bytes_go_to_standard_output(chart, capfdbinary, monkeypatch):
    call_command("export_patient", "10023", "--format", "zip")
    import sys

    sys.stdout.flush()
    assert capfdbinary.readouterr().out.startswith(b"PK")


def test_bytes_are_not_poured_on_a_terminal(chart, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(CommandError, match="Name a file with --output") as failed:
        call_command("export_patient", "10023", "--format", "pdf")
    assert failed.value.returncode == 2
    assert not AccessEvent.objects.filter(action="export").exists()


def test_a_chart_that_is_not_there_is_said(db):
    with pytest.raises(CommandError, match=r"There is no chart 99999\.") as failed:
        call_command("export_patient", "99999", "--format", "fhir")
    assert failed.value.returncode == 1


def test_a_file_that_can_not_be_written_is_said(chart, tmp_path):
    with pytest.raises(CommandError, match="can't be written: No such file or directory"):
        call_command("export_patient", "10023", "--format", "fhir", "--output", str(tmp_path / "none" / "x.json"))
