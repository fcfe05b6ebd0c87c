"""What patients read in Spanish: nothing is left in English, nothing is lost, and what the staff reads stays English."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from html import unescape
from types import SimpleNamespace

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import strip_tags
from django.utils.translation import trans_real
from pypdf import PdfReader

from disclosures import accounting, authorization_papers, breach_letter, desk
from disclosures.authorization_rules import COMPOUNDS, DIRECTIVE, ELEMENTS, STATEMENTS
from disclosures.breach_rules import CONTENTS
from disclosures.guard import Plan
from disclosures.models import Breach
from disclosures.models.breaches import Standing
from meso import anchors, languages
from meso.pdf import Pdf
from requests_app import after_letters, answers, grounds, letters
from requests_app.grounds import GROUNDS
from requests_app.kinds import Kind, Outcome
from requests_app.models import Disagreement, PatientRequest, ReviewOutcome, ReviewReferral
from scripts import messages
from tests.factories import (
    AT,
    AuthorizationFactory,
    DisclosureFactory,
    EntryFactory,
    PatientFactory,
    RequestFactory,
    UserFactory,
)
from tests.requests_app.answering import DETAILS, KINDS, ON, RECEIVED, a_doctor, an_office, now, verified, words_of
from tests.requests_app.public_pages import filled_in, send
from tests.requests_app.test_letters import DENIALS

PO = messages.PO


@contextmanager
def untranslated() -> Iterator[list[str]]:
    """What was said meanwhile in Spanish for which the catalogue has no words."""
    missed: list[str] = []
    english = trans_real.translation("es")._fallback  # asked for what is not in the Spanish catalogue

    def note(text: str) -> str:
        if translation.get_language() == "es":
            missed.append(text)
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(english, "gettext", note)
        patch.setattr(english, "ngettext", lambda one, more, count: note(one if count == 1 else more))
        yield missed


def test_every_text_for_patients_has_its_spanish():
    """`make messages` gathers them; what has none yet is named there."""
    with PO.open("rb") as file:
        catalogue = read_po(file, locale="es")
    lacking = [text for text in messages.gathered() if not said(catalogue.get(text if isinstance(text, str) else text[0]))]
    assert lacking == []


def said(message) -> bool:
    return bool(message) and all(messages.as_tuple(message.string))


def test_the_compiled_catalogue_is_what_the_readable_one_says(tmp_path):
    with PO.open("rb") as file, (tmp_path / "django.mo").open("wb") as made:
        write_mo(made, read_po(file, locale="es"))
    assert (tmp_path / "django.mo").read_bytes() == PO.with_suffix(".mo").read_bytes()


@pytest.mark.parametrize(
    ("tag", "language"),
    [("es", "es"), ("es-MX", "es"), ("ES", "es"), ("en", "en"), ("pt", "en"), ("", "en"), ("nonsense!", "en")],
)
def test_the_office_writes_in_the_languages_it_has(tag, language):
    assert languages.written(tag) == language


def language_of(document: bytes) -> str:
    """The language that a PDF says it is written in."""
    return PdfReader(io.BytesIO(bytes(document))).root_object["/Lang"]


# --- letters ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def asked(kind: str, **fields):
    return RequestFactory(kind=kind, details=DETAILS[kind], received_on=RECEIVED, on=RECEIVED, **fields)


def every_letter(officer, language: str) -> Iterator[letters.Draft]:
    """One of each letter that answers a request, to somebody whose chart says this language."""
    office, doctor = an_office(), a_doctor()
    facts = {"dated": ON, "by": officer, "office": office}
    for kind, outcome in letters.DECISIONS:
        for ground in (None,) if outcome == Outcome.GRANTED else GROUNDS[kind]:
            why = {"ground": ground.code if ground else "", "text": "—", "judged_by": doctor, "held_by": "—"}
            yield letters.decision(asked(kind, patient=PatientFactory(language=language)), outcome, **why, **facts)
    request = asked(Kind.ACCESS, patient=PatientFactory(language=language))
    yield letters.extension(request, until=date(2026, 12, 20), reason="—", **facts)
    yield letters.withdrawal(request, **facts)
    yield letters.message(request, text="—", **facts)
    yield letters.reopening(request, reason="—", **facts)
    yield after_letters.appointment(request, day=date(2026, 12, 1), at_time=time(10), place="—", **facts)
    yield after_letters.rebuttal(SimpleNamespace(request=request), "—", **facts)
    request = asked(Kind.AMENDMENT, patient=PatientFactory(language=language))
    held = asked(Kind.ACCESS, patient=PatientFactory(language=language))
    held.ground = "R1"
    yield after_letters.appointment(held, day=ON, at_time=time(14, 30), place="—", **facts)
    for result in ReviewOutcome.Result.values:
        yield after_letters.review(held, result, ReviewReferral(name="—", licence="—"), "—", **facts)
    yield after_letters.rebuttal(Disagreement(request=request, received_on=ON), "—", **facts)


def test_no_letter_in_spanish_says_anything_in_english(officer):
    with untranslated() as missed:
        said = [(draft, draft.preview()) for draft in every_letter(officer, "es-MX")]
    assert sorted(set(missed)) == []
    assert {draft.language for draft, _ in said} == {"es"}
    assert all("24 de noviembre de 2026" in html for _, html in said)


@pytest.mark.parametrize(("kind", "outcome", "code"), DENIALS)
def test_a_denial_in_spanish_has_every_part_that_one_in_english_has(officer, kind, outcome, code):
    ground = grounds.ground(kind, code)
    request = asked(kind, patient=PatientFactory(language="es"))
    draft = letters.decision(request, outcome, ground=code, text="—", dated=ON, by=officer, office=an_office())
    said = strip_tags(draft.preview())
    with translation.override("es"):
        assert str(ground.words) in unescape(said)
    assert f"La regla que seguimos es {ground.citation}." in said
    assert "Puede quejarse con nosotros: escriba o llame a Nora Lindqvist, Privacy Officer, teléfono (518) 555-0142" in said
    assert "Office for Civil Rights" in said
    assert ("Puede pedir que se revise esta decisión" in said) == ground.reviewable
    assert ("Puede darnos una declaración por escrito" in said) == (kind == "amendment")


def test_the_letter_that_is_kept_is_in_spanish(officer):
    request = verified(Kind.AMENDMENT, officer, patient=PatientFactory(language="es"))
    answer = {"ground": "A4", "text": "La nota está completa."}
    letter = answers.decide_with_letter(request, Outcome.DENIED, **answer, **now(officer), office=an_office())
    said = words_of(letter.document)
    assert "No estamos de acuerdo en cambiar su expediente." in said
    assert language_of(letter.document) == "es"
    assert [str(event.sentence) for event in request.events.all()][-1] == "Letter made: Our decision."


def test_an_accounting_is_printed_in_the_patients_language(officer):
    office, patient = an_office(), PatientFactory(language="es")
    for day in range(1, 29, 7):
        DisclosureFactory(patient=patient, purpose_code="public_health", recipient="County", disclosed_on=date(2026, 9, day))
    with untranslated() as missed:
        printed = accounting.for_patient(patient, date(2026, 1, 1), ON, on=ON).as_pdf(office, ON).content
    assert sorted(set(missed)) == []
    assert language_of(printed) == "es"
    assert "Lista de divulgaciones" in words_of(printed)


# --- how hard they are to read -----------------------------------------------------------------------------------------

VOWELS = {"en": r"[aeiouy]+(?!\b)|[aiouy]+\b|(?<=l)e\b", "es": r"[aeoáéíóú]|[iuü]+(?![aeoáéó])(?<![aeoáéó].)"}


NOT_OURS = re.compile(
    r'<(style|title)\b.*?</\1>|<div class="(?:address|letter-close|letterhead)">.*?</div>|<span class="small">.*?</span>'
    r'|<p class="(?:house|subject|footline|small|letter-about|body-text|body-text said)">.*?</p>',
    re.DOTALL,
)


def own_words(html: str) -> str:
    """A letter's text without what is not ours to choose: addresses, citations, names, telephone numbers, what staff wrote."""
    text = unescape(strip_tags(re.sub(r"</(p|h1|h2|li)>", ". ", NOT_OURS.sub("", html))))
    for name in ("Nora Lindqvist, Privacy Officer, ", "Lark Street Mesotherapy", "218 Lark Street, Albany, NY 12210"):
        text = text.replace(name, "")
    return re.sub(r"(the |: )?Secretary of Health and Human Services.*?complaints", "", text)


def averages(text: str, language: str) -> tuple[float, float]:
    """Words in a sentence, and syllables in a word."""
    sentences = [part for part in re.split(r"[.:;?!]+(?:\s+|$)", text) if re.search(r"[^\W\d_]", part)]
    words = re.findall(r"[^\W\d_]+", text.lower())
    return len(words) / len(sentences), sum(max(1, len(re.findall(VOWELS[language], word))) for word in words) / len(words)


def too_hard(text: str, language: str) -> str:
    """The text with how hard it is, where that is more than an eighth grader or most adults read with ease; else "".

    In English by Flesch and Kincaid: the school year is 0.39 × words a sentence + 11.8 × syllables a word − 15.59. In Spanish
    by Fernández Huerta: 206.84 − 60 × syllables a word − 1.02 × words a sentence, and from 60 on it is easy.
    """
    long, heavy = averages(text, language)
    year, ease = 0.39 * long + 11.8 * heavy - 15.59, 206.84 - 60 * heavy - 1.02 * long
    easy = ease >= 60 if language == "es" else year <= 8
    return "" if easy else f"{year if language == 'en' else ease:.1f}: {text}"


@pytest.mark.parametrize("language", ["en", "es"])
def test_letters_are_easy_to_read(officer, language):
    assert [hard for draft in every_letter(officer, language) if (hard := too_hard(own_words(draft.preview()), language))] == []


@pytest.fixture
def papers(officer, monkeypatch):
    """`papers("es")`: what else goes to a patient on paper, as HTML: about a signed form, about a breach, with a copy."""
    sheets = []

    def undrawn(template, context, language="en"):
        with translation.override(language):
            sheets.append(render_to_string(template, context))
        return Pdf(b"%PDF", 1)

    for module in (authorization_papers, breach_letter, desk):
        monkeypatch.setattr(module, "render_pdf", undrawn)

    def made(language: str) -> list[str]:
        facts, patient = {"office": an_office(), "on": ON}, PatientFactory(language=language)
        anchors.make(ON, AT)  # which the cover letter carries out
        for lacking in ({"says_conditions": False, "purposes": [], "signed_on": None}, {"kind": "directive"}):
            form = AuthorizationFactory(patient=patient, **lacking)
            authorization_papers.missing_letter(form, by=officer, **facts)
            authorization_papers.revocation_form(form, **facts)
        for which in authorization_papers.BLANKS:
            authorization_papers.blank_form(patient, which, **facts)
        breach = Breach.open_one(what="A fax went astray.", discovered_on=ON, happened_on=RECEIVED, **now(officer))
        breach.describe(dict.fromkeys(CONTENTS, "—"), **now(officer))
        breach_letter.make(Standing.of(Breach.objects.get()), patient, **now(officer), office=an_office())
        plan = Plan(patient, ON, "individual", "patient", recipient=patient.name, entries=(EntryFactory(patient=patient),))
        desk.cover_letter(plan, desk.Papers(copy=Pdf(b"", 2)), by=officer, office=an_office())
        return sheets

    return made


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_other_papers_for_a_patient_are_as_easy(papers, language):
    sheets = papers(language)
    assert len(sheets) == 10
    assert {re.search(r'<html lang="(\w+)"', sheet)[1] for sheet in sheets} == {language}
    assert [hard for sheet in sheets if (hard := too_hard(own_words(sheet), language))] == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_each_thing_that_a_form_may_lack_is_told_in_easy_words(language):
    with translation.override(language):
        told = {str(demand.defect.words) for demand in (*ELEMENTS, *STATEMENTS, *COMPOUNDS, *DIRECTIVE)}
    assert [hard for words in told if (hard := too_hard(words, language))] == []


# --- the patients' pages -----------------------------------------------------------------------------------------------


@pytest.fixture
def spanish(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "es-MX,es;q=0.9"
    return client


@pytest.mark.parametrize("path", ["/privacy/", "/privacy/request/", "/privacy/status/", "/privacy/notice.pdf"])
def test_the_patients_pages_speak_spanish_to_a_spanish_browser(spanish, db, path):
    an_office()
    with untranslated() as missed:
        response = spanish.get(path)
    assert sorted(set(missed)) == []
    if path.endswith(".pdf"):
        assert language_of(b"".join(response)) == "es"
    else:
        assert '<html lang="es">' in response.content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_is_sent_in_spanish_and_kept_in_english(spanish, db, kind):
    an_office()
    with untranslated() as missed:
        assert spanish.get("/privacy/request/", {"kind": kind}).status_code == 200
        assert spanish.post("/privacy/request/", {"kind": kind, "step": "fill"}).status_code == 200
        wrong = send(spanish, kind, asker_born="2027-01-01", asker_name="")
        assert "en el futuro" in wrong.content.decode()
        receipt = spanish.post("/privacy/request/", filled_in(spanish, kind), follow=True)
        spanish.get("/privacy/request/received.pdf")
    assert sorted(set(missed)) == []
    assert "Tenemos su solicitud" in receipt.content.decode()
    request = PatientRequest.objects.get()
    assert request.language == "es"
    assert request.events.first().sentence.startswith("The request came in (Through the web form).")
    assert letters.language_of(request) == "es"


def test_the_language_is_chosen_by_a_button_and_kept(client, db):
    assert "Español" in client.get("/privacy/").content.decode()
    back = client.post("/privacy/language/", {"language": "es", "next": "/privacy/status/"})
    assert (back.status_code, back["Location"]) == (302, "/privacy/status/")
    assert "Ver una solicitud" in client.get("/privacy/status/").content.decode()
    client.post("/privacy/language/", {"language": "en", "next": "/privacy/"})
    assert "Check a request" in client.get("/privacy/").content.decode()


def test_the_language_button_leads_nowhere_else(client, db):
    response = client.post("/privacy/language/", {"language": "es", "next": "https://elsewhere.example/"})
    assert response["Location"] == "/"


def test_the_staffs_pages_are_in_english_whatever_the_browser_speaks(spanish, db):
    spanish.force_login(UserFactory(role="front_desk"))
    page = spanish.get("/requests/").content.decode()
    assert '<html lang="en">' in page
    assert "See or copy the record" in spanish.get("/requests/new/").content.decode()
