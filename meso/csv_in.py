"""Reading a spreadsheet's CSV: the header is checked, each bad cell is named by line, column and reason, all or nothing.

The three importers share this; each brings its columns and a function that makes one row.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

Made = TypeVar("Made")
MAX_CELL = 1_000_000  # characters: a long letter fits, a whole file behind a lost quotation mark does not
ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file, in words for the person who keeps it. Line 0 is the file as a whole."""

    line: int
    column: str
    reason: str
    file: str = ""
    unit: str = "line"

    @property
    def where(self) -> str:
        """Its place in words: "a.json, entry 4, Patient.birthDate"."""
        return ", ".join(filter(None, (self.file, f"{self.unit} {self.line}" if self.line else "", self.column)))

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


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


def read_all(
    path: Path, columns: tuple[str, ...], required: tuple[str, ...], make: Callable[[int, dict[str, str]], Made]
) -> list[Made]:
    """Make every row of the file. Raises BadFile that names every bad row, or returns all that was made.

    `make(line, cells)` gets the line on which the row begins and its cells by column, stripped of outer blanks, and
    raises BadCell, or Django's ValidationError, for a row that it can't take. Every column of `columns` is there; one that
    the file does not have is "". Raises BadFile too for a file that can't be read, is not UTF-8 or has another header.
    """
    reader = _rows(_text_of(path))
    _, header = next(reader, (1, []))
    while header and not header[-1]:
        header.pop()
    _check_header(header, columns, required)
    made: list[Made] = []
    problems: list[Problem] = []
    try:
        for line, cells in reader:
            try:
                made.append(make(line, _by_column(cells, header, columns)))
            except BadCell as bad:
                problems.append(Problem(line, bad.column, bad.reason))
            except ValidationError as error:
                problems += _problems_of(line, error)
    except BadFile as broken:
        problems += broken.problems
    if problems:
        raise BadFile(problems)
    return made


def _text_of(path: Path) -> str:
    """The file's text. Raises BadFile in words about encodings."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadFile([Problem(0, "", f"the file can't be read: {error.strerror}")]) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile([Problem(0, "", "this is UTF-16 text; save the spreadsheet as CSV UTF-8")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadFile([Problem(line, "", "this is not UTF-8 text; save the spreadsheet as CSV UTF-8")]) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise BadFile([Problem(line, "", "there is a NUL character here: this is not a text file")])
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the row begins, its cells without outer blanks) of each row that is not blank.

    Raises BadFile for a row that no reader of CSV can take. Only line ends end a row: other separators stay in their cell.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BadFile([Problem(begins, "", _in_words(str(error)))]) from error


def _in_words(error: str) -> str:
    if "field limit" in error:
        return f"a cell of this row is longer than {MAX_CELL:,} characters; is a quotation mark not closed?"
    if "unexpected end" in error:
        return "a quotation mark of this row is opened and never closed"
    return "the quotation marks of this row are broken: one inside a quoted cell is written twice"


def _check_header(header: list[str], columns: tuple[str, ...], required: tuple[str, ...]) -> None:
    if not header:
        raise BadFile([Problem(1, "", "the file has no header row; it should read: " + ",".join(columns))])
    for mark, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and set(columns) & {name.strip(' "') for name in header[0].split(mark)} and mark in header[0]:
            raise BadFile([Problem(1, "", f"the columns stand between {called}; save the file with commas")])
    problems = []
    for reason, names in (
        ("unknown columns: ", [name or "(no name)" for name in header if name not in columns]),
        ("missing columns: ", [name for name in required if name not in header]),
        ("columns named twice: ", sorted({name for name in header if name and header.count(name) > 1})),
    ):
        if names:
            problems.append(Problem(1, "", reason + ", ".join(names)))
    if problems:
        raise BadFile(problems)


def _by_column(cells: list[str], header: list[str], columns: tuple[str, ...]) -> dict[str, str]:
    """The cells under their names. Cells left off at the end are empty, as spreadsheets save them. Raises BadCell."""
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    if len(cells) > len(header):
        raise BadCell("", f"{len(cells)} cells where the header has {len(header)}; a cell with a comma needs quotation marks")
    return dict.fromkeys(columns, "") | dict(zip(header, cells, strict=False))


def _problems_of(line: int, error: ValidationError) -> list[Problem]:
    by_column = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return [
        Problem(line, "" if column == NON_FIELD_ERRORS else column, " ".join(reasons)) for column, reasons in by_column.items()
    ]


def a_date(column: str, text: str, *, latest: date | None = None, needed: bool = True) -> date | None:
    """An ISO day out of a cell. Raises BadCell for anything else, for an empty needed cell, and for a day after `latest`."""
    if not text:
        if needed:
            raise BadCell(column, "a day is needed, such as 2026-11-24")
        return None
    try:
        day = date.fromisoformat(text if ISO_DAY.fullmatch(text) else "")
    except ValueError:
        raise BadCell(column, f"{text!r} is not a day; write it as 2026-11-24") from None
    if latest and day > latest:
        raise BadCell(column, f"{day} is in the future")
    return day
