"""Real Chromium, Debian's own: a desk's screen, a telephone's, and axe's eye on what they show."""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, Error, Page, Request, Response, expect

from tests.factories import AT, PASSWORD, UserFactory
from tests.signing_in import code_now, give_app

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
WCAG_22_AA = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ALONE = ["--disable-background-networking", "--disable-component-update"]
WITHOUT_SCRIPTS = {"java_script_enabled": False}
OF_THE_BROWSER = ("data:", "blob:", "about:")
PARTS_OF_A_PAGE = ("script", "stylesheet", "image", "font", "fetch", "xhr")
SMALL = """
  [...document.querySelectorAll('button, .btn, input:not([type=hidden]):not([type=radio]), .field fieldset label')]
    .filter(e => e.checkVisibility() && !e.closest('.not-for-people') && e.getBoundingClientRect().height < 44)
    .map(e => e.outerHTML)
"""

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """The browser that is installed. Without one the journeys skip; under MESO_REQUIRE_ALL its absence is a failure."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        (pytest.fail if os.environ.get("MESO_REQUIRE_ALL") else pytest.skip)("there is no Chromium here")
    return {**browser_type_launch_args, "executable_path": found, "args": [*QUIET, *ALONE]}


@pytest.fixture
def addresses() -> list[str]:
    """Every address that the pages of this test have asked for, from the first on."""
    return []


@pytest.fixture
def opened(browser: Browser, live_server, addresses: list[str]) -> Iterator[Callable[..., Page]]:
    """`opened(PHONE, role="physician")` is a page of that size, of somebody of that role logged in, or of a stranger.

    What the browser complains of (a script or style that the policy forbids, an error in a script) fails the test; so does
    whatever is fetched from another host, and a part of a page that is not there.
    """
    contexts, complaints = [], []

    def hear(message) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def note(request: Request) -> None:
        addresses.append(request.url)
        if not request.url.startswith((f"{live_server.url}/", *OF_THE_BROWSER)):
            complaints.append(f"{request.url} is on another host")

    def check(response: Response) -> None:
        if response.status >= 400 and response.status != 401 and response.request.resource_type in PARTS_OF_A_PAGE:
            complaints.append(f"{response.url} answers {response.status}")

    def open_page(size: dict, role: str = "", user=None, **options) -> Page:
        context = browser.new_context(viewport=size, base_url=live_server.url, **options)
        contexts.append(context)
        context.on("request", note)
        context.on("response", check)
        if role or user:
            context.add_cookies([_session_of(user or UserFactory(role=role), live_server.url)])
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _session_of(user, url: str) -> dict:
    """The cookie of somebody who has logged in."""
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value, "url": url}


def log_in(page: Page, user) -> None:
    """Fill in the login's page, as it stands, and send it; then the code of the authenticator app."""
    give_app(user)
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code").fill(code_now())
    page.get_by_role("button", name="Log in", exact=True).click()


@pytest.fixture
def nov_24() -> Iterator[None]:
    """The office's clock stands at ten in the morning of Tuesday, November 24, 2026, and goes on from there."""
    with time_machine.travel(AT):
        yield


@pytest.fixture
def desk(opened) -> Callable[..., Page]:
    """`desk("front_desk")` is a page on the screen of an office desk."""
    return lambda role="", **options: opened(DESK, role, **options)


@pytest.fixture
def phone(opened) -> Callable[..., Page]:
    """`phone()` is a page on a telephone."""
    return lambda role="", **options: opened(PHONE, role, **options)


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """`assert_accessible(page)`: axe finds no violation, and nothing sticks out at the side."""

    def look(page: Page) -> None:
        page.wait_for_load_state()
        try:
            found = Axe().run(page, options=WCAG_22_AA)
        except Error:  # the click before led on to another page, which came while axe was reading this one
            page.wait_for_load_state()
            found = Axe().run(page, options=WCAG_22_AA)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} is wider than its window"

    return look


@pytest.fixture
def seen(opened, assert_accessible) -> Callable[[Page], None]:
    """`seen(page)`: axe finds nothing, nothing sticks out at the side, and every target is large enough for a thumb.

    axe can't run in a page without scripts, so the same HTML is drawn again, with the same styles, in one that has them.
    """
    twins: list[Page] = []

    def look(page: Page) -> None:
        page.wait_for_load_state()
        if not twins:
            twins.append(opened(page.viewport_size))
            twins[0].goto("/healthz/")
        twins[0].set_content(re.sub(r"<script\b.*?</script>", "", page.content(), flags=re.S), wait_until="load")
        assert_accessible(twins[0])
        assert twins[0].evaluate(SMALL) == []

    return look
