"""How a browser sends the patients' form: fetch its page, fill it in, send it with the page's token."""

import hashlib
import re
from html import unescape
from itertools import count

from django.http import HttpResponse
from django.test import Client

from requests_app import work
from requests_app.kinds import Kind

ASKER = {
    "who": "patient",
    "asker_name": "Björk Guðmundsdóttir",
    "asker_born": "7/2/1984",
    "asker_phone": "(555) 010-2233",
    "asker_email": "bjork@example.org",
    "asker_address": "12 Elm Street\nAlbany, NY 12207",
}
PART: dict[str, dict[str, str]] = {
    Kind.ACCESS: {
        "access_which": "The May visit",
        "access_since": "2026-05-01",
        "access_until": "2026-05-31",
        "access_form": "mail",
        "access_delivery_address": "PO Box 12\nAlbany, NY 12201",
        "description": "Large print, please",
    },
    Kind.AMENDMENT: {
        "amendment_entry": "Visit of May 1",
        "amendment_change": "I do not smoke",
        "amendment_reason": "I never have",
        "amendment_originator": "The hospital closed in 2024",
        "description": "Thank you",
    },
    Kind.RESTRICTION: {
        "restriction_what": "The sessions I paid for",
        "restriction_from_whom": "My health plan",
        "restriction_paid_in_full": "yes",
        "description": "-",
    },
    Kind.CONFIDENTIAL_COMMUNICATION: {
        "confidential_communication_means": "phone",
        "confidential_communication_where": "555-010-9999 after six",
        "confidential_communication_avoid": "Home telephone",
    },
    Kind.ACCOUNTING: {"accounting_since": "2020-11-24", "accounting_until": "2026-11-24", "description": "For the last years"},
}


def value_of(html: str, name: str) -> str:
    """What stands in the input of this name."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', html)
    return unescape(found.group(1)) if found else ""


def filled_in(client: Client, kind: str, **changes: str) -> dict[str, str]:
    """The fields of a fresh page of this kind, filled in."""
    html = client.get("/privacy/request/", {"kind": kind}).content.decode()
    token = value_of(html, "token")
    return {"kind": kind, "token": token, "work": work_of(html), **ASKER, **PART[kind], **changes}


def solved(token: str) -> str:
    """The work of this page, done as static/work.js does it."""
    found: list[str] = []
    for i in range(work.PUZZLES):
        hashes = ((n, hashlib.sha256(f"{token}.{i}.{n}".encode()).digest()) for n in count())
        found.append(str(next(n for n, got in hashes if int.from_bytes(got[:4], "big") >> (32 - work.BITS) == 0)))
    return ",".join(found)


def work_of(html: str) -> str:
    """The work that a page asks for, done; "" where it asks for none."""
    asked = re.search(r'data-work="([^"]+)"', html)
    return solved(unescape(asked[1])) if asked else ""


def send(client: Client, kind: str = Kind.ACCESS, **changes: str) -> HttpResponse:
    """Fetch the form of this kind, fill it in and send it. The answer is not followed."""
    return client.post("/privacy/request/", filled_in(client, kind, **changes))


def number_and_code(client: Client) -> tuple[str, str]:
    """What the receipt shows to this browser."""
    html = client.get("/privacy/request/received/").content.decode()
    number, code = re.findall(r'receipt-code">([^<]+)<', html)
    return number, code
