"""Keys of what is encrypted at rest (45 CFR 164.312(a)(2)(iv)): a master key outside of the database, data keys in it.

Rows that hold files and letters never change, so a key that locks them can never be exchanged. Hence two floors: a data key
locks values and stays for ever in a small table, itself locked with the master key; `rotate_keys` locks it anew with
another master key and touches nothing else. AES-256-GCM, by the library `cryptography` (docs/keys.md).
"""

import base64
import binascii
import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core import checks
from django.core.signals import request_started
from django.db import connections, models

from meso import clock

MAGIC = b"MESO1"  # what every locked value begins with; then the data key's number, a nonce, the locked bytes
_NONCE = 12  # bytes, chance: the standard's limit of 2**32 values for one key is out of an office's reach
_PREFIX = "MESO-MASTER-KEY-1"


class KeyMissing(Exception):
    """What is locked does not open: a key is missing or wrong, or the value was altered. The text says which, in plain words."""


class Altered(KeyMissing):
    """What was locked is not what stands there now: no key opens it."""


# --- the master key ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MasterKey:
    """32 random bytes that lock the data keys and nothing else."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """What the key is called where it may not be shown: twelve hexadecimal digits that come out of it."""
        return sha256(b"meso master key\n" + self.secret).hexdigest()[:12]

    @property
    def text(self) -> str:
        """The key as file and paper hold it: thirteen groups of four letters and digits, and one that checks them."""
        return f"{_PREFIX} " + "-".join(self._letters[start : start + 4] for start in range(0, len(self._letters), 4))

    @classmethod
    def new(cls) -> "MasterKey":
        """A key of chance."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def from_text(cls, text: str) -> "MasterKey":
        """The key that was typed or read; spaces, dashes and small letters do not matter. Raises KeyMissing for what is none."""
        letters = text.upper().replace(_PREFIX, "").replace("-", "").replace(" ", "").strip()
        try:
            secret = base64.b32decode(letters[:52] + "====")
        except (binascii.Error, ValueError) as error:
            raise KeyMissing("This is no master key: it has fourteen groups of four letters or digits.") from error
        key = cls(secret)
        if letters != key._letters:
            raise KeyMissing("This master key is mistyped: its last group does not fit the others.")
        return key

    @property
    def _letters(self) -> str:
        check = base64.b32encode(sha256(b"check\n" + self.secret).digest())
        return (base64.b32encode(self.secret).rstrip(b"=") + check[:4]).decode()

    def lock(self, data_key: bytes, about: str) -> str:
        """A data key, locked; `about` is bound to it."""
        nonce = os.urandom(_NONCE)
        return base64.b64encode(nonce + AESGCM(self.secret).encrypt(nonce, data_key, about.encode())).decode()

    def unlock(self, wrapped: str, about: str) -> bytes:
        """The data key. Raises KeyMissing where this is not its master key, or it was altered."""
        content = base64.b64decode(wrapped)
        try:
            return AESGCM(self.secret).decrypt(content[:_NONCE], content[_NONCE:], about.encode())
        except InvalidTag as error:
            raise KeyMissing(f"The data key {about} does not open with the master key {self.id}.") from error


def master_keys() -> list[MasterKey]:
    """The master keys of the file, newest first; [] where there is none. Raises KeyMissing for a file of anything else."""
    try:
        lines = settings.MASTER_KEY_FILE.read_text().splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise KeyMissing(f"{settings.MASTER_KEY_FILE} can't be read: {getattr(error, 'strerror', '') or error}") from error
    try:
        return [MasterKey.from_text(line) for line in lines if line.strip() and not line.startswith("#")]
    except KeyMissing as error:
        raise KeyMissing(f"{settings.MASTER_KEY_FILE}: {error}") from error


def write_master_keys(keys: list[MasterKey], *, first: bool = False) -> None:
    """Have the file hold these, newest first: whole or not at all, on the disk before it bears its name, its owner's alone.

    Raises FileExistsError where it is to be the `first` and there is one.
    """
    place: Path = settings.MASTER_KEY_FILE
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")  # mode 600
    try:
        with os.fdopen(handle, "w") as file:
            file.write("".join(f"{key.text}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        (os.link if first else os.replace)(name, place)
    finally:
        Path(name).unlink(missing_ok=True)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_master_file() -> MasterKey:
    """The first master key, in a new file. Raises KeyMissing where there is a file: none is ever overwritten."""
    key = MasterKey.new()
    try:
        write_master_keys([key], first=True)
    except FileExistsError as error:
        raise KeyMissing(f"{settings.MASTER_KEY_FILE} is there already. A new master key is made by rotate_keys.") from error
    return key


# --- data keys --------------------------------------------------------------------------------------------------------


class Purpose(models.TextChoices):
    """What a data key locks."""

    FILES = "files"  # attachments, scans, letters, copies
    WORDS = "words"  # columns of text
    SECRETS = "secrets"  # what proves a second factor (meso/factor_secrets.py)


class DataKey(models.Model):
    """A key that locks values, itself locked with a master key. The row stays as long as anything locked with it."""

    id = models.CharField(max_length=16, primary_key=True)  # chance, never used again: a process may keep an opened key by it
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    wrapped = models.CharField(max_length=100)
    master = models.CharField(max_length=12)  # the id of the master key that opens it
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)  # since then nothing new is locked with it

    class Meta:
        app_label = "meso"
        constraints = [
            models.UniqueConstraint(fields=["purpose"], condition=models.Q(retired_at=None), name="data_key_one_in_use"),
            models.CheckConstraint(name="data_key_purpose_is_known", condition=models.Q(purpose__in=Purpose.values)),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}/{self.id}"

    @classmethod
    def new(cls, purpose: str, master: MasterKey, at: datetime) -> "DataKey":
        """A key of chance, not stored."""
        made = cls(id=secrets.token_hex(8), purpose=purpose, made_at=at)
        made.wrap(AESGCM.generate_key(256), master)
        return made

    def wrap(self, secret: bytes, master: MasterKey) -> None:
        """Lock it with this master key."""
        self.wrapped, self.master = master.lock(secret, str(self)), master.id

    def unwrap(self, masters: list[MasterKey]) -> bytes:
        """The key itself. Raises KeyMissing where none of these is its master key."""
        found = next((master for master in masters if master.id == self.master), None)
        if found is None:
            raise KeyMissing(
                f"The master key {self.master} is not in {settings.MASTER_KEY_FILE}: what is locked with it can't be read. "
                "Put its line back from the envelope (docs/keys.md)."
            )
        return found.unlock(self.wrapped, str(self))


_opened: dict[str, AESGCM] = {}  # by id, for ever: an id never gets another key
_in_use: dict[str, str] = {}  # the id of each purpose's key, until the next request


def forget(**kwargs: Any) -> None:
    """Ask the database anew which keys are in use: at each request, after a rotation and after a migration."""
    _in_use.clear()


request_started.connect(forget, dispatch_uid="keys")


def _key(key_id: str) -> AESGCM:
    """The opened data key. One query for each process."""
    if key_id not in _opened:
        row = DataKey.objects.filter(pk=key_id).first()
        if row is None:
            raise KeyMissing(f"The data key {key_id} is not in this database: what is locked with it can't be read.")
        _opened[key_id] = AESGCM(row.unwrap(master_keys()))
    return _opened[key_id]


def _current(purpose: str) -> str:
    """The id of the key for what is written now. One query for each request that writes."""
    if purpose not in _in_use:
        found = DataKey.objects.filter(purpose=purpose, retired_at=None).values_list("pk", flat=True).first()
        if found is None:
            raise KeyMissing("This database has no key to lock anything with. Run: python manage.py migrate")
        _in_use[purpose] = found
    return _in_use[purpose]


def lock(purpose: str, plain: bytes, place: str) -> bytes:
    """The bytes, locked for this place ("table.column"): carried anywhere else, they do not open. Raises KeyMissing."""
    key_id, nonce = _current(purpose), os.urandom(_NONCE)
    head = MAGIC + bytes.fromhex(key_id)
    return head + nonce + _key(key_id).encrypt(nonce, plain, head + place.encode())


def unlock(locked: bytes, place: str) -> bytes:
    """The bytes that were locked for this place. Raises KeyMissing; Altered for another place, or a changed bit."""
    head, rest = locked[: len(MAGIC) + 8], locked[len(MAGIC) + 8 :]
    if not head.startswith(MAGIC) or len(rest) < _NONCE + 16:
        raise Altered(f"A value of {place} is not locked: it was not written by this Meso.")
    try:
        return _key(head[len(MAGIC) :].hex()).decrypt(rest[:_NONCE], rest[_NONCE:], head + place.encode())
    except InvalidTag as error:
        raise Altered(f"A value of {place} does not open: it was altered, or carried here from another place.") from error


# --- keys that must be there ------------------------------------------------------------------------------------------


def make_missing(at: datetime) -> None:
    """Make a data key for each purpose that has none, and on a new office of one's own the master key. Raises KeyMissing."""
    in_use = set(DataKey.objects.filter(retired_at=None).values_list("purpose", flat=True))
    if in_use >= set(Purpose.values):
        return
    masters = master_keys()
    if not masters and not settings.PRODUCTION and not DataKey.objects.exists():
        with suppress(KeyMissing):  # somebody else has made it meanwhile
            make_master_file()
        masters = master_keys()
    if not masters:
        raise KeyMissing(_NO_FILE % settings.MASTER_KEY_FILE)
    for purpose in Purpose:
        if purpose not in in_use:
            DataKey.new(purpose, masters[0], at).save(force_insert=True)


def make_after_migrate(using: str, **kwargs: Any) -> None:
    """post_migrate receiver: a migrated database has keys, before anything is written."""
    forget()
    if using == "default" and DataKey._meta.db_table in connections[using].introspection.table_names():
        make_missing(clock.now())


_NO_FILE = (
    "There is no master key in %s. A new office makes it once: python manage.py make_master_key. "
    "An old one puts it back from the envelope (docs/keys.md)."
)


def check_master_key(**kwargs: Any) -> list[checks.CheckMessage]:
    """System check: the file of the master key can be read, by its owner alone, and in production it is there."""
    place: Path = settings.MASTER_KEY_FILE
    try:
        found = master_keys()
    except KeyMissing as error:
        return [checks.Error(str(error), id="meso.E002")]
    if not found:
        return [checks.Error(_NO_FILE % place, id="meso.E003")] if settings.PRODUCTION or place.exists() else []
    if place.stat().st_mode & 0o077:
        return [checks.Error(f"Others than its owner may read {place}.", hint=f"chmod 600 {place}", id="meso.E004")]
    return []
