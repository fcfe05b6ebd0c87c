"""What an import has read and not yet stored: patients, entries, files; and the account of what became of them."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from meso.csv_in import Problem
from records import names
from records.models import Entry


@dataclass(frozen=True)
class ImportedFile:
    """A file to keep beside an entry: its name and format, and its bytes as they came."""

    name: str
    format: str
    content: bytes


@dataclass
class ImportedPatient:
    """A patient as a source has them. `source` names the system that gave the chart its number, or is ""."""

    where: str
    chart_number: str
    details: dict[str, Any]
    source: str = ""
    former_names: list[str] = field(default_factory=list)
    identifiers: list[tuple[str, str]] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)  # what was left out, and somebody should know
    no_place: list[str] = field(default_factory=list)  # elements that a chart has no place for


@dataclass(slots=True)
class ImportedEntry:
    """An entry as a source has it, with the place where it stood.

    `is_file` marks a file that an export of Meso laid beside its entries, `appended_to` the entry that it belongs to.
    """

    place: Problem
    type: str
    keys: tuple[str, ...]  # the names under which another resource may refer to it
    chart_number: str
    source_id: str
    kind: str
    title: str
    body: str
    service_on: date
    service_at: datetime
    signed_as: str
    written_at: datetime
    files: list[ImportedFile] = field(default_factory=list)
    own: dict[str, Any] = field(default_factory=dict)  # a treatment's own fields
    notes: list[Problem] = field(default_factory=list)
    is_file: bool = False
    appended_to: str = ""


@dataclass
class Outcome:
    """What became of an input, count by count; every resource that was read is in exactly one of them."""

    read: Counter[str] = field(default_factory=Counter)
    patients_added: int = 0
    patients_here: int = 0
    patients_differing: list[str] = field(default_factory=list)  # chart numbers
    entries_added: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, type)
    entries_here: Counter[str] = field(default_factory=Counter)
    entries_differing: list[str] = field(default_factory=list)  # places
    attachments_added: int = 0
    attachments_here: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)  # (type, reason)
    no_place: Counter[str] = field(default_factory=Counter)
    notes: list[Problem] = field(default_factory=list)

    @property
    def has_added(self) -> bool:
        """Whether anything was stored."""
        return bool(self.patients_added or self.entries_added or self.attachments_added)

    def in_words(self) -> str:
        """The account for the person who ran the import."""
        lines = [f"Patients: {self.patients_added} added, {self.patients_here} already here."]
        if self.patients_differing:
            lines += [
                f"  {len(self.patients_differing)} of them differ from this input; their charts were left as they are: "
                + ", ".join(self.patients_differing)
            ]
        lines += self._entries_in_words()
        if self.attachments_added or self.attachments_here:
            lines += [f"Attachments: {self.attachments_added} added, {self.attachments_here} already here."]
        if self.repeated:
            lines += ["The same again within this input, counted once: " + _listed(self.repeated)]
        if self.left_out:
            lines += ["Left out:"] + [f"  {type_} {count}: {why}" for (type_, why), count in sorted(self.left_out.items())]
        if self.no_place:
            lines += ["Of patients, left out for want of a place in the chart: " + _listed(self.no_place)]
        if self.notes:
            lines += ["Please look at:"] + [f"  {note}" for note in self.notes]
        return "\n".join(lines) + "\n"

    def _entries_in_words(self) -> list[str]:
        if not (self.entries_added or self.entries_here):
            return []
        lines = [f"Entries: {self.entries_added.total()} added, {self.entries_here.total()} already here."]
        for kind in Entry.Kind:
            of_kind = Counter({type_: count for (added, type_), count in self.entries_added.items() if added == kind})
            if of_kind:
                lines.append(f"  {kind.label} {of_kind.total()}: {_listed(of_kind)}")
        if self.entries_differing:
            lines.append(f"  {len(self.entries_differing)} already here differ from this input and were left as they are:")
            lines += [f"    {place}" for place in self.entries_differing]
        return lines


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def chart_number_fault(number: str) -> str:
    """Why this can't be a chart number, or "". A chart's address is /patients/<chart number>/."""
    if not number:
        return "a chart number is needed"
    if len(number) > 64:
        return "a chart number has at most 64 characters"
    if number in (".", "..", "new") or re.search(r"[/\\\x00-\x1f\x7f]", number) or number != number.strip():
        return f"{number!r} can't be a chart number: no slash, no line end, no outer blanks, and not the word new"
    return ""


def name_fault(first: str, last: str) -> str:
    """Why a chart can't have this name, or "": it must be one under which the chart is found."""
    if not (first or last):
        return "a patient needs a name; one word is enough"
    return "" if names.key(first + last) else "a name needs at least one letter, of any script"
