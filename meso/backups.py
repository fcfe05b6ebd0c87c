"""One encrypted file of the whole database, made while the office works, and the way back (45 CFR 164.308(a)(7)(ii)).

The file is in the age format (age-encryption.org): authenticated, so a cut or altered one does not open, and readable by
other tools with the key. Inside is a tar of the database as its own tools write it and a manifest of what it must hold:
rows and a SHA-256 for each table, every chain's head, every open clock. A restore counts all of that again.
"""

import json
import os
import secrets
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from pyrage.x25519 import Identity, Recipient

from meso import database_copies, keys
from meso.database_copies import BackupRefused

FORMAT = 2
OURS = frozenset({"meso", "records", "disclosures", "requests_app"})
WATCHED: dict[str, str] = {
    "chain heads": "SELECT chain, length, seal FROM meso_chainhead ORDER BY chain",
    "master keys": "SELECT DISTINCT master FROM meso_datakey ORDER BY master",  # their names, by which a restore asks for them
}
# What a database that was only migrated holds already.
_OF_THE_HOUSE = frozenset({"django_migrations", "django_content_type", "auth_permission", "sqlite_sequence", "meso_datakey"})


def watch(name: str, sql: str) -> None:
    """Have every manifest hold the rows of this query one by one, beside the digests of the tables."""
    WATCHED[name] = sql


# --- keys -------------------------------------------------------------------------------------------------------------


def identity() -> Identity:
    """The key that opens backups; made on first use, readable by its owner only. Raises BackupRefused for a file that is none."""
    path = Path(settings.BACKUP_KEY_FILE)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(f"{Identity.generate()}\n")
    lines = [line.strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    try:
        return Identity.from_str(lines[0])
    except (IndexError, pyrage.IdentityError) as error:
        raise BackupRefused(f"{path} holds no key: it should be one line that begins with AGE-SECRET-KEY-1.") from error


def _recipients() -> list[Recipient]:
    """To whom a backup is locked: this office's key, and any other that the settings name."""
    try:
        others = [Recipient.from_str(text) for text in settings.BACKUP_RECIPIENTS]
    except pyrage.RecipientError as error:
        raise BackupRefused("BACKUP_RECIPIENTS should be public keys that begin with age1.") from error
    return [identity().to_public(), *others]


# --- what a database holds --------------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return "sha256:" + sha256(value).hexdigest()
    return value if value is None or isinstance(value, int | str) else str(value)


def _rows(connection: BaseDatabaseWrapper, sql: str) -> Iterator[list[Any]]:
    """The rows of a query, a few hundred at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(500):
            yield from ([_plain(value) for value in row] for row in rows)


def _table(connection: BaseDatabaseWrapper, name: str) -> dict[str, Any]:
    """How many rows a table has, and the SHA-256 over all of them in the order of their keys."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        columns = sorted(column.name for column in connection.introspection.get_table_description(cursor, name))
        keys = connection.introspection.get_primary_key_columns(cursor, name) or columns
    order, count, digest = ", ".join(map(quote, keys)), 0, sha256()
    for row in _rows(connection, f"SELECT {', '.join(map(quote, columns))} FROM {quote(name)} ORDER BY {order}"):  # noqa: S608
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        count += 1
    return {"rows": count, "sha256": digest.hexdigest()}


def holdings(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """What this database holds: every table's rows and digest, and the watched rows one by one."""
    tables = {name: _table(connection, name) for name in sorted(connection.introspection.table_names())}
    return {"tables": tables, "watched": {name: list(_rows(connection, sql)) for name, sql in sorted(WATCHED.items())}}


def differences(said: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Where what was restored is not what the manifest says, in words; [] when all of it is."""
    wrong = []
    for name in sorted(said["tables"].keys() | found["tables"].keys()):
        before, after = said["tables"].get(name, {}), found["tables"].get(name, {})
        if before.get("rows") != after.get("rows"):
            wrong.append(f"{name} holds {after.get('rows', 'no')} rows, {before.get('rows', 'none')} were saved")
        elif before != after:
            wrong.append(f"{name} holds other rows than were saved")
    for name, rows in said["watched"].items():
        if rows != found["watched"].get(name):
            wrong.append(f"the {name} are not those that were saved")
    return wrong


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    """Whether no table of this database holds anything but what `migrate` puts there."""
    names = set(connection.introspection.table_names()) - _OF_THE_HOUSE
    with connection.cursor() as cursor:
        for name in sorted(names):
            laid = " WHERE length > 0" if name == "meso_chainhead" else ""  # the office's chain begins with `migrate`
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(name)}{laid} LIMIT 1")  # noqa: S608
            if cursor.fetchone():
                return False
    return True


# --- there and back ---------------------------------------------------------------------------------------------------


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of our own, gone afterwards: what lies in it is not encrypted."""
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.DATA_DIR) as folder:
        yield Path(folder)


def make(target: Path, at: datetime) -> dict[str, Any]:
    """Write the backup to `target`, whole or not at all, while others go on writing. Returns its manifest.

    Raises BackupRefused for a target that exists, and where the database's own tools fail.
    """
    if target.exists():
        raise BackupRefused(f"{target} exists already; a backup never takes another's place.")
    with _folder() as folder:
        dump, packed = folder / "database", folder / "backup.tar"
        with database_copies.snapshot() as (connection, name):
            applied = [list(key) for key in sorted(MigrationLoader(connection).applied_migrations or ())]
            manifest = {"format": FORMAT, "made_at": at.isoformat(), "engine": connection.vendor, "migrations": applied}
            manifest |= holdings(connection)
            database_copies.dump(connection, dump, name)
        (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))
        with tarfile.open(packed, "w") as tar:
            for part in (folder / "manifest.json", dump):
                tar.add(part, part.name)
        _lock(packed, target)
    return manifest


def _lock(packed: Path, target: Path) -> None:
    """Encrypt the archive into place, and have it on the disk before it bears its name."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with packed.open("rb") as clear, open(part, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as locked:
            pyrage.encrypt_io(clear, locked, _recipients())
            locked.flush()
            os.fsync(locked.fileno())
        os.link(part, target)  # fails where somebody else has made the target meanwhile
    except FileExistsError as error:
        raise BackupRefused(f"{target} exists already; a backup never takes another's place.") from error
    except OSError as error:
        raise BackupRefused(f"{target} can't be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def opened(source: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """The manifest of a backup and the path of its database, decrypted for the while.

    Raises BackupRefused for what is no backup of ours, was cut or altered, or is locked with another key.
    """
    with _folder() as folder:
        packed = folder / "backup.tar"
        try:
            with source.open("rb") as locked, packed.open("wb") as clear:
                pyrage.decrypt_io(locked, clear, [identity()])
            with tarfile.open(packed) as tar:
                tar.extractall(folder, filter="data")
            manifest = json.loads((folder / "manifest.json").read_text())
        except FileNotFoundError as error:
            raise BackupRefused(f"There is no file {source}.") from error
        except (pyrage.DecryptError, OSError, tarfile.TarError, ValueError) as error:
            raise BackupRefused(f"{source} does not open: it was cut or altered, or is locked with another key.") from error
        packed.unlink()
        if manifest.get("format") != FORMAT:
            raise BackupRefused(f"{source} was made by another version of Meso.")
        yield manifest, folder / "database"


def _ask_for_master_keys(manifest: dict[str, Any]) -> None:
    """Raise BackupRefused where what this backup holds is locked with a master key that is not in the file."""
    try:
        here = {key.id for key in keys.master_keys()}
    except keys.KeyMissing as error:
        raise BackupRefused(str(error)) from error
    if lacking := [name for (name,) in manifest["watched"]["master keys"] if name not in here]:
        raise BackupRefused(
            f"The files and texts of this backup were locked with the master key {lacking[0]}, which is not in "
            f"{settings.MASTER_KEY_FILE}. Put its line back from the envelope. Is it lost for good, "
            "--without-master-key restores everything else (docs/keys.md)."
        )


def restore(source: Path, migrate: Callable[[], object], *, without_key: bool = False) -> dict[str, Any]:
    """Load a backup into the empty default database, compare all it holds, then bring it up to date. Returns its manifest.

    Raises BackupRefused for a database that holds anything, another engine's backup, a newer Meso's, one whose master key is
    not here (unless `without_key`), or any difference.
    """
    connection = connections["default"]
    if not is_empty(connection):
        raise BackupRefused("This database is not empty: a restore never overwrites. Point DATABASE_URL at an empty one.")
    with opened(source) as (manifest, dump):
        if manifest["engine"] != connection.vendor:
            raise BackupRefused(f"This backup is of a {manifest['engine']} database, and this one is {connection.vendor}.")
        known = MigrationLoader(None).disk_migrations
        if unknown := [f"{app}.{name}" for app, name in manifest["migrations"] if app in OURS and (app, name) not in known]:
            raise BackupRefused(f"This backup was made by a newer Meso ({unknown[0]}). Update first.")
        if not without_key:
            _ask_for_master_keys(manifest)
        database_copies.load(connection, dump)
        wrong = differences(manifest, holdings(connection))
    if wrong:
        raise BackupRefused("What was restored is not what was saved. Do not work with it.\n" + "\n".join(wrong))
    migrate()
    return manifest
