"""The physician's day: write an entry through an expired login, dispute words of another, add to it, decide an amendment."""

import re

import pytest
from playwright.sync_api import Page, expect

from meso.models import Draft, Session, User
from records.models import Entry, Patient
from requests_app.kinds import Kind, Step
from requests_app.models import PatientRequest
from tests.browser.conftest import log_in
from tests.conftest import NOV_24
from tests.factories import EntryFactory, PatientFactory, UserFactory
from tests.requests_app.answering import a_doctor, a_pdf, an_office, verified

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]
BODY = "Seen for a first visit. No known allergies.\nSmokes five cigarettes a day. Plan: three sessions."
WHERE_THE_WORDS_STAND = """(box, words) => {
  const text = [...box.childNodes].find(node => node.data?.includes(words));
  const start = text.data.indexOf(words), range = document.createRange();
  range.setStart(text, start); range.setEnd(text, start + words.length);
  const { left, right, top, height } = range.getBoundingClientRect();
  return [left, right, top + height / 2];
}"""


@pytest.fixture
def doctor(transactional_db) -> User:
    """The office's physician."""
    an_office()
    return a_doctor(first_name="Imani", last_name="Adebayo")


@pytest.fixture
def patient(doctor) -> Patient:
    """A chart with a first visit."""
    patient = PatientFactory(chart_number="10023", first_name="María-José", last_name="Carreño Quiñones")
    EntryFactory(patient=patient, body=BODY, author=doctor)
    return patient


@pytest.fixture
def amendment(patient) -> PatientRequest:
    """A request to take words out of the first visit, its asker known."""
    return verified(Kind.AMENDMENT, UserFactory(), NOV_24, patient=patient)


def test_the_physicians_day(desk, assert_accessible, addresses, tmp_path, doctor, patient, amendment):
    page = desk(user=doctor)
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(a_pdf(1))
    write_an_entry_through_an_expired_login(page, assert_accessible, doctor, scan)
    draw_the_line(page, assert_accessible)
    write_the_addendum(page, assert_accessible)
    decide_the_amendment(page, assert_accessible, amendment)
    carry_it_out(page, assert_accessible)

    written, first = Entry.objects.get(kind="treatment"), Entry.objects.get(kind="visit_note")
    assert (written.author, written.body) == (doctor, "Skin cleaned. Tolerated well.")
    assert written.products == [{"name": "Procaine 1%", "lot": "PR-7", "dose": "2 mL"}]
    assert bytes(written.attachments.get().content) == scan.read_bytes()
    assert not Draft.objects.exists()
    lines = [(one.passage, one.request_number) for one in first.strikes.order_by("pk")]
    assert lines == [("No known allergies.", ""), ("Smokes five cigarettes a day.", amendment.number)]
    assert list(first.addenda.order_by("pk").values_list("request_number", flat=True)) == ["", amendment.number]
    assert first.body == BODY
    amendment.refresh_from_db()
    assert (amendment.decided_by, amendment.carried_out_on, amendment.steps_left()) == (doctor, NOV_24, [Step.SEND])
    printed = page.request.get("/patients/10023/print/")
    assert printed.body().startswith(b"%PDF")
    assert not [address for address in addresses if re.search("quin|carre|cigar", address, re.IGNORECASE)]


def write_an_entry_through_an_expired_login(page: Page, assert_accessible, doctor: User, scan) -> None:
    page.goto("/")
    assert_accessible(page)
    page.get_by_label("Find a patient").fill("10023")
    page.get_by_label("Find a patient").press("Enter")
    page.get_by_role("link", name="New entry").click()
    page.get_by_label("Kind").select_option("treatment")
    page.get_by_label("Areas treated").fill("Abdomen")
    for label, value in (("Product 1", "Procaine 1%"), ("Lot number 1", "PR-7"), ("Dose 1", "2 mL")):
        page.get_by_label(label).fill(value)
    page.get_by_label("Text").press_sequentially("Skin cleaned. ")
    page.get_by_label("Files").set_input_files(scan)
    assert_accessible(page)
    Session.objects.all().delete()
    page.get_by_label("Text").press_sequentially("Tolerated well.")
    page.get_by_role("button", name="Sign and write entry").click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    expect(page.get_by_text("A file can't be kept: choose it again.")).to_be_visible()
    assert_accessible(page)
    log_in(page, doctor)
    expect(page.get_by_label("Text")).to_have_value("Skin cleaned. Tolerated well.")
    expect(page.get_by_label("Lot number 1")).to_have_value("PR-7")
    assert_accessible(page)
    page.get_by_label("Files").set_input_files(scan)
    page.get_by_role("button", name="Sign and write entry").click()
    expect(page.get_by_text("The entry is in the chart.")).to_be_visible()
    expect(page.get_by_text("Signed Imani Adebayo, MD").first).to_be_visible()
    expect(page.get_by_role("link", name="scan.pdf")).to_be_visible()
    assert_accessible(page)


def choose_words(page: Page, words: str) -> None:
    """Pull the mouse over these words of the entry that is shown."""
    page.wait_for_load_state()
    box = page.locator("[data-entry-text] .body-text")
    left, right, middle = box.evaluate(WHERE_THE_WORDS_STAND, words)
    page.mouse.move(left + 1, middle)
    page.mouse.down()
    page.mouse.move(right - 1, middle, steps=4)
    page.mouse.up()


def draw_the_line(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name=re.compile("Draw a line *: First visit")).click()
    choose_words(page, "No known allergies.")
    expect(page.get_by_label("The words to strike")).to_have_value("No known allergies.")
    assert_accessible(page)
    page.get_by_role("button", name="Draw the line").click()
    expect(page.get_by_label("The words to strike")).to_have_value("No known allergies.")
    page.get_by_label("Reason").fill("The patient has told us of one to lidocaine.")
    page.get_by_role("button", name="Draw the line").click()
    expect(page.locator("del").get_by_text("No known allergies.")).to_be_visible()
    expect(page.get_by_text("Reason: The patient has told us of one to lidocaine.")).to_be_visible()


def write_the_addendum(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name=re.compile("Add addendum *: First visit")).click()
    assert_accessible(page)
    page.get_by_label("Addendum", exact=True).fill("Allergic to lidocaine since 2019.")
    page.get_by_role("button", name="Sign and add addendum").click()
    entry = page.get_by_role("article", name="First visit")
    expect(entry.get_by_text("Allergic to lidocaine since 2019.")).to_be_visible()
    expect(entry.locator("del")).to_have_text("No known allergies.")
    expect(entry).to_contain_text("Partly disputed")
    assert_accessible(page)


def decide_the_amendment(page: Page, assert_accessible, amendment: PatientRequest) -> None:
    page.get_by_role("link", name="Requests").first.click()
    assert_accessible(page)
    page.get_by_role("link", name=amendment.number).click()
    expect(page.get_by_text("Take out that I smoke")).to_be_visible()
    expect(page.get_by_text("Also possible")).to_have_count(0)
    assert_accessible(page)
    page.get_by_role("link", name="Decide", exact=True).click()
    page.get_by_label("Grant it", exact=True).check()
    expect(page.get_by_text("We agree to correct your record as you asked.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_role("heading", name="The answer")).to_be_visible()
    assert_accessible(page)


def carry_it_out(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="Amend the record").click()
    assert_accessible(page)
    page.get_by_role("link", name=re.compile("Amend *: .*First visit")).click()
    page.get_by_role("button", name="Amend this entry").click()
    expect(page.get_by_text("Draw a line, write an addendum, or both.")).to_be_visible()
    expect(page.get_by_label("Words to strike")).to_be_hidden()
    choose_words(page, "Smokes five cigarettes a day.")
    expect(page.get_by_label("Through these words")).to_be_checked()
    expect(page.get_by_label("Words to strike")).to_have_value("Smokes five cigarettes a day.")
    page.get_by_label("Reason for the line").fill("The patient has never smoked.")
    page.get_by_label("Addendum").fill("Never smoked.")
    assert_accessible(page)
    page.get_by_role("button", name="Amend this entry").click()
    expect(page.get_by_text("The entry is amended.")).to_be_visible()
    expect(page.get_by_text("done by: Front desk / Privacy officer")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="María-José Carreño Quiñones").click()
    entry = page.get_by_role("article", name="First visit")
    expect(entry.locator("del")).to_have_text(["No known allergies.", "Smokes five cigarettes a day."])
    expect(entry.get_by_text("Never smoked.", exact=True)).to_be_visible()
    assert_accessible(page)
