"""An office of its own for a fault: a database, the production server before it, people who write, and a look at what is left."""

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.drive import Visitor

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = os.environ.get("FAULTS_POSTGRES", "postgres://postgres@127.0.0.1:5432")
PORT = 8181
WRITERS = 4
MAKE_PEOPLE = """
import django; django.setup()
from types import SimpleNamespace
from allauth.account.internal.flows.login import record_authentication
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from tests.factories import PatientFactory, UserFactory
PatientFactory(chart_number="10023")
for number in range({people}):
    user = UserFactory(role="physician", username=f"writer{{number}}")
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    record_authentication(SimpleNamespace(session=session), user, "mfa", type="totp")
    session.create()
    print(session.session_key)
"""
LEFT = """
import django, json; django.setup()
from meso import seals
from meso.models import AccessEvent
from records.models import Entry
report = seals.verify()
print(json.dumps({"titles": [entry.title for entry in Entry.objects.order_by("pk")], "links": report.links,
    "breaks": [str(broken) for broken in report.breaks],
    "events": AccessEvent.objects.filter(action="create", subject__startswith="entry ").count()}))
"""


class FaultError(Exception):
    """Something that must hold did not; the text says what."""


def need(condition: object, words: str) -> None:
    """Raise FaultError with these words unless the condition holds."""
    if not condition:
        raise FaultError(words)


@dataclass
class House:
    """One office on one database. Its server can be started, killed and asked; `sessions` are its people's cookies."""

    folder: Path
    address: str
    sessions: list[str] = field(default_factory=list)
    server: subprocess.Popen | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process of this office."""
        return os.environ | {
            "MESO_DATA": str(self.folder),
            "DATABASE_URL": self.address,
            "MESO_ENV": "local",
            "ALLOWED_HOSTS": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "meso.settings",
            "CONN_MAX_AGE": "60",
        }

    def python(self, *words: str, check: bool = True, **env: str) -> subprocess.CompletedProcess:
        """Run Python in this office. Raises FaultError where it fails and must not."""
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self.env | env, capture_output=True, text=True, timeout=600, check=False
        )
        need(done.returncode == 0 or not check, f"{words[0]} {words[1][:30]!r} failed: {' '.join(done.stderr.split()[-40:])}")
        return done

    def open(self, people: int) -> None:
        """Migrate, and let so many physicians log in. Chart 10023 is there."""
        self.python("manage.py", "migrate", "-v0")
        self.python("manage.py", "collectstatic", "--noinput", "-v0")
        self.sessions = self.python("-c", MAKE_PEOPLE.format(people=people)).stdout.split()

    def start(self) -> None:
        """Start the server in a process group of its own and wait until it answers."""
        command = ["-m", "gunicorn", "--bind", f"127.0.0.1:{PORT}", "--workers", "2", "--threads", "4", "meso.wsgi"]
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, *command, "--log-level", "error"],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self.asked("/healthz/") == 200:
                return
            time.sleep(0.05)
        raise FaultError(f"the server did not answer: {(self.folder / 'server.log').read_text()[-600:]}")

    def asked(self, path: str) -> int:
        """The status of a page without a login, or 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, OSError, HTTPException):
            return 0

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server and all its workers."""
        if self.server:
            os.killpg(self.server.pid, how)
            self.server.wait(30)
            self.server = None

    def left(self) -> dict:
        """What is in the database now: titles, seals and their breaks, and the events of entries written."""
        import json

        return json.loads(self.python("-c", LEFT).stdout)


class Writer(threading.Thread):
    """A physician who writes one entry after the other. `sent` holds every title tried, `told` those the server said it has."""

    def __init__(self, session: str, name: str):
        super().__init__(daemon=True)
        self.session, self.label = session, name
        self.sent: list[str] = []
        self.told: list[str] = []
        self.answers: dict[int, int] = {}
        self.over = threading.Event()

    def run(self) -> None:
        path, number = "/patients/10023/entries/new/", 0
        visitor = Visitor("127.0.0.1", PORT, {"sessionid": self.session})
        while not self.over.is_set():
            number += 1
            title = f"{self.label} {number} {secrets.token_hex(3)}"
            try:
                _status, page = visitor.ask(path)
                token = re.search(r'name="token"[^>]*value="([^"]+)"', page.decode())
                if not token:
                    raise OSError("no form")
                fields = {"kind": "visit_note", "service_on": "2026-11-02", "title": title, "body": "Text", "token": token[1]}
                self.sent.append(title)
                status, _page = visitor.ask(path, fields)
                self.answers[status] = self.answers.get(status, 0) + 1
                if status == 302:
                    self.told.append(title)
            except (OSError, HTTPException):
                visitor = Visitor("127.0.0.1", PORT, {"sessionid": self.session})
                self.over.wait(0.05)


@contextmanager
def writing(house: House, people: int = WRITERS, label: str = "w") -> Iterator[list[Writer]]:
    """So many physicians at work for as long as the block runs."""
    writers = [Writer(house.sessions[number], f"{label}{number}") for number in range(people)]
    for writer in writers:
        writer.start()
    try:
        yield writers
    finally:
        for writer in writers:
            writer.over.set()
        for writer in writers:
            writer.join(30)


def check_nothing_is_lost(house: House, writers: list[Writer]) -> dict:
    """Every acknowledged entry is there once, sealed, with its event; nothing is there that nobody sent. Raises FaultError."""
    found = house.left()
    titles, told = found["titles"], [title for writer in writers for title in writer.told]
    sent = {title for writer in writers for title in writer.sent}
    need(not found["breaks"], f"seals do not hold: {found['breaks'][:3]}")
    lost = set(told) - set(titles)
    need(not lost, f"{len(lost)} acknowledged entries are gone: {sorted(lost)[:3]}")
    need(len(titles) == len(set(titles)), "an entry was written twice")
    need(set(titles) <= sent, "there are entries that nobody sent")
    need(found["links"] >= len(titles), "an entry has no seal")
    need(found["events"] == len(titles), f"{len(titles)} entries and {found['events']} events of the audit: half a write")
    return {"acknowledged": len(told), "stored": len(titles)}


@contextmanager
def an_office(kind: str, people: int = WRITERS, disk: Path | None = None, server: str = SERVER) -> Iterator[House]:
    """An office on a fresh database of that kind, gone afterwards. `disk` is where SQLite's file lies, if not beside the rest."""
    with tempfile.TemporaryDirectory(prefix="meso-faults-") as own:
        name = f"meso_faults_{secrets.token_hex(4)}"
        house = House(Path(own), f"sqlite:///{disk or own}/meso.sqlite3" if kind == "sqlite" else f"{server}/{name}")
        if kind != "sqlite":
            maintenance(server, f"CREATE DATABASE {name}")
        try:
            house.open(people)
            yield house
        finally:
            house.stop(signal.SIGKILL)
            if kind != "sqlite":
                maintenance(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def maintenance(server: str, statement: str) -> None:
    """One statement on the server itself."""
    user = urlsplit(server).username or "postgres"
    with psycopg.connect(f"{server}/postgres", user=user, autocommit=True) as connection:
        connection.execute(statement.encode())
