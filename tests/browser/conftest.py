"""Real Chromium, Debian's own: a desk's screen, a telephone's, and axe's eye on what they show."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, Page

from tests.factories import UserFactory

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
WCAG_22_AA = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"]}
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
ALONE = ["--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """The browser that is installed. Without one the journeys skip; under MESO_REQUIRE_ALL its absence is a failure."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        (pytest.fail if os.environ.get("MESO_REQUIRE_ALL") else pytest.skip)("there is no Chromium here")
    return {**browser_type_launch_args, "executable_path": found, "args": [*QUIET, *ALONE]}


@pytest.fixture
def opened(browser: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """`opened(PHONE, role="physician")` is a page of that size, of somebody of that role logged in, or of a stranger.

    What the browser complains of (a script or style that the policy forbids, an error in a script) fails the test.
    """
    contexts, complaints = [], []

    def hear(message) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def open_page(size: dict, role: str = "", user=None, **options) -> Page:
        context = browser.new_context(viewport=size, base_url=live_server.url, **options)
        contexts.append(context)
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
        found = Axe().run(page, options=WCAG_22_AA)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{page.url} is wider than its window"

    return look
