"""Looking after the keys: another master key, taking an old one out, and whether everything opens (docs/keys.md)."""

from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from meso import audit, factor_secrets, keys
from meso.encrypted import Encrypted, Locked, encrypted_fields, full
from meso.keys import DataKey, KeyMissing, MasterKey
from meso.models import AccessEvent, Office


@dataclass(frozen=True)
class Rotation:
    """What a rotation did: the master key in force, how many data keys it locks anew, and how many are lost with their own."""

    master: MasterKey
    locked_anew: int
    lost: int


@transaction.atomic
def rotate(at: datetime, take: MasterKey | None = None) -> Rotation:
    """Lock every data key with a new master key (`take`, or one of chance) and retire those in use for fresh ones.

    Nothing that was written is touched. The file gets the new key before the database does, and keeps the old ones: wherever
    this is cut off, everything opens, and the next run goes on. Raises KeyMissing, and changes nothing, where a key in use
    does not open.
    """
    _one_at_a_time()
    masters, rows = keys.master_keys(), list(DataKey.objects.order_by("made_at", "pk"))
    lost = [row for row in rows if row.retired_at and row.master not in {master.id for master in masters}]
    opened = [(row, row.unwrap(masters)) for row in rows if row not in lost]
    new = take or _begun(masters, rows) or MasterKey.new()
    if [new] != masters[:1]:
        keys.write_master_keys([new, *(master for master in masters if master != new)])
    for row, secret in opened:
        row.wrap(secret, new)
        row.retired_at = row.retired_at or at
        row.save(update_fields=["wrapped", "master", "retired_at"])
    keys.make_missing(at)
    audit.record(AccessEvent.Action.CHANGE, f"master key {new.id}", detail=f"{len(opened)} data keys locked anew")
    transaction.on_commit(keys.forget)
    return Rotation(new, len(opened), len(lost))


def _one_at_a_time() -> None:
    """Wait for whoever else looks after the keys: the file is written by one at a time."""
    Office.objects.select_for_update().get(pk=Office.current().pk)


def _begun(masters: list[MasterKey], rows: list[DataKey]) -> MasterKey | None:
    """The newest master key of the file, where a rotation was cut off before the database had it."""
    return masters[0] if masters and masters[0].id not in {row.master for row in rows} else None


@transaction.atomic
def drop_old() -> list[str]:
    """Take the master keys that lock no data key any more out of the file: their ids. Raises KeyMissing if one is lacking."""
    _one_at_a_time()
    masters, rows = keys.master_keys(), list(DataKey.objects.all())
    needed = {row.master for row in rows}
    kept, dropped = [one for one in masters if one.id in needed], [one.id for one in masters if one.id not in needed]
    for row in rows:
        row.unwrap(kept)
    if dropped:
        audit.record(AccessEvent.Action.CHANGE, "master keys", detail=f"{len(dropped)} taken out of the file")
        keys.write_master_keys(kept)
    return dropped


@transaction.atomic
def give_up_lost(at: datetime) -> int:
    """Retire data keys whose master key is gone, so that the office can go on writing: how many.

    What they lock stays where it is, and opens again should the master key be found and put back into the file. Second
    factors are taken away: nobody who has no passkey could log in. Their owners enroll new ones at the next login.
    """
    _one_at_a_time()
    known = {master.id for master in keys.master_keys()}
    count = DataKey.objects.filter(retired_at=None).exclude(master__in=known).update(retired_at=at)
    keys.make_missing(at)
    audit.record(AccessEvent.Action.CHANGE, "data keys", detail=f"{count} given up with their master key")
    for factor, _missing in factor_secrets.that_do_not_open():
        factor.delete()
    transaction.on_commit(keys.forget)
    return count


# --- does everything open? --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """What was tried: data keys that open, and columns of which a value was opened."""

    data_keys: int
    columns: int
    faults: list[str]

    @property
    def words(self) -> str:
        """In one line."""
        return f"{self.data_keys} data keys, the second factors and a value of each of {self.columns} encrypted columns open."


def try_all(masters: list[MasterKey] | None = None) -> Opened:
    """Open every data key with these master keys (None: those of the file), the newest value of each column, every factor."""
    masters, faults, good = keys.master_keys() if masters is None else masters, [], 0
    for row in DataKey.objects.order_by("made_at", "pk"):
        try:
            row.unwrap(masters)
            good += 1
        except KeyMissing as missing:
            faults.append(str(missing))
    if faults:
        return Opened(good, 0, list(dict.fromkeys(faults)))
    columns = 0
    for model in apps.get_models():
        for field in encrypted_fields(model):
            try:
                columns += _open_newest(model, field)
            except KeyMissing as missing:
                faults.append(str(missing))
    faults += dict.fromkeys(str(missing) for _factor, missing in factor_secrets.that_do_not_open())
    return Opened(good, columns, faults)


def _open_newest(model: type[models.Model], field: Encrypted) -> bool:
    """Whether there was a value to open. Raises KeyMissing."""
    held = full(model._base_manager.order_by("-pk"), field).values_list(field.attname, flat=True).first()
    if isinstance(held, Locked):
        held.open()
    return isinstance(held, Locked)


def missing_for(ids: set[str]) -> list[str]:
    """Which of these master keys the file lacks, in words."""
    lacking = sorted(ids - {key.id for key in keys.master_keys()})
    return [f"The master key {one} is not in {settings.MASTER_KEY_FILE}." for one in lacking]
