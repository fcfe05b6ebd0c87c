"""A dispute from the denial to the chart: the physician names the entry, the desk files the statement, and it hangs there."""

import pytest
from playwright.sync_api import expect

from meso.models import User
from requests_app.kinds import Kind
from requests_app.models import PatientRequest
from tests.conftest import NOV_24
from tests.factories import EntryFactory, PatientFactory, UserFactory
from tests.requests_app.answering import an_office, verified

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]
SAID = "I have never smoked, and my sister can say so."


@pytest.fixture
def doctor(transactional_db) -> User:
    """The physician, in an office that can write letters."""
    an_office()
    return UserFactory(role="physician", first_name="Ada", last_name="Vance", credentials="MD")


@pytest.fixture
def asked(doctor) -> PatientRequest:
    """An amendment of a patient with one visit."""
    patient = PatientFactory(chart_number="10023")
    EntryFactory(patient=patient)
    return verified(Kind.AMENDMENT, UserFactory(), NOV_24, patient=patient)


def test_a_dispute_from_the_denial_to_the_chart(desk, phone, assert_accessible, doctor, asked):
    page = desk(user=doctor)
    page.goto(f"/requests/{asked.number}/decide-amendment/")
    page.get_by_label("Deny it", exact=True).check()
    page.get_by_label("That part of the record is accurate and complete.").check()
    page.get_by_label("Reason, as the patient reads it").fill("The note is right as it stands.")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("Tick the entry that the patient wants changed.")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("First visit").check()
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_role("heading", name="The dispute")).to_be_visible()
    assert_accessible(page)
    page = phone(role="front_desk")
    page.goto(f"/requests/{asked.number}/")
    page.get_by_role("link", name="Take in a statement").click()
    page.get_by_label("The statement").fill(SAID)
    assert_accessible(page)
    page.get_by_role("button", name="File the statement").click()
    expect(page.locator("#dispute")).to_contain_text(SAID)
    assert_accessible(page)
    page.get_by_role("link", name="First visit").click()
    expect(page.locator(".mark-linked").last).to_contain_text(SAID)
    assert_accessible(page)
