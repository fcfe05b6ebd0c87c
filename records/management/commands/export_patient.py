"""Gives out one patient's whole designated record set."""

import sys
from argparse import ArgumentParser
from typing import Any

from meso import audit, clock
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from records.exporters import FORMATS, export
from records.models import Patient


class Command(MesoCommand):
    """`export_patient CHART --format fhir|pdf|zip [--output F]`."""

    help = (
        "Write the whole record of one patient: as FHIR R4 (a Bundle in JSON), as PDF, or as ZIP with both, every attachment "
        "and a manifest. Entries that were filed in the wrong chart are left out. The export is written to the audit trail."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """CHART, --format and --output."""
        parser.add_argument("chart", metavar="CHART", help="the chart number")
        parser.add_argument("--format", choices=FORMATS, required=True, help="what to make of it")
        parser.add_argument("--output", metavar="F", help="the file to write; without it the export goes to standard output")

    def work(self, *, chart: str, format: str, output: str | None, **options: Any) -> None:
        """Export and write one audit event."""
        patient = Patient.objects.filter(chart_number=chart).first()
        if patient is None:
            raise Failed(f"There is no chart {chart}.")
        if not output and format != "fhir" and sys.stdout.isatty():
            raise Failed(f"A {format.upper()} is no text for a terminal. Name a file with --output.", returncode=2)
        made = export(patient, format, clock.now())
        audit.record(audit.Action.EXPORT, "record", chart=chart, detail=format)
        self.out(made.decode() if format == "fhir" and not output else made, output)
