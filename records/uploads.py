"""Files that come into the chart: known by their content, never by their name."""

import hashlib
import io
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass

import puremagic
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from records import virus_scan
from records.models import Attachment

Format = Attachment.Format
MAX_SIZE = 25 * 1024 * 1024  # bytes of one file
MAX_FILES = 10  # in one form

ENDINGS = {
    Format.PDF: (".pdf",), Format.JPEG: (".jpg", ".jpeg"), Format.PNG: (".png",), Format.HEIC: (".heic", ".heif"),
    Format.DOCX: (".docx",),
}  # fmt: skip
_STARTS = {Format.PDF: b"%PDF-", Format.JPEG: b"\xff\xd8\xff", Format.PNG: b"\x89PNG\r\n\x1a\n"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_TYPES = "[Content_Types].xml"  # what each part of a Word document is, whatever its name
_WORD = {_TYPES, "word/document.xml"}
_MACROS = (b"vbaproject", b"macroenabled", b"activex")
_LONGEST_TYPES = 1024 * 1024  # bytes; a document of a thousand pictures needs a tenth


@dataclass(frozen=True)
class CheckedFile:
    """A file that the chart may keep: a harmless name, the format that its bytes show, the bytes."""

    name: str
    format: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The digest of the bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def read(upload: UploadedFile) -> CheckedFile:
    """The upload, checked. Raises ValidationError that names the file and the reason."""
    shown = clean_name(upload.name or "")
    if not upload.size:
        raise ValidationError(_("“%(name)s” is empty."), params={"name": shown})
    if upload.size > MAX_SIZE:
        raise ValidationError(_("“%(name)s” is larger than 25 MB."), params={"name": shown})
    content = upload.read()
    format_ = format_of(content)
    if format_ is None:
        raise ValidationError(
            _("“%(name)s” is not a PDF, JPEG, PNG, HEIC or Word (DOCX) file, whatever its name says."), params={"name": shown}
        )
    _scan(content, shown)
    return CheckedFile(with_ending(shown, format_), format_, content)


def _scan(content: bytes, shown: str) -> None:
    """Raise ValidationError for what the virus scanner finds, or where it should be asked and does not answer."""
    try:
        found = virus_scan.find(content)
    except virus_scan.ScanFailed as error:
        raise ValidationError(
            _("“%(name)s” can't be taken now: the virus scanner does not answer. Try again, or tell the office admin."),
            params={"name": shown},
        ) from error
    if found:
        raise ValidationError(
            _("“%(name)s” is not taken: the virus scanner found %(found)s in it. Do not open it; tell the office admin."),
            params={"name": shown, "found": found},
        )


def format_of(content: bytes) -> str | None:
    """The format that the bytes themselves show, of those a chart keeps; None for any other."""
    if content.startswith(b"PK\x03\x04"):
        return Format.DOCX if _is_word(content) else None
    if content[4:8] == b"ftyp":
        return Format.HEIC if _is_heic(content) else None
    try:
        found = {match.mime_type for match in puremagic.magic_string(content[:4096])}
    except (puremagic.PureError, ValueError):
        return None
    return next((format_ for format_, start in _STARTS.items() if format_ in found and content.startswith(start)), None)


def _is_word(content: bytes) -> bool:
    """A ZIP with a Word document's two parts and no macros. Read are its table of contents and the start of its list of types."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = set(archive.namelist())
            if not parts >= _WORD:
                return False
            with archive.open(_TYPES) as types:
                kinds = types.read(_LONGEST_TYPES + 1).lower()  # unpacked no further, whatever it would grow to
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError):
        return False
    return len(kinds) <= _LONGEST_TYPES and not any(mark in kinds for mark in _MACROS)


def _is_heic(content: bytes) -> bool:
    """An ISO media file whose brands, the main one or a compatible one, are HEIC's."""
    length = min(int.from_bytes(content[:4], "big"), 256)
    brands = {content[8:12]} | {content[place : place + 4] for place in range(16, length, 4)}
    return bool(brands & _HEIC_BRANDS) and content[8:12] != b"avif"


def clean_name(name: str) -> str:
    """The last part of the name without what a screen or a disk could trip over; never empty."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join("_" if letter in '<>:"|?*%;' else letter for letter in name if unicodedata.category(letter)[0] != "C")
    return kept.strip(" .")[-200:] or _("file")


def with_ending(name: str, format_: str) -> str:
    """The name, ending as files of its format do."""
    endings = ENDINGS[Format(format_)]
    return name if name.lower().endswith(endings) else name[: 200 - len(endings[0])] + endings[0]
