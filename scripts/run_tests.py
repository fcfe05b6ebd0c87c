"""make test: the whole suite on SQLite, then on PostgreSQL where one answers or can be started. The last lines say what ran.

A PostgreSQL that answers at MESO_TEST_PG (postgres://postgres@127.0.0.1:5432/ unless set) is used; otherwise, where its
programs are installed, a cluster is made for the run and thrown away. MESO_REQUIRE_ALL=1 makes whatever did not run a failure.
Arguments are handed on to pytest.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_ALL = os.environ.get("MESO_REQUIRE_ALL") == "1"
SERVER = os.environ.get("MESO_TEST_PG", "postgres://postgres@127.0.0.1:5432/")
FORGETFUL = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
DATABASE = f"meso_{os.getpid()}"  # two runs at once do not meet
OF_A_DEPLOYMENT = (
    "DATABASE_URL",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "EMAIL_URL",
    "TIME_ZONE",
    "CSRF_TRUSTED_ORIGINS",
    "BEHIND_PROXY",
)


@dataclass(frozen=True)
class Outcome:
    """What one run of the suite came to: counts, and why tests were skipped."""

    good: bool
    tests: int
    failed: int
    skipped: list[str]
    browser: int
    seconds: float

    def in_words(self) -> str:
        """`512 passed in 80 s`, with failures and skips where there are any."""
        words = f"{self.tests - self.failed - len(self.skipped)} passed"
        words += f", {self.failed} failed" if self.failed else ""
        words += f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"{words} in {self.seconds:.0f} s" + ("" if self.good or self.failed else " (the run itself failed)")


def run(database_url: str | None, folder: Path, arguments: list[str]) -> Outcome:
    """The whole suite on one database, on every core."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in OF_A_DEPLOYMENT}
    environment |= {"MESO_ENV": "local", "DEBUG": "false", "MESO_DATA": str(folder / "data")}
    if database_url:
        environment |= {"DATABASE_URL": database_url, "MESO_TEST_ROLE": "1"}  # with the rights of the web server's role
    cores = len(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(cores), f"--junit-xml={report}", *arguments]
    began = time.monotonic()
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    return _outcome(status, report, time.monotonic() - began)


def _outcome(status: int, report: Path, seconds: float) -> Outcome:
    cases = list(ET.parse(report).iter("testcase")) if report.exists() else []  # noqa: S314  (pytest wrote it)
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [found.get("message", "") for case in cases if (found := case.find("skipped")) is not None]
    browser = [case for case in cases if "tests.browser" in case.get("classname", "") and case.find("skipped") is None]
    return Outcome(status == 0, len(cases), len(failed), skipped, len(browser), seconds)


def answers(url: str) -> bool:
    """Whether a PostgreSQL server answers there."""
    try:
        psycopg.connect(url.rstrip("/") + "/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def postgresql(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """The address of a server for the run, or "" where there is none. A throwaway one waits for the disk only when `durable`."""
    programs = _programs()
    if answers(SERVER):
        try:
            yield SERVER.rstrip("/")
        finally:
            _drop_test_databases()
    elif programs:
        with _throwaway(programs, folder, "" if durable else FORGETFUL) as url:
            yield url
    else:
        yield ""


def _drop_test_databases() -> None:
    """What an interrupted run would leave on a server that is not ours."""
    with psycopg.connect(SERVER.rstrip("/") + "/postgres", autocommit=True) as server:
        for (name,) in server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"test_{DATABASE}%"]):
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def _programs() -> Path | None:
    """Where initdb and pg_ctl are, the newest where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def _throwaway(programs: Path, folder: Path, settings: str) -> Iterator[str]:
    """A cluster of our own, thrown away afterwards. PostgreSQL refuses to run as root, so there it runs as somebody else."""
    home = folder / "postgresql"
    home.mkdir()
    as_whom: list[str] = []
    if os.geteuid() == 0:
        somebody = "postgres" if _exists("postgres") else "nobody"
        folder.chmod(0o711)
        shutil.chown(home, somebody)
        as_whom = ["runuser", "-u", somebody, "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, log = home / "data", home / "log"
    settings = f"{settings} -c listen_addresses=127.0.0.1 -p {port} -k {home}"
    initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
    subprocess.run([*as_whom, *initdb], cwd=home, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(
        [*as_whom, programs / "pg_ctl", "-D", data, "-l", log, "-o", settings, "-w", "start"],
        cwd=home,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"postgres://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run(
            [*as_whom, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"],
            cwd=home,
            check=False,
            stdout=subprocess.DEVNULL,
        )


def _exists(user: str) -> bool:
    return subprocess.run(["id", user], check=False, capture_output=True).returncode == 0


def main(arguments: list[str]) -> int:
    """Run on both databases, say what ran and what did not. Returns 0 when all that must run passed."""
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="meso-test-") as name:
        folder = Path(name)
        outcomes["SQLite"] = run(None, folder, arguments)
        with postgresql(folder) as server:
            if server:
                outcomes["PostgreSQL"] = run(f"{server}/{DATABASE}", folder, arguments)
    return _tell(outcomes)


def _tell(outcomes: dict[str, Outcome]) -> int:
    """Print the last lines. Returns the exit code."""
    print("\n" + "-" * 72)
    for reason in sorted({reason for outcome in outcomes.values() for reason in outcome.skipped}):
        print(f"Skipped:    {reason}")
    print(f"SQLite:     {outcomes['SQLite'].in_words()}")
    server = outcomes.get("PostgreSQL")
    no_server = "not run: no server answers at MESO_TEST_PG, and its programs are not installed"
    print(f"PostgreSQL: {server.in_words() if server else no_server}")
    browser = sum(outcome.browser for outcome in outcomes.values())
    print(f"Browser:    {f'{browser} journeys in Chromium, counted above' if browser else 'not run: there is no Chromium here'}")
    skipped = not server or not browser or any(outcome.skipped for outcome in outcomes.values())
    if REQUIRE_ALL and skipped:
        print("MESO_REQUIRE_ALL=1: something above did not run, so this is a failure.")
    return 0 if all(outcome.good for outcome in outcomes.values()) and not (REQUIRE_ALL and skipped) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
