"""Puts imported patients and entries into their charts: what is there already is left as it is, the rest is sealed in bulk."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from simple_history.utils import bulk_create_with_history

from meso.csv_in import BadFile, Problem
from meso.seals import Seal, Sealed, bulk_seal
from records import names
from records.fhir.codes import SEAL_SYSTEM
from records.imported import ImportedEntry, ImportedFile, ImportedPatient, Outcome
from records.models import Attachment, Entry, NameKey, Patient

Item = TypeVar("Item")
_AT_ONCE = 500  # rows in one query: what SQLite's parameters bear
_SEALED_AT_ONCE = 2000


def _parts(items: Iterable[Item], size: int = _AT_ONCE) -> Iterator[list[Item]]:
    every = list(items)
    return (every[start : start + size] for start in range(0, len(every), size))


def store_patients(patients: list[ImportedPatient], outcome: Outcome) -> dict[str, Patient]:
    """Register those who have no chart yet. A chart that exists is not changed: where it differs, the outcome says so.

    Returns every patient by chart number. Raises BadFile where a chart is plainly another person's.
    """
    charts = {
        patient.chart_number: patient
        for numbers in _parts(imported.chart_number for imported in patients)
        for patient in Patient.objects.filter(chart_number__in=numbers)
    }
    new = []
    for imported in patients:
        if imported.chart_number in charts:
            _compare(imported, charts[imported.chart_number], outcome)
        else:
            new.append((imported, Patient(chart_number=imported.chart_number, **imported.details)))
    _register(new)
    outcome.patients_added += len(new)
    return charts | {patient.chart_number: patient for _, patient in new}


def _compare(imported: ImportedPatient, stored: Patient, outcome: Outcome) -> None:
    """Count a chart that is here. Raises BadFile where neither a name nor the birth date is this chart's."""
    said = Patient(chart_number=imported.chart_number, **imported.details)
    said.set_keys()
    if all(getattr(said, name) != getattr(stored, name) for name in ("first_key", "last_key", "date_of_birth")):
        reason = f"chart {stored.chart_number} here is another person's: other names and another birth date"
        raise BadFile([Problem(0, "", reason, file=imported.where)])
    outcome.patients_here += 1
    given = {name: value for name, value in imported.details.items() if value not in ("", None, Patient.Sex.UNKNOWN)}
    if any(getattr(stored, name) != value for name, value in given.items()):
        outcome.patients_differing.append(stored.chart_number)


def _register(new: list[tuple[ImportedPatient, Patient]]) -> None:
    """Store new patients with their history and every name under which they are to be found."""
    for _, patient in new:
        patient.set_keys()
    for part in _parts(new):
        bulk_create_with_history([patient for _, patient in part], Patient, batch_size=_AT_ONCE)
        keys = []
        for imported, patient in part:
            found = {key.word for key in NameKey.of(patient)}
            for name in imported.former_names:
                found |= {word[:200] for word in (*names.words(name), names.key(name)) if word}
            keys += [NameKey(patient=patient, word=word) for word in sorted(found)]
        NameKey.objects.bulk_create(keys, batch_size=_AT_ONCE)


def store_entries(
    entries: list[ImportedEntry], charts: dict[str, Patient], outcome: Outcome, at: datetime, advance: Callable[[int], None]
) -> None:
    """File the entries that are not there yet, each chart's in the order of their dates, with their attachments.

    Raises BadFile for an entry that stands in another chart here.
    """
    rows = _rows_here(entries, charts)
    new = [entry for entry in entries if entry.source_id not in rows and not entry.is_file]
    new.sort(key=lambda entry: (charts[entry.chart_number].pk, entry.service_on, entry.service_at))
    for entry in entries:
        outcome.notes += entry.notes
        if entry.source_id in rows and not entry.is_file:
            outcome.entries_here[entry.type] += 1
            if _differs(entry, rows[entry.source_id]):
                outcome.entries_differing.append(entry.place.where)
    for part in _parts(new, _SEALED_AT_ONCE):
        rows |= _file(part, charts, at, outcome)
        advance(len(part))
    _attach(entries, rows, charts, at, outcome)


def _rows_here(entries: list[ImportedEntry], charts: dict[str, Patient]) -> dict[str, Entry | None]:
    """What is stored already, by source id: the entry, or None for another row of Meso's own that an export gave out."""
    rows: dict[str, Entry | None] = {}
    for ids in _parts(entry.source_id for entry in entries):
        rows |= {str(row.source_id): row for row in Entry.objects.filter(source_id__in=ids)}
        seals = [name.removeprefix(f"{SEAL_SYSTEM}|") for name in ids if name.startswith(f"{SEAL_SYSTEM}|")]
        links = list(Seal.objects.filter(seal__in=seals))
        own = Entry.objects.in_bulk([link.row for link in links if link.table == Entry._meta.label_lower])
        for link in links:
            rows[f"{SEAL_SYSTEM}|{link.seal}"] = own.get(link.row) if link.table == Entry._meta.label_lower else None
    problems = [
        replace(entry.place, reason="this stands in another chart here already")
        for entry in entries
        if (row := rows.get(entry.source_id)) and row.patient_id != charts[entry.chart_number].pk
    ]
    if problems:
        raise BadFile(problems)
    return rows


def _differs(entry: ImportedEntry, row: Entry | None) -> bool:
    return row is not None and (entry.kind, entry.title, entry.body) != (row.kind, row.title, row.body)


def _file(part: list[ImportedEntry], charts: dict[str, Patient], at: datetime, outcome: Outcome) -> dict[str, Entry | None]:
    """Store and seal these entries, each followed by its own attachments. Returns them by source id."""
    rows: list[Sealed] = []
    made: dict[str, Entry | None] = {}
    for entry in part:
        row = Entry(
            patient=charts[entry.chart_number], kind=entry.kind, service_on=entry.service_on, title=entry.title, body=entry.body,
            signed_as=entry.signed_as, written_at=entry.written_at, source_id=entry.source_id, **entry.own,
        )  # fmt: skip
        made[entry.source_id] = row
        rows += [row, *(_attachment(file, row.patient, row, at) for file in entry.files)]
        outcome.entries_added[entry.kind, entry.type] += 1
        outcome.attachments_added += len(entry.files)
    bulk_seal(rows)
    return made


def _attachment(file: ImportedFile, patient: Patient, entry: Entry | None, at: datetime) -> Attachment:
    return Attachment(
        patient=patient, entry=entry, name=file.name, format=file.format, content=file.content, size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(), added_at=at,
    )  # fmt: skip


def _attach(
    entries: list[ImportedEntry], rows: dict[str, Entry | None], charts: dict[str, Patient], at: datetime, outcome: Outcome
) -> None:
    """Store the files that an export of Meso laid beside its entries; one that the chart holds already is counted as here."""
    by_key = {key: rows.get(entry.source_id) for entry in entries if not entry.is_file for key in entry.keys if key}
    new: list[Sealed] = []
    for entry in (entry for entry in entries if entry.is_file):
        patient = charts[entry.chart_number]
        for file in entry.files:
            row = _attachment(file, patient, by_key.get(entry.appended_to), at)
            if entry.source_id in rows or patient.attachments.filter(sha256=row.sha256, name=row.name).exists():
                outcome.attachments_here += 1
            else:
                new.append(row)
    if new:
        bulk_seal(new)
    outcome.attachments_added += len(new)
