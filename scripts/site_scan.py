"""`python -m scripts.site_scan`: wapiti and sqlmap against a served invented office and the weak views, as everybody.

Both come out of an environment of their own, .venv-scan (docs/scan.md). What they report is compared
with docs/scan.md: a finding that is not explained there fails the run, and so does a weak view that no scanner saw.
"""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meso.settings")

import django
from playwright.sync_api import sync_playwright

from scripts import shots

django.setup()

from tests.fuzz import forms  # noqa: E402  (reads the models)

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".venv-scan" / "bin"
EXPLAINED = ROOT / "docs" / "scan.md"
SECONDS = int(os.environ.get("SCAN_SECONDS", "300"))  # for each half of wapiti's work, for each visitor
NEVER = ("/accounts/logout/", "/static/")  # a scanner that logs itself out sees nothing more
WEAK = {"Reflected Cross Site Scripting", "SQL Injection", "Open Redirect", "Internal Server Error"}


@contextmanager
def weak_site() -> Iterator[str]:
    """The address of the weak views, served on their own."""
    with socket.socket() as free, tempfile.TemporaryDirectory(prefix="meso-weak-") as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        env = os.environ | {"MESO_DATA": folder, "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "tests.fuzz.weak_settings"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
        chart = "import django; django.setup(); from records.models import Patient; "
        chart += "Patient.objects.create(chart_number='10023', first_name='Ann', last_name='Lee', date_of_birth='1980-02-03')"
        subprocess.run([sys.executable, "-c", chart], cwd=ROOT, env=env, check=True)
        serve = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "critical"]
        server = subprocess.Popen([*serve, "meso.wsgi"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 30
            while not listens(port) and time.monotonic() < until:
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cookies_of(address: str, username: str, password: str) -> str:
    """Log in as one of the demo's staff, in a browser. Returns the cookies as a header holds them."""
    found = next(filter(None, map(shutil.which, shots.CHROMIUM)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        shots.log_in(context.new_page(), address, username, password)
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())
        browser.close()
    return cookies


def wapiti(address: str, cookies: str, folder: Path) -> tuple[Counter, int]:
    """What wapiti finds: (category, method, kind of page, parameter) and how often; and how many pages and forms it saw."""
    report = folder / "wapiti.json"
    command = [
        TOOLS / "wapiti",
        "-u",
        f"{address}/",
        "--scope",
        "folder",
        "-f",
        "json",
        "-o",
        report,
        "-v",
        "0",
        "--no-bugreport",
    ]
    command += [
        "--flush-session",
        "--store-session",
        folder,
        "--max-scan-time",
        str(SECONDS),
        "--max-attack-time",
        str(SECONDS // 6),
    ]
    command += ["-m", "all,-brute_login_form,-nikto,-buster,-wapp,-cms,-htp,-log4shell,-spring4shell,-ssl,-wp_enum,-takeover"]
    for path in NEVER:
        command += ["-x", f"{address}{path}*"]
    if cookies:
        command += ["-C", cookies, "--drop-set-cookie"]
    subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=SECONDS * 20)
    found = json.loads(report.read_text())
    rows: Counter = Counter()
    for group in ("vulnerabilities", "anomalies"):
        for category, hits in found[group].items():
            for hit in hits:
                rows[category, hit["method"], kind_of(hit["path"]), hit["parameter"] or ""] += 1
    return rows, found["infos"]["crawled_pages_nbr"]


class Http:
    """Pages over HTTP in the shape that the walk of the fuzz knows."""

    def __init__(self, address: str, cookies: str):
        self.address, self.cookies = address, cookies

    def get(self, path: str) -> SimpleNamespace:
        """One page; redirects are not followed."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=30)
        connection.request("GET", path, headers={"Cookie": self.cookies})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return SimpleNamespace(status_code=answer.status, headers=answer.headers, text=text)


def requests_of(address: str, cookies: str, role: str, done: set[tuple]) -> list[str]:
    """Every form as a request that sqlmap reads, filled as people fill it; each once, by the first who reaches it."""
    host, token = urlsplit(address).netloc, re.search(r"csrftoken=(\w+)", cookies)
    said = []
    for form in forms.walk(Http(address, cookies), role)[1]:  # type: ignore[arg-type]
        same = (form.method, kind_of(form.action), *sorted({one.name for one in form.fields}))
        if same in done:
            continue
        done.add(same)
        fields = [(name, value) for name, values in form.plain().items() for value in values]
        query = urlencode(fields + ([("csrfmiddlewaretoken", token[1])] if token else []))
        head = f"Host: {host}\nCookie: {cookies}\nReferer: {address}{form.page}\n"
        if form.method == "post":
            type_of_body = "Content-Type: application/x-www-form-urlencoded\n"
            said.append(f"POST {form.action} HTTP/1.1\n{head}{type_of_body}Content-Length: {len(query)}\n\n{query}")
        elif fields:
            said.append(f"GET {form.action.partition('?')[0]}?{query} HTTP/1.1\n{head}\n")
    return said


def sqlmap(address: str, said: list[str], folder: Path) -> tuple[list[str], int]:
    """What sqlmap calls injectable in these requests, and how many parameters it tested."""
    rule, log = "=" * 54, folder / "requests.log"
    log.write_text("".join(f"{rule}\n12:00:00  {address}  [127.0.0.1]\n{rule}\n{request}\n{rule}\n\n" for request in said))
    command = [TOOLS / "sqlmap", "-l", log, "--batch", "--technique=BEU", "--flush-session", "--disable-coloring"]
    command += ["--skip=csrfmiddlewaretoken", "--ignore-code=*", "--output-dir", folder / "sqlmap"]
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS * 12).stdout
    except subprocess.TimeoutExpired as late:
        out = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        print("  sqlmap ran out of time", flush=True)
    return re.findall(r"Parameter: (.+ \(\w+\))", out), len(
        re.findall(r"testing if |heuristic \(basic\) test shows|parameter .* does not", out)
    )


def kind_of(path: str) -> str:
    """The name of the page behind an address, or the address where it is none of ours."""
    return shots.kind_of(urlsplit(path).path) or path


def explained() -> set[tuple[str, str]]:
    """(finding, page) of every row of docs/scan.md that belongs to wapiti or sqlmap; `*` stands for every page."""
    rows = [line.split("|") for line in EXPLAINED.read_text().splitlines() if line.startswith(("| wapiti", "| sqlmap"))]
    return {(row[2].strip(), row[3].strip(" `")) for row in rows}


def main() -> int:
    """Scan as everybody, say what was found, and whether each finding is explained. Returns the exit code."""
    from requests_app.demo import people

    known, bad, done = explained(), 0, set[tuple]()
    with tempfile.TemporaryDirectory(prefix="meso-scan-") as scratch, weak_site() as address:
        rows, _pages = wapiti(address, "", Path(scratch))
        injectable, _tested = sqlmap(
            address, [f"GET /weak/find/?q=10023 HTTP/1.1\nHost: {urlsplit(address).netloc}\n\n"], Path(scratch)
        )
        seen = {category for category, *_ in rows} | ({"SQL Injection"} if injectable else set())
        print(f"weak views: {sorted(seen)}; sqlmap: {injectable}", flush=True)
        bad += len(WEAK - seen) + (not injectable)
    with shots.office(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:1") as address:
        for username in ["", *(row[0] for row in people.STAFF)]:
            with tempfile.TemporaryDirectory(prefix="meso-scan-") as scratch:
                cookies = cookies_of(address, username, people.PASSWORD) if username else ""
                rows, pages = wapiti(address, cookies, Path(scratch))
                injectable, tested = sqlmap(address, requests_of(address, cookies, username, done), Path(scratch))
            print(f"{username or 'stranger'}: wapiti {pages} pages, sqlmap {tested} parameters", flush=True)
            for (category, method, page, parameter), times in sorted(rows.items()):
                fine = (category, page) in known or (category, "*") in known
                bad += not fine
                print(f"  {'explained' if fine else 'NEW'}: {category}, {method} {page} {parameter} ({times})", flush=True)
            for parameter in injectable:
                bad += 1
                print(f"  NEW: sqlmap calls {parameter} injectable", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
