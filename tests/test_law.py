"""docs/law.md and the code agree: every citation in the code has its row, every row its function and its test."""

import importlib
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import Resolver404, resolve

from tests.test_house import SAMPLES

ROOT = Path(settings.BASE_DIR)
CITATION = re.compile(r"164\.\d{3}(?:\([a-zA-Z0-9]+\))*")
ROOMS = ("meso", "records", "disclosures", "requests_app", "templates")
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (ROOT / "docs/law.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| rule |", "|---"))
]
LISTED = {citation for row in ROWS for citation in CITATION.findall(row[1])}


def cited() -> dict[str, str]:
    """Every citation that stands in a module or a template, with one place where it stands."""
    files = [path for room in ROOMS for end in ("*.py", "*.html", "*.txt") for path in (ROOT / room).rglob(end)]
    places = {path: path.read_text() for path in files if not {"migrations", "locale"} & set(path.parts)}
    return {citation: str(path.relative_to(ROOT)) for path, text in places.items() for citation in CITATION.findall(text)}


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def exists(name: str) -> bool:
    """Whether a dotted name leads to a module, a class, a function or a method; or an address to a page."""
    if name.startswith("/"):
        return is_page(name)
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            thing = getattr(thing, part, None)
        return thing is not None
    return False


def is_page(address: str) -> bool:
    """Whether an address such as /patients/<chart>/ is one of Meso's pages."""
    try:
        resolve(re.sub(r"<(\w+)>", lambda found: SAMPLES[found[1]], address))
    except Resolver404:
        return False
    return True


@cache
def source(path: str) -> str:
    file = ROOT / path
    return file.read_text() if file.is_file() else ""


def test_every_rule_that_the_code_names_has_its_row():
    missing = {citation: place for citation, place in cited().items() if citation not in LISTED}
    assert missing == {}


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_every_row_names_what_keeps_it_and_what_proves_it(row):
    assert len(row) == 4, row
    rule, citation, keepers, proofs = row
    assert rule
    assert CITATION.search(citation)
    assert named(keepers)
    assert [name for name in named(keepers) if not exists(name)] == []
    assert named(proofs)
    for proof in named(proofs):
        path, _, test = proof.partition("::")
        assert source(path), f"there is no {path}"
        assert not test or f"def {test}(" in source(path), f"there is no {proof}"
