"""`make bench`: build each office, serve it, drive its pages, print the tables (docs/performance.md)."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import report, stage
from bench.build import FACTOR, PASSWORD
from scripts import run_tests

SIZES = (1_000, 100_000)
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Timings of Meso's pages beside a bare Django page.")
    parser.add_argument("--patients", type=_sizes, default=SIZES, help="sizes of the offices (1000,100000)")
    parser.add_argument("--quick", action="store_true", help="the smallest office only, a third of the requests")
    parser.add_argument("--only", choices=list(NAMES), help="one database only")
    parser.add_argument("--requests", type=int, default=300, help="measured requests of each page (300)")
    parser.add_argument("--concurrency", type=int, default=4, help="visitors at once for requests/s (4)")
    parser.add_argument("--database", metavar="URL", help="measure an office that bench.build has built; it gains some rows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="put the tables into this document, between its marks")
    found = parser.parse_args()
    if found.quick:
        found.patients, found.requests = found.patients[:1], max(60, found.requests // 3)
    return found


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(size.replace("_", "")) for size in text.split(",")))


def say(text: str) -> None:
    """A line about the progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def stages(chosen: argparse.Namespace, folder: Path, server: str) -> Iterator[tuple[str, int, AbstractContextManager[str]]]:
    """Each office to measure: which database, how many patients (0: built already), and the database itself."""
    if chosen.database:
        kind = "sqlite" if urlsplit(chosen.database).scheme == "sqlite" else "postgresql"
        yield kind, 0, nullcontext(chosen.database)
        return
    for size in chosen.patients:
        for kind in NAMES:
            if chosen.only in (None, kind):
                yield kind, size, stage.sqlite(folder) if kind == "sqlite" else stage.postgresql(server)


def measure(chosen: argparse.Namespace, patients: int, database: str, folder: Path) -> report.Office:
    """Build (unless `patients` is 0), look from inside, then drive from outside. Raises stage.StageError."""
    env = stage.environment(database, folder)
    office: report.Office = {}
    if patients:
        office["built"] = json.loads(stage.run("bench.build", "--patients", str(patients), env=env))
        say(f"  built in {office['built']['build_seconds']} s, verified in {office['built']['verify_seconds']} s")
    else:
        stage.run("django", "migrate", "-v0", env=env)
    stage.run("django", "collectstatic", "--noinput", "-v0", env=env)
    office |= json.loads(stage.run("bench.probe", env=env))
    begun = time.monotonic()
    with stage.served(env, folder):
        _drive(chosen, office, env)
    say(f"  driven in {time.monotonic() - begun:.0f} s")
    return office


def _drive(chosen: argparse.Namespace, office: report.Office, env: dict[str, str]) -> None:
    """Give the orders to a process of its own, and lay what it measured beside what was seen from inside."""
    specs: dict[str, list[dict[str, Any]]] = {}
    for page in office["pages"]:
        if "spec" in page:
            specs.setdefault(page["user"], []).append(page.pop("spec"))
    orders = {
        "host": stage.HOST,
        "port": stage.PORT,
        "password": PASSWORD,
        "factor": FACTOR,
        "specs": specs,
        "requests": chosen.requests,
        "concurrency": chosen.concurrency,
    }
    measured = {result["name"]: result for result in json.loads(stage.run("bench.drive", env=env, stdin=json.dumps(orders)))}
    office["pages"] = [page | measured.get(page["name"], {}) for page in office["pages"]]


def measure_all(chosen: argparse.Namespace, folder: Path, server: str) -> tuple[list[report.Office], list[str]]:
    """Every office that was asked for, and what could not be measured, in words."""
    offices: list[report.Office] = []
    notes: list[str] = []
    for kind, size, database in stages(chosen, folder, server):
        say(f"{NAMES[kind]}, {size:,} patients" if size else chosen.database)
        try:
            with database as address:
                office = measure(chosen, size, address, folder)
        except stage.StageError as error:
            notes.append(f"Not measured: {NAMES[kind]}, {size:,} patients: {error}")
            say(f"  {notes[-1]}")
            continue
        offices.append({**office, "database": f"{NAMES[kind]} {office['version'].split()[-1]}"})
        say("\n" + report.office_table(offices[-1]) + "\n")
    return offices, notes


def main() -> int:
    """Measure and tell. 0: done, bars met or not; 1: something could not be measured."""
    chosen = options()
    folder = Path(os.environ.get("MESO_DATA") or stage.ROOT / "var").resolve() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="meso-bench-") as cluster,
        run_tests.postgresql(Path(cluster), durable=True) as server,
    ):
        offices, notes = measure_all(chosen, folder, server)
    if not offices:
        return 1
    text = report.full(offices, notes)
    print(text)
    if chosen.json:
        lines = [{**office, "pages": report.summed(office)} for office in offices]
        chosen.json.write_text(json.dumps({"machine": report.machine(), "notes": notes, "offices": lines}, indent=1))
    if chosen.write:
        report.write_into(chosen.write, text)
    failed = any(page.get("missing") or page.get("failed") for office in offices for page in [*office["pages"], *office["asked"]])
    return 1 if notes or failed else 0


if __name__ == "__main__":
    sys.exit(main())
