"""`copy_fee` prints the bill for copies at the office's present rate, and refuses in plain words what is no number."""

import json
import re
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from meso.models import Office

pytestmark = [pytest.mark.django_db]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("copy_fee", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--pages", "37", "--postage", "1.85"], ("0.15", "5.55", "1.85", "7.40")),
        (["--pages", "212", "--postage", "9.85"], ("0.15", "31.80", "9.85", "41.65")),
        (["--pages", "37"], ("0.15", "5.55", "0.00", "5.55")),
        (["--pages", "0"], ("0.15", "0.00", "0.00", "0.00")),
    ],
)
def test_the_json_is_as_the_design_fixes_it(arguments, answer):
    told = json.loads(run(*arguments, "--format", "json"))
    assert told == {"pages": int(arguments[1]), **dict(zip(("per_page", "copies", "postage", "total"), answer, strict=True))}


def test_the_text_is_for_people():
    lines = [re.sub(" +", " ", line) for line in run("--pages", "37", "--postage", "1.85").splitlines()]
    assert lines == ["37 pages at $0.15 $5.55", "Postage $1.85", "Total $7.40"]
    assert "1 page at $0.15" in run("--pages", "1")


def test_the_rate_is_the_offices():
    office = Office.current()
    office.copy_rate = Decimal("0.10")
    office.save()
    assert json.loads(run("--pages", "37", "--format", "json"))["total"] == "3.70"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pages", "-3"], "can't be below zero"),
        (["--pages", "1.5"], "must be a whole number"),
        (["--pages", "many"], "must be a whole number"),
        (["--pages", "99999999"], "more pages than any record has"),
        (["--pages", "3", "--postage", "-1"], "must be zero or more"),
        (["--pages", "3", "--postage", "1.855"], "a fraction of a cent"),
        (["--pages", "3", "--postage", "$2"], "dollars and cents"),
        (["--postage", "1.85"], "--pages"),
        (["--pages", "3", "--format", "xml"], "xml"),
    ],
)
def test_what_is_no_bill_is_refused_with_the_reason(arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_misuse_exits_with_two(capsys):
    from requests_app.management.commands.copy_fee import Command

    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "copy_fee", "--pages", "-3"])
    assert ended.value.code == 2
    assert "The number of pages can't be below zero." in capsys.readouterr().err
