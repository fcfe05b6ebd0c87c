"""The auditor's export: one ZIP of CSV and PDF that proves a period, with the digest of every file in it.

Each room registers its sections in its `ready()`; the export knows none of them. What a section lists comes row by row and
document by document, so that the whole never lies in memory.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from django.utils.functional import Promise

from meso.csv_out import stream
from meso.models import Office
from meso.pdf import render_pdf

Rows = Callable[[date, date], Iterable[Sequence[object]]]
Documents = Callable[[date, date], Iterable[tuple[str, bytes]]]
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Section:
    """A part of the export: its file name without ending, its title, the citation it proves, its columns, and what fills it."""

    name: str
    title: str | Promise
    citation: str
    columns: tuple[str, ...]
    rows: Rows
    documents: Documents | None
    order: int

    @property
    def file(self) -> str:
        """The name of its spreadsheet in the ZIP."""
        return f"{self.name}.csv"


@dataclass(frozen=True)
class Filled:
    """A section as it came out: how many rows and documents it has."""

    section: Section
    rows: int
    documents: int


_sections: dict[str, Section] = {}


def register(
    name: str,
    title: str | Promise,
    columns: Sequence[str],
    rows: Rows,
    *,
    citation: str,
    documents: Documents | None = None,
    order: int = 50,
) -> None:
    """Add a section: `rows(start, end)` gives its lines, `documents(start, end)` its PDFs as (file name, bytes).

    Both days count. Call it from an app's ready(); the same name again takes the place of the earlier one.
    """
    _sections[name] = Section(name, title, citation, tuple(columns), rows, documents, order)


def sections() -> list[Section]:
    """Every section, in order."""
    return sorted(_sections.values(), key=lambda section: (section.order, section.name))


class _Archive:
    """The ZIP as it is written, with the digest of each file."""

    def __init__(self, file: IO[bytes], at: datetime):
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._when = at.timetuple()[:6]
        self.sums: list[tuple[str, str]] = []

    def write(self, name: str, parts: Iterable[bytes]) -> None:
        """Write a file part by part."""
        info = zipfile.ZipInfo(name, self._when)
        info.compress_type = zipfile.ZIP_DEFLATED
        digest = hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as out:
            for part in parts:
                digest.update(part)
                out.write(part)
        self.sums.append((name, digest.hexdigest()))

    def close(self) -> None:
        """Write the list of digests, as `sha256sum -c` reads it, and end the ZIP."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in self.sums)
        self._zip.writestr(zipfile.ZipInfo(SUMS, self._when), lines)
        self._zip.close()


class _Counted:
    """Rows that are counted as they go by."""

    def __init__(self, rows: Iterable[Sequence[object]]):
        self._rows, self.count = rows, 0

    def __iter__(self) -> Iterator[Sequence[object]]:
        for row in self._rows:
            self.count += 1
            yield row


def build(file: IO[bytes], start: date, end: date, *, office: Office, by: str, at: datetime, on: date) -> list[Filled]:
    """Write the export of the period, both days included, into `file`. Gives what each section holds."""
    archive = _Archive(file, at)
    filled = [_fill(archive, section, start, end) for section in sections()]
    context = {"office": office, "start": start, "end": end, "by": by, "at": at, "on": on, "filled": filled}
    archive.write("summary.pdf", [render_pdf("meso/pdf/auditor.html", context).content])
    archive.close()
    return filled


def _fill(archive: _Archive, section: Section, start: date, end: date) -> Filled:
    counted = _Counted(section.rows(start, end))
    archive.write(section.file, (line.encode() for line in stream(section.columns, counted)))
    documents = 0
    for name, content in section.documents(start, end) if section.documents else ():
        archive.write(f"{section.name}/{name}", [bytes(content)])
        documents += 1
    return Filled(section, counted.count, documents)
