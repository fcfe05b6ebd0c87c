"""The officer suspends an agency's rows and the desk sees nothing of it; the desk tells the price of a second list."""

import pytest
from playwright.sync_api import expect

from disclosures.models import AccountingGiven, Breach, Suspension
from tests.browser.conftest import DESK, PHONE
from tests.factories import DisclosureFactory, PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]


@pytest.fixture
def row():
    patient = PatientFactory(chart_number="10023", first_name="Maria", last_name="Quispe")
    police = {"recipient": "State Police", "purpose_code": "law_enforcement", "purpose": "To find a person"}
    return DisclosureFactory(patient=patient, **police)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_an_agencys_statement_is_taken_down_and_the_desk_sees_no_trace(opened, assert_accessible, row, size):
    page = opened(size, role="privacy_officer")
    page.goto(f"/disclosures/{row.pk}/")
    page.get_by_role("link", name="An agency asks to suspend it").click()
    expect(page.get_by_label("Agency, as the log names it")).to_have_value("State Police")
    expect(page.get_by_label("Holds through")).to_be_hidden()
    page.get_by_label("Official who made the statement").fill("Det. Ruth Okafor")
    page.get_by_label("How their identity was shown").fill("Badge seen")
    page.get_by_label("Order of a court or tribunal").check()
    page.get_by_label("By word of mouth").check()
    page.get_by_label("It says that an accounting").check()
    page.get_by_label("What was stated").fill("It would impede us.")
    assert_accessible(page)
    page.get_by_role("button", name="Record this statement").click()
    expect(page.get_by_text("can't be suspended")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Order of a court or tribunal").uncheck()
    page.get_by_role("button", name="Record this statement").click()
    expect(page.get_by_text("Thursday, December 24, 2026")).to_be_visible()
    assert_accessible(page)
    assert Suspension.objects.get().official == "Det. Ruth Okafor"
    page.goto("/suspensions/")
    assert_accessible(page)
    desk = opened(size, role="front_desk")
    for path in ("/patients/10023/disclosures/", "/patients/10023/accounting/", "/disclosures/"):
        desk.goto(path)
        expect(desk.get_by_text("State Police")).to_have_count(0)


def test_the_desk_tells_the_price_of_a_second_list_and_gives_it(desk, assert_accessible, row):
    page = desk("front_desk")
    page.goto("/patients/10023/accounting/")
    page.get_by_role("button", name="Give this accounting").click()
    expect(page.get_by_text("the next one is free from Nov 24, 2027")).to_be_visible()
    page.goto("/patients/10023/accounting/?start=2026-01-01&end=2026-11-24")
    page.get_by_label("How the list goes out").select_option("mail")
    page.get_by_label("Postage in dollars").fill("0.73")
    assert_accessible(page)
    page.get_by_role("button", name="Give this accounting").click()
    expect(page.get_by_text("It costs $0.88")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("The patient was told the price on").fill("2026-11-24")
    page.get_by_role("button", name="Give this accounting").click()
    page.get_by_label("Pays this price").check()
    assert_accessible(page)
    page.get_by_role("button", name="Record the answer").click()
    expect(page.get_by_text("The accounting is issued and kept.")).to_be_visible()
    assert [str(one.fee) for one in AccountingGiven.objects.order_by("id")] == ["0.00", "0.88"]


def test_a_breach_is_judged_and_its_dates_are_shown(desk, assert_accessible):
    page = desk("privacy_officer")
    page.goto("/breaches/")
    assert_accessible(page)
    page.get_by_role("link", name="Open an assessment").click()
    page.get_by_label("What happened").fill("A laptop was left on a train.")
    page.get_by_label("Discovered on").fill("2026-11-20")
    assert_accessible(page)
    page.get_by_role("button", name="Open the assessment").click()
    expect(page.get_by_text("at the latest Tuesday, January 19, 2027")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Judge the four factors").click()
    assert_accessible(page)
    page.goto(f"/breaches/{Breach.objects.get().pk}/describe/")
    assert_accessible(page)
