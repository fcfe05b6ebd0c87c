"""`python -m scripts.site_scan [LOGIN...]`: wapiti and sqlmap against a served invented office and the weak views, as everybody.

Both come out of an environment of their own, .venv-scan (docs/scan.md). What they report is compared
with docs/scan.md: a finding that is not explained there fails the run, and so does a weak view that no scanner saw.
"""

import http.client
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meso.settings")

import django
from playwright.sync_api import sync_playwright

from scripts import shots

django.setup()

from requests_app.demo import people  # noqa: E402  (these read the models)
from tests.fuzz import forms  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".venv-scan" / "bin"
EXPLAINED = ROOT / "docs" / "scan.md"
SECONDS = int(os.environ.get("SCAN_SECONDS", "300"))  # for each half of wapiti's work, for each visitor
TRIES = 4  # wapiti gives up when its own database is locked, as happens on a busy machine
NEVER = ("/accounts/logout/", "/static/")  # a scanner that logs itself out sees nothing more
# The session with this key has shown its factor, and was at work, in twelve hours' time: it neither grows stale nor locks.
STAYS_OPEN = """
import django, sys; django.setup()
from meso.sessions import SessionStore
from tests.signing_in import stays_open
session = SessionStore(sys.argv[1])
stays_open(session)
session.save()
"""
AS_THEY_WERE = """
UPDATE meso_user SET (is_active, role, password, password_given_at) =
    (SELECT is_active, role, password, password_given_at FROM was_user WHERE was_user.id = meso_user.id)
WHERE EXISTS (SELECT 1 FROM was_user WHERE was_user.id = meso_user.id
    AND (was_user.is_active, was_user.role, was_user.password, was_user.password_given_at)
    IS NOT (meso_user.is_active, meso_user.role, meso_user.password, meso_user.password_given_at))
"""
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


@dataclass
class House:
    """An invented office of the scan's own, served as `demo` serves it, with a log of what was asked and answered."""

    folder: Path
    address: str = ""
    restored: int = 0  # how often what was sent had ended the visitor's login, and it was put back

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process of this office."""
        return os.environ | {"MESO_DATA": str(self.folder), "DATABASE_URL": "", "MESO_DEMO": "true"}

    @contextmanager
    def served(self) -> Iterator[None]:
        """The server at `address` on a free port."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        serve = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
        serve += ["--log-level", "critical", "--access-logfile", str(self.folder / "access.log")]
        serve += ["--access-logformat", "%(m)s %(s)s %(U)s", "meso.wsgi"]
        server = subprocess.Popen(serve, cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not shots.answers(self.address):
                if server.poll() is not None:
                    sys.exit("site_scan: the server did not start")
                time.sleep(0.5)
            yield
        finally:
            server.terminate()
            server.wait(90)

    @contextmanager
    def kept_open(self, cookies: str) -> Iterator[None]:
        """Meanwhile no limit is used up, the session neither locks nor grows stale, and what ends it is undone within a second.

        So nothing need be left out of the scan but the logout, and no finding is missed behind a page that says "wait".
        """
        key = re.search(r"sessionid=(\w+)", cookies)
        if key:
            subprocess.run([sys.executable, "-c", STAYS_OPEN, key[1]], cwd=ROOT, env=self.env, check=True)
        over, thread = threading.Event(), threading.Thread(target=lambda: self._keep(key[1] if key else "", over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(30)

    def _keep(self, key: str, over: threading.Event) -> None:
        base = sqlite3.connect(self.folder / "meso.sqlite3", timeout=30, isolation_level=None)
        base.execute("CREATE TEMP TABLE was_session AS SELECT * FROM meso_session WHERE session_key = ?", [key])
        base.execute("CREATE TEMP TABLE was_user AS SELECT * FROM meso_user")
        while not over.wait(1):
            base.execute("DELETE FROM meso_tally")
            self.restored += base.execute("INSERT OR IGNORE INTO meso_session SELECT * FROM was_session").rowcount
            self.restored += base.execute(AS_THEY_WERE).rowcount
        base.close()

    def asked(self) -> list[list[str]]:
        """(method, status, address) of every request so far."""
        return [line.split(" ", 2) for line in (self.folder / "access.log").read_text().splitlines() if line.count(" ") >= 2]


def invented_office(folder: Path) -> House:
    """The office that every visitor gets a copy of."""
    house = House(folder)
    subprocess.run([sys.executable, "manage.py", "demo", "--no-serve"], cwd=ROOT, env=house.env, check=True, capture_output=True)
    return house


def cookies_of(address: str, username: str, password: str) -> str:
    """Log in as one of the demo's staff, by both steps, in a browser. Returns the cookies as a header holds them."""
    found = next(filter(None, map(shutil.which, shots.CHROMIUM)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        shots.log_in(context.new_page(), address, username, password)
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())
        browser.close()
    return cookies


def wapiti(address: str, cookies: str, folder: Path, beginning: Sequence[str] = ()) -> tuple[Counter, int]:
    """What wapiti finds: (category, method, kind of page, parameter) and how often; and how many pages and forms it saw."""
    report = folder / "wapiti.json"
    command = [TOOLS / "wapiti", "-u", f"{address}/", "--scope", "folder", "-f", "json", "-o", report, "-v", "0"]
    command += ["--no-bugreport", "--flush-session", "--store-session", folder, "--max-scan-time", str(SECONDS)]
    command += ["--max-attack-time", str(SECONDS // 6), "--skip", "csrfmiddlewaretoken", "--tasks", "8"]
    command += ["-m", "all,-brute_login_form,-nikto,-buster,-wapp,-cms,-htp,-log4shell,-spring4shell,-ssl,-wp_enum,-takeover"]
    for path in beginning:
        command += ["-s", f"{address}{path}"]
    for path in NEVER:
        command += ["-x", f"{address}{path}*"]
    if cookies:
        command += ["-C", cookies]  # sent with every request, whatever an answer sets; --drop-set-cookie would drop these too
    for _ in range(TRIES):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS * 20)
        if report.exists():
            break
    else:
        sys.exit(f"site_scan: wapiti gave up: {done.stdout[-500:]}{done.stderr[-500:]}")
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


def a_strangers(address: str) -> str:
    """The cookie without which no form of the patients' pages is taken."""
    given = Http(address, "").get("/privacy/request/?step=fill&kind=access").headers.get_all("Set-Cookie", [])
    return "; ".join(one.partition(";")[0] for one in given)


def requests_of(address: str, cookies: str, found: list[forms.Form], done: set[tuple]) -> list[str]:
    """Every form as a request that sqlmap reads, filled as people fill it; each once, by the first who reaches it."""
    host, token = urlsplit(address).netloc, re.search(r"csrftoken=(\w+)", cookies)
    said = []
    for form in found:
        same = (form.method, kind_of(form.action), *sorted({one.name for one in form.fields}))
        if same in done:
            continue
        done.add(same)
        fields = [(name, value) for name, values in form.plain().items() if isinstance(values, list) for value in values]
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
    command = [TOOLS / "sqlmap", "-l", log, "--batch", "--dbms=sqlite", "--technique=BEU", "--flush-session"]
    command += [
        "--disable-coloring",
        "--skip=csrfmiddlewaretoken",
        "--ignore-code=*",
        "--threads=4",
        "--output-dir",
        str(folder / "sqlmap"),
    ]
    try:
        out = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS * 12).stdout
    except subprocess.TimeoutExpired as late:
        out = late.stdout.decode() if isinstance(late.stdout, bytes) else late.stdout or ""
        print("  sqlmap ran out of time", flush=True)
    return re.findall(r"Parameter: (.+ \(\w+\))", out), len(re.findall(r"testing for SQL injection on \w+ parameter", out))


def kind_of(path: str) -> str:
    """The name of the page behind an address, or the address where it is none of ours."""
    return shots.kind_of(urlsplit(path).path) or path


def explained() -> set[tuple[str, str]]:
    """(finding, page) of every row of docs/scan.md that belongs to wapiti or sqlmap; `*` stands for every page."""
    rows = [line.split("|") for line in EXPLAINED.read_text().splitlines() if line.startswith(("| wapiti", "| sqlmap"))]
    return {(row[2].strip(), row[3].strip(" `")) for row in rows}


@dataclass
class Visit:
    """What came of one visitor: findings, and what was reached while they were logged in."""

    username: str
    found: Counter
    injectable: list[str]
    said: str

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """(finding, page, in words) of each."""
        rows = [(row[0], row[2], f"{row[0]}, {row[1]} {row[2]} {row[3]} ({times})") for row, times in sorted(self.found.items())]
        return rows + [("SQL Injection", where, f"sqlmap calls {where} injectable") for where in self.injectable]


def visit(house: House, username: str, done: set[tuple]) -> Visit:
    """Scan as one of them."""
    with house.served(), tempfile.TemporaryDirectory(prefix="meso-scan-") as scratch:
        cookies = cookies_of(house.address, username, people.PASSWORD) if username else a_strangers(house.address)
        with house.kept_open(cookies):
            walked = forms.walk(Http(house.address, cookies), username)  # type: ignore[arg-type]
            pages, found = list(walked.pages.values()), list(walked.forms.values())
            before = len(house.asked())
            rows, crawled = wapiti(house.address, cookies, Path(scratch), pages)
            between = len(house.asked())
            injectable, tested = sqlmap(house.address, requests_of(house.address, cookies, found, done), Path(scratch))
        asked = house.asked()
        inside = Http(house.address, cookies).get("/").status_code == 200
        if username and not inside:
            rows["lost its login", "GET", "/", ""] += 1
    views = Counter(kind_of(path) for _, status, path in asked[before:] if status == "200")
    statuses = Counter(status for _, status, _ in asked[before:])
    said = f"walked {len(pages)} pages, {len(found)} forms; wapiti crawled {crawled}, sent {between - before}; sqlmap tested "
    said += f"{tested} parameters, sent {len(asked) - between}; {len(views)} views answered 200; login restored {house.restored} "
    said += f"times; answers {dict(statuses.most_common())}"
    return Visit(username, rows, injectable, said)


def weak_views() -> int:
    """Scan what is weak on purpose. Returns how many weaknesses were not seen."""
    with tempfile.TemporaryDirectory(prefix="meso-scan-") as scratch, weak_site() as address:
        rows, _pages = wapiti(address, "", Path(scratch))
        find = f"GET /weak/find/?q=10023 HTTP/1.1\nHost: {urlsplit(address).netloc}\n\n"
        injectable, _tested = sqlmap(address, [find], Path(scratch))
    seen = {category for category, *_ in rows} | ({"SQL Injection"} if injectable else set())
    print(f"weak views: {sorted(seen)}; sqlmap: {injectable}", flush=True)
    return len(WEAK - seen) + (not injectable)


def main(only: Sequence[str] = ()) -> int:
    """Scan as everybody (or those named), say what was found, and whether each finding is explained. Returns the exit code."""
    known, done, bad = explained(), set[tuple](), weak_views()
    unseen = set(known)
    with tempfile.TemporaryDirectory(prefix="meso-scan-") as folder:
        invented_office(Path(folder) / "made")
        for username in only or ["", *(row[0] for row in people.STAFF)]:
            house = House(Path(folder) / (username or "stranger"))
            shutil.copytree(Path(folder) / "made", house.folder)
            scanned = visit(house, username, done)
            print(f"{username or 'stranger'}: {scanned.said}", flush=True)
            for finding, page, words in scanned.rows:
                fine = (finding, page) in known or (finding, "*") in known
                bad += not fine
                unseen -= {(finding, page), (finding, "*")}
                print(f"  {'explained' if fine else 'NEW'}: {words}", flush=True)
    if not only and unseen:
        print(f"docs/scan.md explains what is not found: {sorted(unseen)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
