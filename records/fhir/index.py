"""What a FHIR input holds, so that one resource can name another: references resolved across a Bundle, NDJSON or a folder."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from records.fhir import text as fhir_text
from records.fhir.files import Found
from records.fhir.shapes import HOUSES, SHAPES

_NAMED_LATER = ("medicationReference", "practitioner", "location", "organization")


@dataclass(frozen=True, slots=True)
class Known:
    """What others need to know of a resource: type and name, the resource it stands for, its date and house, its bytes."""

    type: str
    name: str
    stands_for: dict | None = None
    date: str = ""
    house: dict | None = None
    content_type: str = ""
    data: str = ""


def content_digest(resource: dict) -> str:
    """What the resource says, as 64 hexadecimal digits; when it was last touched (`meta`) is not part of it."""
    said = {key: value for key, value in resource.items() if key != "meta"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def identity(found: Found) -> str:
    """ "Observation/123": by its id, or by what its fullUrl says, or, without both, by its content."""
    own = found.resource.get("id")
    if not isinstance(own, str) or not own:
        own = found.full_url.removeprefix("urn:uuid:") or "sha256-" + content_digest(found.resource)[:40]
    return f"{found.type}/{own}"


class Index:
    """The resources of one input by every way in which a reference may name them."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._charts: dict[str, str] = {}

    def add(self, found: Found) -> None:
        """Remember a resource. Of two under one name the first counts, but within its own file each is found."""
        known = _known_of(found.resource)
        for key in _keys(found):
            self._known.setdefault(f"{found.file}\n{key}", known)
            self._known.setdefault(key, known)

    def add_patient(self, found: Found, chart_number: str, identifiers: list[tuple[str, str]]) -> None:
        """Remember whose chart a Patient is; "" for a Patient that is refused."""
        for key in (*_keys(found), *(f"Patient?identifier={system}|{value}" for system, value in identifiers)):
            self._charts.setdefault(f"{found.file}\n{key}", chart_number)
            self._charts.setdefault(key, chart_number)

    def chart(self, reference: dict, file: str) -> str | None:
        """The chart that the reference is about; "" where that Patient is refused, None where it is no Patient of this input."""
        return next((self._charts[key] for key in _asked(reference, file) if key in self._charts), None)

    def look_up(self, reference: dict, file: str, contained: Any = None) -> Known | None:
        """What the reference names, or None. A role is answered by who is in it, a medication reference by its name."""
        for _ in range(3):
            name = reference.get("reference")
            if isinstance(name, str) and name.startswith("#"):
                inner = [item for item in fhir_text.listed(contained) if isinstance(item, dict) and item.get("id") == name[1:]]
                known = _known_of(inner[0]) if inner and isinstance(inner[0].get("resourceType"), str) else None
            else:
                known = next((self._known[key] for key in _asked(reference, file) if key in self._known), None)
            if known is None or known.name or known.stands_for is None:
                return known
            reference = known.stands_for
        return known

    def say(self, reference: dict, file: str, chart_number: str, contained: Any = None) -> str:
        """The reference in words; "" for the patient of this chart."""
        whose = self.chart(reference, file)
        if whose is not None and whose == chart_number:
            return ""
        known = None if whose else self.look_up(reference, file, contained)
        if named := self.named(reference, known):
            return named
        identifier = reference.get("identifier")
        by_number = fhir_text.text(identifier, str) if isinstance(identifier, dict) else ""
        unnamed = "another patient" if whose else fhir_text.label(known.type) if known else ""
        return unnamed or by_number or str(reference.get("reference") or "")

    def named(self, reference: dict, known: Known | None) -> str:
        """A real name for it: what the reference displays, or what is known of it; a result always with its value. Or ""."""
        if known and known.type == "Observation":
            return known.name
        display = reference.get("display")
        return (display if isinstance(display, str) else "") or (known.name if known else "")


def type_of(reference: dict) -> str:
    """The type that a reference itself says it is about, or ""."""
    said, name = reference.get("type"), reference.get("reference")
    if isinstance(said, str) and said:
        return said
    if not isinstance(name, str) or name.startswith(("urn:", "#")):
        return ""
    if "?" in name:
        return name.split("?", 1)[0].rsplit("/", 1)[-1]
    parts = name.split("/_history/")[0].split("/")
    return parts[-2] if len(parts) > 1 else ""


def _keys(found: Found) -> Iterator[str]:
    if found.full_url:
        yield found.full_url
    yield identity(found)
    if found.type in SHAPES:
        return
    for item in fhir_text.listed(found.resource.get("identifier")):
        if isinstance(item, dict) and isinstance(item.get("value"), str):
            yield f"{found.type}?identifier={item.get('system') or ''}|{item['value']}"


def _asked(reference: dict, file: str) -> Iterator[str]:
    """Every key under which the named resource may be remembered, those of its own file first."""
    keys = []
    name = reference.get("reference")
    if isinstance(name, str) and name:
        name = unquote(name).split("/_history/")[0]
        keys.append(name)
        if name.startswith(("http://", "https://")) and "?" not in name:
            keys.append("/".join(name.rstrip("/").split("/")[-2:]))
    identifier = reference.get("identifier")
    if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
        keys += [
            f"{kind}?identifier={identifier.get('system') or ''}|{identifier['value']}"
            for kind in ([type_of(reference)] if type_of(reference) else ["Patient", "Practitioner", "Organization", "Location"])
        ]
    yield from (f"{file}\n{key}" for key in keys)
    yield from keys


def _known_of(resource: dict) -> Known:
    stands_for = next((resource[key] for key in _NAMED_LATER if isinstance(resource.get(key), dict)), None)
    house = next((resource[key] for key in HOUSES if isinstance(resource.get(key), dict)), None)
    type_, content = resource["resourceType"], resource.get("contentType")
    data = resource.get("data") if type_ == "Binary" else None
    return Known(
        type_, name_of(resource), stands_for, _date_of(resource), house if type_ == "Encounter" else None,
        content if isinstance(content, str) else "", data if isinstance(data, str) else "",
    )  # fmt: skip


def _date_of(resource: dict) -> str:
    """The date of an Encounter, for what happened in it and says no date of its own."""
    period = resource.get("period") if resource["resourceType"] == "Encounter" else None
    start = period.get("start") if isinstance(period, dict) else None
    return start if isinstance(start, str) else ""


def name_of(resource: dict) -> str:
    """A name for a resource, in a sentence of another: a person's name, an organization's, a result with its value; or ""."""
    type_ = resource["resourceType"]
    if type_ in ("Practitioner", "RelatedPerson", "Person", "Patient"):
        names = [name for name in fhir_text.listed(resource.get("name")) if isinstance(name, dict)]
        return next(filter(None, map(fhir_text.person, names)), "")
    if isinstance(resource.get("name"), str):
        return resource["name"]
    named = title_of(resource)
    if type_ == "Observation":
        value = next((fhir_text.text(resource[key], str) for key in resource if key.startswith("value")), "")
        return f"{named}: {value}" if value else named
    return named


def title_of(resource: dict) -> str:
    """The resource's own title in plain words, or "" where it has none of its own."""
    shape = SHAPES.get(resource["resourceType"])
    for key in shape.title if shape else ("code", "type", "title", "description"):
        value = resource.get(key)
        for item in value if isinstance(value, list) else [value]:
            if said := _title_in(item):
                return said
    return ""


def _title_in(value: Any) -> str:
    """A title out of a text, a code, or the group that holds one: a claim's item, a document's attachment, a device's name."""
    said = fhir_text.words(value)
    if said or not isinstance(value, dict):
        return said.strip()
    for key in ("productOrService", "itemCodeableConcept", "attachment", "title", "name"):
        if said := _title_in(value.get(key)):
            return said
    return ""
