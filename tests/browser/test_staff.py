"""The way in and out: log in, see today, log out; at a desk and on a telephone."""

import pytest
from playwright.sync_api import expect

from meso.models import AccessEvent, Office
from tests.browser.conftest import DESK, PHONE, log_in
from tests.factories import AT, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_somebody_logs_in_sees_today_and_logs_out(opened, assert_accessible, size):
    user = UserFactory(role="privacy_officer", first_name="Iris", last_name="Novak")
    page = opened(size)
    page.goto("/requests/")
    expect(page).to_have_title("Log in · Mesotherapy Office")
    assert_accessible(page)
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill("not the pass phrase")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    assert_accessible(page)
    log_in(page, user)
    expect(page).to_have_url("/requests/")
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
    expect(page.get_by_text("Iris Novak · Privacy officer")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto("/")
    expect(page).to_have_url("/accounts/login/?next=/")
    assert list(AccessEvent.objects.order_by("pk").values_list("action", flat=True)[:2]) == ["login_failed", "change"]
    assert AccessEvent.objects.filter(action="logout", user=user).exists()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_pages_of_the_house_are_accessible(opened, assert_accessible, size):
    admin, officer = UserFactory(role="office_admin"), UserFactory(role="privacy_officer")
    Office.current()
    page = opened(size, user=admin)
    for path in ("/", "/office/", "/staff/", "/staff/new/", f"/staff/{officer.pk}/", "/patients/", "/nothing-here/"):
        page.goto(path)
        assert_accessible(page)
    page.goto("/")
    page.get_by_role("link", name="Staff").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Staff")
    for number in range(60):
        AccessEvent.objects.create(
            at=AT, user=officer, action="refused", subject="disclosures of a chart", chart_number=f"1002{number}"
        )
    page = opened(size, user=officer)
    page.goto("/audit/")
    assert_accessible(page)


def test_what_was_typed_survives_an_expired_login(desk):
    admin = UserFactory(role="office_admin")
    page = desk(user=admin)
    page.goto("/office/")
    page.get_by_label("name of the office").fill("Cedar Lane Mesotherapy")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Save office profile").click()
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    log_in(page, admin)
    expect(page).to_have_url("/office/")
    expect(page.get_by_label("name of the office")).to_have_value("Cedar Lane Mesotherapy")
