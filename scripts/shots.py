"""make shots: a screenshot of every kind of page, at 1280 and 390 px, of every role of the demo, into var/shots/.

Walks the links of an office that `manage.py demo` serves at the given address (http://127.0.0.1:8000 unless given), taking
each kind of page once for each role; where nothing answers there it serves an invented office of its own meanwhile.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meso.settings")

import django
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "shots"
WIDTHS = {1280: 900, 390: 844}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FIRST = ["/", "/patients/", "/requests/", "/disclosures/", "/audit/", "/office/", "/staff/", "/privacy/", "/nothing-here/"]


def answers(address: str) -> bool:
    """Whether Meso answers there."""
    try:
        return urllib.request.urlopen(f"{address}/healthz/", timeout=3).status == 200  # noqa: S310  (the address is the caller's)
    except (urllib.error.URLError, TimeoutError):
        return False


@contextmanager
def office(address: str) -> Iterator[str]:
    """The address of a served office: this one, or one of our own for the while."""
    if answers(address):
        yield address
        return
    with socket.socket() as free, tempfile.TemporaryDirectory(prefix="meso-shots-") as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        demo = [sys.executable, "manage.py", "demo", "--port", str(port)]
        server = subprocess.Popen(
            demo, cwd=ROOT, env=os.environ | {"MESO_DATA": folder, "DATABASE_URL": ""}, stdout=subprocess.DEVNULL
        )
        try:
            while not answers(f"http://127.0.0.1:{port}"):
                if server.poll() is not None:
                    sys.exit("shots: the demo did not start")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


def kind_of(path: str) -> str | None:
    """What kind of page an address leads to: its name in the URL tree. None for what is no page of ours."""
    try:
        return resolve(path).url_name or path
    except Resolver404:
        return "nothing" if path == "/nothing-here/" else None


def walk(page: Page, address: str, take) -> None:
    """Visit each kind of page that links lead to, once, and `take(kind, page)` it."""
    todo, seen = list(FIRST), set()
    while todo:
        path = todo.pop(0)
        kind = kind_of(urlsplit(path).path)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        try:
            response = page.goto(address + path)
        except Error:  # a download: there is nothing to look at
            continue
        if response and response.status != 403 and "text/html" in response.headers.get("content-type", ""):
            take(kind, page)
        todo += page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))")


def log_in(page: Page, address: str, username: str, password: str) -> None:
    """Log in as one of the demo's staff. Raises playwright's Error when that fails."""
    page.goto(f"{address}/accounts/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.click("main button[type=submit]")
    page.fill("[name=code]", page.inner_text("#invented-code"))
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/")


def shoot(browser: Browser, address: str, username: str, password: str) -> int:
    """All pages of one member of the staff (or of a stranger, ""). Returns how many pictures were taken."""
    context = browser.new_context()
    page = context.new_page()
    if username:
        log_in(page, address, username, password)
    taken = 0

    def take(kind: str, page: Page) -> None:
        nonlocal taken
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=FOLDER / str(width) / f"{username or 'patient'}-{kind}.png", full_page=True)
            taken += 1

    walk(page, address, take)
    context.close()
    return taken


def main(address: str = "http://127.0.0.1:8000") -> None:
    """Take them all and say how many."""
    import shutil

    django.setup()
    from requests_app.demo import people

    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not found:
        sys.exit("shots: there is no Chromium here")
    with office(address.rstrip("/")) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for username in ["", *(row[0] for row in people.STAFF)]:
            print(f"{username or 'patient'}: {shoot(browser, served, username, people.PASSWORD)} pictures", flush=True)
        browser.close()
    print(f"They are in {FOLDER}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
