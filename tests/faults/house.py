"""An office of its own for a fault: a database, the production server before it, and the ways to break both."""

import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = os.environ.get("FAULTS_POSTGRES", "postgres://postgres@127.0.0.1:5432")
TOOLS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/nowhere"))


class FaultError(Exception):
    """Something that must hold did not; the text says what."""


class CannotBeTriedError(Exception):
    """This fault can't be brought about here; the text says why."""


def need(condition: object, words: str) -> None:
    """Raise FaultError with these words unless the condition holds."""
    if not condition:
        raise FaultError(words)


def until(holds: Callable[[], object], seconds: float, words: str, step: float = 0.02) -> float:
    """Wait until it holds. Returns the seconds that it took. Raises FaultError when it does not come to hold."""
    begun = time.monotonic()
    while not holds():
        need(time.monotonic() - begun < seconds, words)
        time.sleep(step)
    return time.monotonic() - begun


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@dataclass
class House:
    """One office on one database. Its server can be started, killed and asked; its people have logged in."""

    folder: Path
    address: str
    more: dict[str, str] = field(default_factory=dict)  # of its environment
    port: int = field(default_factory=free_port)
    server: int = 0  # pid of the running server, which leads a process group; 0 for none

    @cached_property
    def env(self) -> dict[str, str]:
        """The environment of every process of this office: production's settings, but plain HTTP on this machine."""
        keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        return keep | {
            "MESO_ENV": "production",
            "MESO_DATA": str(self.folder),
            "DATABASE_URL": self.address,
            "DJANGO_SETTINGS_MODULE": "meso.settings",
            "SECRET_KEY": secrets.token_urlsafe(64),
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECURE_SSL_REDIRECT": "false",
            "LOG_STREAM": "stderr",
            **self.more,
        }

    @cached_property
    def nursery(self) -> subprocess.Popen:
        """The process that holds the code (tests/faults/nursery.py)."""
        with (self.folder / "nursery.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.faults.nursery"],
                cwd=ROOT,
                env=self.env,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def _order(self, do: str, **facts: Any) -> Any:
        self.nursery.stdin.write(json.dumps({"do": do, **facts}) + "\n")
        self.nursery.stdin.flush()
        line = self.nursery.stdout.readline()
        need(line, f"the nursery is gone: {(self.folder / 'nursery.log').read_text()[-800:]}")
        answer = json.loads(line)
        need("answer" in answer, f"{facts.get('name', do)} failed: {answer.get('failed')}")
        return answer["answer"]

    def act(self, name: str, **facts: Any) -> Any:
        """What that function of tests/faults/inside.py answers within this office. Raises FaultError where it fails."""
        return self._order("act", name=name, facts=facts)

    def manage(self, *words: str) -> str:
        """Run a command of manage.py. Returns its stdout. Raises FaultError where it fails."""
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=600, check=False)
        need(done.returncode == 0, f"{words[0]} failed: {' '.join(done.stderr.split()[-60:])}")
        return done.stdout.strip()

    def prepare(self) -> None:
        """Everything that is made once, before the first start."""
        self.manage("make_master_key")
        self.manage("migrate", "-v0")

    def start(self, *, shift: float = 0, wait: bool = True) -> None:
        """Start the server, its clock set by so many seconds; `wait` until it answers."""
        self.server = self._order("serve", port=self.port, log=str(self.folder / "server.log"), shift=shift)
        if wait:
            until(lambda: self.asked("/healthz/") == 200, 60, "the server did not answer")

    def asked(self, path: str) -> int:
        """The status of a page without a login, or 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, OSError, HTTPException):
            return 0

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server and all its workers."""
        if self.server:
            os.killpg(self.server, how)
            self._order("bury", pid=self.server)
            self.server = 0

    def is_writing(self) -> bool:
        """Whether a transaction that writes is open in this office's database at this instant."""
        if self.address.startswith("sqlite"):
            with closing(sqlite3.connect(self.address.removeprefix("sqlite:///"), timeout=0, isolation_level=None)) as probe:
                try:
                    probe.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:  # locked: somebody writes
                    return True
                return False
        writes = "backend_xid IS NOT NULL AND backend_type = 'client backend'"
        asks = f"SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND {writes}"
        return bool(self._probe.execute(asks, [urlsplit(self.address).path[1:]]).fetchone()[0])

    @cached_property
    def _probe(self) -> psycopg.Connection:
        return psycopg.connect(self.address.rpartition("/")[0] + "/postgres", autocommit=True)

    def close(self) -> None:
        """End what this office has running."""
        if self.server:
            os.killpg(self.server, signal.SIGKILL)
        if "nursery" in self.__dict__:
            self.nursery.kill()
            self.nursery.communicate()
        if "_probe" in self.__dict__:
            self._probe.close()


@contextmanager
def a_database(kind: str, folder: Path, server: str, like: House | None) -> Iterator[str]:
    """The address of a database of that kind, gone afterwards: empty, or as that office's."""
    if kind == "sqlite":
        if like:
            shutil.copy(like.folder / "meso.sqlite3", folder)
        yield f"sqlite:///{folder}/meso.sqlite3"
        return
    name = f"meso_faults_{secrets.token_hex(4)}"
    maintenance(server, f"CREATE DATABASE {name}" + (f" TEMPLATE {urlsplit(like.address).path[1:]}" if like else ""))
    try:
        yield f"{server}/{name}"
    finally:
        maintenance(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def an_office(
    kind: str, *, disk: Path | None = None, server: str = SERVER, more: dict[str, str] | None = None, empty: bool = False
) -> Iterator[House]:
    """An office on a fresh database, gone afterwards. `disk` is where SQLite's file lies, `server` PostgreSQL's, if elsewhere.

    An `empty` one has no tables and no keys yet.
    """
    like = pattern(kind) if not empty and (kind == "sqlite" or server == SERVER) else None
    with tempfile.TemporaryDirectory(prefix="meso-faults-") as own, a_database(kind, disk or Path(own), server, like) as address:
        house = House(Path(own), address, more or {})
        try:
            if like:
                shutil.copy(like.folder / "master.key", own)
            elif not empty:
                house.prepare()
            yield house
        finally:
            house.close()


KEPT = ExitStack()  # what lasts for the whole run; whoever runs it closes it


@cache
def pattern(kind: str) -> House:
    """An office of which others are copies: to make all tables takes half a minute."""
    house = KEPT.enter_context(an_office(kind, empty=True))
    house.prepare()
    return house


def maintenance(server: str, statement: str) -> None:
    """One statement on the server itself."""
    user = urlsplit(server).username or "postgres"
    with psycopg.connect(f"{server}/postgres", user=user, autocommit=True) as connection:
        connection.execute(statement.encode())


# --- places that can be filled or taken away --------------------------------------------------------------------------


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A folder on a file system of that size. Raises CannotBeTriedError where none can be mounted."""
    with tempfile.TemporaryDirectory(prefix="meso-small-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:
            raise CannotBeTriedError("a small disk can't be mounted here: that needs root")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@dataclass
class Cluster:
    """A PostgreSQL of our own, which can be stopped without warning and started again."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Its address."""
        return f"postgres://postgres@127.0.0.1:{self.port}"

    def run(self, program: str, *words: str, check: bool = True) -> int:
        """One of its programs, as the user that it belongs to."""
        as_whom = {"user": "postgres"} if os.geteuid() == 0 else {}
        command = [str(TOOLS / program), "-D", str(self.folder / "cluster"), *words]
        return subprocess.run(
            command, check=check, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_whom
        ).returncode

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c max_wal_size=32MB"
        self.run("pg_ctl", "-w", "-o", options, "-l", str(self.folder / "cluster.log"), "start")

    def stop(self) -> None:
        """Stop it as a crash would: no session ends well, nothing is written out."""
        self.run("pg_ctl", "-w", "-m", "immediate", "stop", check=False)

    def is_running(self) -> bool:
        """Whether its server lives."""
        return self.run("pg_ctl", "status", check=False) == 0


@contextmanager
def own_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster in that folder, stopped afterwards. Raises CannotBeTriedError where PostgreSQL's programs are not installed."""
    if not (TOOLS / "initdb").exists():
        raise CannotBeTriedError("PostgreSQL's own programs are not installed here")
    cluster, data = Cluster(folder), folder / "cluster"
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        for place in (folder, data):
            os.chown(place, owner.pw_uid, owner.pw_gid)
    cluster.run("initdb", "--auth=trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--wal-segsize=4")
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@contextmanager
def an_office_elsewhere(kind: str, megabytes: int = 0, **facts: Any) -> Iterator[tuple[House, Path, Cluster | None]]:
    """An office whose database lies in a folder of its own, or on a disk of so many megabytes: the office, folder, cluster."""
    with ExitStack() as stack:
        place = small_disk(megabytes) if megabytes else tempfile.TemporaryDirectory(prefix="meso-place-")
        folder = Path(stack.enter_context(place)) / "database"
        folder.mkdir()
        if kind == "sqlite":
            yield stack.enter_context(an_office(kind, disk=folder, **facts)), folder, None
        else:
            folder.parent.chmod(0o755)
            cluster = stack.enter_context(own_cluster(folder))
            yield stack.enter_context(an_office(kind, server=cluster.url, **facts)), folder, cluster
