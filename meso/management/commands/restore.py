"""restore: load a backup into an empty database, compare all it holds, recompute every seal."""

from pathlib import Path
from typing import Any

from django.core.management import call_command

from meso import backups, key_care, seals
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from meso.database_copies import BackupRefused


class Command(MesoCommand):
    """Refuses a database that holds anything. Exit 0 when all that was saved is there and every seal holds, 1 when not."""

    help = "Loads a backup into an empty database, compares counts, digests, chain heads and open clocks, verifies every seal."
    needs_migrated_database = False

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", help="the backup to restore")
        parser.add_argument(
            "--without-master-key", action="store_true", help="restore although the key of its files and texts is lost"
        )

    def work(self, *, file: str, without_master_key: bool, **options: Any) -> str | None:
        def migrate() -> None:
            call_command("migrate", verbosity=0, interactive=False)

        try:
            manifest = backups.restore(Path(file), migrate, without_key=without_master_key)
        except BackupRefused as refusal:
            raise Failed(str(refusal)) from refusal
        report = seals.verify()
        if report.breaks:
            raise Failed(f"A seal does not hold. Do not work with this database. {report.breaks[0]}")
        tried = key_care.try_all()
        if tried.faults and not without_master_key:
            raise Failed("Everything is there and every seal holds, but not everything opens.\n" + "\n".join(tried.faults))
        self.tell()
        rows = sum(table["rows"] for table in manifest["tables"].values())
        opens = tried.words if not tried.faults else "What the lost key locks can't be read. Now run: rotate_keys --lost"
        return (
            f"Restored {rows:,} rows saved at {manifest['made_at']}; "
            f"all {report.links:,} seals of {report.chains:,} chains hold. {opens}"
        )
