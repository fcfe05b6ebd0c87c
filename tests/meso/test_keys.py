"""Keys: what is locked opens only with its own key, in its own place, unaltered; a rotation loses nothing wherever it is cut."""

import os
import stat
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from meso import key_care, keys, seals
from meso.keys import DataKey, KeyMissing, MasterKey, Purpose
from meso.models import AccessEvent
from records.models import Attachment
from tests.conftest import past_the_guard
from tests.factories import AT, AttachmentFactory

PLACE = "records_attachment.content"


@pytest.fixture
def own_file(settings, tmp_path, db):
    """A master key file of this test's own, with fresh data keys locked with it."""
    settings.MASTER_KEY_FILE = tmp_path / "master.key"
    DataKey.objects.all().delete()
    keys.forget()
    keys.make_missing(AT)
    yield settings.MASTER_KEY_FILE
    keys.forget()


@pytest.fixture
def cold():
    """No key is kept in memory, as in a process that has just begun: `cold()` forgets again."""

    def forget() -> None:
        keys.forget()
        keys._opened.clear()

    yield forget
    forget()


# --- values ----------------------------------------------------------------------------------------------------------


def test_what_is_locked_opens_and_shows_nothing(own_file):
    locked = keys.lock(Purpose.FILES, b"%PDF Maria Alvarez", PLACE)
    assert b"Maria" not in locked
    assert keys.unlock(locked, PLACE) == b"%PDF Maria Alvarez"


def test_the_same_words_are_locked_otherwise_each_time(own_file):
    assert keys.lock(Purpose.WORDS, b"HIV", PLACE) != keys.lock(Purpose.WORDS, b"HIV", PLACE)


def test_it_opens_nowhere_else(own_file):
    locked = keys.lock(Purpose.FILES, b"%PDF", PLACE)
    with pytest.raises(KeyMissing, match="altered, or carried here"):
        keys.unlock(locked, "requests_app_letter.document")


@pytest.mark.parametrize("at", [5, 13, 25, -1], ids=["key", "nonce", "content", "tag"])
def test_a_changed_bit_anywhere_is_refused(own_file, at):
    locked = bytearray(keys.lock(Purpose.FILES, b"%PDF-1.7", PLACE))
    locked[at] ^= 1
    with pytest.raises(KeyMissing):
        keys.unlock(bytes(locked), PLACE)


@pytest.mark.parametrize("stored", [b"%PDF-1.7 plain", b"", b"MESO1", b"MESO1" + bytes(20)])
def test_what_was_never_locked_is_not_taken_for_its_words(own_file, stored):
    with pytest.raises(KeyMissing, match="is not locked"):
        keys.unlock(stored, PLACE)


# --- the master key ----------------------------------------------------------------------------------------------------


def test_a_master_key_survives_paper():
    key = MasterKey.new()
    assert key.text.startswith("MESO-MASTER-KEY-1 ")
    assert len(key.text.split(" ", 1)[1].split("-")) == 14
    typed = key.text.split(" ", 1)[1].lower().replace("-", " ")
    assert MasterKey.from_text(key.text) == MasterKey.from_text(typed) == MasterKey.from_text(f" {key.text} ") == key


def test_one_mistyped_letter_is_noticed_and_said():
    text = MasterKey.new().text
    for place in range(len("MESO-MASTER-KEY-1 "), len(text)):
        if text[place] != "-":
            wrong = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
            with pytest.raises(KeyMissing, match=r"mistyped|no master key"):
                MasterKey.from_text(wrong)


@pytest.mark.parametrize("text", ["", "nonsense", "AGE-SECRET-KEY-1QQ", "ABCD-" * 13])
def test_what_is_no_master_key_is_said(text):
    with pytest.raises(KeyMissing):
        MasterKey.from_text(text)


def test_a_key_shows_in_no_traceback():
    key = MasterKey.new()
    assert repr(key) == "MasterKey()"
    assert key.id not in key.text


def test_the_first_master_key_is_made_by_itself_for_its_owner_alone(own_file):
    assert stat.S_IMODE(own_file.stat().st_mode) == 0o600
    assert {row.master for row in DataKey.objects.all()} == {keys.master_keys()[0].id}
    assert sorted(DataKey.objects.values_list("purpose", flat=True)) == sorted(Purpose.values)


def test_no_file_of_keys_is_overwritten(own_file):
    before = own_file.read_text()
    with pytest.raises(CommandError, match="there already"):
        call_command("make_master_key")
    assert own_file.read_text() == before


def test_two_that_make_the_first_key_at_once_get_one(settings, tmp_path):
    settings.MASTER_KEY_FILE = tmp_path / "master.key"
    made, start = [], threading.Barrier(8)

    def make():
        start.wait()
        with suppress(KeyMissing):
            made.append(keys.make_master_file())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == keys.master_keys()
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_a_lost_file_is_not_replaced_by_a_new_key_behind_the_offices_back(own_file, cold):
    locked = keys.lock(Purpose.WORDS, b"words", PLACE)
    own_file.unlink()
    cold()
    keys.make_missing(AT)  # what `migrate` does at the end
    assert not own_file.exists()
    with pytest.raises(KeyMissing, match=r"The master key [0-9a-f]{12} is not in .*master.key"):
        keys.unlock(locked, PLACE)


def test_without_any_data_key_nothing_is_written(own_file):
    DataKey.objects.all().delete()
    keys.forget()
    with pytest.raises(KeyMissing, match=r"manage\.py migrate"):
        AttachmentFactory()


def test_a_missing_unreadable_or_open_file_is_an_error_of_the_check(settings, tmp_path):
    settings.MASTER_KEY_FILE = tmp_path / "master.key"
    assert keys.check_master_key() == []  # a local office makes it on first use
    settings.PRODUCTION = True
    assert [found.id for found in keys.check_master_key()] == ["meso.E003"]
    keys.make_master_file()
    assert keys.check_master_key() == []
    settings.MASTER_KEY_FILE.chmod(0o640)
    assert [found.id for found in keys.check_master_key()] == ["meso.E004"]
    settings.MASTER_KEY_FILE.write_text("nonsense\n")
    assert [found.id for found in keys.check_master_key()] == ["meso.E002"]


def test_production_serves_nothing_without_a_master_key(tmp_path):
    here = {"PATH": os.environ["PATH"], "MESO_DATA": str(tmp_path), "MESO_ENV": "production", "ALLOWED_HOSTS": "office.example"}
    here |= {"SECRET_KEY": "k" * 30 + "0123456789abcdefghijklmnopqrst", "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3"}

    def run(*words: str) -> subprocess.CompletedProcess:
        about = {"cwd": django_settings.BASE_DIR, "env": here, "capture_output": True, "text": True}
        return subprocess.run([sys.executable, *words], check=False, **about)

    refused, migrated = run("-c", "import meso.wsgi"), run("manage.py", "migrate", "-v0")
    assert (refused.returncode, "There is no master key in" in refused.stderr) == (1, True)
    assert (migrated.returncode, "There is no master key in" in migrated.stderr, "Traceback" in migrated.stderr) == (
        1,
        True,
        False,
    )
    assert run("manage.py", "make_master_key").returncode == 0
    assert run("-c", "import meso.wsgi").returncode == 0
    assert run("manage.py", "migrate", "-v0").returncode == 0


# --- rotation ----------------------------------------------------------------------------------------------------------


def still_opens(cold, *locked: bytes) -> None:
    cold()
    for one in locked:
        assert keys.unlock(one, PLACE) == b"words"


def test_a_rotation_locks_every_data_key_anew_and_touches_no_row(own_file, cold):
    attachment = AttachmentFactory()
    stored, old = keys.lock(Purpose.WORDS, b"words", PLACE), keys.master_keys()[0]
    before = Attachment._base_manager.values_list("content", flat=True)[0].stored
    call_command("rotate_keys")
    new = keys.master_keys()[0]
    assert new != old
    assert {row.master for row in DataKey.objects.all()} == {new.id}
    assert DataKey.objects.filter(retired_at=None).count() == DataKey.objects.exclude(retired_at=None).count() == len(Purpose)
    assert Attachment._base_manager.values_list("content", flat=True)[0].stored == before
    assert Attachment.objects.get(pk=attachment.pk).content == attachment.content
    assert seals.verify().breaks == []
    still_opens(cold, stored)
    own_file.write_text(new.text)  # the old key is gone for good
    still_opens(cold, stored)
    event = AccessEvent.objects.get(subject__startswith="master key")
    assert (event.action, event.subject, event.detail) == ("change", f"master key {new.id}", "3 data keys locked anew")


def test_what_is_written_after_a_rotation_is_locked_with_a_fresh_data_key(own_file):
    before = keys.lock(Purpose.FILES, b"words", PLACE)
    call_command("rotate_keys")
    keys.forget()  # the next request
    assert keys.lock(Purpose.FILES, b"words", PLACE)[5:13] != before[5:13]


@pytest.mark.parametrize("step", ["write", "after_write", "rewrap", "fresh", "audit"])
def test_a_rotation_that_is_cut_off_loses_nothing_and_goes_on(own_file, cold, monkeypatch, step):
    stored, old = keys.lock(Purpose.WORDS, b"words", PLACE), keys.master_keys()[0]
    broken = {
        "write": (os, "replace"),
        "after_write": (DataKey, "wrap"),
        "rewrap": (DataKey, "save"),
        "fresh": (keys, "make_missing"),
        "audit": (key_care.audit, "record"),
    }[step]

    def cut_off(*args, **kwargs):
        raise DatabaseError("the power failed")

    with monkeypatch.context() as patch:
        patch.setattr(*broken, cut_off)
        with pytest.raises(DatabaseError):
            key_care.rotate(AT)
    still_opens(cold, stored)
    assert {row.master for row in DataKey.objects.all()} == {old.id}
    assert [path.name for path in own_file.parent.iterdir()] == ["master.key"]
    begun = keys.master_keys()
    assert begun == [old] if step == "write" else begun[1:] == [old]
    done = key_care.rotate(AT)
    assert done.master == begun[0] if step != "write" else done.master != old
    assert len(keys.master_keys()) == 2
    still_opens(cold, stored)


def test_a_process_killed_between_the_file_and_the_commit_loses_nothing(tmp_path):
    """The process dies as by a power cut, in the middle of its transaction."""
    address = {"MESO_DATA": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/office.sqlite3", "MESO_ENV": "local"}

    def run(*words: str) -> subprocess.CompletedProcess:
        about = {"cwd": django_settings.BASE_DIR, "capture_output": True, "text": True}
        return subprocess.run([sys.executable, *words], check=False, env=os.environ | address | SETTINGS, **about)

    assert run("manage.py", "migrate", "-v0").returncode == 0
    old = (tmp_path / "master.key").read_text()
    killed = run("-c", KILLED)
    assert killed.returncode == -9
    assert (tmp_path / "master.key").read_text().endswith(old)
    assert (tmp_path / "master.key").read_text().count("\n") == 2
    assert run("manage.py", "check_keys").returncode == 0
    assert run("manage.py", "rotate_keys").returncode == 0
    assert (tmp_path / "master.key").read_text().count("\n") == 2  # it went on with the key that was begun
    assert run("manage.py", "rotate_keys", "--drop-old").returncode == 0
    assert old not in (tmp_path / "master.key").read_text()
    assert run("manage.py", "check_keys").returncode == 0


SETTINGS = {"DJANGO_SETTINGS_MODULE": "meso.settings"}
KILLED = """
import os, signal
import django; django.setup()
from meso import clock, key_care, keys
keys.make_missing = lambda at: os.kill(os.getpid(), signal.SIGKILL)
key_care.rotate(clock.now())
"""


def test_a_key_made_elsewhere_can_be_taken(own_file, tmp_path):
    elsewhere = MasterKey.new()
    (tmp_path / "new.key").write_text(f"# from the other machine\n{elsewhere.text}\n")
    call_command("rotate_keys", "--take", str(tmp_path / "new.key"))
    assert keys.master_keys()[0] == elsewhere
    (tmp_path / "empty.key").write_text("# nothing\n")
    for wrong in ("empty.key", "none.key"):
        with pytest.raises(CommandError):
            call_command("rotate_keys", "--take", str(tmp_path / wrong))
    assert keys.master_keys()[0] == elsewhere


def test_a_rotation_begins_nothing_where_a_key_does_not_open(own_file, cold):
    own_file.write_text(MasterKey.new().text)
    before = own_file.read_text()
    with pytest.raises(CommandError, match="Put its line back from the envelope"):
        call_command("rotate_keys")
    assert own_file.read_text() == before


def test_only_keys_without_work_are_dropped(own_file, cold, capsys):
    stored, old = keys.lock(Purpose.WORDS, b"words", PLACE), keys.master_keys()[0]
    call_command("rotate_keys", "--drop-old")
    assert "No master key in the file is without work" in capsys.readouterr().out
    call_command("rotate_keys")
    call_command("rotate_keys", "--drop-old")
    assert old not in keys.master_keys()
    assert len(keys.master_keys()) == 1
    still_opens(cold, stored)


def test_an_office_whose_master_key_is_lost_can_write_on_and_reads_again_when_it_is_found(own_file, cold):
    stored, lost = keys.lock(Purpose.WORDS, b"words", PLACE), own_file.read_text()
    own_file.write_text(MasterKey.new().text + "\n")
    cold()
    call_command("rotate_keys", "--lost")
    later = keys.lock(Purpose.WORDS, b"words", PLACE)
    still_opens(cold, later)
    with pytest.raises(KeyMissing):
        keys.unlock(stored, PLACE)
    assert key_care.rotate(AT).lost == len(Purpose)  # a rotation leaves what it can't open alone
    still_opens(cold, later)
    own_file.write_text(own_file.read_text() + lost)  # found, and put back
    still_opens(cold, later, stored)


# --- does everything open? ----------------------------------------------------------------------------------------------


def test_the_check_opens_every_key_and_a_value_of_each_column(own_file, cold, capsys):
    AttachmentFactory()
    cold()
    call_command("check_keys")
    assert "3 data keys, the second factors and a value of each of" in capsys.readouterr().out
    assert AccessEvent.objects.filter(action="check", subject="keys", detail="file").exists()


def test_the_check_says_which_value_does_not_open(own_file):
    attachment = AttachmentFactory()
    assert key_care.try_all().faults == []
    other = keys.lock(Purpose.FILES, b"x", "another.place")
    past_the_guard("UPDATE records_attachment SET content = %s WHERE id = %s", other, attachment.pk)
    with pytest.raises(CommandError, match=r"A value of records_attachment\.content does not open"):
        call_command("check_keys")


def test_the_paper_in_the_envelope_is_tried_without_keeping_it(own_file, monkeypatch, capsys):
    AttachmentFactory()
    before = own_file.read_text()
    for typed, holds in ((before, True), (MasterKey.new().text, False), ("MESO", False)):
        monkeypatch.setattr("getpass.getpass", lambda prompt, typed=typed: typed)
        if holds:
            call_command("check_keys", "--envelope")
        else:
            with pytest.raises(CommandError):
                call_command("check_keys", "--envelope")
    assert own_file.read_text() == before
