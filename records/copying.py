"""A copy of chosen entries as one PDF: the record's own pages, and behind them the pages of its PDF files.

Everything that leaves the office on paper or as a file is drawn here, whoever it is for.
"""

import io
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from meso.models import Office, User
from meso.pdf import Pdf, render_pdf
from records import representation
from records.models import Attachment, Entry, Patient, Representative
from records.passages import Cover
from records.record_pdf import as_jpeg, record_pdf

# What pypdf lets out on a file that is no sound PDF: its own errors, and those of code that trips over the content.
_UNREADABLE = (PyPdfError, OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, NotImplementedError)
_ON_PAGES = (Attachment.Format.JPEG, Attachment.Format.PNG)  # files that the record's own pages show

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a patient's file is shown, and not logged


@dataclass(frozen=True)
class Copy:
    """A copy as drawn, and the files that can't be pages of it."""

    pdf: Pdf
    beside: tuple[Attachment, ...]  # files that can't be pages: they are given besides
    unreadable: tuple[Attachment, ...]  # PDF files among them that are broken or locked


def orderable(patient: Patient, representative: Representative | None = None) -> tuple[list[Entry], list[Attachment]]:
    """What may be copied for this patient: the entries open to them, oldest first, and the files under no entry.

    For a parent, care that the minor consented to alone is left out (164.502(g)(3)).
    """
    entries = Entry.objects.of_record().releasable().filter(patient=patient).with_marks().oldest_first()
    return representation.open_to(entries, representative), list(patient.attachments.filter(entry=None))


def copy_of(
    patient: Patient,
    entries: Sequence[Entry],
    loose: Sequence[Attachment],
    *,
    by: User,
    on: date,
    office: Office,
    internal: Collection[int] = (),
    covers: Mapping[tuple[str, int], Sequence[Cover]] | None = None,
    papers: Iterable[tuple[str, str, bytes]] = (),
    to_others: bool = False,
) -> Copy:
    """Draw these entries, which come `with_marks()`, and these files under no entry. Stores nothing; no pages for nothing.

    Files of the entries whose keys are in `internal` are left out, and the words under `covers` blacked out, as record_pdf
    does it, and `to_others` passed on; `papers` as (name, format, bytes) go behind everything else.
    """
    files = [file for entry in entries for file in entry.attachments.all() if file.pk not in internal] + list(loose)
    pages_of = _readable(files)
    record = Pdf(b"", 0)  # of a chart that is all on paper
    if entries or loose:
        how = {"behind": pages_of, "internal": internal, "covers": covers, "to_others": to_others}
        record = record_pdf(patient, office, entries, on, by, loose=loose, **how)  # type: ignore[arg-type]
    behind = [(name, _pages_of(format_, content)) for name, format_, content in papers]
    pdf = _joined(record, [(file.name, pages_of[file.pk]) for file in files if file.pk in pages_of] + behind)
    beside = tuple(file for file in files if file.format not in _ON_PAGES and file.pk not in pages_of)
    return Copy(pdf, beside, tuple(file for file in beside if file.format == Attachment.Format.PDF))


def stamped(content: bytes) -> bytes:
    """The same PDF with each page marked as not released: to look it through before it goes out."""
    mark = PdfReader(io.BytesIO(render_pdf("records/pdf/stamp.html", {}).content)).pages[0]
    writer, out = PdfWriter(clone_from=io.BytesIO(content)), io.BytesIO()
    for page in writer.pages:
        page.merge_page(mark)
    writer.write(out)
    return out.getvalue()


def with_parts(pdf: Pdf, parts: Sequence[tuple[str, bytes]]) -> Pdf:
    """The papers with the pages of these PDFs, each with its name, behind them; broken ones left out."""
    sound = [(name, pages) for name, content in parts if (pages := pages_alone(content))]
    return _joined(pdf, sound) if pdf.content else pdf


def _readable(files: Sequence[Attachment]) -> dict[int, bytes]:
    """The PDF files among these as sound PDFs of their pages alone, by key; broken and locked ones left out."""
    wanted = [file.pk for file in files if file.format == Attachment.Format.PDF]
    found = Attachment.objects.with_bytes().filter(pk__in=wanted).iterator(chunk_size=4) if wanted else ()
    copied = {file.pk: pages_alone(bytes(file.content)) for file in found}
    return {key: content for key, content in copied.items() if content}


def pages_alone(content: bytes) -> bytes:
    """The pages of a PDF without scripts, forms and files it may carry; b"" when it is broken, locked or has none."""
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted or not reader.pages:
            return b""
        return _written(reader.pages)
    except _UNREADABLE:
        return b""


def _pages_of(format_: str, content: bytes) -> bytes:
    """A PDF's pages, or a picture as a page of its own; b"" for what can be neither."""
    if format_ not in _ON_PAGES:
        return pages_alone(content) if format_ == Attachment.Format.PDF else b""
    out = io.BytesIO()
    if drawn := as_jpeg(content):
        Image.open(io.BytesIO(drawn)).save(out, "PDF", resolution=200)
    return out.getvalue()


def _written(pages: Iterable) -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    for page in pages:
        writer.add_page(page)
    writer.write(out)
    return out.getvalue()


def _joined(record: Pdf, parts: list[tuple[str, bytes]]) -> Pdf:
    """The record with the pages of these files behind it, each with its bookmark; what has no pages is left out."""
    parts = [part for part in parts if part[1]]
    if not parts:
        return record
    writer, out = PdfWriter(clone_from=io.BytesIO(record.content) if record.content else None), io.BytesIO()
    for name, content in parts:
        first = len(writer.pages)
        for page in PdfReader(io.BytesIO(content)).pages:
            writer.add_page(page)
        writer.add_outline_item(title=name, page_number=first)
    writer.xmp_metadata = None  # it claims PDF/UA, which the files' own pages may not keep
    writer.write(out)
    return Pdf(out.getvalue(), len(writer.pages))
