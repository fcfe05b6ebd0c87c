"""What proves a second factor, as the database holds it: locked (meso/keys.py).

The secret of an authenticator app and the seed of recovery codes are locked. Of a passkey only the public key is stored.
"""

import base64
import binascii
from typing import Any

from allauth.mfa.models import Authenticator

from meso import clock, keys
from meso.keys import Altered, KeyMissing, Purpose

PLACE = "mfa_authenticator.data"
_NAMES = ("secret", "seed")


def lock(text: str) -> str:
    """The secret as it is stored. Raises KeyMissing."""
    return base64.b64encode(keys.lock(Purpose.SECRETS, text.encode(), PLACE)).decode()


def unlock(stored: str) -> str:
    """The secret. Raises KeyMissing; Altered for what is not locked."""
    try:
        return keys.unlock(base64.b64decode(stored, validate=True), PLACE).decode()
    except (binascii.Error, ValueError) as error:
        raise Altered(f"A value of {PLACE} is not locked: it was not written by this Meso.") from error


def lock_plain(apps: Any, schema_editor: Any) -> None:
    """For a migration: lock the secrets that were stored before. Raises KeyMissing."""
    for row in apps.get_model("mfa", "Authenticator").objects.order_by("pk"):
        if plain := {name: row.data[name] for name in _NAMES if name in row.data}:
            keys.make_missing(clock.now())
            row.data |= {name: lock(text) for name, text in plain.items()}
            row.save(update_fields=["data"])


def that_do_not_open() -> list[tuple[Authenticator, KeyMissing]]:
    """The factors whose secret does not open, each with what is wrong: whoever has no other can't log in."""
    found = []
    for row in Authenticator.objects.order_by("pk"):
        try:
            for name in _NAMES:
                if name in row.data:
                    unlock(row.data[name])
        except KeyMissing as missing:
            found.append((row, missing))
    return found
