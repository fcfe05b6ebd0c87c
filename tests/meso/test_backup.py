"""A backup is one encrypted file, made while the office works; what is restored is what was saved, or it is refused."""

import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pyrage
import pytest
import time_machine
from django.conf import settings
from django.db import connection
from pyrage.x25519 import Identity

from meso import backups
from meso.models import BackupDrill
from tests.factories import AT, UserFactory

FILL = """
import django; django.setup()
from datetime import date
from tests.factories import AttachmentFactory, EntryFactory, PatientFactory, RequestFactory
for number in range(3):
    patient = PatientFactory(); EntryFactory(patient=patient); RequestFactory(patient=patient)
AttachmentFactory(patient=patient)
"""
ONE_MORE = """
import django; django.setup()
from records.models import Attachment, Patient
from tests.factories import AttachmentFactory
made = AttachmentFactory(patient=Patient.objects.first(), added_by=None)
assert Attachment.objects.get(pk=made.pk).content == made.content
"""


def new_database(folder: Path) -> str:
    """The address of an empty database of the kind under test."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{folder}/{uuid4().hex}.sqlite3"
    facts, name = settings.DATABASES["default"], f"meso_backup_{uuid4().hex}"
    login = facts["USER"] + (f":{facts['PASSWORD']}" if facts["PASSWORD"] else "")
    server = f"postgres://{login}@{facts['HOST']}:{facts['PORT'] or 5432}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


def drop(address: str) -> None:
    if address.startswith("postgres"):
        server, _, name = address.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as maintenance:
            maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An office on a database of its own: `run(*command)` runs manage.py on it, `elsewhere()` is an empty database."""
    folder, made = tmp_path_factory.mktemp("house"), []

    def elsewhere() -> str:
        made.append(new_database(folder))
        return made[-1]

    here = os.environ | {"MESO_DATA": str(folder), "DATABASE_URL": elsewhere(), "MESO_ENV": "local"}

    def run(*command: str, **env: str) -> subprocess.CompletedProcess:
        words = [sys.executable, *command] if command[0] == "-c" else [sys.executable, "manage.py", *command]
        about = {"cwd": settings.BASE_DIR, "env": here | env, "capture_output": True, "text": True, "timeout": 600}
        return subprocess.run(words, check=False, **about)

    assert run("migrate", "-v0").returncode == 0
    filled = run("-c", FILL, DJANGO_SETTINGS_MODULE="meso.settings")
    assert filled.returncode == 0, filled.stderr
    kept = folder / "kept.age"
    made_it = run("backup", str(kept))
    assert made_it.returncode == 0, made_it.stderr
    yield SimpleNamespace(run=run, elsewhere=elsewhere, folder=folder, kept=kept, key=folder / "backup.key")
    for address in made:
        drop(address)


@pytest.fixture(scope="module")
def empty(house) -> str:
    """One empty database for all that is refused before anything is put there."""
    return house.elsewhere()


def unpacked(house) -> dict[str, bytes]:
    """What lies in the backup, opened with the office's key."""
    clear = pyrage.decrypt(house.kept.read_bytes(), [Identity.from_str(house.key.read_text().strip())])
    with tarfile.open(fileobj=io.BytesIO(clear)) as tar:
        return {part.name: tar.extractfile(part).read() for part in tar.getmembers()}


def packed(house, parts: dict[str, bytes]) -> Path:
    """A backup of our own making, locked to the office's key: what somebody who has the key could bring."""
    clear = io.BytesIO()
    with tarfile.open(fileobj=clear, mode="w") as tar:
        for name, content in parts.items():
            part = tarfile.TarInfo(name)
            part.size = len(content)
            tar.addfile(part, io.BytesIO(content))
    target = house.folder / f"{uuid4().hex}.age"
    target.write_bytes(pyrage.encrypt(clear.getvalue(), [Identity.from_str(house.key.read_text().strip()).to_public()]))
    return target


def test_what_is_restored_is_what_was_saved_and_every_seal_holds(house):
    empty = house.elsewhere()
    restored = house.run("restore", str(house.kept), DATABASE_URL=empty)
    assert restored.returncode == 0, restored.stderr
    assert re.search(r"all \d+ seals of \d+ chains hold", restored.stdout)
    assert "3 data keys, the second factors and a value of each of" in restored.stdout
    assert (
        house.run("deadlines", "--format", "json", DATABASE_URL=empty).stdout == house.run("deadlines", "--format", "json").stdout
    )
    assert house.run("check", "--database", "default", DATABASE_URL=empty).returncode == 0  # the triggers are there


def test_a_backup_without_its_master_key_is_refused_before_anything_is_put_there(house, empty, tmp_path):
    """The backup's own key is not enough: what is locked with the master key stays locked."""
    other = {"DATABASE_URL": empty, "MASTER_KEY_FILE": str(tmp_path / "master.key")}
    for made in (False, True):
        if made:
            assert house.run("make_master_key", **other).returncode == 0
        refused = house.run("restore", str(house.kept), **other)
        assert (refused.returncode, "locked with the master key" in refused.stderr) == (1, True)
        assert "Put its line back from the envelope" in refused.stderr
    assert "not migrated" in house.run("deadlines", DATABASE_URL=empty).stderr


def test_an_office_whose_master_key_is_lost_gets_the_rest_back_and_can_go_on(house, tmp_path):
    here = {"DATABASE_URL": house.elsewhere(), "MASTER_KEY_FILE": str(tmp_path / "master.key")}
    assert house.run("make_master_key", **here).returncode == 0
    restored = house.run("restore", str(house.kept), "--without-master-key", **here)
    assert restored.returncode == 0, restored.stderr
    assert "Now run: rotate_keys --lost" in restored.stdout
    assert house.run("rotate_keys", "--lost", **here).returncode == 0
    written = house.run("-c", ONE_MORE, DJANGO_SETTINGS_MODULE="meso.settings", **here)
    assert written.returncode == 0, written.stderr
    assert house.run("verify_records", **here).returncode == 0


def test_no_backup_holds_the_master_key(house):
    line = (house.folder / "master.key").read_text().split()[-1]
    for content in unpacked(house).values():
        assert line.encode() not in content
        assert line.replace("-", "").encode() not in content


def test_a_database_that_was_only_migrated_is_empty(house):
    """As the container's `migrate` leaves it, before anybody has opened a page."""
    migrated = house.elsewhere()
    assert house.run("migrate", "-v0", DATABASE_URL=migrated).returncode == 0
    house.run("grant_app_role", "nobody_of_that_name", DATABASE_URL=migrated)
    restored = house.run("restore", str(house.kept), DATABASE_URL=migrated)
    assert restored.returncode == 0, restored.stderr


def test_the_file_shows_nothing_of_what_it_holds(house):
    assert house.kept.read_bytes().startswith(b"age-encryption.org/v1")
    assert b"meso_chainhead" not in house.kept.read_bytes()
    assert (house.kept.stat().st_mode & 0o777, house.key.stat().st_mode & 0o777) == (0o600, 0o600)
    assert [path.name for path in house.folder.iterdir() if path.name.startswith("backup-")] == []


def test_a_database_that_holds_anything_is_not_overwritten(house):
    before = house.run("deadlines").stdout
    refused = house.run("restore", str(house.kept))
    assert (refused.returncode, "not empty" in refused.stderr) == (1, True)
    assert house.run("deadlines").stdout == before


def test_a_backup_never_takes_another_files_place(house):
    before = house.kept.read_bytes()
    refused = house.run("backup", str(house.kept))
    assert (refused.returncode, "exists already" in refused.stderr) == (1, True)
    assert house.kept.read_bytes() == before


@pytest.mark.parametrize("place", ["head", "middle"])
def test_an_altered_backup_does_not_open(house, empty, place):
    content = bytearray(house.kept.read_bytes())
    at = {"head": 30, "middle": len(content) // 2}[place]
    content[at] ^= 1
    altered = house.folder / f"altered-{at}.age"
    altered.write_bytes(content)
    refused = house.run("restore", str(altered), DATABASE_URL=empty)
    assert (refused.returncode, "does not open" in refused.stderr) == (1, True)


@pytest.mark.parametrize("part", [0, 100, 0.999])
def test_a_cut_backup_does_not_open(house, empty, part):
    content = house.kept.read_bytes()
    cut = house.folder / f"cut-{part}.age"
    cut.write_bytes(content[: part if isinstance(part, int) else int(len(content) * part)])
    refused = house.run("restore", str(cut), DATABASE_URL=empty)
    assert (refused.returncode, "does not open" in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)
    assert "not migrated" in house.run("deadlines", DATABASE_URL=empty).stderr  # nothing was put there


def test_another_key_does_not_open_it(house, empty, tmp_path):
    other = tmp_path / "other.key"
    other.write_text(f"# another office's\n{Identity.generate()}\n")
    refused = house.run("restore", str(house.kept), DATABASE_URL=empty, BACKUP_KEY_FILE=str(other))
    assert (refused.returncode, "another key" in refused.stderr) == (1, True)


def test_a_key_in_a_safe_opens_it_too(house, tmp_path):
    safe, target = Identity.generate(), tmp_path / "two.age"
    assert house.run("backup", str(target), BACKUP_RECIPIENTS=str(safe.to_public())).returncode == 0
    assert b"manifest.json" in pyrage.decrypt(target.read_bytes(), [safe])


def test_what_is_no_key_is_said(house, tmp_path):
    (tmp_path / "bad.key").write_text("nonsense")
    refused = house.run("backup", str(tmp_path / "x.age"), BACKUP_KEY_FILE=str(tmp_path / "bad.key"))
    assert (refused.returncode, "holds no key" in refused.stderr) == (1, True)
    refused = house.run("backup", str(tmp_path / "x.age"), BACKUP_RECIPIENTS="age1nonsense")
    assert (refused.returncode, "BACKUP_RECIPIENTS" in refused.stderr) == (1, True)
    assert not (tmp_path / "x.age").exists()


def test_another_kind_of_database_and_a_newer_meso_are_named(house, empty):
    parts = unpacked(house)
    manifest = json.loads(parts["manifest.json"])
    other = packed(house, parts | {"manifest.json": json.dumps(manifest | {"engine": "oracle"}).encode()})
    refused = house.run("restore", str(other), DATABASE_URL=empty)
    assert (refused.returncode, "is of a oracle database" in refused.stderr) == (1, True)
    newer = manifest | {"migrations": [*manifest["migrations"], ["records", "9999_of_tomorrow"]]}
    other = packed(house, parts | {"manifest.json": json.dumps(newer).encode()})
    refused = house.run("restore", str(other), DATABASE_URL=empty)
    assert (refused.returncode, "a newer Meso (records.9999_of_tomorrow)" in refused.stderr) == (1, True)


def lacking_an_entry(house, tmp_path) -> Path:
    """A backup whose copy of the database lost one entry of a chart, by a hand that had the key."""
    parts = unpacked(house)
    if connection.vendor == "sqlite":
        copy = tmp_path / "copy.sqlite3"
        copy.write_bytes(parts["database"])
        with sqlite3.connect(copy) as database:
            guards = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'records_entry'")
            for (guard,) in guards.fetchall():
                database.execute(f'DROP TRIGGER "{guard}"')
            database.execute("DELETE FROM records_entry WHERE id = (SELECT min(id) FROM records_entry)")
        database.close()
        return packed(house, parts | {"database": copy.read_bytes()})
    address = new_database(tmp_path)
    try:
        assert house.run("restore", str(house.kept), DATABASE_URL=address).returncode == 0
        with psycopg.connect(address) as database:
            database.execute("ALTER TABLE records_entry DISABLE TRIGGER ALL")
            database.execute("DELETE FROM records_entry WHERE id = (SELECT min(id) FROM records_entry)")
        tool = [shutil.which("pg_dump"), "--format=custom", f"--dbname={address}"]
        dumped = subprocess.run(tool, capture_output=True, check=True).stdout
        return packed(house, parts | {"database": dumped})
    finally:
        drop(address)


def test_a_row_that_was_taken_out_of_the_copy_turns_the_restore_red(house, tmp_path):
    refused = house.run("restore", str(lacking_an_entry(house, tmp_path)), DATABASE_URL=house.elsewhere())
    assert refused.returncode == 1
    assert "records_entry holds 2 rows, 3 were saved" in refused.stderr


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"tables": {"a": {"rows": 1, "sha256": "x"}}, "watched": {"clocks": [[1, "2026-12-02"]]}}, []),
        (
            {"tables": {"a": {"rows": 2, "sha256": "y"}}, "watched": {"clocks": [[1, "2026-12-02"]]}},
            ["a holds 2 rows, 1 were saved"],
        ),
        (
            {"tables": {"a": {"rows": 1, "sha256": "y"}}, "watched": {"clocks": [[1, "2026-12-03"]]}},
            ["a holds other rows than were saved", "the clocks are not those that were saved"],
        ),
        (
            {"tables": {"b": {"rows": 1, "sha256": "x"}}, "watched": {}},
            [
                "a holds no rows, 1 were saved",
                "b holds 1 rows, none were saved",
                "the clocks are not those that were saved",
            ],
        ),
    ],
)
def test_every_difference_is_named(found, said):
    saved = {"tables": {"a": {"rows": 1, "sha256": "x"}}, "watched": {"clocks": [[1, "2026-12-02"]]}}
    assert backups.differences(saved, found) == said


def test_a_drill_restores_it_and_is_kept(house, tmp_path):
    drill = house.run("backup", str(tmp_path / "drill.age"), "--verify")
    assert drill.returncode == 0, drill.stderr
    assert "3 open clocks" in drill.stdout
    assert "The drill restored it and everything holds." in drill.stdout
    read = "import django; django.setup(); from meso.models import BackupDrill; print(BackupDrill.objects.get().holds)"
    assert house.run("-c", read, DJANGO_SETTINGS_MODULE="meso.settings").stdout.strip() == "True"


# --- the dashboard's word --------------------------------------------------------------------------------------------


def a_drill(days_ago: int, holds: bool = True) -> BackupDrill:
    at = AT - timedelta(days=days_ago)
    return BackupDrill.objects.create(at=at, made_at=at, file="a.age", sha256="0" * 64, rows=12, holds=holds)


@pytest.mark.parametrize(
    ("drills", "said"),
    [
        ([], "No backup has ever been restored as a drill."),
        ([(3, True)], "3 days ago."),
        ([(9, True)], "It should be made every week"),
        ([(2, True), (1, False)], "failed: the backup did not restore whole"),
    ],
)
def test_the_dashboard_tells_the_age_of_the_last_good_drill(client, db, drills, said):
    with time_machine.travel(AT):
        look(client, drills, said)


def look(client, drills, said):
    for days_ago, holds in drills:
        a_drill(days_ago, holds)
    client.force_login(UserFactory(role="office_admin"))
    assert said in client.get("/").content.decode()
    client.force_login(UserFactory(role="front_desk"))
    assert "Backup drill" not in client.get("/").content.decode()
