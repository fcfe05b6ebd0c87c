"""docs/audit-protocol.md holds every privacy row of the federal audit protocol, and names pages and files that are there."""

import csv
import re
from pathlib import Path

import pytest
from django.conf import settings

from meso import auditor
from tests.test_law import is_page

ROOT = Path(settings.BASE_DIR)
PAGE = (ROOT / "docs/audit-protocol.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| §")]
SECTIONS = re.compile(r"164\.(502|508|510|512|514|520|522|524|526|528|530)\b")
ANSWERS = {"yes", "in part", "not Meso's job"}


def key(text: str) -> str:
    return " ".join(text.split())


def test_every_row_has_its_key_question_answer_and_place():
    assert len(ROWS) > 80
    assert [row for row in ROWS if len(row) != 4 or not all(row)] == []
    assert {row[2] for row in ROWS} == ANSWERS
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.shared
def test_the_rows_are_those_of_the_protocol_no_fewer_and_no_more(shared):
    with (shared / "standards/ocr_hipaa_audit_protocol.csv").open(encoding="utf-8-sig", newline="") as file:
        protocol = [key(row[1]) for row in csv.reader(file) if row[0] == "Privacy" and SECTIONS.search(row[1])]
    ours = [key(row[0]) for row in ROWS]
    assert len(ours) == len(protocol)
    assert set(ours) == set(protocol)


@pytest.mark.shared
def test_what_is_asked_is_said_in_our_own_words(shared):
    """No run of eight words of the protocol stands in our page."""
    with (shared / "standards/ocr_hipaa_audit_protocol.csv").open(encoding="utf-8-sig", newline="") as file:
        theirs = set().union(*(runs(cell) for row in csv.reader(file) for cell in row[2:]))
    assert {run for row in ROWS for cell in row[1:] for run in runs(cell)} & theirs == set()


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z']+", text.lower())
    return {tuple(words[place : place + 8]) for place in range(len(words) - 7)}


def test_every_page_that_it_names_is_there():
    pages = {name for row in ROWS for name in re.findall(r"`(/[^`]*)`", row[3])}
    assert pages
    assert {name for name in pages if not is_page(name)} == set()


def test_every_file_that_it_names_is_in_the_export():
    files = set(re.findall(r"“([a-z_]+)\.csv”", PAGE))
    assert files <= {section.name for section in auditor.sections()}
    assert {section.name for section in auditor.sections()} - files <= {
        "legal_holds",
        "emergency_access",
        "access_reviews",
    }  # the last two: the Security Rule


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "not Meso's job"], ids=lambda row: row[0])
def test_an_answer_that_meso_gives_names_a_page(row):
    assert "`/" in row[3]
