"""The blank form has every part that the rule wants; the letter names what a signed form lacks, and is kept as issued."""

import io
import re

import pypdf
import pytest
from django.core.exceptions import ValidationError

from disclosures import authorization_papers as papers
from disclosures.authorization_rules import COMPOUNDS, DIRECTIVE, ELEMENTS, STATEMENTS
from disclosures.models import AuthorizationLetter
from meso.models import Office
from tests.conftest import NOV_24
from tests.factories import AT, AuthorizationFactory, ContactPreferenceFactory, PatientFactory, UserFactory


@pytest.fixture
def office(db):
    office = Office.current()
    office.name, office.address_1, office.city, office.state, office.zip = (
        "Lark Street",
        "218 Lark Street",
        "Albany",
        "NY",
        "12210",
    )
    office.officer_name, office.phone = "Nora Lindqvist", "(518) 555-0140"
    office.save()
    return office


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).split())


EVERY_FORM = [
    "1. What may be given out", "2. Who may give it out", "Lark Street, 218 Lark Street", "3. Who may get it", "4. What for",
    "5. When this permission ends", "You may take this permission back at any time. Write to us", "Nora Lindqvist",
    "Your care, your bills and your benefits do not depend on it", "may pass it on. The privacy rules may not protect it then",
    "You get a copy of this form", "7. Signature", "by what right",
]  # fmt: skip


@pytest.mark.parametrize("which", papers.BLANKS)
def test_the_blank_form_has_every_element_and_statement(patient, office, which):
    pdf = papers.blank_form(patient, which, office=office, on=NOV_24)
    text = text_of(pdf.content)
    assert [part for part in EVERY_FORM if part not in text] == []
    assert patient.name in text
    assert "born July 2, 1984, chart 10023" in text
    assert ("Nobody pays the office for this" in text) is (which in ("photos", "marketing"))
    assert ("They need a form of their own" in text) is (which != "notes")
    assert pdf.pages == 1
    assert pypdf.PdfReader(io.BytesIO(pdf.content)).root_object["/MarkInfo"]["/Marked"]  # tagged for a screen reader


def test_the_letter_names_each_defect_and_is_kept_as_issued(patient, office):
    officer = UserFactory(role="privacy_officer")
    ContactPreferenceFactory(patient=patient)
    form = AuthorizationFactory(patient=patient, says_redisclosure=False, expires_on=None)
    made = papers.issue_missing_letter(form, office=office, by=officer, at=AT, on=NOV_24)
    text = text_of(made.document)
    assert "does not say when it ends: a day, or something that will happen." in text
    assert "(45CFR164.508(c)(1)(v))" in text.replace(" ", "")
    assert "those who get the information may pass it on" in text
    assert "PO Box 12 Albany, NY 12201" in text
    assert "12 Elm Street" not in text
    again = papers.issue_missing_letter(form, office=office, by=officer, at=AT, on=NOV_24)
    assert again == made
    assert bytes(AuthorizationLetter.objects.defer(None).get().document) == made.document


def test_the_paper_to_take_it_back_names_the_form_and_asks_for_no_reason(patient, office):
    form = AuthorizationFactory(patient=patient)
    text = text_of(papers.revocation_form(form, office=office, on=NOV_24).content)
    for words in ("On June 1, 2026 I signed", "It is to go to: Beacon Life.", "I take this permission back", "need not say why"):
        assert words in text
    assert "Send it or bring it to Nora Lindqvist" in text


def test_there_is_no_letter_about_a_whole_form(patient, office):
    form = AuthorizationFactory(patient=patient)
    with pytest.raises(ValidationError, match="Nothing is missing"):
        papers.issue_missing_letter(form, office=office, by=UserFactory(), at=AT, on=NOV_24)


@pytest.mark.parametrize("demand", [*ELEMENTS, *STATEMENTS, *COMPOUNDS, *DIRECTIVE], ids=lambda demand: demand.defect.code)
def test_each_defect_is_said_in_short_plain_sentences(demand):
    for sentence in re.split(r"(?<=[.!?:]) ", str(demand.defect.words)):
        assert 1 < len(sentence.split()) <= 22, sentence
    assert str(demand.defect.words).endswith(".")


def test_a_spanish_speaker_gets_both_papers_in_spanish(office):
    patient = PatientFactory(language="es")
    form = AuthorizationFactory(patient=patient, says_redisclosure=False)
    made = papers.missing_letter(form, office=office, by=UserFactory(), on=NOV_24).content
    assert "Lo que falta en su formulario" in text_of(made)
    assert "quien recibe los datos puede pasarlos a otros" in text_of(made)
    for which in papers.BLANKS:
        blank = papers.blank_form(patient, which, office=office, on=NOV_24)
        assert "Lo que usted debe saber" in text_of(blank.content)
        assert blank.pages == 1
