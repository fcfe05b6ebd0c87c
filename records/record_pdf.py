"""The record on paper: chosen entries with their lines, addenda and pictures, as one PDF."""

import base64
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from PIL import Image, ImageOps

from meso.models import Office, User
from meso.pdf import Pdf, render_pdf
from records import beside
from records.models import Attachment, Entry, Patient
from records.passages import Cover

_DRAWN = (Attachment.Format.JPEG, Attachment.Format.PNG)  # pictures that a page can show
_PIXELS = 2000  # of the longer side: 300 to the inch of a page
_MOST_PIXELS = 50_000_000  # that are unpacked: some 200 MB of memory


def record_pdf(
    patient: Patient,
    office: Office,
    entries: Sequence[Entry],
    on: date,
    by: User | None,
    *,
    loose: Iterable[Attachment] = (),
    behind: Collection[int] = (),
    internal: Collection[int] = (),
    covers: Mapping[tuple[str, int], Sequence[Cover]] | None = None,
    office_use: bool = False,
    to_others: bool = False,
) -> Pdf:
    """The PDF of these entries, in the order given, each with what was laid beside it.

    `entries` come `with_marks()`; `loose` are attachments that stand under no entry. `on` is the day it is made and `by`
    whoever makes it (None for a command). JPEG and PNG pictures are drawn; other files are listed with their SHA-256, and
    those whose keys are in `behind` as files whose own pages the caller puts behind these. Files whose keys are in `internal`
    are left out. `covers` are the words to black out, by ("entry" or "addendum", key): they are nowhere in the file.
    With `office_use` each page says that it is none to give out.
    What hangs on a disputed entry stands under it; `to_others` leaves out what does not go along with a release to others
    (164.526(d)(5)).
    """
    beside.lay(entries, on, to_others=to_others)
    loose = list(loose)
    files = [file for entry in entries for file in entry.attachments.all() if file.pk not in internal] + loose
    context = {
        "patient": patient,
        "office": office,
        "entries": entries,
        "loose": loose,
        "on": on,
        "by": by,
        "pictures": _pictures(files),
        "behind": behind,
        "internal": internal,
        "covers": covers or {},
        "office_use": office_use,
    }
    return render_pdf("records/pdf/record.html", context)


def _pictures(files: list[Attachment]) -> dict[int, str]:
    """The pictures among these files as data: addresses, by key; those too broken to draw left out. One query."""
    wanted = [file.pk for file in files if file.format in _DRAWN]
    found = Attachment.objects.with_bytes().filter(pk__in=wanted).iterator(chunk_size=4) if wanted else ()
    drawn = {file.pk: as_jpeg(bytes(file.content)) for file in found}
    return {key: f"data:image/jpeg;base64,{base64.b64encode(content).decode()}" for key, content in drawn.items() if content}


def as_jpeg(content: bytes) -> bytes:
    """The picture upright and no larger than a page can show, as JPEG without what the camera wrote beside it (time, place).

    b"" when it can't be read, and for a few bytes that would unpack to hundreds of megabytes.
    """
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
            picture.draft("RGB", (_PIXELS, _PIXELS))  # a JPEG is unpacked no larger than needed
            if picture.width * picture.height > _MOST_PIXELS:
                return b""
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return b""
    upright.thumbnail((_PIXELS, _PIXELS))
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright)
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=88)
    return out.getvalue()
