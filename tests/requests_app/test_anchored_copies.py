"""Whatever leaves the office carries the last anchor out, as text and as a QR code; before the first it says nothing."""

import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from pypdf import PdfReader

from disclosures import accounting, desk
from meso import anchors
from meso.models import Office
from meso.pdf import Pdf
from records.record_pdf import record_pdf
from tests.disclosures.test_guard import marked, plan_for
from tests.factories import AT, DisclosureFactory, EntryFactory, PatientFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
ON, NIGHT = date(2026, 11, 24), date(2026, 11, 23)


def release_copy(patient, by) -> bytes:
    return desk.draw(
        plan_for(patient, "court_order", entries=(marked(patient.entries.get()),)), by=by, office=Office.current()
    ).copy.content


def cover_letter(patient, by) -> bytes:
    return desk.cover_letter(
        plan_for(patient, "individual", "patient"), desk.Papers(copy=Pdf(b"", 2)), by=by, office=Office.current()
    ).content


def listed(patient, by) -> bytes:
    DisclosureFactory(patient=patient)
    return accounting.for_patient(patient, NIGHT, ON, on=ON).as_pdf(Office.current(), ON).content


COPIES: list[Callable] = [release_copy, cover_letter, listed]


def words_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def alternatives(content: bytes) -> list[str]:
    """The words for what can't be seen, of each picture that the file's structure names."""
    found, todo = [], [PdfReader(io.BytesIO(content)).trailer["/Root"]["/StructTreeRoot"]]
    while todo:
        node = todo.pop().get_object()
        if isinstance(node, list):
            todo += node
        elif isinstance(node, dict):
            found += [str(node["/Alt"])] if "/Alt" in node else []
            todo += [node["/K"]] if "/K" in node else []
    return found


@pytest.mark.parametrize("draw", COPIES, ids=lambda draw: draw.__name__)
def test_each_carries_the_last_anchor_out(draw):
    patient, by = PatientFactory(), UserFactory(role="privacy_officer")
    EntryFactory(patient=patient)
    assert "Anchor of" not in words_of(draw(patient, by))
    anchors.make(NIGHT - timedelta(days=1), AT)
    anchor = anchors.make(NIGHT, AT)
    anchors.make(ON + timedelta(days=1), AT)  # later than the paper
    content = draw(patient, by)
    words = words_of(content)
    assert "Anchor of November 23, 2026" in words
    assert "If anybody rewrites a record from that day or before, this code shows it." in words
    assert anchor.digest in words.replace(" ", "")
    assert f"QR code of {anchor.text}" in alternatives(content)
    assert anchors.check(anchor.text).holds


def test_a_patient_who_reads_spanish_is_told_in_spanish():
    anchors.make(NIGHT, AT)
    words = words_of(cover_letter(PatientFactory(language="es"), UserFactory(role="privacy_officer")))
    assert "Ancla del 23 de noviembre de 2026" in words
    assert "Si alguien reescribe un expediente de ese día o de antes, este código lo muestra." in words


def test_it_stands_beside_the_patients_name_and_costs_no_page():
    patient, by = PatientFactory(), UserFactory(role="front_desk")
    for number in range(3):
        EntryFactory(patient=patient, title=f"Visit {number}", body="A line.\n" * 9)
    drawn = []
    for _made in range(2):
        entries = list(patient.entries.of_record().with_marks().oldest_first())
        pages = PdfReader(io.BytesIO(record_pdf(patient, Office.current(), entries, ON, by).content)).pages
        drawn.append(
            [[word for word in page.extract_text().split("\n") if word.startswith(("Visit", "Signed"))] for page in pages]
        )
        anchors.make(NIGHT, AT)
    assert drawn[0] == drawn[1]


def test_a_print_for_the_office_itself_carries_none():
    patient = PatientFactory()
    anchors.make(NIGHT, AT)
    pdf = record_pdf(patient, Office.current(), [], ON, None, office_use=True)
    assert "Anchor of" not in words_of(pdf.content)
