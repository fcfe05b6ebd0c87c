"""Checks the proof of a request without a database: python verify.py [the folder, or the ZIP]. Needs Python 3.9 and nothing else.

It looks whether every file is there and unchanged, whether each document is the one whose digest the office kept when it
was made, and whether the dates add up. It ends with 0 when all holds, with 1 and the faults when not, with 2 when there is
nothing to read.
"""

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

LONGEST = 30  # days that a promise, and an extension, may have


def read(where: Path) -> dict[str, bytes]:
    """The files of a folder or a ZIP, as {name: bytes}."""
    if where.is_file():
        with zipfile.ZipFile(where) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    paths = (path for path in where.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(where).as_posix(): path.read_bytes() for path in paths}


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def faults_of_files(files: dict[str, bytes], manifest: dict[str, Any]) -> list[str]:
    """What is missing, added or changed."""
    listed = {row["name"]: row for row in manifest["files"]}
    found = [f"{name}: missing" for name in listed if name not in files]
    found += [f"{name}: not in the manifest" for name in files if name not in listed and name != "manifest.json"]
    for name, row in listed.items():
        if name in files and (digest(files[name]), len(files[name])) != (row["sha256"], row["size"]):
            found.append(f"{name}: changed, its SHA-256 is another")
    return found


def faults_of_documents(files: dict[str, bytes], facts: dict[str, Any]) -> list[str]:
    """Documents that are not the ones whose digest was kept when they were made."""
    return [
        f"{row['file']}: not the document that the office kept"
        for row in facts["documents"]
        if row["kept_sha256"] and digest(files.get(row["file"], b"")) != row["kept_sha256"]
    ]


def faults_of_dates(clock: dict[str, Any]) -> list[str]:
    """Dates that do not add up. Day 0 is the day of receipt; nothing rolls and nothing pauses (45 CFR 164.524(b)(2))."""
    received, first, due = (date.fromisoformat(clock[name]) for name in ("received_on", "first_due_on", "due_on"))
    found = []
    if not 1 <= clock["promised_days"] <= LONGEST:
        found.append("the promise is not 1 to 30 days")
    if first != received + timedelta(days=clock["promised_days"]):
        found.append("the first due date is not the receipt and the promised days")
    if clock["extended_to"]:
        extended = date.fromisoformat(clock["extended_to"])
        if not first < extended <= first + timedelta(days=LONGEST) or due != extended:
            found.append("the extension is not after the first due date and at most 30 days later, or is not the due date")
    elif due != first:
        found.append("the due date was moved without an extension")
    if clock["closed_on"] and clock["timeliness"]:
        late = (date.fromisoformat(clock["closed_on"]) - due).days
        if (late > 0) == clock["timeliness"].endswith("On time."):
            found.append("what is said of the end, late or on time, does not agree with the dates")
    return found


def verify(where: Path, say: Callable[[str], object]) -> int:
    """Check all; `say` takes each line. Returns how the program ends."""
    try:
        files = read(where)
        manifest, facts = json.loads(files["manifest.json"]), json.loads(files["facts.json"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        say(f"There is no proof to read here: {error}")
        return 2
    faults = faults_of_files(files, manifest) + faults_of_documents(files, facts) + faults_of_dates(facts["clock"])
    for fault in faults:
        say(f"FAULT  {fault}")
    if not faults:
        clock = facts["clock"]
        say(f"{manifest['request']}: {len(manifest['files'])} files unchanged.")
        say(f"Received {clock['received_on']}, due {clock['due_on']}, closed {clock['closed_on'] or 'not yet'}.")
        say(clock["timeliness"] or "Nothing has ended yet.")
    say(f"SHA-256 of the manifest: {digest(files['manifest.json'])}")
    return 1 if faults else 0


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    sys.exit(verify(place, lambda line: sys.stdout.write(line + "\n")))
