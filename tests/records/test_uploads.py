"""Files that come into the chart: known by their content, kept byte for byte, handed out to be saved."""

import hashlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from meso.models import AccessEvent, Office
from records import uploads
from records.models import Attachment
from tests.factories import AttachmentFactory, EntryFactory, PatientFactory


@pytest.mark.parametrize(
    ("kind", "format_"),
    [
        ("pdf", "PDF"),
        ("jpeg", "JPEG"),
        ("png", "PNG"),
        ("heic", "HEIC"),
        ("heic by a compatible brand", "HEIC"),
        ("docx", "DOCX"),
    ],
)
def test_the_formats_of_a_chart_are_known_by_their_bytes(file_bytes, kind, format_):
    assert Attachment.Format(uploads.format_of(file_bytes[kind])).label == format_


@pytest.mark.parametrize(
    "kind",
    [
        "docx with macros", "docx with a control", "docx that unpacks without end", "docx of a method unknown",
        "docx whose parts are cut", "xlsx", "cut-off zip", "exe", "html", "html with a PDF's mark in it", "svg", "gif", "avif",
        "mp4", "text", "empty",
    ],
)  # fmt: skip
def test_nothing_else_is(file_bytes, kind):
    assert uploads.format_of(file_bytes[kind]) is None


@pytest.mark.parametrize("start", [b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xdb", b"\xff\xd8\xff\xee"])
def test_a_jpeg_of_any_camera_is_a_jpeg(file_bytes, start):
    assert uploads.format_of(start + file_bytes["jpeg"][4:]) == "image/jpeg"


@pytest.mark.parametrize("version", [b"1.0", b"1.3", b"1.4", b"1.7", b"2.0"])
def test_a_pdf_of_any_version_is_a_pdf(version):
    assert uploads.format_of(b"%PDF-" + version + b"\n%\xe2\xe3\xcf\xd3\n1 0 obj\n") == "application/pdf"


@pytest.mark.parametrize(
    ("name", "kind", "kept"),
    [
        ("scan.pdf", "pdf", "scan.pdf"), ("invoice.exe", "pdf", "invoice.exe.pdf"), ("IMG_1.JPG", "jpeg", "IMG_1.JPG"),
        ("IMG_1.jpeg", "jpeg", "IMG_1.jpeg"), ("../../etc/passwd", "png", "passwd.png"), ("C:\\Temp\\a.png", "png", "a.png"),
        ('a<b>"c|d?.pdf', "pdf", "a_b__c_d_.pdf"), ("a\r\nX: y.pdf", "pdf", "aX_ y.pdf"), ("", "pdf", "file.pdf"),
        ("x\u202efdp.exe", "pdf", "xfdp.exe.pdf"), ("毛泽东.docx", "docx", "毛泽东.docx"), ("p" * 300 + ".pdf", "pdf", None),
    ],
)  # fmt: skip
def test_a_name_becomes_harmless_and_ends_as_its_content_is(upload, name, kind, kept):
    sent = upload(kind)
    sent._name = name  # as a client of any kind may send it
    file = uploads.read(sent)
    assert len(file.name) <= 200
    assert file.name == kept or kept is None
    assert file.name.lower().endswith(uploads.ENDINGS[Attachment.Format(file.format)])


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("exe", "letter.pdf", "“letter.pdf” is not a PDF, JPEG, PNG, HEIC or Word (DOCX) file"),
        ("html", "report.pdf", "“report.pdf” is not a PDF"),
        ("text", "note.docx", "“note.docx” is not a PDF"),
        ("empty", "scan.pdf", "“scan.pdf” is empty"),
    ],
)
def test_a_refusal_names_the_file_and_the_reason(upload, kind, name, said):
    with pytest.raises(ValidationError, match="“") as refusal:
        uploads.read(upload(kind, name))
    assert said in refusal.value.messages[0]


def test_25_mb_are_taken_and_a_byte_more_is_not(file_bytes):
    largest = file_bytes["pdf"].ljust(uploads.MAX_SIZE, b"\0")
    assert len(uploads.read(SimpleUploadedFile("a.pdf", largest)).content) == 25 * 1024 * 1024
    with pytest.raises(ValidationError, match="larger than 25 MB"):
        uploads.read(SimpleUploadedFile("a.pdf", largest + b"\0"))


def test_a_file_that_is_a_web_page_too_is_handed_out_as_what_it_was_taken_for(client, signed_in, db):
    """A PDF whose rest is HTML, or a Word file behind one: no browser is left to guess, and nothing in it runs here."""
    signed_in("physician")
    for n, (start, format_) in enumerate(((b"%PDF-1.7\n", "application/pdf"), (b"\xff\xd8\xff\xe0", "image/jpeg"))):
        both = start + b"<html><script>alert(1)</script></html>"
        read = uploads.read(SimpleUploadedFile("page.html", both, content_type="text/html"))
        assert read.format == format_
        file = AttachmentFactory(patient=PatientFactory(chart_number=f"P{n}"), name=read.name, format=read.format, content=both)
        response = client.get(f"/patients/P{n}/files/{file.pk}/")
        assert response.content == both
        assert (response["Content-Type"], response["X-Content-Type-Options"]) == (format_, "nosniff")
        assert response["Content-Disposition"].startswith("attachment; ")
        assert not response["Content-Disposition"].endswith('.html"')
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


# --- the tab ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def patient(db):
    return PatientFactory(chart_number="10023")


@pytest.mark.parametrize("kind", ["pdf", "jpeg", "png", "heic", "docx"])
def test_a_file_is_put_into_the_chart_as_it_came(client, signed_in, patient, upload, file_bytes, events, kind):
    user = signed_in("front_desk")
    response = client.post("/patients/10023/files/new/", {"attached": upload(kind, "scan")})
    assert response["Location"] == "/patients/10023/files/"
    file = Attachment.objects.with_bytes().get()
    assert bytes(file.content) == file_bytes[kind]
    assert file.sha256 == hashlib.sha256(file_bytes[kind]).hexdigest()
    assert (file.entry, file.added_by, file.size) == (None, user, len(file_bytes[kind]))
    assert ("create", f"attachment {file.pk}", "10023") in events()
    assert file.name in client.get("/patients/10023/files/").text


def test_25_mb_come_through_the_server(client, signed_in, patient, file_bytes):
    signed_in("front_desk")
    largest = file_bytes["pdf"].ljust(uploads.MAX_SIZE, b"\0")
    assert client.post("/patients/10023/files/new/", {"attached": SimpleUploadedFile("a.pdf", largest)}).status_code == 302
    assert Attachment.objects.get().size == 25 * 1024 * 1024
    page = client.post("/patients/10023/files/new/", {"attached": SimpleUploadedFile("b.pdf", largest + b"\0")})
    assert page.context["form"].errors["attached"] == ["“b.pdf” is larger than 25 MB."]


def test_one_wrong_file_of_several_keeps_all_out_and_is_named(client, signed_in, patient, upload):
    signed_in("front_desk")
    page = client.post(
        "/patients/10023/files/new/", {"attached": [upload("pdf", "a.pdf"), upload("exe", "b.pdf"), upload("empty", "c")]}
    )
    assert [said.split("”")[0] for said in page.context["form"].errors["attached"]] == ["“b.pdf", "“c"]
    assert not Attachment.objects.exists()


def test_more_than_ten_files_at_a_time_are_refused(client, signed_in, patient, upload):
    signed_in("front_desk")
    page = client.post("/patients/10023/files/new/", {"attached": [upload("pdf", f"{n}.pdf") for n in range(11)]})
    assert page.context["form"].errors["attached"] == ["At most 10 files at a time."]


def test_no_file_is_told_at_the_field(client, signed_in, patient):
    signed_in("front_desk")
    page = client.post("/patients/10023/files/new/", {"x": "y"})
    assert page.context["form"].errors["attached"] == ["Choose a file."]


def test_the_same_file_twice_is_kept_once(client, signed_in, patient, upload):
    signed_in("front_desk")
    for files in ([upload("pdf", "a.pdf"), upload("pdf", "b.pdf")], [upload("pdf", "c.pdf")]):
        page = client.post("/patients/10023/files/new/", {"attached": files}, follow=True)
        assert "was in the chart already" in page.text
    assert Attachment.objects.get().name == "b.pdf"


def test_the_tab_lists_the_files_of_entries_too_and_marks_those_in_the_wrong_chart(client, signed_in, patient):
    user = signed_in("front_desk")
    entry = EntryFactory(patient=patient, title="Hospital letter")
    AttachmentFactory(patient=patient, entry=entry, name="letter.png")
    entry.mark_misfiled(by=user, at=entry.written_at, reason="Another patient's")
    page = client.get("/patients/10023/files/").text
    assert "letter.png" in page
    assert "Hospital letter" in page
    assert "Wrong chart" in page
    assert client.get("/patients/10023/files/new/")["Location"] == "/patients/10023/files/"


def test_the_tab_pages_by_key_and_costs_the_same_among_many(client, signed_in, patient, queries_for):
    signed_in("front_desk")
    Office.current()
    AttachmentFactory(patient=patient)
    few = len(queries_for("/patients/10023/files/"))
    for n in range(30):
        AttachmentFactory(patient=patient, entry=EntryFactory(patient=patient), name=f"f{n}.png")
    assert len(queries_for("/patients/10023/files/")) == few
    page = client.get("/patients/10023/files/").context["page"]
    following = client.post("/patients/10023/files/", {"after": page.next_token}).context["page"]
    assert [len(page), len(following)] == [25, 6]


def test_a_file_is_handed_out_to_be_saved_and_not_opened(client, signed_in, patient, events):
    signed_in("physician")
    file = AttachmentFactory(patient=patient, name="maria_alvarez.png")
    response = client.get(f"/patients/10023/files/{file.pk}/")
    assert response.content == file.content
    assert response["Content-Disposition"] == f'attachment; filename="chart-10023-file-{file.pk}.png"'
    assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "sandbox" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]
    assert events()[-1] == ("download", f"attachment {file.pk}", "10023")
    assert AccessEvent.objects.latest("pk").detail == "PNG"


def test_a_file_is_found_only_in_its_own_chart(client, signed_in, patient):
    signed_in("physician")
    file = AttachmentFactory()
    assert client.get(f"/patients/10023/files/{file.pk}/").status_code == 404
    assert client.post(f"/patients/{file.patient.chart_number}/files/{file.pk}/").status_code == 405


def test_a_chart_number_from_an_import_makes_a_harmless_file_name(client, signed_in):
    signed_in("physician")
    file = AttachmentFactory(patient=PatientFactory(chart_number='MRN "7"; é'))
    response = client.get(f"/patients/{file.patient.chart_number}/files/{file.pk}/")
    assert response["Content-Disposition"] == f'attachment; filename="chart-MRN__7____-file-{file.pk}.png"'
