"""Writing a spreadsheet's CSV: no cell can start a formula, and a long file streams row by row."""

import csv
from collections.abc import Iterable, Iterator

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(text: str) -> str:
    """The cell with an apostrophe before it when a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


class _Echo:
    """A file that gives back what is written into it."""

    def write(self, text: str) -> str:
        return text


def stream(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The CSV, a row at a time; every cell made safe."""
    writer = csv.writer(_Echo())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow(safe_cell("" if cell is None else str(cell)) for cell in row)
