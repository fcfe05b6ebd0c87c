"""The record room in real Chromium: find as it is typed, register, write with a draft, draw the line; desk and telephone."""

import io
import re
from datetime import date

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from meso.models import Draft
from records.models import Attachment, Entry, Patient, StrikeThrough
from tests.browser.conftest import DESK, PHONE, log_in
from tests.factories import (
    AT,
    AttachmentFactory,
    ContactPreferenceFactory,
    EntryFactory,
    PatientFactory,
    RestrictionFactory,
    UserFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BODY = "Seen for a first visit. No known allergies.\nSmokes five cigarettes a day. Plan: three sessions."


@pytest.fixture
def chart(transactional_db) -> Patient:
    """A chart with something of everything."""
    patient = PatientFactory(chart_number="10023", first_name="María-José", last_name="Carreño Quiñones", preferred_name="Majo")
    doctor = UserFactory(role="physician", credentials="MD")
    entry = EntryFactory(patient=patient, body=BODY, author=doctor)
    entry.add_addendum(by=doctor, at=AT, body="Called the family doctor.")
    AttachmentFactory(patient=patient, entry=entry)
    struck = EntryFactory(
        patient=patient, kind="treatment", title="Session: chin", areas="Chin", technique="Nappage", service_on=date(2026, 5, 9),
        products=[{"name": "Phosphatidylcholine/deoxycholate 50 mg/mL", "lot": "PC-1", "dose": "2.5 mL"}],
    )  # fmt: skip
    struck.strike(by=doctor, at=AT, reason="Written twice.")
    EntryFactory(patient=patient, title="x" * 200).mark_misfiled(by=doctor, at=AT, reason="Another patient's")
    RestrictionFactory(patient=patient)
    ContactPreferenceFactory(patient=patient, avoid="Home telephone")
    return patient


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_of_a_chart_is_accessible(opened, assert_accessible, chart, size):
    page = opened(size, role="physician")
    entry = chart.entries.earliest("pk")
    for path in (
        "",
        "edit/",
        "files/",
        "entries/new/",
        *(f"entries/{entry.pk}/{act}/" for act in ("strike", "addendum", "misfiled")),
    ):
        page.goto(f"/patients/10023/{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert_accessible(page)
    for path in ("/patients/", "/patients/new/"):
        page.goto(path)
        assert_accessible(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_forms_with_errors_and_warnings_are_accessible(opened, assert_accessible, chart, size):
    page = opened(size, role="physician")
    page.goto("/patients/new/")
    page.get_by_label("Last name").fill("Quiñones Carreño")
    page.get_by_label("First name").fill("María José")
    page.get_by_label("Date of birth").fill("1984-07-02")
    page.get_by_label("ZIP code").fill("1")
    page.get_by_label("State").fill("NY")
    page.get_by_role("button", name="Register patient").click()
    expect(page.get_by_text("A ZIP code in the United States")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("ZIP code").fill("12207")
    page.get_by_role("button", name="Register patient").click()
    expect(page.get_by_role("heading", name="a chart resembles this person")).to_be_visible()
    assert_accessible(page)
    page.goto("/patients/10023/entries/new/")
    page.get_by_label("Kind").select_option("treatment")
    page.get_by_label("Dose 2").fill("1 mL")
    page.get_by_role("button", name="Sign and write entry").click()
    expect(page.get_by_text("Which product is this?")).to_be_visible()
    expect(page.get_by_text("Which areas were treated?")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_desk_finds_a_patient_as_it_types(opened, assert_accessible, chart, size):
    PatientFactory(last_name="Vance")
    page = opened(size, role="front_desk")
    page.goto("/patients/")
    page.get_by_label("Find a patient").last.press_sequentially("quin", delay=20)
    row = page.get_by_role("link", name="Carreño Quiñones, María-José")
    expect(row).to_be_visible()
    expect(page.get_by_text("1 patient", exact=True)).to_be_visible()
    assert_accessible(page)
    assert "quin" not in page.url
    row.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Record")
    page.goto("/patients/")
    expect(page.get_by_role("link", name="Carreño Quiñones, María-José")).to_be_visible()


def test_the_desk_finds_a_patient_without_javascript(opened, chart):
    page = opened(DESK, role="front_desk", java_script_enabled=False)
    page.goto("/patients/")
    page.locator("#id_q").fill("carreño 7/2/1984")
    page.locator("main").get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Carreño Quiñones, María-José")).to_be_visible()
    page.get_by_label("Find a patient").first.fill("10023")
    page.get_by_label("Find a patient").first.press("Enter")
    expect(page).to_have_url(re.compile(r"/patients/10023/$"))


def test_the_desk_registers_somebody_who_resembles_a_chart(desk, chart):
    page = desk("front_desk")
    page.goto("/patients/new/")
    page.get_by_label("First name").fill("Maria Jose")
    page.get_by_label("Last name").fill("Carreno Quinones")
    page.get_by_label("Date of birth").fill("1984-07-02")
    page.get_by_label("Telephone").fill("(518) 555-0140")
    page.get_by_label("Telephone").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("10023")
    expect(page.get_by_label("Telephone")).to_have_value("(518) 555-0140")
    page.get_by_label("Telephone").press("Enter")  # does not register by itself
    expect(page.get_by_role("alert")).to_contain_text("10023")
    page.get_by_role("button", name="Register anyway, this is another person").click()
    expect(page.get_by_text("Registered. The chart number is 10001.")).to_be_visible()
    assert Patient.objects.count() == 2


def fill_a_treatment(page: Page) -> None:
    page.goto("/patients/10023/entries/new/")
    expect(page.get_by_label("Areas treated")).to_be_hidden()
    page.get_by_label("Kind").select_option("treatment")
    page.get_by_label("Areas treated").fill("Abdomen")
    expect(page.get_by_label("Product 3")).to_be_hidden()
    page.get_by_role("button", name="Add a product").click()
    page.get_by_label("Product 3").fill("Procaine 1%")
    page.get_by_label("Text").fill("Skin cleaned. Tolerated well.")


def test_a_draft_survives_a_closed_page_and_an_expired_login_and_is_written_once(opened, chart):
    doctor = UserFactory(role="physician")
    page = opened(DESK, user=doctor)
    fill_a_treatment(page)
    expect(page.get_by_text("Draft kept")).to_be_visible(timeout=10_000)
    page.goto("/patients/")
    page.goto("/patients/10023/entries/new/")
    expect(page.get_by_text("is back in the form")).to_be_visible()
    expect(page.get_by_label("Product 3")).to_have_value("Procaine 1%")

    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Text").fill("Typed for an hour.")
    page.wait_for_timeout(2_500)  # the draft can't be kept now: nothing is said, nothing is lost
    expect(page.get_by_label("Text")).to_have_value("Typed for an hour.")
    page.get_by_role("button", name="Sign and write entry").click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    log_in(page, doctor)
    expect(page).to_have_url(re.compile(r"/patients/10023/entries/new/$"))
    expect(page.get_by_label("Text")).to_have_value("Typed for an hour.")
    expect(page.get_by_label("Areas treated")).to_have_value("Abdomen")

    page.get_by_role("button", name="Sign and write entry").dblclick()
    expect(page.get_by_text("The entry is in the chart")).to_be_visible()
    expect(page.get_by_text("Typed for an hour.")).to_be_visible()
    assert [entry.body for entry in Entry.objects.all()].count("Typed for an hour.") == 1
    page.goto("/patients/10023/entries/new/")
    expect(page.get_by_text("is back in the form")).to_have_count(0)
    assert not Draft.objects.exists()


def test_a_draft_is_discarded_on_demand(desk, chart):
    page = desk("physician")
    fill_a_treatment(page)
    expect(page.get_by_text("Draft kept")).to_be_visible(timeout=10_000)
    page.reload()
    page.get_by_role("button", name="Discard draft").click()
    expect(page.get_by_label("Text")).to_have_value("")
    assert not Draft.objects.exists()


def test_the_desk_files_a_letter_with_its_scan_without_javascript(opened, chart, tmp_path):
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n%%EOF\n")
    page = opened(PHONE, role="front_desk", java_script_enabled=False)
    page.goto("/patients/10023/entries/new/")
    assert page.get_by_label("Kind").locator("option[value=visit_note]").count() == 0
    page.get_by_label("Kind").select_option("outside_record")
    page.get_by_label("Title").fill("Hospital letter")
    page.get_by_label("Files").set_input_files(scan)
    page.get_by_role("button", name="Sign and write entry").click()
    expect(page.get_by_role("heading", name="Hospital letter")).to_be_visible()
    filed = Attachment.objects.latest("pk")
    assert (filed.name, filed.entry.title) == ("scan.pdf", "Hospital letter")


def test_the_physician_selects_words_and_strikes_them(desk, assert_accessible, chart):
    page = desk("physician")
    page.goto("/patients/10023/")
    page.get_by_role("link", name=re.compile("Draw a line *: First visit")).click()
    expect(page.get_by_role("heading", name="Draw a line through a disputed entry")).to_be_visible()
    page.evaluate(
        """() => {
            const text = document.querySelector("[data-entry-text] .body-text").firstChild;
            const start = text.data.indexOf("No known");
            getSelection().setBaseAndExtent(text, start, text, text.data.indexOf(" Plan"));
        }"""
    )
    expect(page.get_by_label("The words to strike")).to_have_value("No known allergies.\nSmokes five cigarettes a day.")
    page.get_by_label("Reason").fill("The patient has never smoked.")
    page.get_by_role("button", name="Draw the line").click()
    expect(page.locator("del").get_by_text("Smokes five cigarettes a day.")).to_be_visible()
    expect(page.get_by_text("Reason: The patient has never smoked.")).to_be_visible()
    assert_accessible(page)
    strike = StrikeThrough.objects.latest("pk")
    assert strike.entry.title == "First visit"
    assert strike.passage == "No known allergies.\nSmokes five cigarettes a day."
    page.emulate_media(media="print")
    expect(page.locator("del").get_by_text("Smokes five cigarettes a day.")).to_be_visible()
    expect(page.get_by_text("Reason: The patient has never smoked.")).to_be_visible()
    expect(page.get_by_role("link", name="Draw a line")).to_have_count(0)
    response = page.request.get("/patients/10023/print/")
    words = " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(response.body())).pages).split())
    assert "Reason: The patient has never smoked." in words


def test_a_whole_entry_is_struck_and_the_words_field_folds_away(desk, chart):
    page = desk("physician")
    entry = chart.entries.earliest("pk")
    page.goto(f"/patients/10023/entries/{entry.pk}/strike/")
    page.get_by_label("The whole entry").check()
    expect(page.get_by_label("The words to strike")).to_be_hidden()
    page.get_by_label("Reason").fill("Written in error.")
    page.get_by_role("button", name="Draw the line").click()
    expect(page.locator("del").get_by_text("First visit", exact=True)).to_be_visible()


def test_a_file_is_saved_and_not_opened(desk, chart):
    page = desk("front_desk")
    page.goto("/patients/10023/files/")
    with page.expect_download() as download:
        page.get_by_role("link", name="photo.png").click()
    assert re.fullmatch(r"chart-10023-file-\d+\.png", download.value.suggested_filename)
