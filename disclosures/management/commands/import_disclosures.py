"""`import_disclosures`: an old disclosure log kept in a spreadsheet."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import IntegrityError

from disclosures import importers
from disclosures.models import BusinessAssociate
from meso import audit, clock
from meso.commands import Command as MesoCommand
from meso.commands import Failed, progress


class Command(MesoCommand):
    """Takes in an old disclosure log from a CSV, all or nothing; the same file twice adds nothing."""

    help = (
        f"Takes in an old disclosure log from a CSV (UTF-8, with the header {','.join(importers.COLUMNS)}): all or nothing; "
        "a bad row is named; the same file twice adds nothing; rows for treatment, payment and operations are left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV")
        parser.add_argument("--made-by", help="the business associate whose list this is, as the office's register names them")
        parser.add_argument("--dry-run", action="store_true", help="check the whole file and store nothing")

    def work(self, *, file: Path, dry_run: bool, made_by: str | None, **options: Any) -> str:
        """Read, store, and say what was done. Raises Failed, and BadFile with every bad row."""
        associate = BusinessAssociate.objects.filter(name__iexact=made_by).first() if made_by else None
        if made_by and associate is None:
            raise Failed(
                f"There is no business associate {made_by!r}. The privacy officer adds them on the page of the registers."
            )
        rows = importers.read(file, on=clock.today())
        try:
            result = importers.store(
                rows, at=clock.now(), dry_run=dry_run, made_by=associate, advance=progress(len(rows), "Disclosures")
            )
        except IntegrityError as error:
            raise Failed("Nothing was stored: another import adds the same rows at this moment. Try again.") from error
        if result.added and not dry_run:
            audit.record(audit.Action.CREATE, "disclosures imported", detail=f"{result.added} rows")
        done = "would be added (nothing is stored)" if dry_run else "added"
        lines = [f"{result.added} disclosures {done}; {result.known} were there already."]
        if result.exempt:
            told = ", ".join(f"{count} {code}" for code, count in sorted(result.exempt.items()))
            lines.append(f"{result.exempt.total()} exempt rows left out, as 45 CFR 164.528(a)(1)(i) has it: {told}.")
        return "\n".join(lines)
