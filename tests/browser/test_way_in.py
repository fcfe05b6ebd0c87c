"""A lost password, a second look at who it is, and the officer's queue of looks, in a real browser."""

from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import expect

from meso.models import AccessEvent, Office, User
from requests_app.models import AccessReview
from tests.browser.conftest import DESK, PHONE, log_in
from tests.factories import AT, PASSWORD, PatientFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
OWN = "seven quiet herons 41"


@SIZES
def test_a_lost_password_is_replaced_by_a_given_one_and_then_by_ones_own(opened, assert_accessible, size):
    person = UserFactory(role="front_desk", first_name="Bea", last_name="Sloan")
    page = opened(size, user=UserFactory(role="office_admin"))
    page.goto(f"/staff/{person.pk}/")
    page.get_by_role("link", name="Lost password or second factor").click()
    assert_accessible(page)
    page.get_by_role("button", name="Make a password for the next login").click()
    given = page.locator("#given").inner_text()
    assert_accessible(page)

    page = opened(size)
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(given)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a password")
    assert_accessible(page)
    present, new, again = page.locator("main input[type=password]").all()
    for field, words in ((present, given), (new, "password1234567"), (again, "password1234567")):
        field.fill(words)
    page.get_by_role("button", name="Take this password").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    assert_accessible(page)
    for field, words in zip(page.locator("main input[type=password]").all(), (given, OWN, OWN), strict=True):
        field.fill(words)
    page.get_by_role("button", name="Take this password").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in")  # the second factor comes next
    assert User.objects.get(pk=person.pk).check_password(OWN)


@SIZES
def test_ten_minutes_after_the_login_it_asks_again_and_what_was_typed_waits(opened, assert_accessible, size, nov_24):
    page = opened(size)
    page.goto("/staff/new/")
    log_in(page, UserFactory(role="office_admin"))
    page.get_by_label("Username").fill("bea")
    page.get_by_label("First name").fill("Beatrice")
    page.get_by_label("Role").select_option("physician")
    for field in page.locator("main input[type=password]").all():
        field.fill(OWN)
    with time_machine.travel(AT + timedelta(minutes=11)):
        page.get_by_role("button", name="Add this person").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Show that it is you")
        assert_accessible(page)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Go on with what you were doing")
        assert_accessible(page)
        page.get_by_role("button", name="Send it now").click()
        expect(page.get_by_label("First name")).to_have_value("Beatrice")
        assert_accessible(page)
    assert not User.objects.filter(username="bea").exists()  # its passwords must be typed again


@SIZES
def test_the_officer_ticks_a_look_and_signs_it_off(opened, assert_accessible, size, nov_24):
    Office.current()
    desk, patient = UserFactory(role="front_desk", first_name="Sam", last_name="Reed"), PatientFactory(last_name="Reed")
    looked = {"user": desk, "action": "view", "subject": "chart", "chart_number": patient.chart_number}
    AccessEvent.objects.create(at=AT - timedelta(hours=1), **looked)
    page = opened(size, role="privacy_officer")
    page.goto("/audit/")
    page.get_by_role("link", name="Unusual looks").click()
    assert_accessible(page)
    page.get_by_label("Explained").check()
    page.get_by_role("button", name="Sign off").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("The patient has their last name").check()
    page.get_by_role("button", name="Sign off").click()
    expect(page.get_by_label("The patient has their last name")).to_have_count(0)
    assert_accessible(page)
    assert AccessReview.objects.get().about == desk
