"""`copy_fee`: the bill for copies on paper, at the office's rate."""

import argparse
import json
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meso.commands import Command as MesoCommand
from meso.models import Office
from meso.money import in_words
from requests_app import fees


def _pages(text: str) -> int:
    try:
        return fees.check_pages(text)
    except fees.FeeRefused as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None


def _postage(text: str) -> Decimal:
    try:
        return fees.check_money(text, _("Postage"))
    except fees.FeeRefused as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None


class Command(MesoCommand):
    """Works the bill out and stores nothing."""

    help = "The bill for copies on paper: pages at the office's rate plus the postage actually paid."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--pages", type=_pages, required=True, metavar="N", help="how many pages, a whole number")
        parser.add_argument("--postage", type=_postage, default=Decimal("0.00"), metavar="X", help="dollars paid, such as 1.85")
        parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print it (text)")

    def work(self, *args: Any, **options: Any) -> str:
        bill = fees.paper_copy(options["pages"], options["postage"], rate=Office.current().page_rate)
        return as_json(bill) if options["format"] == "json" else as_text(bill)


def as_json(bill: fees.Bill) -> str:
    """The bill as design.md fixes it: money as text with two places."""
    money = {name: f"{getattr(bill, name):.2f}" for name in ("per_page", "copies", "postage", "total")}
    return json.dumps({"pages": bill.pages, **money})


def as_text(bill: fees.Bill) -> str:
    """The bill in three lines, the amounts under each other."""
    count = ngettext("%(pages)s page at %(rate)s", "%(pages)s pages at %(rate)s", bill.pages)
    rows = [
        (count % {"pages": bill.pages, "rate": in_words(bill.per_page)}, bill.copies),
        (_("Postage"), bill.postage),
        (_("Total"), bill.total),
    ]
    widest = max(len(label) for label, _amount in rows)
    return "\n".join(f"{label:<{widest}}  {in_words(amount):>12}" for label, amount in rows)
