"""The stage of a run: an empty database of its own on either system, and the production server in front of it."""

import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent
HOST, PORT = "127.0.0.1", 8108
DATABASE = "meso_bench"  # on PostgreSQL; made and dropped by the run
WORKERS, THREADS = 2, 4
_PATIENCE = 30  # seconds for the server to answer


class StageError(Exception):
    """Raised when a database or the server does not come up; the text says why."""


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """The address of an empty SQLite database in `folder`; gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench.sqlite3"
    _remove(path)
    try:
        yield f"sqlite:///{path}"
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


@contextmanager
def postgresql(server: str) -> Iterator[str]:
    """The address of an empty database on the PostgreSQL server; dropped afterwards. Raises StageError without a server."""
    if not server:
        raise StageError("no PostgreSQL answers here and none is installed")
    _on(server, f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
    try:
        yield f"{server.rstrip('/')}/{DATABASE}"
    finally:
        _on(server, f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _on(server: str, *statements: str) -> None:
    try:
        with psycopg.connect(f"{server.rstrip('/')}/postgres", autocommit=True, connect_timeout=5) as connection:
            for statement in statements:
                connection.execute(statement.encode())
    except psycopg.OperationalError as error:
        raise StageError(f"no PostgreSQL at {urlsplit(server).hostname}: {str(error).splitlines()[0]}") from error


def environment(database: str, folder: Path) -> dict[str, str]:
    """The environment of every process of a run: production's settings, but plain HTTP on this machine."""
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return keep | {
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "MESO_ENV": "production",
        "MESO_DATA": str(folder),
        "DATABASE_URL": database,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": HOST,
        "SECURE_SSL_REDIRECT": "false",
        "PYTHONPATH": str(ROOT),
    }


def run(module: str, *arguments: str, env: dict[str, str], stdin: str | None = None) -> str:
    """Run a module in a process of its own and return what it printed. Raises StageError with its last words."""
    done = subprocess.run(  # noqa: S603  (our own modules)
        [sys.executable, "-m", module, *arguments],
        env=env,
        cwd=ROOT,
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=None if sys.stderr.isatty() else subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise StageError(f"{module} failed: {' '.join((done.stderr or 'see above').split()[-60:])}")
    return done.stdout


@contextmanager
def served(env: dict[str, str], folder: Path) -> Iterator[None]:
    """The production server, as `demo` and the container start it, for as long as the block runs. Raises StageError."""
    log = folder / "server.log"
    arguments = ["--bind", f"{HOST}:{PORT}", "--workers", str(WORKERS), "--threads", str(THREADS), "--log-level", "warning"]
    with log.open("wb") as errors:
        server = subprocess.Popen(  # noqa: S603  (our own server)
            [sys.executable, "-m", "gunicorn", *arguments, "bench.wsgi"], env=env, cwd=ROOT, stdout=errors, stderr=errors
        )
    try:
        _wait(server, log)
        yield
    finally:
        server.terminate()
        server.wait(timeout=_PATIENCE)


def _wait(server: subprocess.Popen, log: Path) -> None:
    """Until the server answers. Raises StageError when it ends or stays silent."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{HOST}:{PORT}/healthz/", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise StageError(f"the server did not answer: {log.read_text()[-400:]}")
