"""`deadlines`: every open request with its clock."""

import io
import json
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from rich.console import Console
from rich.table import Table

from meso import audit, clock
from meso.commands import Command as MesoCommand
from meso.commands import a_day
from meso.csv_out import stream
from meso.days import in_words
from requests_app.models import PatientRequest

COLUMNS = (
    "number", "kind", "chart_number", "received_on", "due_on", "extended", "statutory_due_on", "days_left", "status",
)  # fmt: skip


class Command(MesoCommand):
    """Prints every open request with its clock, soonest first."""

    help = "Prints every open request with its clock, soonest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--on", type=a_day, metavar="D", help="count the days left from this day (today)")
        parser.add_argument("--format", choices=["table", "json", "csv"], default="table", help="how to print it (table)")

    def work(self, *, on: date | None, **options: Any) -> str:
        """The list as text. What has gone overdue by today is noted on its timeline."""
        today = clock.today()
        PatientRequest.objects.note_overdue(on=today, at=clock.now())
        found = PatientRequest.objects.due_soonest().select_related("patient")
        rows = [clock_of(request, on or today) for request in found]
        audit.record(audit.Action.EXPORT, "deadlines", detail=f"{len(rows)} rows")
        return {"table": as_table, "json": as_json, "csv": as_csv}[options["format"]](rows)


def clock_of(request: PatientRequest, on: date) -> dict[str, Any]:
    """One request as design.md, "Files", fixes it: `days_left` is due_on less `on`, negative when overdue."""
    statutory = request.statutory_due_on
    return {
        "number": request.number,
        "kind": request.kind,
        "chart_number": request.patient.chart_number if request.patient else None,
        "received_on": request.received_on.isoformat(),
        "due_on": request.due_on.isoformat(),
        "extended": request.extended,
        "statutory_due_on": statutory.isoformat() if statutory else None,
        "days_left": request.days_left(on),
        "status": request.status,
    }


def as_json(rows: list[dict[str, Any]]) -> str:
    """The rows as one JSON list."""
    return json.dumps(rows, indent=2)


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The rows under a header of the same names; what is null is empty."""
    said = ({**row, "extended": str(row["extended"]).lower()} for row in rows)
    return "".join(stream(COLUMNS, ([row[name] for name in COLUMNS] for row in said), end="\n")).rstrip("\n")


def as_table(rows: list[dict[str, Any]]) -> str:
    """The rows for people to read; days left in words."""
    if not rows:
        return "No request is open."
    table = Table(box=None, pad_edge=False, header_style="")
    for heading in ("Number", "Kind", "Chart", "Received", "Due", "Extended", "Federal limit", "Left", "Next step"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        cells = {**row, "extended": "yes" if row["extended"] else "", "days_left": in_words(row["days_left"])}
        table.add_row(*(str(cells[name]) if cells[name] is not None else "-" for name in COLUMNS))
    text = io.StringIO()
    Console(file=text, width=200, highlight=False, markup=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip().splitlines())
