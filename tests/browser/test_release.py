"""The release desk in the browser: a court's order from the chart to the papers, with a check refused on the way."""

import pytest
from playwright.sync_api import expect

from disclosures.models import Release
from tests.browser.conftest import DESK, PHONE
from tests.factories import EntryFactory, PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023", first_name="Maria", last_name="Quispe")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_what_a_court_orders_goes_out_once_every_check_is_green(opened, assert_accessible, patient, size):
    EntryFactory(patient=patient, title="Session: knees")
    EntryFactory(patient=patient, title="Not ordered")
    page = opened(size, role="front_desk")
    page.goto("/patients/10023/")
    page.get_by_role("link", name="Release", exact=True).click()
    expect(page.get_by_text("Of Maria Quispe, born Jul 2, 1984, chart 10023")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Why it may go out").select_option("court_order:")
    expect(page.get_by_label("The order is on hand")).to_be_visible()
    page.get_by_label("To whom").fill("Albany County Court")
    page.get_by_label("Purpose in a few words").fill("Order of November 20")
    page.get_by_label("The order is on hand").check()
    page.get_by_label("Which paper, of which day").fill("Order of Nov 20, Judge Roe")
    page.get_by_label("Letter on the agency's letterhead").check()
    page.get_by_label("Session: knees").check()
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("Not on hand: Its words were read")).to_be_visible()
    expect(page.get_by_role("button", name="Release, and make the papers")).to_have_count(0)
    assert_accessible(page)
    page.get_by_label("Its words were read").check()
    page.get_by_role("button", name="Check again").click()
    page.get_by_role("button", name="Release, and make the papers").click()
    expect(page.get_by_text("It is released.")).to_be_visible()
    assert_accessible(page)
    row = Release.objects.get()
    assert (row.recipient, row.information) == ("Albany County Court", "Session: knees (May 1, 2026)")
    page.get_by_role("link", name="Releases").click()
    expect(page.get_by_role("cell", name="Albany County Court")).to_be_visible()
    assert_accessible(page)
