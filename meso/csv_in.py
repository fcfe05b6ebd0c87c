"""Reading a spreadsheet's CSV: the header is checked, each bad cell is named by line, column and reason, all or nothing.

The three importers share this; each brings its columns and a function that makes one row.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ValidationError

Made = TypeVar("Made")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file, in words for the person who keeps the spreadsheet."""

    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.reason}"


class BadFile(Exception):
    """A file that is not taken: nothing of it was stored. `problems` names each bad row."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems[:5]))


class BadCell(Exception):
    """Raised by a row maker: this column is wrong, for this reason."""

    def __init__(self, column: str, reason: str):
        self.column, self.reason = column, reason
        super().__init__(f"{column}: {reason}")


def rows(path: Path, columns: tuple[str, ...], required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, cells by column) of each row that is not empty; cells are stripped of outer blanks.

    Raises BadFile for a file that can't be read, is not UTF-8, has no header, names unknown columns or lacks required ones.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadFile([Problem(0, "", f"the file can't be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise BadFile([Problem(_line_of(path, error.start), "", "this is not UTF-8 text; save the spreadsheet as CSV UTF-8")]) from error
    if "\0" in text:
        raise BadFile([Problem(text[: text.index("\0")].count("\n") + 1, "", "this is not a text file")])
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        _check_header(header, columns, required)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) > len(header):
                    raise BadFile([Problem(reader.line_num, "", f"{len(cells)} cells where the header has {len(header)}")])
                padded = cells + [""] * (len(header) - len(cells))
                values = dict(zip(header, (cell.strip() for cell in padded), strict=True))
                yield reader.line_num, {column: values.get(column, "") for column in columns}
    except csv.Error as error:
        raise BadFile([Problem(reader.line_num, "", f"this row is broken: {error}")]) from error


def _line_of(path: Path, offset: int) -> int:
    return path.read_bytes()[:offset].count(b"\n") + 1


def _check_header(header: list[str], columns: tuple[str, ...], required: tuple[str, ...]) -> None:
    if not any(header):
        raise BadFile([Problem(1, "", "the file has no header row; it should read: " + ",".join(columns))])
    unknown = [name for name in header if name not in columns]
    missing = [name for name in required if name not in header]
    twice = sorted({name for name in header if header.count(name) > 1})
    problems = []
    if unknown:
        problems.append(Problem(1, "", "unknown columns: " + ", ".join(unknown)))
    if missing:
        problems.append(Problem(1, "", "missing columns: " + ", ".join(missing)))
    if twice:
        problems.append(Problem(1, "", "columns named twice: " + ", ".join(twice)))
    if problems:
        raise BadFile(problems)


def read_all(
    path: Path, columns: tuple[str, ...], required: tuple[str, ...], make: Callable[[int, dict[str, str]], Made]
) -> list[Made]:
    """Make every row of the file. Raises BadFile that names every bad row, or returns all that was made.

    `make(line, cells)` raises BadCell, or Django's ValidationError keyed by column, for a row that it can't take.
    """
    made, problems = [], []
    for line, cells in rows(path, columns, required):
        try:
            made.append(make(line, cells))
        except BadCell as bad:
            problems.append(Problem(line, bad.column, bad.reason))
        except ValidationError as error:
            problems += [
                Problem(line, column if column != "__all__" else "", " ".join(reasons))
                for column, reasons in error.message_dict.items()
            ]
    if problems:
        raise BadFile(problems)
    return made


def a_date(column: str, text: str, *, latest: date | None = None, needed: bool = True) -> date | None:
    """An ISO day out of a cell. Raises BadCell for anything else, for an empty needed cell, and for a day after `latest`."""
    if not text:
        if needed:
            raise BadCell(column, "a day is needed, such as 2026-11-24")
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadCell(column, f"{text!r} is not a day; write it as 2026-11-24") from error
    if len(text) != 10:
        raise BadCell(column, f"{text!r} is not a day; write it as 2026-11-24")
    if latest and day > latest:
        raise BadCell(column, f"{day} is in the future")
    return day
