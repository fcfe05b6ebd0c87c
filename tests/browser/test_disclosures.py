"""Logging a disclosure at the desk and on a telephone, and the officer's review of the log."""

import pytest
from playwright.sync_api import expect

from disclosures.models import Disclosure, DisclosureReview
from meso.models import AccessEvent
from tests.browser.conftest import DESK, PHONE
from tests.factories import AuthorizationFactory, DisclosureFactory, EntryFactory, PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023", first_name="Maria", last_name="Quispe")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_disclosure_is_logged_by_picking_patient_recipient_and_entries(opened, assert_accessible, patient, size):
    EntryFactory(patient=patient, title="Session: knees")
    DisclosureFactory(recipient="Beacon Life", recipient_address="400 Harbor Road")
    form = AuthorizationFactory(patient=patient)
    page = opened(size, role="front_desk")
    page.goto("/disclosures/new/")
    page.get_by_label("or find by name").press_sequentially("quispe mar")
    page.get_by_label("Maria Quispe").check()
    expect(page.get_by_text("For Maria Quispe, born Jul 2, 1984, chart 10023")).to_be_visible()
    page.get_by_text("Tick entries of the chart").click()
    page.get_by_label("Session: knees").check()
    whom, address = page.get_by_label("To whom"), page.get_by_label("Their address, if known")
    for recipient, theirs in (("Beacon Life", "400 Harbor Road"), ("Somebody new", ""), ("Beacon Life", "400 Harbor Road")):
        whom.fill(recipient)
        whom.press("Tab")
        expect(address).to_have_value(theirs)
    page.get_by_label("Why", exact=True).select_option("authorization")
    page.get_by_label("Purpose in a few words").fill("Life insurance")
    assert_accessible(page)
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_text("Choose the signed form that it went out on")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("On which authorization").select_option(str(form.pk))
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_text("The disclosure is in the log.")).to_be_visible()
    assert_accessible(page)
    row = Disclosure.objects.latest("id")
    assert (row.patient, row.recipient_address, row.information) == (patient, "400 Harbor Road", "Session: knees (May 1, 2026)")
    assert (row.authorization, row.authorized_on) == (form, form.signed_on)


def test_an_exempt_purpose_is_explained_at_once_and_needs_nothing_else(desk, assert_accessible, patient):
    page = desk("front_desk")
    page.goto("/disclosures/new/?chart=10023")
    told = page.get_by_text("no log entry is made")
    expect(told).to_be_hidden()
    page.get_by_label("Why", exact=True).select_option("payment")
    expect(told).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_role("heading", name="No log entry needed")).to_be_visible()
    assert_accessible(page)
    assert not Disclosure.objects.exists()
    assert AccessEvent.objects.filter(action="check", detail="payment", chart_number="10023").exists()


def test_a_number_typed_after_a_pick_is_meant(desk, patient):
    other = PatientFactory(chart_number="20001", first_name="Nina")
    page = desk("front_desk")
    page.goto("/disclosures/new/")
    page.get_by_label("or find by name").press_sequentially("quispe mar")
    page.get_by_label("Maria Quispe").check()
    page.get_by_label("Patient’s chart number").fill("20001")
    page.get_by_label("To whom").fill("Board")
    expect(page.get_by_text(f"For {other.name}")).to_be_visible()
    page.get_by_label("Why", exact=True).select_option("health_oversight")
    page.get_by_label("Purpose in a few words").fill("Inspection")
    page.get_by_label("What was given").fill("Visit note")
    page.get_by_role("button", name="Log disclosure").click()
    expect(page.get_by_text("The disclosure is in the log.")).to_be_visible()
    assert Disclosure.objects.get().patient == other


def test_without_scripts_the_form_offers_the_entries_by_a_button(desk, patient):
    EntryFactory(patient=patient, title="Session: knees")
    page = desk("front_desk", java_script_enabled=False)
    page.goto("/disclosures/new/")
    page.get_by_label("Patient’s chart number").fill("10023")
    page.get_by_role("button", name="Show this chart’s entries to tick").click()
    expect(page.get_by_text("For Maria Quispe, born Jul 2, 1984, chart 10023")).to_be_visible()
    expect(page.get_by_text("Session: knees")).to_be_attached()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_officer_signs_off_a_page_and_corrects_a_row(opened, assert_accessible, patient, size):
    rows = [DisclosureFactory(patient=patient) for _ in range(3)]
    page = opened(size, role="privacy_officer")
    page.goto("/disclosures/")
    assert_accessible(page)
    page.get_by_role("button", name="Tick all on this page").click()
    page.get_by_label("Note").fill("Seen with the papers")
    page.get_by_role("button", name="Sign off ticked rows").click()
    expect(page.get_by_text("3 reviewed and signed.")).to_be_visible()
    assert DisclosureReview.objects.filter(note="Seen with the papers").count() == 3
    page.goto(f"/disclosures/{rows[0].pk}/")
    assert_accessible(page)
    page.get_by_role("link", name="Correct this row").click()
    expect(page.get_by_label("What was wrong")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("What was wrong").fill("Another agency")
    page.get_by_label("To whom").fill("County Department of Health")
    page.get_by_role("button", name="Write the correction").click()
    page.get_by_role("link", name=f"disclosure {rows[0].pk}").click()
    expect(page.get_by_text("This row was corrected.")).to_be_visible()
    assert_accessible(page)
    for path in ("/patients/10023/disclosures/", "/patients/10023/accounting/"):
        page.goto(path)
        assert_accessible(page)
