"""check_keys: whether the master key opens everything; --envelope tries the one on paper instead."""

import getpass
from typing import Any

from meso import audit, key_care
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from meso.keys import KeyMissing, MasterKey
from meso.models import AccessEvent


class Command(MesoCommand):
    """Opens every data key and a value of each encrypted column. Exit 0 when all open, 1 with what does not."""

    help = "Tries whether the master key opens everything that is encrypted; --envelope asks for the key on paper and tries that."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--envelope", action="store_true", help="type the key from the paper in; it is tried and not kept")

    def work(self, *, envelope: bool, **options: Any) -> str | None:
        try:
            typed = [MasterKey.from_text(getpass.getpass("The master key on the paper (not shown): "))] if envelope else None
            tried = key_care.try_all(typed)
        except KeyMissing as missing:
            raise Failed(str(missing)) from missing
        audit.record(AccessEvent.Action.CHECK, "keys", detail="envelope" if envelope else "file")
        if tried.faults:
            raise Failed("\n".join(tried.faults))
        return tried.words
