"""docs/asvs.md and docs/security.md agree with the project: the files and tests they name exist, and no row is left out."""

import csv
import re
from pathlib import Path

import pytest
from django.conf import settings

from tests.test_audit_protocol import runs
from tests.test_law import is_page, source

ROOT = Path(settings.BASE_DIR)
PAGES = ("docs/asvs.md", "docs/security.md")
NAMED = re.compile(
    r"`((?:[\w.-]+/)*(?:[\w-]+\.(?:py|md|html|js|css|txt|toml|yml|sh)|Dockerfile|Makefile|\.dockerignore))(?:::(\w+))?`"
)
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/asvs.md").read_text().splitlines()
    if re.match(r"\| V\d", line)
]
ANSWERS = {"met", "not met", "not applicable"}


def named(page: str) -> set[tuple[str, str]]:
    """Every file that the page names, with the test behind the two colons or ""."""
    return set(NAMED.findall((ROOT / page).read_text()))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_test_that_is_named_exists(page):
    assert len(named(page)) > 20
    missing = [path for path, _test in named(page) if not (ROOT / path).is_file()]
    missing += [f"{path}::{test}" for path, test in named(page) if test and f"def {test}(" not in source(path)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_whatever_is_written_like_a_test_is_found_by_that_search(page):
    text = (ROOT / page).read_text()
    assert len(re.findall(r"::test_\w+", text)) == len(re.findall(r"`tests/[\w/]+\.py::test_\w+`", text))
    assert text.count("`") % 2 == 0


@pytest.mark.parametrize("page", [*PAGES, "SECURITY.md"])
def test_pages_and_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    addresses = set(re.findall(r"`(/[a-z/]*/)`", text)) - {"/accounts/"}
    assert [address for address in addresses if not is_page(address)] == []
    assert [to for to in re.findall(r"\]\(([^)#:]+)\)", text) if not (ROOT / page).parent.joinpath(to).exists()] == []


def test_every_row_has_its_answer_and_its_reason():
    assert len(ROWS) > 200
    assert [row for row in ROWS if len(row) != 4 or not all(row)] == []
    assert {row[2] for row in ROWS} == ANSWERS
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.shared
def test_the_rows_are_those_of_the_standard_no_fewer_and_no_more(shared):
    with (shared / "standards/asvs5_L1_L2_applicability.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row[0] for row in ROWS] == [row["req_id"] for row in csv.DictReader(file)]


@pytest.mark.shared
def test_what_is_asked_is_said_in_our_own_words(shared):
    """No run of eight words of the standard stands in our page."""
    with (shared / "standards/asvs5_L1_L2_applicability.csv").open(encoding="utf-8-sig", newline="") as file:
        theirs = set().union(*(runs(row["requirement"]) for row in csv.DictReader(file)))
    assert {run for row in ROWS for cell in row[1:] for run in runs(cell)} & theirs == set()
