"""Small FHIR resources for the import's tests, and what it takes to import them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from meso.csv_in import BadFile
from records.imported import Outcome
from records.importers import import_patients
from records.models import Entry, Patient

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
MR = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}


def a_patient(**parts: Any) -> dict:
    """A Patient that a chart can take; `parts` replace its elements, None takes one away."""
    resource = {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"type": MR, "system": "http://hospital.example", "value": "10023"}],
        "name": [{"use": "official", "family": "Vance", "given": ["Ada"]}],
        "birthDate": "1984-07-02",
        **parts,
    }
    return {key: value for key, value in resource.items() if value is not None}


def a_bundle(*resources: dict) -> dict:
    """A collection Bundle of these."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}


def of_patient(type_: str, **parts: Any) -> dict:
    """A resource about the patient."""
    subject = "patient" if type_ in ("AllergyIntolerance", "Claim", "Consent", "Immunization", "Device") else "subject"
    resource = {"resourceType": type_, "id": "r1", subject: {"reference": "Patient/p1"}, **parts}
    return {key: value for key, value in resource.items() if value is not None}


def take(path: Path, content: Any, **options: Any) -> Outcome:
    """Write `content` to `path` (JSON, or text or bytes as they are; a list is NDJSON) and import it."""
    if isinstance(content, list):
        content = "\n".join(json.dumps(resource) for resource in content)
    path.write_bytes(
        content if isinstance(content, bytes) else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    return import_patients(path, at=NOW, **options)


def taken(tmp_path: Path, *resources: dict) -> Outcome:
    """Import a Bundle of a patient and these resources."""
    return take(tmp_path / "in.json", a_bundle(a_patient(), *resources))


def the_entry(tmp_path: Path, *resources: dict) -> Entry:
    """Import these beside a patient; the entry of the last of them."""
    taken(tmp_path, *resources)
    last = resources[-1]
    return Entry.objects.get(source_id__endswith=f"|{last['resourceType']}/{last['id']}")


def the_patient(tmp_path: Path, **parts: Any) -> Patient:
    """Import one Patient."""
    take(tmp_path / "in.json", a_patient(**parts))
    return Patient.objects.get()


def faults(path: Path, content: Any) -> list[str]:
    """What an import of `content` is refused for; it must store nothing."""
    before = (Patient.objects.count(), Entry.objects.count())
    with pytest.raises(BadFile) as refused:
        take(path, content)
    assert (Patient.objects.count(), Entry.objects.count()) == before
    return [str(problem) for problem in refused.value.problems]
