"""The idle lock in a browser: the warning, the cover, what is typed stays; with and without JavaScript, at both sizes.

Nobody waits fifteen minutes: the page's clock is wound on, and the server's "last seen" back.
"""

import re

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from meso.models import Draft, Office, Session
from meso.sessions import SessionStore
from tests.browser.conftest import DESK, PHONE, WITHOUT_SCRIPTS, log_in
from tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAME = "name of the office"


@pytest.fixture
def admin(db):
    return UserFactory(role="office_admin", first_name="Adele", last_name="Ito")


def nobody_works_for(seconds: int, user, page: Page | None = None) -> None:
    """The server has last seen them so long ago; the clock of the page goes on by as much."""
    for row in Session.objects.filter(user=user):
        store = SessionStore(row.session_key)
        store["seen"] -= seconds
        store.save()
    if page:
        page.clock.fast_forward(seconds * 1000)


def typing(opened, admin, size=DESK) -> Page:
    """The office's profile in a browser, with a name typed and not saved."""
    page = opened(size, user=admin)
    page.clock.install()
    page.goto("/office/")
    page.get_by_label(NAME).fill("Cedar Lane")
    return page


def warning(page: Page):
    return page.get_by_role("region", name="This page locks soon")


def cover(page: Page):
    return page.get_by_role("dialog", name="Locked")


def left(page: Page) -> int:
    return page.evaluate("fetch('/accounts/session/').then((answer) => answer.json()).then((state) => state.left)")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_warns_then_hides_everything_and_unlocks_with_what_was_typed(opened, assert_accessible, admin, size):
    page = typing(opened, admin, size)
    nobody_works_for(settings.SESSION_IDLE_LOCK - 90, admin, page)
    expect(warning(page).get_by_role("alert")).to_contain_text("Press any key to go on working")
    expect(warning(page).locator(".lock-clock")).to_have_text(re.compile(r"1:[0-5]\d"))
    expect(warning(page).locator(".lock-clock")).to_have_attribute("aria-hidden", "true")
    assert_accessible(page)
    nobody_works_for(91, admin, page)
    expect(cover(page)).to_be_visible()
    expect(warning(page)).to_have_count(0)
    expect(cover(page)).to_contain_text("Adele Ito: your password, please.")
    for hidden in (page.locator("main"), page.locator(".topbar"), page.locator(f"input[value='{Office.current().name}']")):
        expect(hidden.first).not_to_be_visible()
    assert page.locator("main").evaluate("part => part.inert")
    assert_accessible(page)
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type("not the pass phrase")
    page.keyboard.press("Enter")
    expect(cover(page).get_by_role("alert")).to_contain_text("This is not your password")
    assert_accessible(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(cover(page)).to_have_count(0)
    expect(page.get_by_label(NAME)).to_have_value("Cedar Lane")
    expect(page.get_by_label(NAME)).to_be_focused()
    page.get_by_role("button", name="Save office profile").click()
    expect(page.get_by_text("The office profile is saved.")).to_be_visible()
    assert Office.current().name == "Cedar Lane"


@pytest.mark.parametrize("answer", ["the button", "a key", "a click on the page"])
def test_one_key_or_click_puts_the_lock_off_as_often_as_one_likes(opened, admin, answer):
    page = typing(opened, admin)
    for _ in range(11):
        nobody_works_for(settings.SESSION_IDLE_LOCK - 60, admin, page)
        expect(warning(page)).to_be_visible()
        if answer == "the button":
            warning(page).get_by_role("button", name="Go on working").click()
        elif answer == "a key":
            page.keyboard.press("Shift")
        else:
            page.get_by_role("heading", level=1).click()
        expect(warning(page)).to_have_count(0)
    assert left(page) > settings.SESSION_IDLE_LOCK - 60
    expect(page.get_by_label(NAME)).to_have_value("Cedar Lane")


def test_typing_is_work_and_an_open_page_alone_is_none(opened, admin):
    page = typing(opened, admin)
    nobody_works_for(600, admin, page)
    assert left(page) <= 300
    page.get_by_label(NAME).press("End")
    page.wait_for_function(
        "fetch('/accounts/session/').then((answer) => answer.json()).then((state) => state.left > 800)", timeout=15_000
    )


def test_work_in_another_window_keeps_this_one_open(opened, admin):
    page = typing(opened, admin)
    page.clock.fast_forward(settings.SESSION_IDLE_LOCK * 1000)  # the server saw them at work elsewhere all the time
    expect(cover(page)).to_have_count(0)
    expect(page.get_by_label(NAME)).to_be_visible()
    assert left(page) > 0


def test_a_login_that_has_ended_hides_the_page_and_another_brings_it_back(opened, assert_accessible, admin):
    page = typing(opened, admin)
    Session.objects.all().delete()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    over = page.get_by_role("dialog", name="This login has ended")
    expect(over).to_be_visible()
    expect(page.locator("main")).not_to_be_visible()
    assert_accessible(page)
    with page.context.expect_page() as opening:
        over.get_by_role("link", name="Open the login in a new window").click()
    log_in(opening.value, admin)
    expect(opening.value.get_by_role("heading", level=1)).to_contain_text("Today")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(over).to_have_count(0)
    expect(page.get_by_label(NAME)).to_have_value("Cedar Lane")
    page.get_by_role("button", name="Save office profile").click()
    expect(page.get_by_text("The office profile is saved.")).to_be_visible()


def test_the_page_of_somebody_who_logged_out_elsewhere_is_hidden_from_who_logs_in_next(opened, admin):
    page, bea = typing(opened, admin), UserFactory(role="front_desk")
    second = page.context.new_page()
    second.goto("/")
    second.get_by_role("button", name="Log out").click()
    log_in(second, bea)
    expect(second.get_by_role("heading", level=1)).to_contain_text("Today")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_role("dialog", name="This login has ended")).to_be_visible()
    expect(page.locator("main")).not_to_be_visible()


def test_somebody_else_logs_in_and_what_was_typed_waits_for_its_writer(opened, admin):
    page = typing(opened, admin)
    nobody_works_for(settings.SESSION_IDLE_LOCK, admin, page)
    cover(page).get_by_role("button", name="Log in as yourself").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert not Session.objects.filter(user=admin).exists()
    kept = Draft.objects.get()
    assert (kept.user, kept.path, kept.fields["name"]) == (admin, "/office/", ["Cedar Lane"])


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_without_scripts_a_form_sent_into_the_lock_is_back_after_unlocking(opened, assert_accessible, admin, size):
    page = opened(size, user=admin, **WITHOUT_SCRIPTS)
    page.goto("/office/")
    page.get_by_label(NAME).fill("Cedar Lane")
    nobody_works_for(settings.SESSION_IDLE_LOCK, admin)
    page.get_by_role("button", name="Save office profile").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Locked")
    expect(page.get_by_text("what you typed is kept")).to_be_visible()
    with_scripts = opened(size, user=admin)
    nobody_works_for(settings.SESSION_IDLE_LOCK, admin)
    with_scripts.goto("/")
    expect(with_scripts.get_by_role("heading", level=1)).to_have_text("Locked")
    assert_accessible(with_scripts)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page).to_have_url("/office/")
    expect(page.get_by_label(NAME)).to_have_value("Cedar Lane")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_one_sees_and_ends_ones_sessions(opened, assert_accessible, admin, size):
    opened(size, user=admin).goto("/")
    page = opened(size, user=admin)
    page.goto("/accounts/sessions/")
    expect(page.get_by_text("This one", exact=True)).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="End this session").click()
    expect(page.get_by_text("1 session is ended.")).to_be_visible()
    page.goto(f"/staff/{admin.pk}/")
    expect(page.get_by_role("heading", name="Logged in now")).to_be_visible()
    assert_accessible(page)
