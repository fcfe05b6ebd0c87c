"""The record on paper: the same lines and marks as on the screen, pages numbered, the patient on each."""

import io
from datetime import date

import pytest
from PIL import Image
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from meso.models import AccessEvent, Office
from records import record_pdf
from records.models import Entry
from tests.factories import AT, AttachmentFactory, EntryFactory, PatientFactory, UserFactory

ON = date(2026, 11, 24)


@pytest.fixture
def patient(db, nov_24):
    return PatientFactory(chart_number="10023", first_name="María-José", last_name="Carreño Quiñones", preferred_name="毛泽东")


@pytest.fixture
def doctor(patient):
    return UserFactory(role="physician", first_name="Ada", last_name="Vance", credentials="MD")


def printed(patient, **options) -> record_pdf.Pdf:
    entries = list(patient.entries.of_record().with_marks().oldest_first())
    return record_pdf.record_pdf(patient, Office.current(), entries, ON, None, **options)


def words_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def pictures_of(content: bytes) -> int:
    return sum(len(page.images) for page in PdfReader(io.BytesIO(content)).pages)


def test_the_print_says_who_when_and_why_beside_a_line_and_keeps_the_words(patient, doctor):
    entry = EntryFactory(patient=patient, author=doctor, title="First visit")
    entry.strike(by=doctor, at=AT, reason="The patient has allergies.", passage="No known allergies.")
    entry.add_addendum(by=doctor, at=AT, body="Allergic to procaine.")
    other = EntryFactory(
        patient=patient, title="Written twice", service_on=date(2026, 6, 1), products=[{"name": "PC", "lot": "7", "dose": ""}]
    )
    other.strike(by=doctor, at=AT, reason="Double.")
    words = words_of(printed(patient).content)
    for said in (
        "Seen for a first visit. No known allergies. Plan: three sessions.",
        "Disputed: line through “No known allergies.” Reason: The patient has allergies.",
        "Ada Vance, MD · Nov 24, 2026, 10:00 AM",
        "Addendum Allergic to procaine.",
        "Disputed: line through the whole entry. Reason: Double.",
        "Signed Ada Vance, MD · written Nov 24, 2026, 10:00 AM",
        "María-José Carreño Quiñones (毛泽东)",
    ):
        assert said in words, said
    assert words.index("First visit") < words.index("Written twice")


def test_the_line_is_drawn_in_print_where_it_is_drawn_on_the_screen(patient, doctor, client, monkeypatch):
    entry = EntryFactory(patient=patient, author=doctor)
    entry.strike(by=doctor, at=AT, reason="Wrong", passage="No known allergies.")
    drawn = {}
    monkeypatch.setattr(record_pdf, "render_pdf", lambda template, context: drawn.update(context) or _html(template, context))
    paper = printed(patient)
    client.force_login(doctor)
    screen = client.get("/patients/10023/").text
    for page in (paper, screen):
        assert '<p class="body-text">Seen for a first visit. <del>No known allergies.</del> Plan: three sessions.</p>' in page


def _html(template, context) -> str:
    from django.template.loader import render_to_string

    return render_to_string(template, context)


def test_every_page_has_its_number_and_the_patient(patient):
    for n in range(30):
        EntryFactory(patient=patient, title=f"Visit {n}", body="A line of the visit.\n" * 6)
    pdf = printed(patient)
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf.content)).pages]
    assert pdf.pages == len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"page {number} of {len(pages)}" in text
        assert "María-José Carreño Quiñones · chart 10023" in text


def test_the_document_is_tagged_and_names_no_patient_in_its_title(patient):
    EntryFactory(patient=patient)
    reader = PdfReader(io.BytesIO(printed(patient).content))
    assert reader.metadata.title == "Chart 10023"
    assert reader.root_object["/MarkInfo"]["/Marked"]
    assert reader.root_object["/Lang"] == "en"
    assert b"pdfuaid:part" in reader.xmp_metadata.stream.get_data()


def test_pictures_are_drawn_with_words_for_those_who_do_not_see_and_other_files_are_listed(patient, file_bytes):
    entry = EntryFactory(patient=patient)
    for kind, format_ in (("png", "image/png"), ("jpeg", "image/jpeg"), ("pdf", "application/pdf"), ("heic", "image/heic")):
        AttachmentFactory(patient=patient, entry=entry, name=f"file.{kind}", format=format_, content=file_bytes[kind])
    loose = AttachmentFactory(patient=patient, name="loose.png", format="image/png", content=file_bytes["png"])
    content = printed(patient, loose=[loose]).content
    words = words_of(content)
    assert pictures_of(content) == 2  # the loose one is the first one again, and stands in the file once
    assert "File, handed over beside these pages: file.pdf · PDF" in words
    assert "File, handed over beside these pages: file.heic · HEIC" in words
    assert loose.sha256 in words
    assert "Files that stand under no entry" in words
    assert {alt for alt in alts_of(content) if alt.startswith("Picture ")} == {
        f"Picture {name}, added Nov 24, 2026" for name in ("file.png", "file.jpeg", "loose.png")
    }


def alts_of(content: bytes) -> list[str]:
    """The words of every picture of the document."""
    reader = PdfReader(io.BytesIO(content))
    things = (reader.get_object(IndirectObject(key, 0, reader)) for key in range(1, reader.trailer["/Size"]))
    return [str(thing["/Alt"]) for thing in things if isinstance(thing, dict) and "/Alt" in thing]


@pytest.mark.parametrize("content", [b"\0", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0 cut off", b"<svg/>"])
def test_a_picture_that_can_not_be_read_is_listed_and_stops_nothing(patient, content):
    AttachmentFactory(patient=patient, entry=EntryFactory(patient=patient), name="broken.png", content=content)
    drawn = printed(patient).content
    assert pictures_of(drawn) == 0
    assert "handed over beside these pages: broken.png" in words_of(drawn)


def test_a_picture_that_is_cut_off_stops_nothing(patient, file_bytes):
    for name, size in (("a.png", 60), ("b.png", 45), ("c.png", 20)):
        AttachmentFactory(patient=patient, entry=EntryFactory(patient=patient), name=name, content=file_bytes["png"][:size])
    words = words_of(printed(patient).content)
    assert all(name in words for name in ("a.png", "b.png", "c.png"))


def test_a_huge_picture_is_drawn_small(patient):
    out = io.BytesIO()
    Image.new("RGB", (5000, 3000), "white").save(out, "PNG")
    AttachmentFactory(patient=patient, entry=EntryFactory(patient=patient), content=out.getvalue())
    reader = PdfReader(io.BytesIO(printed(patient).content))
    assert max(image.image.size[0] for page in reader.pages for image in page.images) == 2000


def test_a_few_bytes_that_unpack_to_hundreds_of_megabytes_are_not_unpacked(patient, monkeypatch):
    out = io.BytesIO()
    Image.new("1", (12_000, 7_000)).save(out, "PNG")
    assert len(out.getvalue()) < 20_000
    monkeypatch.setattr(Image.Image, "convert", lambda *args: pytest.fail("it was unpacked"))
    assert record_pdf.as_jpeg(out.getvalue()) == b""


def test_what_the_camera_wrote_beside_a_picture_stays_in_the_chart():
    """Where and when a picture was taken goes out with no copy; the file in the chart is kept as it came."""
    picture, out = Image.new("RGB", (40, 30), "white"), io.BytesIO()
    where = Image.Exif()
    where[0x010E] = "Albany, 42.65 N"  # ImageDescription; GPS lies beside it
    where[0x0112] = 6  # turned by a quarter
    picture.save(out, "JPEG", exif=where)
    assert b"42.65 N" in out.getvalue()
    drawn = record_pdf.as_jpeg(out.getvalue())
    assert b"42.65 N" not in drawn
    with Image.open(io.BytesIO(drawn)) as shown:
        assert (dict(shown.getexif()), shown.size) == ({}, (30, 40))


def test_a_record_without_entries_says_so(patient):
    assert "No entries." in words_of(printed(patient).content)


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["front_desk", "physician", "privacy_officer"])
def test_the_clinic_prints_a_record(client, signed_in, patient, doctor, role):
    user = signed_in(role)
    EntryFactory(patient=patient)
    wrong = EntryFactory(patient=patient, body="Of somebody else.")
    wrong.mark_misfiled(by=doctor, at=AT, reason="Wrong chart")
    AttachmentFactory(patient=patient, name="loose.png")
    response = client.get("/patients/10023/print/")
    words = words_of(response.content)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'inline; filename="chart-10023.pdf"'
    assert "Of somebody else." not in words
    assert "loose.png" in words
    assert f"Made Nov 24, 2026 by {user.signature}" in words
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject, event.chart_number, event.detail) == ("print", "record", "10023", "1 entries, 1 pages")


def test_chosen_entries_are_printed_alone(client, signed_in, patient):
    signed_in("front_desk")
    one, two = EntryFactory(patient=patient, title="One"), EntryFactory(patient=patient, title="Two")
    other = EntryFactory(title="Another patient's")
    AttachmentFactory(patient=patient, name="loose.png")
    words = words_of(client.get("/patients/10023/print/", {"entry": [two.pk, other.pk, "x", "9" * 30]}).content)
    assert "Two ·" in words
    for left_out in ("One ·", "Another", "loose.png"):
        assert left_out not in words
    assert Entry.objects.filter(pk=one.pk).exists()


def test_the_office_admin_prints_nothing(client, signed_in, patient):
    signed_in("office_admin")
    assert client.get("/patients/10023/print/").status_code == 403
    signed_in("front_desk")
    assert client.post("/patients/10023/print/").status_code == 405


def test_the_print_costs_the_same_queries_however_much_is_in_it(client, signed_in, patient, queries_for):
    user = signed_in("front_desk")
    AttachmentFactory(patient=patient, entry=EntryFactory(patient=patient))
    Office.current()
    queries_for("/patients/10023/print/")  # the first of an hour begins to be counted (meso/limits.py)
    few = len(queries_for("/patients/10023/print/"))
    for _ in range(8):
        entry = EntryFactory(patient=patient)
        entry.strike(by=user, at=AT, reason="Wrong")
        entry.add_addendum(by=user, at=AT, body="More")
        AttachmentFactory(patient=patient, entry=entry)
    assert len(queries_for("/patients/10023/print/")) == few
