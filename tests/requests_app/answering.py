"""What the tests of answers share: an office that can write letters, requests that are granted, the words of a document."""

import io
import re
from datetime import UTC, date, datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import strip_tags
from pypdf import PdfReader, PdfWriter

from meso.models import Office, User
from requests_app import quoting
from requests_app.kinds import Kind, Outcome
from requests_app.letters import Draft
from requests_app.models import FeeQuote, PatientRequest
from tests.factories import RequestFactory, UserFactory

RECEIVED = date(2026, 11, 2)
DUE = date(2026, 12, 2)
ON = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
KINDS = list(Kind.values)
DETAILS: dict[str, dict[str, str]] = {
    Kind.ACCESS: {"which": "Everything"},
    Kind.AMENDMENT: {"entry": "First visit", "change": "Take out that I smoke", "reason": "It is not true"},
    Kind.RESTRICTION: {"what": "The visit of May 1", "from_whom": "My health plan"},
    Kind.CONFIDENTIAL_COMMUNICATION: {"means": "mail", "where": "PO Box 12\nAlbany, NY 12201", "avoid": "Home telephone"},
    Kind.ACCOUNTING: {},
}


def an_office(**fields: Any) -> Office:
    """The office with all that a letter needs."""
    office = Office.current()
    filled = {
        "name": "Lark Street Mesotherapy",
        "address_1": "218 Lark Street",
        "city": "Albany",
        "state": "NY",
        "zip": "12210",
        "phone": "(518) 555-0140",
        "officer_name": "Nora Lindqvist",
        "officer_title": "Privacy Officer",
        "officer_phone": "(518) 555-0142",
    }
    for name, value in (filled | fields).items():
        setattr(office, name, value)
    office.save()
    return office


def now(by: User, on: date = ON) -> dict[str, Any]:
    """Who acts when, as the acts take it."""
    return {"by": by, "at": AT, "on": on}


def a_doctor(**fields: Any) -> User:
    """A licensed physician."""
    return UserFactory(**{"role": "physician", "credentials": "MD", "licence_number": "NY 204417"} | fields)


def verified(kind: str, by: User, on: date = ON, **fields: Any) -> PatientRequest:
    """A request whose chart and asker are known."""
    request = RequestFactory(**{"kind": kind, "received_on": RECEIVED, "on": RECEIVED, "details": DETAILS[kind]} | fields)
    request.verify_identity("photo ID seen", **now(by, on))
    return request


def granted(kind: str, by: User, on: date = ON, **fields: Any) -> PatientRequest:
    """The same, granted, without its letter."""
    request = verified(kind, by, on, **fields)
    request.decide(Outcome.GRANTED, **now(by, on))
    return request


def priced(request: PatientRequest, by: User, on: date = ON) -> FeeQuote:
    """A price that covers whatever is copied, told and accepted."""
    facts = {"delivery": "mail", "pages": 900, "postage": "90.00", "told_on": on, "how": "in person"}
    quote = quoting.tell(request, **facts, office=Office.current(), **now(by, on))
    quoting.answer(quote, "accepted", said_on=on, how="in person", **now(by, on))
    return quote


def words_of(document: bytes) -> str:
    """The text of a PDF on one line."""
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(bytes(document))).pages)


def words_of_draft(draft: Draft) -> str:
    """The text of a letter on one line, without drawing it."""
    html = render_to_string("requests_app/letters/letter.html", {**draft.context, "letter": draft, "made_on": ON})
    return " ".join(strip_tags(re.sub(r"<(style|title)\b.*?</\1>", "", html, flags=re.DOTALL)).split()).replace("&#x27;", "'")


def pages_of(document: bytes) -> int:
    """How many pages a PDF has."""
    return len(PdfReader(io.BytesIO(bytes(document))).pages)


def a_pdf(pages: int, password: str = "") -> bytes:
    """A PDF of so many empty pages, locked when there is a password."""
    writer, out = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(612, 792)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()
