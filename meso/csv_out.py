"""Writing a spreadsheet's CSV, the only place that does: no cell can start a formula, and a long file streams row by row."""

import csv
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal

_STARTS_A_FORMULA = frozenset("=+-@|%\t\r\n")


def safe_cell(text: str) -> str:
    """The cell with an apostrophe before it when a spreadsheet could take it for a formula.

    Full-width signs count as their plain ones, as Chinese and Japanese spreadsheets read them, and whatever a spreadsheet strips
    before it looks does not hide one: blanks, and letters that can't be seen (OWASP, CSV injection).
    """
    first = text[:1]
    plain = unicodedata.normalize("NFKC", text[:40])
    seen = next((letter for letter in plain if not letter.isspace() and unicodedata.category(letter)[0] != "C"), "")
    return f"'{text}" if _STARTS_A_FORMULA & {first, seen} else text


def _cell(value: object) -> object:
    """A number as it is, anything else as text that starts no formula."""
    return value if isinstance(value, int | Decimal) else safe_cell("" if value is None else str(value))


class _Echo:
    """A file that gives back what is written into it."""

    def write(self, text: str) -> str:
        return text


def stream(header: Iterable[str], rows: Iterable[Iterable[object]], *, end: str = "\r\n") -> Iterator[str]:
    """The CSV, a row at a time; every cell made safe."""
    writer = csv.writer(_Echo(), lineterminator=end)
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow(_cell(cell) for cell in row)
