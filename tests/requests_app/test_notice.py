"""The notice of privacy practices: every part that 45 CFR 164.520(b) wants, in our own words, with the office's own facts."""

import re
from datetime import UTC, date, datetime
from html import unescape
from io import BytesIO

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import translation
from pypdf import PdfReader

from meso.append_only import AppendOnlyError
from meso.models import AccessEvent, Office
from records import notice_rules
from records.models import NoticeAcknowledgment, NoticeVersion
from requests_app import notice
from requests_app.kinds import Kind
from tests.factories import AT, PatientFactory, UserFactory


@pytest.fixture
def office(db):
    office = Office.current()
    office.name, office.phone = "Quince Street Clinic", "(518) 555-0140"
    office.address_1, office.city, office.state, office.zip = "7 Quince Street", "Troy", "NY", "12180"
    office.officer_name, office.officer_title, office.officer_phone = "Ines Okafor", "Privacy Lead", "(518) 555-0199"
    office.copy_rate, office.promised_days = "0.11", 21
    office.save()
    office.refresh_from_db()
    return office


def issue(office: Office, effective_on: date = date(2026, 3, 5), **changes) -> NoticeVersion:
    """Meso's standard wording, in force from that day."""
    texts = {**notice.standard(office), **changes.pop("texts", {})}
    facts = {"change": "", "is_material": False, "at": AT, "on": effective_on, "by": UserFactory(role="privacy_officer")}
    return notice.issue(texts, effective_on=effective_on, office=office, **{**facts, **changes})


@pytest.fixture(params=["page", "pdf"])
def path(request):
    return {"page": "/privacy/", "pdf": "/privacy/notice.pdf"}[request.param]


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(datetime(2026, 11, 24, 17, 0, tzinfo=UTC), tick=False):
        yield


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


def test_every_part_that_the_rule_wants_is_there(client, office, path):
    issue(office)
    text = text_of(client, path)
    assert {part for part, words in PARTS.items() if words not in text} == set()


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
    office.refresh_from_db()
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


def test_until_a_version_is_in_force_the_standard_wording_is_a_draft(client, db, path):
    assert notice.lacks(Office.current()) == ["the telephone number to call", "the address of the office"]
    text = text_of(client, path)
    assert "Draft, not in force yet." in text
    assert "in force since" not in text


def test_a_notice_in_force_is_no_draft(client, office, path):
    issue(office)
    assert "Draft" not in text_of(client, path)


def test_what_is_in_force_does_not_follow_the_profile_until_it_is_issued_anew(client, office, path):
    version = issue(office)
    assert notice.outdated(version, office) == []
    office.officer_phone, office.copy_rate = "(518) 555-0777", "0.10"
    office.save()
    office.refresh_from_db()
    assert "555-0199" in text_of(client, path)
    assert notice.outdated(version, office) == ["the telephone number for questions", "the price of a paper page"]


# --- versions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [block.key for block in notice_rules.BLOCKS if block.required])
def test_a_version_that_lacks_a_part_can_not_be_in_force(office, key):
    with pytest.raises(ValidationError) as refused:
        issue(office, texts={key: "  "})
    assert list(refused.value.message_dict) == [key]
    assert notice_rules.BY_KEY[key].citation in refused.value.message_dict[key][0]
    assert not NoticeVersion.objects.exists()


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("header", "This notice tells how we use your information.", "prescribes these words exactly"),
        ("treatment", "We read it.", "an example"),
        ("complain_hhs", "You may complain to the government.", "Secretary"),
        ("contact", "Ines Okafor, Privacy Lead", "a telephone number"),
        ("restriction", "You may ask for a limit; we need not agree.", "health plan"),
        ("permission", "We ask for your permission.", "psychotherapy"),
        ("breach", "We tell you when something goes wrong.", "breach"),
        ("no_retaliation", "By being treated you waive your right to complain.", "give up a right"),
    ],
)
def test_a_part_must_say_what_the_rule_wants_of_it(office, key, text, words):
    with pytest.raises(ValidationError) as refused:
        issue(office, texts={key: text})
    assert words in refused.value.message_dict[key][0]


def test_the_prescribed_words_may_be_set_in_any_case(office):
    assert issue(office, texts={"header": notice_rules.HEADER.capitalize()})


def test_a_notice_holds_from_today_at_the_earliest_and_a_later_one_says_what_is_new(office):
    with pytest.raises(ValidationError, match="before it is published"):
        issue(office, date(2026, 3, 5), on=date(2026, 3, 6))
    issue(office, date(2026, 3, 5))
    with pytest.raises(ValidationError, match="what is new"):
        issue(office, date(2026, 6, 1))
    assert issue(office, date(2026, 6, 1), change="A new telephone", is_material=True)


def test_each_day_has_its_version_and_each_is_kept_as_issued(office):
    old = issue(office, date(2026, 3, 5))
    new = issue(office, date(2026, 6, 1), change="A new telephone")
    for on, version in (
        (date(2026, 3, 4), None), (date(2026, 3, 5), old), (date(2026, 5, 31), old), (date(2026, 6, 1), new),
    ):  # fmt: skip
        assert NoticeVersion.objects.in_force(on) == version
    period = NoticeVersion.objects.between(date(2026, 4, 1), date(2026, 12, 31))
    assert list(period) == [old, new]
    document = bytes(NoticeVersion.objects.defer(None).get(pk=old.pk).document)
    assert "March 5, 2026" in PdfReader(BytesIO(document)).pages[-1].extract_text()
    with pytest.raises(AppendOnlyError):
        old.save()


def test_the_officer_puts_a_version_in_force_block_by_block(client, office, signed_in):
    signed_in("privacy_officer")
    page = client.get("/notices/new/")
    form = page.context["form"]
    typed = {block.key: form[block.key].value() for block in notice_rules.BLOCKS}
    typed |= {"effective_on": "2026-11-24", "change": ""}
    wrong = client.post("/notices/new/", {**typed, "breach": "", "paper": "Ask for the paper one, my own words"})
    assert "164.520(b)(1)(v)(A)" in str(wrong.context["form"].errors["breach"])
    assert "my own words" in wrong.content.decode()
    look = client.post("/notices/new/", {**typed, "look": "yes"})
    assert look["Content-Type"] == "application/pdf"
    assert not NoticeVersion.objects.exists()
    assert client.post("/notices/new/", typed).status_code == 302
    version = NoticeVersion.objects.get()
    assert version.texts["header"] == notice_rules.HEADER
    assert client.get(f"/notices/{version.pk}/notice.pdf").content == client.get("/privacy/notice.pdf").content
    early = client.post(f"/notices/{version.pk}/posted/", {"place": "office", "posted_on": "2026-11-23"})
    assert "between the day it was made and today" in early.content.decode()
    client.post(f"/notices/{version.pk}/posted/", {"place": "office", "posted_on": "2026-11-24"})
    assert version.postings.get().place == "office"
    assert "Nov 24, 2026" in client.get("/notices/").content.decode()


def test_the_notice_is_issued_in_spanish_too_and_an_old_one_gives_way_to_english(client, office):
    with translation.override("es"):
        spanish = notice.standard(office, "es")
    old = notice.issue(
        spanish, effective_on=date(2026, 3, 5), change="", is_material=False, by=UserFactory(), at=AT, on=date(2026, 3, 5),
        office=office, language="es",
    )  # fmt: skip
    english = issue(office)
    assert "expediente" in old.texts["access"]
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    assert "en vigor desde el 5 de marzo de 2026" in text_of(client, "/privacy/")
    assert NoticeVersion.objects.in_force(date(2026, 11, 24)) == english
    newer = issue(office, date(2026, 6, 1), change="A new telephone")
    for on, version in ((date(2026, 5, 31), old), (date(2026, 6, 1), newer)):
        assert NoticeVersion.objects.in_force(on, "es") == version
    with pytest.raises(ValidationError, match="what is new"):
        issue(office, date(2026, 7, 1), language="es", texts=spanish)


# --- who was given it -----------------------------------------------------------------------------------------------


def test_the_chart_says_that_the_notice_was_not_given_until_it_was(client, office, signed_in):
    user = signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    version = issue(office)
    assert "Notice not given yet" in client.get("/patients/10023/").content.decode()
    wrong = client.post("/patients/10023/notice/", {"given_on": "2026-11-24", "signed": "refused", "why_not": ""})
    assert "say what was tried" in wrong.content.decode()
    assert not NoticeAcknowledgment.objects.exists()
    client.post("/patients/10023/notice/", {"given_on": "2026-11-24", "signed": "refused", "why_not": "Asked twice, kindly"})
    given = patient.notices_given.get()
    assert (given.version, given.signed, given.by) == (version, "refused", user)
    assert "Notice not given yet" not in client.get("/patients/10023/").content.decode()
    assert "Asked twice, kindly" in client.get("/patients/10023/notice/").content.decode()
    assert AccessEvent.objects.filter(action="create", subject="notice given", chart_number="10023").count() == 1


def test_in_an_emergency_the_notice_is_still_owed(client, office, signed_in):
    user = signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    facts = {"by": user, "at": AT, "on": date(2026, 11, 24)}
    NoticeAcknowledgment.record(patient, given_on=date(2026, 11, 1), signed="emergency", why_not="Brought in ill", **facts)
    assert "Notice not given yet" in client.get("/patients/10023/").content.decode()
    given = NoticeAcknowledgment.record(patient, given_on=date(2026, 11, 3), signed="yes", why_not="", **facts)
    assert given.version is None  # of before the first version in Meso: an earlier paper
    assert "Notice not given yet" not in client.get("/patients/10023/").content.decode()


def test_nobody_is_given_the_notice_tomorrow(office):
    with pytest.raises(ValidationError, match="future"):
        NoticeAcknowledgment.record(
            PatientFactory(),
            given_on=date(2026, 11, 25),
            signed="yes",
            why_not="",
            by=UserFactory(),
            at=AT,
            on=date(2026, 11, 24),
        )


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
