"""`import_requests`: open and past requests out of the office's old spreadsheet."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import IntegrityError

from meso import audit, clock
from meso.commands import Command as MesoCommand
from meso.commands import Failed, progress
from meso.models import Office
from requests_app import importers


class Command(MesoCommand):
    """Takes in open and past requests from a CSV, all or nothing; the same file twice adds nothing."""

    help = (
        "Takes in open and past requests from a CSV (UTF-8, with the header "
        f"{','.join(importers.COLUMNS)}): all or nothing; a bad row is named; the same file twice adds nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV; a row without closed_on is an open request")
        parser.add_argument("--dry-run", action="store_true", help="check the whole file and store nothing")

    def work(self, *, file: Path, dry_run: bool, **options: Any) -> str:
        """Read, store, and say what was done. Raises Failed, and BadFile with every bad row."""
        on = clock.today()
        rows = importers.read(file, on=on)
        try:
            result = importers.store(
                rows,
                at=clock.now(),
                on=on,
                office=Office.current(),
                dry_run=dry_run,
                advance=progress(len(rows), "Requests"),
            )
        except IntegrityError as error:
            raise Failed("Nothing was stored: another import adds the same requests at this moment. Try again.") from error
        if result.added and not dry_run:
            audit.record(audit.Action.CREATE, "requests imported", detail=f"{result.added} rows")
        done = "would be added (nothing is stored)" if dry_run else "added"
        return f"{result.added} requests {done}, {result.open} of them open; {result.known} were there already."
