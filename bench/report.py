"""The figures as tables for people, in Markdown, misses included."""

import os
import platform
import statistics
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: written by python -m bench -->", "<!-- end of figures -->"
FLAT = 1.25  # the large office may cost so much of the small one before it counts as growth
Office = dict[str, Any]


def summed(office: Office) -> list[dict[str, Any]]:
    """One line for each page of one office: milliseconds, requests a second, and how many times its floor."""
    return [_line(page) for page in office["pages"]]


def _line(page: dict[str, Any]) -> dict[str, Any]:
    line = {name: page.get(name) for name in ("name", "bar", "queries", "reads_whole", "missing", "failed")}
    if "seconds" in page:
        own, floor = page["seconds"]["page"], page["seconds"]["floor"]
        line |= {
            "p50": statistics.median(own) * 1000,
            "p95": p95(own) * 1000,
            "floor_p50": statistics.median(floor) * 1000,
            "times": statistics.median(own) / statistics.median(floor),
            "rate": statistics.median(page["rates"]["page"]),
        }
        line["met"] = None if page["bar"] is None else line["times"] <= page["bar"]
    return line


def p95(values: list[float]) -> float:
    """The value that 95 in 100 do not pass."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column to the left, the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def office_table(office: Office) -> str:
    """One office: its size and times of building, then its pages beside the floors."""
    built = office.get("built")
    title = f"### {office['database']}, {office['patients']:,} patients"
    words = [f"{office['rows']:,} rows in all."]
    if built:
        words.append(
            f"Built in {built['build_seconds']:.0f} s; {built['links']:,} seals checked in {built['verify_seconds']:.0f} s."
        )
    rows = [*_floor_rows(office), *(_page_row(line) for line in summed(office))]
    head = ["page", "queries", "p50 ms", "p95 ms", "requests/s", "times floor", "bar", ""]
    return f"{title}\n\n{' '.join(words)}\n\n{table(head, rows)}"


def _floor_rows(office: Office) -> list[list[str]]:
    rows = []
    for name, kind, writes in (("floor: bare page", "read", False), ("floor: plain insert", "write", True)):
        measured = [page for page in office["pages"] if "seconds" in page and page["writes"] == writes]
        seconds = [second for page in measured for second in page["seconds"]["floor"]]
        rates = [rate for page in measured for rate in page["rates"]["floor"]]
        if seconds:
            numbers = [statistics.median(seconds) * 1000, p95(seconds) * 1000]
            rows.append(
                [f"*{name}*", str(office["floors"][kind]), *(f"{n:.2f}" for n in numbers), f"{statistics.median(rates):.0f}"]
            )
    return [[*row, "1", "", ""] for row in rows]


def _page_row(line: dict[str, Any]) -> list[str]:
    if "p50" not in line:
        return [line["name"], "", "", "", "", "", "", "not there" if line["missing"] else f"failed: {line['failed']}"]
    bar = f"≤ {line['bar']:g}" if line["bar"] else ""
    verdict = {True: "met", False: "**missed**", None: ""}[line["met"]]
    numbers = [f"{line['p50']:.2f}", f"{line['p95']:.2f}", f"{line['rate']:.0f}", f"{line['times']:.2f}"]
    return [line["name"], str(line["queries"]), *numbers, bar, verdict]


def growth_table(offices: list[Office]) -> str:
    """Does a page cost the same in the large office? The ratio of their multiples of the floor, each in its own run."""
    rows = []
    for database in dict.fromkeys(office["database"] for office in offices):
        of_it = sorted((office for office in offices if office["database"] == database), key=lambda office: office["patients"])
        small, large = of_it[0], of_it[-1]
        for one, other in zip(summed(small), summed(large), strict=True):
            if small is not large and "p50" in one and "p50" in other and one["bar"]:
                ratio = other["times"] / one["times"]
                numbers = [
                    f"{one['p50']:.2f}",
                    f"{other['p50']:.2f}",
                    f"{one['times']:.2f}",
                    f"{other['times']:.2f}",
                    f"{ratio:.2f}",
                ]
                rows.append([f"{one['name']}, {database}", *numbers, "met" if ratio <= FLAT else "**missed**"])
    if not rows:
        return ""
    head = ["page", "small p50 ms", "large p50 ms", "small times floor", "large times floor", "large ÷ small", f"≤ {FLAT}"]
    return f"### The same in a large office as in a small one\n\n{table(head, rows)}"


def asked_table(offices: list[Office]) -> str:
    """The other ways to ask the lists, in the largest office of each database: milliseconds inside one process, alone."""
    shown = _largest(offices)
    rows = [
        [page["name"], str(page.get("queries", "")), *(_inside(office["asked"][place]) for office in shown)]
        for place, page in enumerate(shown[0]["asked"])
    ]
    head = ["asked", "queries", *(f"{office['database']} ms" for office in shown)]
    return f"### Lists narrowed, among {shown[0]['patients']:,} patients, without the server around them\n\n{table(head, rows)}"


def _inside(page: dict[str, Any]) -> str:
    return f"{page['inside_ms']:.1f}" if "inside_ms" in page else "not there" if page.get("missing") else "failed"


def _largest(offices: list[Office]) -> list[Office]:
    largest = max(office["patients"] for office in offices)
    return [office for office in offices if office["patients"] == largest]


def search_table(offices: list[Office]) -> str:
    """The searches that are hardest on the database, in the largest office of each."""
    shown = _largest(offices)
    rows = [[f"`{text}`", *(f"{office['search_ms'][text]:.2f}" for office in shown)] for text in shown[0]["search_ms"]]
    head = ["typed", *(f"{office['database']} ms" for office in shown)]
    return f"### Hard searches among {shown[0]['patients']:,} patients, without the page around them\n\n{table(head, rows)}"


def insert_table(offices: list[Office]) -> str:
    """A sealed row beside a plain one, stored through the model."""
    rows = []
    for office in offices:
        plain, sealed = office["insert_ms"]["plain"], office["insert_ms"]["sealed"]
        name = f"{office['database']}, {office['patients']:,} patients"
        rows.append([name, f"{plain:.2f}", f"{sealed:.2f}", f"{sealed / plain:.2f}"])
    return f"### One row through the model\n\n{table(['office', 'plain ms', 'sealed ms', 'times'], rows)}"


def whole_reads(offices: list[Office]) -> str:
    """Which pages read a large table from end to end, by the databases' own plans."""
    found = [
        f"- {page['name']}, {office['database']}, {office['patients']:,} patients: `{'`, `'.join(page['reads_whole'])}`"
        for office in offices
        for page in [*office["pages"], *office["asked"]]
        if page.get("reads_whole")
    ]
    text = "\n".join(found) or "None: each query of each page walks an index."
    return f"### Large tables read whole\n\n{text}"


def machine() -> str:
    """What it was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    software = ", ".join(f"{name} {version(name)}" for name in ("Django", "gunicorn", "psycopg"))
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {software}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def full(offices: list[Office], notes: list[str]) -> str:
    """Everything, in Markdown."""
    parts = [machine(), *notes, *(office_table(office) for office in offices), growth_table(offices)]
    parts += [whole_reads(offices), asked_table(offices), search_table(offices), insert_table(offices)]
    return "\n\n".join(part for part in parts if part)


def write_into(path: Path, text: str) -> None:
    """Put the figures between their marks in a document. Raises ValueError when it has no marks."""
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} has no place for the figures: {BEGIN} … {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
