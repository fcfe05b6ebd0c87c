"""The documents inside FHIR resources: a text becomes the entry's own, a file that the chart keeps becomes its attachment."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from records import virus_scan
from records.fhir import text as fhir_text
from records.fhir.files import At, BadElementError, Found, unkept
from records.fhir.index import Index
from records.fhir.shapes import ATTACHMENTS
from records.imported import ImportedFile
from records.uploads import MAX_SIZE, clean_name, format_of, with_ending


@dataclass
class Documents:
    """What the attachments of one resource hold: texts, files, and what can't be kept, in words."""

    texts: list[str] = field(default_factory=list)
    files: list[ImportedFile] = field(default_factory=list)
    unkept: list[str] = field(default_factory=list)


def documents_of(found: Found, index: Index) -> Documents:
    """Gather the inline documents of a resource, and those in a Binary of the same input. Raises BadElementError.

    The contents of a DocumentReference are the same document in several formats: of its texts the first counts.
    """
    documents = Documents()
    for attachment in _attachments(At(found.resource, found.type)):
        content_type, data = _data_of(attachment, found, index)
        if not data:
            continue
        content = _decoded(data, attachment.path)
        if _is_text(content_type):
            if not (documents.texts and found.type == "DocumentReference"):
                documents.texts.append(_as_text(content, content_type, attachment.path))
        else:
            _keep(documents, content, content_type, attachment)
    return documents


def _attachments(resource: At) -> list[At]:
    """Every Attachment of the resource, in its order."""
    found = []
    for key in ATTACHMENTS:
        value = resource.value.get(key)
        groups = resource.items(key) if isinstance(value, list) else [resource.child(key)] if isinstance(value, dict) else []
        for group in groups:
            inner = next((name for name in ("attachment", "contentAttachment") if name in group.value), None)
            found.append(group.child(inner) if inner else group)
    return found


def _data_of(attachment: At, found: Found, index: Index) -> tuple[str, str]:
    """(format, base64): from the attachment itself or the Binary that it names; ("", "") where it only names an address."""
    content_type, data, url = attachment.text("contentType"), attachment.text("data"), attachment.text("url")
    if data or not url:
        return content_type, data
    known = index.look_up({"reference": url}, found.file, found.resource.get("contained"))
    return (content_type or known.content_type, known.data) if known and known.type == "Binary" else ("", "")


def _decoded(data: str, path: str) -> bytes:
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadElementError(f"{path}.data", "this is not base64") from None


def _is_text(content_type: str) -> bool:
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    return (kind.startswith("text/") and kind != "text/rtf") or kind == "application/xml" or kind.endswith("+xml")


def _as_text(content: bytes, content_type: str, path: str) -> str:
    """The document's text; markup is read and its tags left out. Bytes that are no UTF-8 are read as Western European."""
    named = [part.split("=", 1)[1].strip(' "') for part in content_type.split(";") if part.strip().lower().startswith("charset=")]
    for charset in (*named, "utf-8-sig", "cp1252", "latin-1"):
        try:
            text = content.decode(charset)
            break
        except (UnicodeError, LookupError):
            continue
    if reason := unkept(text):
        raise BadElementError(f"{path}.data", reason)
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind == "text/html" or kind.endswith("xml"):
        return fhir_text.from_html(text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _found(content: bytes, path: str) -> str:
    """What the virus scanner finds, or "". Raises BadElementError where it should be asked and does not answer."""
    try:
        return virus_scan.find(content)
    except virus_scan.ScanFailed as error:
        raise BadElementError(path, "the virus scanner does not answer, so no file is taken") from error


def _keep(documents: Documents, content: bytes, content_type: str, attachment: At) -> None:
    """Add a file that the chart can hold; say what it was where it can't."""
    format_ = format_of(content)
    found = _found(content, attachment.path) if format_ else ""
    title = attachment.text("title") or "document"
    if format_ is None or found or len(content) > MAX_SIZE:
        digest = hashlib.sha256(content).hexdigest()
        held = f"the virus scanner found {found}" if found else "larger than 25 MB"
        why = held if format_ else "not a format that a chart keeps (PDF, JPEG, PNG, HEIC, DOCX)"
        documents.unkept.append(
            f"{title[:100]}, {content_type[:80] or 'of no stated format'}, {len(content)} bytes, SHA-256 {digest}: {why}"
        )
    else:
        documents.files.append(ImportedFile(with_ending(clean_name(title), format_), format_, content))
