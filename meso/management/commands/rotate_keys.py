"""rotate_keys: another master key, and fresh data keys for what is written from now on."""

from pathlib import Path
from typing import Any

from meso import clock, key_care, keys
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from meso.keys import KeyMissing, MasterKey


class Command(MesoCommand):
    """May be cut off anywhere and run again. Exit 0 when done, 1 when nothing was changed."""

    help = "Locks every data key with a new master key and makes fresh data keys; what is stored stays as it is (docs/keys.md)."

    def add_arguments(self, parser: Any) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--take", metavar="FILE", help="the new master key, made elsewhere, in place of one of chance")
        how.add_argument("--drop-old", action="store_true", help="take master keys that lock nothing any more out of the file")
        how.add_argument("--lost", action="store_true", help="go on without a master key that is lost: fresh data keys only")

    def work(self, *, take: str | None, drop_old: bool, lost: bool, **options: Any) -> str | None:
        try:
            if drop_old:
                return _told(key_care.drop_old())
            if lost:
                given_up = key_care.give_up_lost(clock.now())
                return (
                    f"{given_up} data keys were given up. What they lock opens again if their master key is found. "
                    "Authenticator apps and recovery codes were taken away: people enroll new ones at their next login."
                )
            done = key_care.rotate(clock.now(), _from(take) if take else None)
        except (KeyMissing, OSError) as refusal:
            raise Failed(str(refusal)) from refusal
        return (
            f"The master key is now {done.master.id}; {done.locked_anew} data keys are locked with it. "
            "Print the first line of the file.\n"
            "The old one is still in the file. Backups made before now need it: keep its paper until the last of them is gone. "
            "Then: rotate_keys --drop-old" + (f"\n{done.lost} data keys stay lost." if done.lost else "")
        )


def _told(dropped: list[str]) -> str:
    return f"Taken out of the file: {', '.join(dropped)}." if dropped else "No master key in the file is without work."


def _from(file: str) -> MasterKey:
    """The first key in this file."""
    lines = [line for line in Path(file).read_text().splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise keys.KeyMissing(f"{file} holds no key.")
    return MasterKey.from_text(lines[0])
