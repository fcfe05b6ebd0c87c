"""The desk puts a representative on file while checking who asks; the physician refuses another, and nobody guesses why."""

from datetime import date

import pytest
from playwright.sync_api import Page, expect

from records.models import Representative
from requests_app.models import PatientRequest
from tests.browser.conftest import DESK, PHONE
from tests.factories import PatientFactory, RepresentativeFactory, RequestFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nov_24")]
ASK = "Ask the privacy officer before acting for this representative."


def fill_in(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("Rosa Alvarez")
    page.get_by_label("Who they are to the patient").fill("sister")
    page.get_by_label("Power of attorney or health care proxy").check()
    page.get_by_label("Document seen").select_option("Power of attorney for finances")
    page.get_by_label("Photo ID seen").check()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_from_the_request_to_the_file_and_back(opened, assert_accessible, size):
    asked = RequestFactory(patient=PatientFactory(chart_number="10023"), on_behalf="Rosa Alvarez, sister")
    page = opened(size, role="front_desk")
    page.goto(f"/requests/{asked.number}/identity/")
    assert_accessible(page)
    page.get_by_role("link", name="Put the representative on file first").click()
    fill_in(page)
    assert_accessible(page)
    page.get_by_role("button", name="Put on file").click()
    expect(page.get_by_text("A power of attorney for finances reaches finances only.")).to_be_visible()
    assert page.get_by_label("Name", exact=True).input_value() == "Rosa Alvarez"
    page.get_by_label("Document seen").select_option("Power of attorney or proxy for health care")
    page.get_by_role("button", name="Put on file").click()
    page.get_by_label("Rosa Alvarez, sister").check()
    page.get_by_label("Photo ID seen").check()
    page.get_by_role("button", name="Record the check").click()
    expect(page.get_by_text("The check of identity is recorded.")).to_be_visible()
    expect(page.get_by_text("Acts for the patient")).to_be_visible()
    assert PatientRequest.objects.get().representative == Representative.objects.get()
    assert_accessible(page)


def test_the_physician_refuses_and_the_desk_reads_only_whom_to_ask(opened, assert_accessible):
    one = RepresentativeFactory(patient=PatientFactory(chart_number="10023"), begins_on=date(2026, 1, 1))
    doctor = opened(DESK, user=UserFactory(role="physician", licence_number="NY 204417"))
    doctor.goto("/patients/10023/representatives/")
    doctor.get_by_role("link", name="No longer treat as the representative").click()
    doctor.get_by_label("endanger the patient").check()
    doctor.get_by_label("best interest").fill("She is afraid of her.")
    assert_accessible(doctor)
    doctor.get_by_role("button", name="Refuse from today on").click()
    doctor.get_by_role("link", name="Why, and since when").click()
    expect(doctor.get_by_text("She is afraid of her.")).to_be_visible()
    assert_accessible(doctor)

    desk = opened(PHONE, role="front_desk")
    for address in ("/patients/10023/", "/patients/10023/representatives/"):
        desk.goto(address)
        expect(desk.get_by_text(ASK).first).to_be_visible()
        expect(desk.get_by_text("afraid")).to_have_count(0)
        assert_accessible(desk)
    assert desk.goto(f"/patients/10023/representatives/{one.pk}/refusal/").status == 403
