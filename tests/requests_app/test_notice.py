"""The notice of privacy practices: every part that 45 CFR 164.520(b) wants, in our own words, with the office's own facts."""

import re
from datetime import date
from html import unescape
from io import BytesIO

import pytest
from pypdf import PdfReader

from meso.models import Office
from requests_app import notice
from requests_app.kinds import Kind


@pytest.fixture
def office(db):
    office = Office.current()
    office.name, office.phone = "Quince Street Clinic", "(518) 555-0140"
    office.address_1, office.city, office.state, office.zip = "7 Quince Street", "Troy", "NY", "12180"
    office.officer_name, office.officer_title, office.officer_phone = "Ines Okafor", "Privacy Lead", "(518) 555-0199"
    office.copy_rate, office.promised_days, office.notice_effective_on = "0.11", 21, date(2026, 3, 5)
    office.save()
    return office


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def text_of(client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    if path.endswith(".pdf"):
        # A line of the PDF may break a word at its slash or hyphen; the words are what counts.
        return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(response.content)).pages).split())
    return plain(response.content.decode())


# 45 CFR 164.520(b)(1) -> words that say it
PARTS = {
    "(i) header": "THIS NOTICE DESCRIBES HOW MEDICAL INFORMATION ABOUT YOU MAY BE USED AND DISCLOSED",
    "(i) header, end": "HOW YOU CAN GET ACCESS TO THIS INFORMATION. PLEASE REVIEW IT CAREFULLY.",
    "(ii)(A) treatment, with an example": "For example, the physician looks at which product",
    "(ii)(A) payment, with an example": "For example, a health plan that pays for a visit",
    "(ii)(A) operations, with an example": "For example, we go through charts",
    "(ii)(B) family in an emergency": "With family or others close to you",
    "(ii)(B) abuse or neglect": "when abuse or neglect is suspected",
    "(ii)(B) courts and subpoenas": "on a subpoena",
    "(ii)(B) required by law": "Wherever a law demands it",
    "(ii)(B) public health": "For public health",
    "(ii)(B) oversight": "agencies that oversee health care",
    "(ii)(B) police": "With the police",
    "(ii)(B) the dead, donation": "coroners, medical examiners and funeral directors",
    "(ii)(B) research": "For research",
    "(ii)(B) threat": "serious and near threat",
    "(ii)(B) special functions": "national security",
    "(ii)(B) workers' compensation": "For workers' compensation",
    "(ii)(C) stricter laws": "42 CFR part 2",
    "(ii)(E) authorization": "psychotherapy notes, for advertising and marketing",
    "(ii)(E) sale": "before anybody pays us for your information",
    "(ii)(E) other uses": "every use that this notice does not speak of",
    "(ii)(E) revocation": "You may revoke a permission at any time by writing to us",
    "(iv)(A) restriction": "do not have to agree, with one exception",
    "(iv)(A) paid in full": "paid for in full we keep from your health plan",
    "(iv)(B) confidential communications": "only to the number or address you name",
    "(iv)(C) access": "have a copy of all of it or of a part",
    "(iv)(D) amendment": "ask us to amend it",
    "(iv)(E) accounting": "You may have this list for up to six years back",
    "(iv)(F) paper copy": "you get it on paper, also when you have read it here",
    "(v)(A) duty of privacy": "obliges us to keep your health information private",
    "(v)(A) breach": "We must tell you without delay if your unsecured information",
    "(v)(B) bound by the notice": "do as the notice says that is in force",
    "(v)(C) changes": "We may change this notice, also for information that we already have",
    "(vi) complaint to the office": "Complain to us",
    "(vi) complaint to the Secretary": "the Secretary of Health and Human Services",
    "(vi) no retaliation": "Nobody here will hold a complaint against you",
    "(vii) contact": "Ines Okafor, Privacy Lead Telephone: (518) 555-0199",
    "(viii) effective date": "in force since March 5, 2026",
}


@pytest.mark.parametrize("path", ["/privacy/", "/privacy/notice.pdf"], ids=["page", "pdf"])
def test_every_part_that_the_rule_wants_is_there(client, office, path):
    text = text_of(client, path)
    assert {part for part, words in PARTS.items() if words not in text} == set()


@pytest.mark.parametrize("path", ["/privacy/", "/privacy/notice.pdf"], ids=["page", "pdf"])
def test_the_office_fills_in_its_own_facts(client, office, path):
    text = text_of(client, path)
    for fact in (
        "Quince Street Clinic",
        "7 Quince Street",
        "Troy, NY 12180",
        "$0.11 a page",
        "within 21 days",
        "An electronic copy is free",
    ):
        assert fact in text
    office.electronic_copy_fee, office.charge_electronic_pages = "4.00", False
    office.save()
    text = text_of(client, path)
    assert "An electronic copy costs $4.00" in text
    assert "For pages that we keep electronically there is no price per page." in text
    assert "copy is free" not in text


def test_the_promises_of_the_office_are_kept(client, office):
    """Nothing the office has promised its patients is taken back by our words (45 CFR 164.502(i))."""
    text = text_of(client, "/privacy/")
    for promise in (
        "everything in your record",
        "postage",
        "draw a line through",
        "write an addendum",
        "There is a form for it",
        "each such wish by itself",
        "anything other than treatment, payment and health care operations",
        "when, to whom, what was given, and for what purpose",
        "in an emergency, or where you have agreed or the papers",
    ):
        assert promise in text


def test_each_right_leads_to_its_form(client, office):
    html = client.get("/privacy/").content.decode()
    for kind in Kind.values:
        assert f'href="/privacy/request/?kind={kind}"' in html
    assert html.count("<h1") == 1
    assert 'href="/privacy/notice.pdf"' in html


def test_the_pdf_is_tagged_and_has_its_title(client, office):
    document = PdfReader(BytesIO(client.get("/privacy/notice.pdf").content))
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert document.metadata.title == "Notice of privacy practices"
    assert f"page 1 of {len(document.pages)}" in document.pages[0].extract_text()


def test_a_notice_that_lacks_a_part_says_that_it_is_a_draft(client, db):
    assert notice.lacks(Office.current()) == [
        "the telephone number to call",
        "the address of the office",
        "the day from which it holds",
    ]
    for path in ("/privacy/", "/privacy/notice.pdf"):
        assert "Draft, not in force yet." in text_of(client, path)


def test_a_whole_notice_is_no_draft(client, office):
    assert notice.lacks(office) == []
    assert "Draft" not in text_of(client, "/privacy/")


def test_the_pages_load_nothing_from_elsewhere_and_show_no_patient(client, office):
    html = client.get("/privacy/").content.decode()
    loaded = re.findall(r'(?:src|srcset|action)="([^"]+)"|<link[^>]+href="([^"]+)"', html)
    assert {url for pair in loaded for url in pair if url and not url.startswith("/")} == set()
    assert "Log out" not in html


@pytest.mark.shared
def test_the_words_are_ours(client, office, shared):
    """No run of eight words of the office's old notice stands in ours."""

    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"[a-z']+", text.lower())
        return {tuple(words[index : index + 8]) for index in range(len(words) - 7)}

    old = (shared / "office-notice.txt").read_text(encoding="utf-8")
    assert runs(old) & runs(text_of(client, "/privacy/")) == set()
