"""A patient's designated record set as one file: FHIR R4, PDF, or a ZIP of both with every attachment and a manifest."""

import hashlib
import io
import json
import re
import zipfile
from datetime import datetime
from typing import Any

from django.utils import timezone

from meso import clock
from meso.models import Office
from records import record_set
from records.fhir.out import bundle_of
from records.models import Attachment, Patient
from records.record_pdf import record_pdf
from records.record_set import RecordSet
from records.uploads import ENDINGS, Format

FORMATS = ("fhir", "pdf", "zip")


def export(patient: Patient, form: str, at: datetime) -> bytes:
    """The whole record in one of FORMATS. `at` is now: it stands in the file. The caller writes the audit event."""
    record = record_set.of(patient, clock.office_day(at))
    return {"fhir": fhir_json, "pdf": _pdf, "zip": _zip}[form](record, at)


def fhir_json(record: RecordSet, at: datetime) -> bytes:
    """The Bundle as UTF-8 JSON."""
    return (json.dumps(bundle_of(record, record.seals(), at), ensure_ascii=False, indent=1) + "\n").encode()


def _pdf(record: RecordSet, at: datetime) -> bytes:
    loose = [attachment for attachment in record.attachments if attachment.entry_id is None]
    return record_pdf(record.patient, Office.current(), record.entries, clock.office_day(at), None, loose=loose).content


def _zip(record: RecordSet, at: datetime) -> bytes:
    """record.pdf, record.fhir.json, attachments/, and manifest.json with the SHA-256 of each and the counts."""
    files: dict[str, bytes] = {"record.pdf": _pdf(record, at), "record.fhir.json": fhir_json(record, at)}
    names: dict[str, Attachment] = {}
    for number, attachment in enumerate(record.attachments, start=1):
        name = f"attachments/{number:03d}_{safe_name(attachment)}"
        files[name], names[name] = bytes(attachment.content), attachment
    files["manifest.json"] = _manifest(record, files, names, at)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, timezone.localtime(at).timetuple()[:6])
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def safe_name(attachment: Attachment) -> str:
    """The attachment's name with nothing in it that any file system reads as more than a name, ending as its format does."""
    ending = ENDINGS[Format(attachment.format)][0]
    stem = attachment.name.removesuffix(ending)
    return (re.sub(r"[^\w-]+", "_", stem).strip("_")[:80] or "attachment") + ending


def _manifest(record: RecordSet, files: dict[str, bytes], names: dict[str, Attachment], at: datetime) -> bytes:
    entries = record.entries
    said: dict[str, Any] = {
        "chart_number": record.patient.chart_number,
        "made_at": at.isoformat(timespec="seconds"),
        "counts": {
            "entries": len(entries),
            "addenda": sum(len(entry.addenda.all()) for entry in entries),
            "lines_through": sum(len(entry.strikes.all()) for entry in entries),
            "linked_to_entries": sum(len(entry.beside) for entry in entries),
            "attachments": len(record.attachments),
            "restrictions": len(record.restrictions),
        },
        "files": [
            {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            | ({"original_name": names[name].name} if name in names else {})
            for name, content in files.items()
        ],
    }
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()
