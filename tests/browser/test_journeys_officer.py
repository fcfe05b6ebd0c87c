"""The privacy officer's day: decide, make copies and bill them, extend, give an accounting, review the log, read the audit."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from disclosures.models import AccountingGiven, Disclosure
from meso.models import User
from records.models import Patient
from requests_app.kinds import Kind
from requests_app.models import CopyBill, PatientRequest
from tests.browser.conftest import log_in
from tests.conftest import NOV_24
from tests.factories import DisclosureFactory, EntryFactory, PatientFactory, UserFactory
from tests.requests_app.answering import an_office, verified

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]
PAGE, POSTAGE = Decimal("0.15"), Decimal("1.85")


@pytest.fixture
def officer(transactional_db) -> User:
    """The privacy officer, in an office that can write letters."""
    an_office()
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


@pytest.fixture
def patient(officer) -> Patient:
    """A chart with two visits and three disclosures, two of which are one series; one lies further back than six years."""
    patient = PatientFactory(chart_number="10023", first_name="María-José", last_name="Carreño Quiñones")
    EntryFactory(patient=patient)
    EntryFactory(patient=patient, title="Second visit", service_on=date(2026, 6, 12))
    for day in (date(2020, 11, 23), date(2026, 6, 15), date(2026, 7, 15)):
        DisclosureFactory(patient=patient, disclosed_on=day)
    return patient


@pytest.fixture
def asked(officer, patient) -> dict[str, PatientRequest]:
    """Three requests of this patient, who is known."""
    kinds = (Kind.ACCESS, Kind.RESTRICTION, Kind.ACCOUNTING)
    told = {Kind.ACCESS: {"details": {"which": "Everything", "form": "mail"}}}
    return {kind: verified(kind, officer, NOV_24, patient=patient, **told.get(kind, {})) for kind in kinds}


def test_the_privacy_officers_day(desk, assert_accessible, addresses, officer, patient, asked):
    page = desk()
    page.goto("/requests/")
    log_in(page, officer)
    page.get_by_role("link", name="Today").click()
    assert_accessible(page)
    decide(page, assert_accessible, asked[Kind.ACCESS])
    bill = make_copies(page, assert_accessible)
    give_copies(page, assert_accessible, bill)
    extend(page, assert_accessible, asked[Kind.RESTRICTION])
    give_an_accounting(page, assert_accessible, asked[Kind.ACCOUNTING])
    review_the_log(page, assert_accessible)
    read_the_audit(page, assert_accessible)

    for request in asked.values():
        request.refresh_from_db()
    assert [asked[kind].is_open for kind in (Kind.ACCESS, Kind.RESTRICTION, Kind.ACCOUNTING)] == [False, True, False]
    assert asked[Kind.RESTRICTION].due_on == date(2026, 12, 20)
    assert not Disclosure.objects.not_reviewed().exists()
    assert not [address for address in addresses if re.search("quin|carre|mar%C3", address, re.IGNORECASE)]


def decide(page: Page, assert_accessible, request: PatientRequest) -> None:
    page.get_by_role("link", name=request.number, exact=True).click()
    page.get_by_role("link", name="Decide", exact=True).click()
    expect(page.get_by_label("Ground")).to_be_hidden()
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("Choose what is decided.")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Grant it", exact=True).check()
    expect(page.get_by_text("None is needed: what was asked for is the answer.")).to_be_visible()
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("The decision is recorded.")).to_be_visible()
    assert_accessible(page)


def make_copies(page: Page, assert_accessible) -> CopyBill:
    page.get_by_role("link", name="Give access").click()
    assert_accessible(page)
    page.get_by_role("link", name="Make copies").click()
    expect(page.get_by_role("radio", name="On paper, by mail")).to_be_checked()
    page.get_by_role("button", name="Work out the bill").click()
    expect(page.get_by_text("Write the postage, as paid.")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Postage paid, dollars").fill(str(POSTAGE))
    page.get_by_role("button", name="Work out the bill").click()
    total = page.get_by_role("row", name="Total").get_by_role("cell")
    expect(total).to_contain_text("$")
    shown = Decimal(total.inner_text().removeprefix("$"))
    assert not CopyBill.objects.exists(), "the bill is shown before anything is made"
    assert_accessible(page)
    tell_the_price(page, assert_accessible)
    page.get_by_role("button", name="Make the copy and the bill").click()
    expect(page.get_by_text("The copy and its bill are made.")).to_be_visible()
    bill = CopyBill.objects.get()
    assert bill.total == shown == bill.pages * PAGE + POSTAGE
    assert_accessible(page)
    return bill


def tell_the_price(page: Page, assert_accessible) -> None:
    """The price comes before the work: nothing is made until the patient has said yes to it."""
    page.get_by_role("link", name="Tell the price").click()
    expect(page.get_by_label("Postage, about, dollars")).to_have_value(str(POSTAGE))
    page.get_by_role("radio", name="By telephone").check()
    page.get_by_label("The patient accepted it at once").check()
    assert_accessible(page)
    page.get_by_role("button", name="Record that the price was told").click()
    expect(page.get_by_text("It is recorded that the price was told")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Make copies and their bill").click()
    page.get_by_label("Postage paid, dollars").fill(str(POSTAGE))
    page.get_by_role("button", name="Work out the bill").click()


def give_copies(page: Page, assert_accessible, bill: CopyBill) -> None:
    for name in ("Open copy", "Open bill"):
        assert is_pdf(page, page.get_by_role("link", name=name).get_attribute("href"))
    page.get_by_role("link", name="Give at the release desk").click()
    assert_accessible(page)
    page.get_by_role("button", name="Release, and make the papers").click()
    expect(page.get_by_text("Closed Nov 24, 2026 · Granted")).to_be_visible()
    page.get_by_role("link", name="Settle bill").click()
    assert_accessible(page)
    page.get_by_label("It was paid").check()
    page.get_by_role("button", name="Settle bill").click()
    expect(page.get_by_text("The bill is settled.")).to_be_visible()
    assert_accessible(page)
    assert bill.settlement.how == "paid"


def extend(page: Page, assert_accessible, request: PatientRequest) -> None:
    page.get_by_role("link", name="Requests").first.click()
    page.get_by_role("link", name=request.number).click()
    page.get_by_role("link", name="Extend the due date").click()
    page.get_by_label("New day, named to the patient").fill("2027-01-02")
    page.get_by_label("Reason for the delay").fill("The health plan has not answered us yet.")
    page.get_by_role("button", name="Extend once and make the letter").click()
    wrong = page.locator(".field-wrong")
    expect(wrong).to_contain_text("New day, named to the patient")
    expect(wrong.locator(".wrong")).to_contain_text("Jan 1, 2027 at the latest")
    expect(page.get_by_label("Reason for the delay")).to_have_value("The health plan has not answered us yet.")
    assert_accessible(page)
    page.get_by_label("New day, named to the patient").fill("2026-12-20")
    page.get_by_role("button", name="Extend once and make the letter").click()
    expect(page.get_by_text("Due Dec 20, 2026 · 26 days left")).to_be_visible()
    expect(page.get_by_text("Extended once; first due Dec 2, 2026.")).to_be_visible()
    expect(page.get_by_role("link", name="Extend the due date")).to_have_count(0)
    assert is_pdf(page, page.get_by_role("link", name="Open letter").get_attribute("href"))
    assert_accessible(page)


def give_an_accounting(page: Page, assert_accessible, request: PatientRequest) -> None:
    page.get_by_label("Find a patient").fill("10023")
    page.get_by_label("Find a patient").press("Enter")
    page.get_by_role("link", name="Accounting").click()
    lines = page.get_by_role("row", name=re.compile("State Department of Health"))
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("to Jul 15, 2026: 2 times")
    assert_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF", exact=True).click()
    assert download.value.suggested_filename == "accounting-10023.pdf"
    assert download.value.path().read_bytes().startswith(b"%PDF")

    page.get_by_label("Chart", exact=True).get_by_role("link", name="Requests").click()
    assert_accessible(page)
    page.get_by_role("link", name=request.number).click()
    page.get_by_role("link", name="Decide", exact=True).click()
    page.get_by_label("Grant it", exact=True).check()
    page.get_by_role("button", name="Decide", exact=True).click()
    page.get_by_role("link", name="Give the accounting").click()
    assert_accessible(page)
    page.get_by_role("button", name="Make the accounting").click()
    expect(page.get_by_text("The accounting is made.")).to_be_visible()
    given = AccountingGiven.objects.defer(None).get()
    document = page.request.get(page.get_by_role("link", name="Open the accounting").get_attribute("href")).body()
    assert document.startswith(b"%PDF")
    assert document == bytes(given.document)
    page.get_by_role("link", name="Record as given").click()
    page.get_by_role("button", name="Record as given").click()
    expect(page.get_by_text("Closed Nov 24, 2026 · Granted")).to_be_visible()
    assert_accessible(page)


def review_the_log(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="Disclosures").first.click()
    page.get_by_label("Show").select_option("Not reviewed yet")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("checkbox", name=re.compile("^Review"))).to_have_count(4)
    assert_accessible(page)
    page.get_by_role("button", name="Tick all on this page").click()
    page.get_by_label("Note").fill("Checked against the outgoing mail.")
    page.get_by_role("button", name="Sign off ticked rows").click()
    expect(page.get_by_text("4 reviewed and signed.")).to_be_visible()
    expect(page.get_by_text("No disclosure here.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("link", name="Jul 15, 2026").click()
    expect(page.get_by_text("Checked against the outgoing mail.")).to_be_visible()
    assert_accessible(page)


def read_the_audit(page: Page, assert_accessible) -> None:
    page.get_by_role("link", name="Audit").click()
    page.get_by_label("Chart number").fill("10023")
    page.get_by_label("From").fill(str(NOV_24 - timedelta(days=1)))
    page.get_by_role("button", name="Filter").click()
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="accounting").first).to_contain_text("Nora Lindqvist")
    expect(page.get_by_role("main")).not_to_contain_text("Quiñones")
    assert_accessible(page)


def is_pdf(page: Page, address: str | None) -> bool:
    """Whether this address, asked for by whoever is logged in, answers with a PDF."""
    assert address
    return page.request.get(address).body().startswith(b"%PDF")
