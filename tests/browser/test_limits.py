"""Restrictions in real Chromium: one tick keeps a paid service from the plan, the payment fails, the officer ends it."""

from datetime import date

import pytest
from playwright.sync_api import expect

from records.models import EmergencyRelease, Entry, PaymentBounce, Restriction
from tests.browser.conftest import DESK, PHONE
from tests.factories import ContactPreferenceFactory, EntryFactory, PatientFactory, RestrictionFactory
from tests.requests_app.answering import an_office

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]
LIMITS = "/patients/10023/limits/"


@pytest.fixture
def patient(transactional_db):
    """A patient with one session, who wishes to be written to at a post office box."""
    an_office()
    patient = PatientFactory(chart_number="10023", first_name="María-José", last_name="Carreño Quiñones")
    EntryFactory(patient=patient, kind="treatment", title="Session: chin", service_on=date(2026, 5, 1))
    ContactPreferenceFactory(patient=patient, avoid="Home telephone")
    return patient


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_of_restrictions_is_accessible(opened, assert_accessible, patient, size):
    page = opened(size, role="privacy_officer")
    made = RestrictionFactory(patient=patient)
    entry = patient.entries.get()
    for path in (
        "limits/",
        "limits/new/",
        f"limits/paid/?entry={entry.pk}",
        f"limits/{made.pk}/end/",
        f"entries/{entry.pk}/flag/",
    ):
        page.goto(f"/patients/10023/{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert_accessible(page)


def test_the_flag_of_an_entry_is_accessible(opened, assert_accessible, patient):
    page = opened(PHONE, role="physician")
    page.goto(f"/patients/10023/entries/{patient.entries.get().pk}/flag/")
    page.get_by_label("Psychotherapy notes").check()
    page.get_by_label("Why it is that").fill("Notes of Dr. Reyes, kept apart")
    assert_accessible(page)
    page.get_by_role("button", name="Set the flag").click()
    expect(page.get_by_text("Not in copies")).to_be_visible()
    assert_accessible(page)


def test_one_tick_at_the_desk_then_the_payment_fails_and_the_officer_ends_it(opened, assert_accessible, patient):
    page = opened(DESK, role="front_desk")
    page.goto("/patients/10023/entries/new/")
    tick = page.get_by_label("Paid in full by the patient")
    expect(tick).to_be_hidden()
    page.get_by_label("Kind").select_option("billing_record")
    page.get_by_label("Title").fill("Statement of the session")
    expect(page.get_by_label("Health plan it is kept from")).to_be_hidden()
    tick.check()
    page.get_by_label("Health plan it is kept from").fill("Empire Health")
    page.get_by_label("Charged and paid, dollars").fill("180.00")
    assert_accessible(page)
    page.get_by_role("button", name="Sign and write entry").click()
    page.goto(LIMITS)
    expect(page.get_by_text("$180.00 paid Nov 24, 2026")).to_be_visible()
    page.get_by_role("link", name="The payment failed").click()
    page.get_by_label("What happened").fill("The check came back.")
    page.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("Call the patient. It goes on binding until then.")).to_be_visible()
    assert_accessible(page)
    page.goto("/")
    expect(page.get_by_role("link", name="Chart 10023: call the patient")).to_be_visible()

    page = opened(DESK, role="privacy_officer")
    page.goto(LIMITS)
    page.get_by_role("link", name="End it").click()
    page.get_by_label("The payment failed, the patient was called").check()
    page.get_by_label("What shows it").fill("Called on November 24, heard by Dana")
    page.get_by_label("Reason").fill("She will use the plan for this one.")
    page.get_by_role("button", name="Record the end").click()
    expect(page.get_by_text("No restriction is in force.")).to_be_visible()
    assert_accessible(page)
    assert Restriction.objects.get().ending.kind == "not_paid"
    assert not PaymentBounce.objects.waiting().exists()
    assert Entry.objects.filter(kind="billing_record").count() == 1


def test_the_officer_agrees_about_certain_entries_and_an_emergency_makes_its_letter(opened, assert_accessible, patient):
    page = opened(PHONE, role="privacy_officer")
    page.goto(LIMITS)
    page.get_by_role("link", name="Agree to a restriction").click()
    page.get_by_label("What is restricted").fill("The session of May")
    expect(page.get_by_label("Session: chin")).to_be_hidden()
    page.get_by_label("Certain entries").check()
    page.get_by_label("Session: chin").check()
    page.get_by_label("Treatment", exact=True).check()
    page.get_by_role("button", name="Put it in force").click()
    expect(page.get_by_text("Entries: May 1, 2026 Session: chin")).to_be_visible()
    page.get_by_role("link", name="Given in an emergency").click()
    page.get_by_label("What the emergency was").fill("Unconscious after a fall")
    page.get_by_label("Provider who got it").fill("Albany Medical Center")
    page.get_by_label("What was given").fill("Products and lots of the session")
    page.get_by_role("button", name="Record it and make the letter").click()
    expect(page.get_by_role("link", name="Letter of Nov 24, 2026")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Record as sent").click()
    page.get_by_label("How").fill("By fax to the ward")
    page.get_by_role("button", name="Record as sent").click()
    expect(page.get_by_text("By fax to the ward")).to_be_visible()
    release = EmergencyRelease.objects.get()
    assert (release.made_on, release.sent.sent_on) == (date(2026, 11, 24), date(2026, 11, 24))
