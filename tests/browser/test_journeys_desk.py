"""The front desk's morning: find a patient, open the chart, log what went out, take a request in, find out who asks."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from disclosures.models import Disclosure
from meso.models import AccessEvent, User
from records.models import Patient
from requests_app.models import PatientRequest
from tests.browser.conftest import log_in
from tests.conftest import NOV_24
from tests.factories import DisclosureFactory, EntryFactory, PatientFactory, RequestFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]
HEALTH_DEPARTMENT = ("State Department of Health", "1 Capitol Square\nAlbany, NY 12207")


@pytest.fixture
def receptionist(transactional_db) -> User:
    """Who sits at the front desk."""
    return UserFactory(role="front_desk", first_name="Dana", last_name="Whitfield")


@pytest.fixture
def patient(transactional_db) -> Patient:
    """A chart with two entries, beside others; the office has written to the health department before."""
    patient = PatientFactory(chart_number="10023", first_name="María-José", last_name="Carreño Quiñones")
    EntryFactory(patient=patient)
    EntryFactory(patient=patient, title="Second visit", service_on=date(2026, 6, 12))
    recipient, address = HEALTH_DEPARTMENT
    DisclosureFactory(recipient=recipient, recipient_address=address)
    RequestFactory(received_on=NOV_24 - timedelta(days=33), on=NOV_24 - timedelta(days=33))
    return patient


def test_the_front_desks_morning(desk, assert_accessible, addresses, receptionist, patient):
    page = desk()
    page.goto("/")
    assert_accessible(page)
    log_in(page, receptionist)
    expect(page.get_by_text("▲ 3 days late")).to_be_visible()
    assert_accessible(page)

    find_as_typed(page, assert_accessible)
    log_what_went_out(page, assert_accessible)
    ask_about_an_exempt_purpose(page, assert_accessible)
    take_a_request_by_telephone(page, assert_accessible)
    find_out_who_asks(page, assert_accessible)

    row = Disclosure.objects.get(patient=patient)
    assert (row.recipient, row.recipient_address) == HEALTH_DEPARTMENT
    assert (row.information, row.purpose_code, row.logged_by) == ("Second visit (Jun 12, 2026)", "public_health", receptionist)
    assert row.disclosed_entries.get().entry.title == "Second visit"
    asked = PatientRequest.objects.get(channel="telephone")
    assert (asked.patient, asked.received_on, asked.due_on) == (patient, date(2026, 11, 20), date(2026, 12, 20))
    assert (asked.identity_checked_by, asked.identity_how) == (receptionist, "Called back at the number in the chart")
    trail = AccessEvent.objects.filter(user=receptionist, chart_number="10023")
    assert {"view", "create", "check", "change"} <= set(trail.values_list("action", flat=True))
    assert not [address for address in addresses if re.search("quin|carre|mar%C3", address, re.IGNORECASE)]


def find_as_typed(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="Patients").click()
    page.get_by_label("Find a patient").last.press_sequentially("quin", delay=20)
    row = page.get_by_role("link", name="Carreño Quiñones, María-José")
    expect(row).to_be_visible()
    assert_accessible(page)
    row.click()
    expect(page.get_by_label("Patient", exact=True)).to_contain_text("María-José Carreño Quiñones")
    expect(page.get_by_role("heading", name="Second visit")).to_be_visible()
    assert_accessible(page)


def log_what_went_out(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="Disclosures").first.click()
    assert_accessible(page)
    page.get_by_role("link", name="Log disclosure").click()
    page.get_by_label("or find by name, birth date or telephone").press_sequentially("maria-jose", delay=20)
    page.get_by_label(re.compile("María-José Carreño Quiñones")).check()
    expect(page.get_by_text("For María-José Carreño Quiñones")).to_be_visible()
    expect(page.get_by_label("Patient’s chart number")).to_have_value("10023")
    recipient, address = HEALTH_DEPARTMENT
    page.get_by_label("To whom").fill(recipient)
    page.get_by_label("To whom").blur()
    expect(page.get_by_label("Their address, if known")).to_have_value(address)
    page.get_by_label("Why", exact=True).select_option("public_health")
    page.get_by_text("Tick entries of the chart").click()
    page.get_by_label(re.compile("Second visit")).check()
    assert_accessible(page)
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_text("Say why, in a few words")).to_be_visible()
    expect(page.get_by_label(re.compile("Second visit"))).to_be_checked()
    assert_accessible(page)
    page.get_by_label("Purpose in a few words").fill("Report of a reaction to the product")
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_text("The disclosure is in the log")).to_be_visible()
    assert_accessible(page)


def ask_about_an_exempt_purpose(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="María-José Carreño Quiñones").click()
    page.get_by_role("link", name="Log disclosure").click()
    expect(page.get_by_text("For María-José Carreño Quiñones")).to_be_visible()
    page.get_by_label("Why", exact=True).select_option("treatment")
    expect(page.get_by_text("no log entry is made")).to_be_visible()
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No log entry needed")
    expect(page.get_by_text("45 CFR 164.528(a)(1)(i)")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Back to the chart").click()


def take_a_request_by_telephone(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="Today").click()
    page.get_by_role("link", name="New request").click()
    page.get_by_label("Received on").fill("2026-11-20")
    page.get_by_role("group", name="How it came").get_by_role("radio", name="By telephone").check()
    page.get_by_label("Patient's date of birth").fill("1984-07-02")
    page.get_by_label("See or copy the record").check()
    page.get_by_role("radio", name="On paper, by mail").check()
    page.get_by_label("Which records").fill("Everything of this year")
    expect(page.get_by_label("What should change")).to_be_hidden()
    page.get_by_role("button", name="Take this request in").click()
    expect(page.get_by_text("Choose a chart above, or write the patient's name.")).to_be_visible()
    expect(page.get_by_label("Which records")).to_have_value("Everything of this year")
    assert_accessible(page)
    page.get_by_label("Patient's name").fill("Maria Jose Carreno")
    page.get_by_role("button", name="Take this request in").click()
    expect(page.get_by_text("Due Dec 20, 2026 · 26 days left")).to_be_visible()
    expect(page.get_by_text("falls on a Sunday").first).to_be_visible()
    page.get_by_text("How this date was worked out").click()
    expect(page.get_by_text("The office promises 30 calendar days")).to_be_visible()
    assert_accessible(page)
    number = page.get_by_role("heading", level=1).inner_text().split()[0]
    page.get_by_role("link", name="Requests").first.click()
    row = page.get_by_role("row", name=re.compile(number))
    expect(row).to_contain_text("26 days left")
    expect(row).to_contain_text("Find the chart")
    assert_accessible(page)
    row.get_by_role("link", name=number).click()


def find_out_who_asks(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="Find the chart").click()
    likeliest = page.get_by_role("region", name="Charts that may be theirs").get_by_role("listitem").first
    expect(likeliest).to_contain_text("10023")
    expect(likeliest).to_contain_text("same birth date")
    assert_accessible(page)
    likeliest.get_by_role("button", name="Link this chart").click()
    expect(page.get_by_text("The chart is linked.")).to_be_visible()
    page.get_by_role("link", name="Check who is asking").click()
    assert_accessible(page)
    page.get_by_role("button", name="Record the check").click()
    expect(page.get_by_text("Tick at least one way.")).to_be_visible()
    page.get_by_label("Called back at the number in the chart").check()
    page.get_by_role("button", name="Record the check").click()
    expect(page.get_by_text("The check of identity is recorded.")).to_be_visible()
    assert_accessible(page)


# --- by keyboard alone ------------------------------------------------------------------------------------------------


def go_to(page: Page, what: Locator) -> None:
    """Press Tab until the focus is there, where it must be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if what.evaluate("element => element === document.activeElement"):
            style = what.evaluate("element => { const s = getComputedStyle(element); return [s.outlineStyle, s.boxShadow]; }")
            assert style != ["none", "none"], "the focus can't be seen"
            return
    raise AssertionError(f"Tab does not come to {what}")


def test_a_disclosure_is_logged_by_keyboard_alone(desk, receptionist, patient):
    page = desk(user=receptionist)
    page.goto("/")
    go_to(page, page.get_by_role("link", name="Log disclosure"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log disclosure")
    go_to(page, page.get_by_label("or find by name, birth date or telephone"))
    page.keyboard.type("carre", delay=20)
    found = page.get_by_label(re.compile("María-José Carreño Quiñones"))
    expect(found).to_be_visible()
    go_to(page, found)
    page.keyboard.press("Space")
    expect(page.get_by_text("For María-José Carreño Quiñones")).to_be_visible()
    go_to(page, page.get_by_label("To whom"))
    page.keyboard.type("County court")
    go_to(page, page.get_by_label("Why", exact=True))
    page.keyboard.type("Order of a court")
    go_to(page, page.get_by_label("Purpose in a few words"))
    page.keyboard.type("Order of November 20")
    go_to(page, page.get_by_label("What was given"))
    page.keyboard.type("The visit notes of 2026")
    go_to(page, page.get_by_role("button", name="Log disclosure"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The disclosure is in the log")).to_be_visible()
    row = Disclosure.objects.get(patient=patient)
    assert (row.recipient, row.purpose_code, row.disclosed_on) == ("County court", "court_order", NOV_24)
    assert (row.purpose, row.information) == ("Order of November 20", "The visit notes of 2026")
