"""make_master_key: the master key of a new office, in a new file."""

from typing import Any

from django.conf import settings

from meso import keys
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from meso.keys import KeyMissing


class Command(MesoCommand):
    """Never overwrites a file. Exit 0 when it is made, 1 when not."""

    help = "Makes the master key of a new office in MASTER_KEY_FILE. Print it at once and lock the paper away (docs/keys.md)."
    needs_migrated_database = False

    def work(self, **options: Any) -> str | None:
        try:
            key = keys.make_master_file()
        except (KeyMissing, OSError) as refusal:
            raise Failed(str(refusal)) from refusal
        return f"The master key {key.id} lies in {settings.MASTER_KEY_FILE}. Print it and lock the paper away (docs/keys.md)."
