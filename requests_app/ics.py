"""The due dates of open requests as a calendar file (RFC 5545): request numbers and days, nothing about a patient."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from requests_app.models import PatientRequest

LONGEST_LINE = 75  # octets


def calendar(requests: Iterable[PatientRequest], *, at: datetime, base: str) -> str:
    """A calendar with one whole day for each request. `base` is the address of the house, such as https://meso.example."""
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Meso//Due dates//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for asked in requests:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{asked.number.lower()}@meso",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{asked.due_on:%Y%m%d}",
            f"DTEND;VALUE=DATE:{asked.due_on + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{escaped(f'{asked.number} is due')}",
            f"URL:{base}{asked.get_absolute_url()}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def escaped(text: str) -> str:
    """A text value: backslash, semicolon, comma and new line escaped."""
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> str:
    """The line in pieces of at most 75 octets, each further one behind a blank; no letter is cut in two."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > LONGEST_LINE:
            pieces.append(piece)
            piece = " "
        piece += letter
    return "\r\n".join([*pieces, piece])
