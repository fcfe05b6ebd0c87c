"""Copies of recipients' written requests that go along with an accounting in place of the purpose (164.528(b)(2)(iv))."""

import base64
import io
from collections.abc import Iterable

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from disclosures.models import WrittenRequest
from meso.pdf import Pdf

PDF = "application/pdf"
# What pypdf lets out on a file that is no sound PDF: its own errors, and those of code that trips over the content.
_UNREADABLE = (PyPdfError, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, NotImplementedError)


def can_be_enclosed(content: bytes) -> bool:
    """Whether this PDF can be laid behind a list: sound, not locked, with at least a page."""
    try:
        reader = PdfReader(io.BytesIO(content))
        return not reader.is_encrypted and len(reader.pages) > 0
    except _UNREADABLE:
        return False


def pictures(requests: Iterable[WrittenRequest]) -> list[str]:
    """The scans that are pictures, as data: addresses that the list's own pages can show."""
    return [f"data:{one.format};base64,{base64.b64encode(bytes(one.content)).decode()}" for one in requests if one.format != PDF]


def behind(pdf: Pdf, requests: Iterable[WrittenRequest]) -> Pdf:
    """The list with the scans that are PDFs laid behind it."""
    scans = [bytes(one.content) for one in requests if one.format == PDF]
    if not scans:
        return pdf
    writer = PdfWriter(clone_from=io.BytesIO(pdf.content))
    for scan in scans:
        writer.append(io.BytesIO(scan), import_outline=False)
    out = io.BytesIO()
    writer.write(out)
    return Pdf(out.getvalue(), len(writer.pages))
