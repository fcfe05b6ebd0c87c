"""For the record's tests: the office's day, and files of every format as bytes."""

import io
import zipfile
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from meso.models import AccessEvent


def _picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (24, 18), (236, 196, 172)).save(out, kind)
    return out.getvalue()


def _archive(*parts: str, types: str = "<x/>", how: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for part in parts:
            archive.writestr(part, types if part == "[Content_Types].xml" else "<x/>")
    return out.getvalue()


_MACRO = '<Override PartName="/word/x.bin" ContentType="application/vnd.ms-office.vbaProject"/>'


@pytest.fixture(scope="session")
def file_bytes() -> dict[str, bytes]:
    """Bytes by what they are: the five formats of a chart, and some that are not."""
    control = '<Default Extension="bin" ContentType="application/vnd.ms-office.activeX"/>'
    method = b"PK\x01\x02\x14\x03\x14\0\0\0\0\0"
    word = ("[Content_Types].xml", "word/document.xml")
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 64
    return {
        "pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
        "jpeg": _picture("JPEG"),
        "png": _picture("PNG"),
        "heic": heic,
        "heic by a compatible brand": heic.replace(b"ftypheic", b"ftypmif1"),
        "docx": _archive(*word),
        "docx with macros": _archive(*word, "word/x.bin", types=_MACRO),
        "docx with a control": _archive(*word, types=control),
        "docx that unpacks without end": _archive(*word, types=" " * 30_000_000, how=zipfile.ZIP_DEFLATED),
        "docx of a method unknown": _archive(*word).replace(method, method[:-2] + b"\x63\0"),
        "docx whose parts are cut": _archive(*word, how=zipfile.ZIP_DEFLATED).replace(b"\xb3\xa9", b"\xff\xff"),
        "xlsx": _archive("[Content_Types].xml", "xl/workbook.xml"),
        "cut-off zip": _archive(*word)[:40],
        "exe": b"MZ\x90\x00\x03\x00\x00\x00" + b"\0" * 120,
        "html": b"<!doctype html><html><script>alert(1)</script></html>",
        "html with a PDF's mark in it": b"<html><!-- %PDF-1.7 --><script>alert(1)</script></html>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "gif": b"GIF89a\x01\0\x01\0\0\0\0;",
        "avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0" * 32,
        "mp4": b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + b"\0" * 32,
        "text": b"Seen for a first visit.",
        "empty": b"",
    }


@pytest.fixture
def upload(file_bytes) -> Callable[..., SimpleUploadedFile]:
    """`upload("png", "photo.png")` is that file as a browser sends it; the browser's own word on its type is a lie."""

    def send(kind: str, name: str = "file.bin") -> SimpleUploadedFile:
        return SimpleUploadedFile(name, file_bytes[kind], content_type="application/pdf")

    return send


@pytest.fixture
def events(db) -> Callable[[], list[tuple[str, str, str]]]:
    """`events()` gives what the audit trail holds: (action, subject, chart number), oldest first."""
    return lambda: list(AccessEvent.objects.order_by("pk").values_list("action", "subject", "chart_number"))
