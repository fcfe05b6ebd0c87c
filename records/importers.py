"""Patients and their histories out of files: CSV, or FHIR R4. All or nothing; the same input twice adds nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from django.db import transaction

from meso import audit, clock, csv_in
from meso.commands import progress
from meso.csv_in import BadCell, BadFile, Problem
from records.fhir.entries import NotFiledError, entry_of, owner
from records.fhir.files import LINES, WHOLE, BadElementError, Found, files_of, read
from records.fhir.index import Index, content_digest, identity
from records.fhir.patients import patient_of
from records.fhir.shapes import SHAPES, why_left_out
from records.import_store import store_entries, store_patients
from records.imported import ImportedEntry, ImportedPatient, Outcome, chart_number_fault, name_fault
from records.models import Patient

COLUMNS = (
    "chart_number", "first_name", "last_name", "date_of_birth", "sex", "phone", "email",
    "address_1", "address_2", "city", "state", "zip", "language",
)  # fmt: skip
REQUIRED = ("chart_number", "date_of_birth")
_SEXES = {"": "unknown", "f": "female", "m": "male", "o": "other", "u": "unknown"}

Advance = Callable[[int], None]


def import_patients(path: Path, *, at: datetime, dry_run: bool = False) -> Outcome:
    """Store what `path` holds, in one transaction; with `dry_run` only say what would be stored. `at` is now.

    Raises BadFile that names every fault, and stores nothing then.
    """
    with transaction.atomic():
        outcome = _import_fhir(path, at) if _is_fhir(path) else _import_csv(path, clock.office_day(at))
        if outcome.has_added:
            detail = f"{outcome.patients_added} patients, {outcome.entries_added.total()} entries"
            audit.record(audit.Action.CREATE, "import", detail=detail)
        transaction.set_rollback(dry_run)
    return outcome


def _is_fhir(path: Path) -> bool:
    """By its name, or, without a telling name, by its first character."""
    if path.is_dir() or path.suffix.lower() in (*LINES, *WHOLE):
        return True
    if path.suffix.lower() == ".csv":
        return False
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    except OSError:
        return False


# --- CSV ---------------------------------------------------------------------------------------------------------------------


def _import_csv(path: Path, on: date) -> Outcome:
    lines: dict[str, int] = {}

    def make(line: int, cells: dict[str, str]) -> ImportedPatient:
        imported = _of_row(line, cells, on)
        first = lines.setdefault(imported.chart_number, line)
        if first != line:
            raise BadCell("chart_number", f"{imported.chart_number} stands in line {first} already")
        return imported

    patients = csv_in.read_all(path, COLUMNS, REQUIRED, make)
    outcome = Outcome()
    outcome.read["row"] = len(patients)
    store_patients(patients, outcome)
    return outcome


def _of_row(line: int, cells: dict[str, str], on: date) -> ImportedPatient:
    """One row as a patient. Raises BadCell or ValidationError for a cell that a chart can't take."""
    number = cells["chart_number"]
    if fault := chart_number_fault(number):
        raise BadCell("chart_number", fault)
    if fault := name_fault(cells["first_name"], cells["last_name"]):
        raise BadCell("last_name", fault)
    born = csv_in.a_date("date_of_birth", cells["date_of_birth"], latest=on)
    sex = _SEXES.get(cells["sex"].lower(), cells["sex"].lower())
    if sex not in Patient.Sex.values:
        raise BadCell("sex", f"{cells['sex']!r} is none of {', '.join(Patient.Sex.values)}")
    details = {**cells, "date_of_birth": born, "sex": sex}
    del details["chart_number"]
    Patient(chart_number=number, **details).clean_fields(exclude=["chart_key", "first_key", "last_key", "phone_digits"])
    return ImportedPatient(f"line {line}", number, details)


# --- FHIR --------------------------------------------------------------------------------------------------------------------


@contextmanager
def _bar(total: int, label: str) -> Iterator[Advance]:
    """A progress bar that is finished however the work ends."""
    advance, done = progress(max(total, 1), label), 0

    def forward(by: int) -> None:
        nonlocal done
        done += by
        advance(by)

    try:
        yield forward
    finally:
        advance(max(total, 1) - done)


def _import_fhir(path: Path, at: datetime) -> Outcome:
    """Two readings: the first finds the patients and what may be referred to, the second the entries, file by file."""
    problems: list[Problem] = []
    outcome = Outcome()
    size = sum(file.stat().st_size for file in files_of(path) if file.is_file())
    with _bar(2 * size, "Reading") as advance:
        patients, index = _first_reading(path, outcome, problems, clock.office_day(at), advance)
        if not problems and not patients:
            problems.append(
                Problem(0, "", "there is no Patient in this input, so there is no chart to file it in", file=path.name)
            )
        entries = _second_reading(path, outcome, problems, patients, index, at, advance)
    if problems:
        raise BadFile(problems)
    charts = store_patients(list(patients.values()), outcome)
    with _bar(len(entries), "Storing") as advance:
        store_entries(entries, charts, outcome, at, advance)
    return outcome


def _first_reading(
    path: Path, outcome: Outcome, problems: list[Problem], on: date, advance: Advance
) -> tuple[dict[str, ImportedPatient], Index]:
    patients: dict[str, ImportedPatient] = {}
    digests: dict[str, tuple[str, str]] = {}
    index = Index()
    for found in read(path, problems, advance):
        outcome.read[found.type] += 1
        if found.type != "Patient":
            index.add(found)
        elif not _is_repeated(found, digests, outcome, problems):
            _take_patient(found, patients, index, problems, on)
    for imported in patients.values():
        outcome.notes += imported.notes
        outcome.no_place.update(imported.no_place)
    return patients, index


def _take_patient(found: Found, patients: dict[str, ImportedPatient], index: Index, problems: list[Problem], on: date) -> None:
    imported, faults = patient_of(found, on)
    if imported and imported.chart_number in patients:
        other = patients[imported.chart_number].where
        faults = [found.problem("Patient.identifier", f"chart {imported.chart_number} is another Patient's already ({other})")]
    problems += faults
    if imported is None or faults:
        index.add_patient(found, "", [])
        return
    patients[imported.chart_number] = imported
    index.add_patient(found, imported.chart_number, imported.identifiers)


def _is_repeated(found: Found, digests: dict[str, tuple[str, str]], outcome: Outcome, problems: list[Problem]) -> bool:
    """Whether this resource was read before. Under the same id and with other content it is a fault."""
    name, digest = identity(found), content_digest(found.resource)
    before, where = digests.setdefault(name, (digest, found.where))
    if where == found.where:
        return False
    if before == digest:
        outcome.repeated[found.type] += 1
    else:
        problems.append(found.problem(f"{found.type}.id", f"{name} stands in {where} already, with other content"))
    return True


def _second_reading(
    path: Path, outcome: Outcome, problems: list[Problem], patients: dict[str, ImportedPatient], index: Index,
    at: datetime, advance: Advance,
) -> list[ImportedEntry]:  # fmt: skip
    entries: list[ImportedEntry] = []
    digests: dict[str, tuple[str, str]] = {}
    for found in read(path, [], advance):
        if found.type == "Patient":
            continue
        if found.type not in SHAPES:
            outcome.left_out[found.type, why_left_out(found.type)] += 1
        elif not _is_repeated(found, digests, outcome, problems):
            try:
                chart = owner(found, index)
                if chart:
                    entries.append(entry_of(found, index, chart, patients[chart].source, at))
            except NotFiledError as reason:
                outcome.left_out[found.type, str(reason)] += 1
            except BadElementError as bad:
                problems.append(found.problem(bad.path, bad.reason))
    return entries
