"""How each database is copied whole by its own tools: SQLite's online backup, PostgreSQL's pg_dump and pg_restore."""

import copy
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

from django.conf import settings
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

SNAPSHOT = "snapshot"


class BackupRefused(Exception):
    """A backup can't be made, opened or restored; the text says why, in words for whoever runs the office's machine."""


@contextmanager
def snapshot() -> Iterator[tuple[BaseDatabaseWrapper, str]]:
    """A second connection that sees the database as it is at this instant, whatever is written meanwhile, and its name.

    It waits for no writer and holds none up.
    """
    database = copy.deepcopy(connections["default"].settings_dict)
    if connections["default"].vendor == "sqlite":
        database["OPTIONS"]["transaction_mode"] = "DEFERRED"  # a reader's
    connections.databases[SNAPSHOT] = database
    connection = connections[SNAPSHOT]
    try:
        connection.ensure_connection()  # what a new connection asks comes before the transaction, which begins with its isolation
        with transaction.atomic(using=SNAPSHOT), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("SELECT pg_export_snapshot()")
            else:
                cursor.execute("SELECT count(*) FROM sqlite_master")  # a deferred transaction begins at its first read
            yield connection, str(cursor.fetchone()[0])
    finally:
        connection.close()
        del connections[SNAPSHOT]
        del connections.databases[SNAPSHOT]


def dump(connection: BaseDatabaseWrapper, target: Path, name: str) -> None:
    """Copy what the snapshot `name` sees into one file. Raises BackupRefused where the tool fails."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(target)) as into:
            connection.connection.backup(into)
            into.execute("PRAGMA journal_mode=DELETE")
        return
    _run(connection, "pg_dump", "--format=custom", f"--snapshot={name}", "--no-owner", "--no-privileges", f"--file={target}")


def load(connection: BaseDatabaseWrapper, source: Path) -> None:
    """Put the copy in the place of an empty database. Raises BackupRefused where the tool fails."""
    if connection.vendor == "sqlite":
        place = Path(connection.settings_dict["NAME"])
        connection.close()
        for end in ("-wal", "-shm"):
            place.with_name(place.name + end).unlink(missing_ok=True)
        part = place.with_name(f".{place.name}.part")
        shutil.copyfile(source, part)
        part.replace(place)
        return
    connection.close()
    _run(connection, "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", str(source))


def _run(connection: BaseDatabaseWrapper, tool: str, *options: str) -> None:
    """One of PostgreSQL's own tools on this database; the password goes by the environment, where `ps` does not show it."""
    facts = connection.settings_dict
    places = {"--host": facts["HOST"], "--port": facts["PORT"], "--username": facts["USER"], "--dbname": facts["NAME"]}
    where = [f"{option}={value}" for option, value in places.items() if value]
    password = {"PGPASSWORD": facts["PASSWORD"]} if facts["PASSWORD"] else {}
    command = [tool, "--no-password", *where, *options]
    try:
        done = subprocess.run(command, env=os.environ | password, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise BackupRefused(f"{tool} is missing: install PostgreSQL's client programs of the server's version.") from error
    if done.returncode:
        raise BackupRefused(f"{tool} failed: {done.stderr.strip()}")


@contextmanager
def scratch() -> Iterator[str]:
    """The address of an empty database of the same kind, gone afterwards."""
    default = connections["default"]
    if default.vendor == "sqlite":
        with tempfile.TemporaryDirectory(prefix="drill-", dir=settings.DATA_DIR) as folder:
            yield f"sqlite:///{folder}/drill.sqlite3"
        return
    facts, name = default.settings_dict, f"meso_drill_{token_hex(6)}"
    login = quote(facts["USER"]) + (f":{quote(facts['PASSWORD'], safe='')}" if facts["PASSWORD"] else "")
    with default.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    try:
        yield f"postgres://{login}@{facts['HOST']}:{facts['PORT'] or 5432}/{name}"
    finally:
        with default.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def rehearse(backup: Path) -> tuple[bool, str]:
    """Restore the backup into a scratch database, by the command that would do it in earnest: (whether all holds, its words)."""
    with scratch() as address:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "restore", str(backup.resolve())]
        here = {"DATABASE_URL": address, "MESO_DATA": str(settings.DATA_DIR), "BACKUP_KEY_FILE": str(settings.BACKUP_KEY_FILE)}
        here["MASTER_KEY_FILE"] = str(settings.MASTER_KEY_FILE)
        done = subprocess.run(command, env=os.environ | here, capture_output=True, text=True, check=False)  # noqa: S603
    return done.returncode == 0, (done.stdout if done.returncode == 0 else done.stderr).strip()
