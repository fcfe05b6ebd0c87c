"""Spreadsheets: no cell starts a formula, whatever stands in it; nothing else is changed."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from meso.csv_out import safe_cell, stream


@pytest.mark.parametrize(
    "cell",
    [
        "=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "|calc", "%0A", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u3000=1",
        "\ufeff=1", "\u200b=1", "\u202e=1",
        "\0=1", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", "\ufe661", "\t", "   +1", "\u2003\uff1d1",
        "=",
    ],
)  # fmt: skip
def test_what_could_start_a_formula_does_not(cell):
    assert safe_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Maria", "a=b", "12/01", "'tis", " plain", "1-2", "毛泽东", "º", "#1", "(=1)"])
def test_what_can_not_stays_as_it_is(cell):
    assert safe_cell(cell) == cell


@given(st.text())
def test_no_cell_of_any_text_starts_a_formula_and_it_reads_back(text):
    made = "".join(stream(["h"], [[text]]))
    cell = list(csv.reader(io.StringIO(made, newline="")))[1][0] if text else ""
    assert cell.removeprefix("'") == text.removeprefix("'") or cell == text
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


def test_numbers_are_numbers():
    assert "".join(stream(["a", "b", "c"], [[-3, Decimal("-1.50"), None]], end="\n")) == "a,b,c\n-3,-1.50,\n"


def test_every_spreadsheet_of_the_house_is_written_here():
    """A second csv.writer would be a second place to forget the rule."""
    root = Path(settings.BASE_DIR)
    files = [path for room in ("meso", "records", "disclosures", "requests_app") for path in (root / room).rglob("*.py")]
    assert [
        path.relative_to(root).as_posix() for path in files if re.search(r"csv\.(writer|DictWriter)|\.to_csv", path.read_text())
    ] == ["meso/csv_out.py"]
