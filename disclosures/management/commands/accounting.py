"""`accounting`: the accounting of disclosures of one patient."""

import json
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from disclosures import accounting as accountings
from disclosures.accounting_rules import look_back_start
from disclosures.purposes import Scope
from meso import audit, clock
from meso.commands import Command as MesoCommand
from meso.commands import Failed, a_day
from meso.models import Office
from records.models import Patient


class Command(MesoCommand):
    """Prints the accounting of one patient for a period, as JSON, CSV or PDF."""

    help = "Prints the accounting of disclosures of one patient for a period, both days included; six years at most."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("chart", help="the chart number")
        parser.add_argument("--from", dest="start", type=a_day, required=True, help="the first day, such as 2020-11-24")
        parser.add_argument("--to", dest="end", type=a_day, required=True, help="the last day")
        scopes = [scope.value for scope in Scope]
        parser.add_argument(
            "--scope", choices=scopes, default=Scope.NOTICE.value, help="the office's promise, or the federal minimum (notice)"
        )
        parser.add_argument("--format", choices=["json", "csv", "pdf"], default="json", help="how to print it (json)")
        parser.add_argument("--output", help="the file to write; without it, standard output")

    def work(self, *, chart: str, start: date, end: date, scope: str, format: str, output: str | None, **options: Any) -> None:
        """Make it and write it out. Raises Failed for an unknown chart or a period that runs backwards."""
        patient = Patient.objects.filter(chart_number=chart).first()
        if patient is None:
            raise Failed(f"There is no chart {chart!r}.")
        if start > end:
            raise Failed("The first day comes after the last one.")
        earliest = look_back_start(end)
        if start < earliest:
            self.stderr.write(f"An accounting reaches back six years: it begins on {earliest}.")
            start = earliest
        made = accountings.for_patient(patient, start, end, Scope(scope), on=clock.today())
        audit.record(audit.Action.EXPORT, "accounting", chart=chart, detail=f"{format}, {scope}, command")
        self.out(self._in_format(made, format), output)

    def _in_format(self, made: accountings.Accounting, format: str) -> str | bytes:
        if format == "json":
            return json.dumps(made.as_dict(), ensure_ascii=False, indent=2) + "\n"
        if format == "csv":
            return made.as_csv()
        return made.as_pdf(Office.current(), clock.today()).content
