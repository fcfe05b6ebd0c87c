"""backup: one encrypted file of everything, made while the office works; --verify restores it as a drill."""

from pathlib import Path
from typing import Any

from meso import backups, clock, database_copies
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from meso.database_copies import BackupRefused
from meso.models import BackupDrill


class Command(MesoCommand):
    """Writes FILE, whole or not at all. Exit 0 when it is written (and, with --verify, restored and whole), 1 when not."""

    help = "Makes one encrypted file of everything; --verify restores it into a scratch database and compares all."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", help="the backup to write, such as meso-2026-11-24.age; it must not exist")
        parser.add_argument("--verify", action="store_true", help="restore it into a scratch database and compare")

    def work(self, *, file: str, verify: bool, **options: Any) -> str | None:
        target, at = Path(file), clock.now()
        try:
            manifest = backups.make(target, at)
        except BackupRefused as refusal:
            raise Failed(str(refusal)) from refusal
        rows, clocks = (
            sum(table["rows"] for table in manifest["tables"].values()),
            len(manifest["watched"].get("open clocks", [])),
        )
        said = f"{target}: {target.stat().st_size:,} bytes, {rows:,} rows, {clocks:,} open clocks."
        if not verify:
            return said
        holds, words = database_copies.rehearse(target)
        BackupDrill.keep(target, at=clock.now(), made_at=at, rows=rows, holds=holds, words=words)
        if not holds:
            raise Failed(f"{said}\nThe drill failed: {words}")
        return f"{said}\nThe drill restored it and everything holds. {words}"
