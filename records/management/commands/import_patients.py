"""Takes patients, and their histories, out of CSV or FHIR R4."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.db import IntegrityError

from meso import clock
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from records.importers import import_patients


class Command(MesoCommand):
    """`import_patients PATH [--dry-run]`."""

    help = (
        "Take patients out of a CSV file, or patients with their histories out of FHIR R4: a Bundle or one resource (.json), "
        "NDJSON (.ndjson), or a folder of them. All or nothing: every fault is named, and then nothing is stored. "
        "The same input twice adds nothing; a chart that is here already is never changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """PATH and --dry-run."""
        parser.add_argument("path", type=Path, metavar="PATH", help="a .csv, .json or .ndjson file, or a folder of FHIR files")
        parser.add_argument("--dry-run", action="store_true", help="say what would be stored, and store nothing")

    def work(self, *, path: Path, dry_run: bool, **options: Any) -> str:
        """Import and give the account of it."""
        try:
            outcome = import_patients(path, at=clock.now(), dry_run=dry_run)
        except IntegrityError as error:
            raise Failed(
                "Nothing was stored: somebody else added the same patients at this moment. Run the import again."
            ) from error
        return ("Dry run: nothing was stored. This is what an import would do.\n" if dry_run else "") + outcome.in_words()
