"""Copies of recipients' written requests that go along with an accounting in place of the purpose (164.528(b)(2)(iv))."""

import base64
from collections.abc import Iterable

from disclosures.models import WrittenRequest
from meso.pdf import Pdf
from records import copying

PDF = "application/pdf"


def can_be_enclosed(content: bytes) -> bool:
    """Whether this PDF can be laid behind a list: sound, not locked, with at least a page."""
    return bool(copying.pages_alone(content))


def pictures(requests: Iterable[WrittenRequest]) -> list[str]:
    """The scans that are pictures, as data: addresses that the list's own pages can show."""
    return [f"data:{one.format};base64,{base64.b64encode(bytes(one.content)).decode()}" for one in requests if one.format != PDF]


def behind(pdf: Pdf, requests: Iterable[WrittenRequest]) -> Pdf:
    """The list with the pages of the scans that are PDFs laid behind it, each with its bookmark."""
    return copying.with_parts(pdf, [(one.name, bytes(one.content)) for one in requests if one.format == PDF])
