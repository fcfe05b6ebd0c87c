"""The record on paper: chosen entries with their lines, addenda and pictures, as one PDF."""

import base64
from collections.abc import Iterable, Sequence
from datetime import date

from meso.models import Office, User
from meso.pdf import Pdf, render_pdf
from records.models import Attachment, Entry, Patient

_DRAWN = (Attachment.Format.JPEG, Attachment.Format.PNG)  # pictures that a page can show


def record_pdf(
    patient: Patient, office: Office, entries: Sequence[Entry], on: date, by: User | None, *, loose: Iterable[Attachment] = ()
) -> Pdf:
    """The PDF of these entries, in the order given, each with what was laid beside it.

    `entries` come `with_marks()`; `loose` are attachments that stand under no entry. `on` is the day it is made and `by`
    whoever makes it (None for a command). JPEG and PNG pictures are drawn; other files are listed with their SHA-256.
    """
    loose = list(loose)
    files = [file for entry in entries for file in entry.attachments.all()] + loose
    context = {
        "patient": patient,
        "office": office,
        "entries": entries,
        "loose": loose,
        "on": on,
        "by": by,
        "pictures": _pictures(files),
    }
    return render_pdf("records/pdf/record.html", context)


def _pictures(files: list[Attachment]) -> dict[int, str]:
    """The bytes of the pictures among these files as data: addresses, by key. One query."""
    wanted = [file.pk for file in files if file.format in _DRAWN]
    found = Attachment.objects.with_bytes().filter(pk__in=wanted) if wanted else ()
    return {file.pk: f"data:{file.format};base64,{base64.b64encode(bytes(file.content)).decode()}" for file in found}
