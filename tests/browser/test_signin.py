"""The second factor in a real browser: an app set up in the first login, passkeys made and used, all without inline script."""

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from meso import signin
from meso.models import User
from tests.browser.conftest import DESK, PHONE, WITHOUT_SCRIPTS
from tests.factories import PASSWORD, UserFactory
from tests.signing_in import give_app

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def type_password(page: Page, user: User) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


WAYS = [(DESK, {}), (PHONE, {}), (DESK, WITHOUT_SCRIPTS)]


@pytest.mark.parametrize(("size", "options"), WAYS, ids=["desk", "phone", "without scripts"])
def test_a_first_login_sets_up_an_app_and_shows_the_recovery_codes(opened, assert_accessible, size, options):
    user = UserFactory(role="front_desk")
    page = opened(size, **options)
    seen = assert_accessible if not options else Page.wait_for_load_state
    type_password(page, user)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your sign-in")
    seen(page)
    page.get_by_role("link", name="Set up an authenticator app").click()
    seen(page)
    secret = page.locator("code.key").inner_text()
    page.get_by_label("Code that the app shows now").fill("000000")
    page.get_by_role("button", name="Add this app").click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    seen(page)
    expect(page.locator("code.key")).to_have_text(secret)
    code = signin.code_at(secret, list(signin.totp.yield_hotp_counters_from_time())[1])
    page.get_by_label("Code that the app shows now").fill(code)
    page.get_by_role("button", name="Add this app").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    seen(page)
    page.get_by_role("link", name="I have them: go on to today").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_passkey_is_made_used_and_removed(opened, assert_accessible, size):
    user = UserFactory(role="front_desk")
    page = opened(size)
    tool = page.context.new_cdp_session(page)
    tool.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    tool.send("WebAuthn.addVirtualAuthenticator", {"options": key})

    type_password(page, user)
    page.get_by_role("link", name="Add a passkey").click()
    assert_accessible(page)
    page.get_by_label("Name of the passkey").fill("Key ring")
    page.get_by_role("button", name="Add this passkey").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I have them: go on to today").click()
    page.get_by_role("button", name="Log out").click()

    type_password(page, user)
    assert_accessible(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Today")
    give_app(user)
    page.goto("/accounts/")
    assert_accessible(page)
    page.get_by_role("link", name="Remove Key ring").click()
    page.get_by_role("button", name="Remove this passkey").click()
    expect(page.get_by_text("Your passkey is removed.")).to_be_visible()
    assert set(Authenticator.objects.filter(user=user).values_list("type", flat=True)) == {"recovery_codes", "totp"}
