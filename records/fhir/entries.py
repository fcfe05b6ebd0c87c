"""A FHIR R4 resource of a patient's history as an entry of the chart: its kind, day, title, text and who answers for it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from meso import clock
from records.fhir import codes
from records.fhir import text as fhir_text
from records.fhir.attachments import Documents, documents_of
from records.fhir.dates import Moment, moment
from records.fhir.files import At, BadElementError, Found
from records.fhir.index import Index, identity, title_of, type_of
from records.fhir.shapes import ACTORS, DATES, HOUSES, PATIENTS, SHAPES, SIGNERS, WRITTEN
from records.imported import ImportedEntry
from records.models import Entry

_PEOPLE = ("Practitioner", "PractitionerRole")
_NOT_STAFF = ("Patient", "RelatedPerson", "Device", "Group", "CareTeam")
_OWN_FIELDS = ("areas", "technique", "reaction")


class NotFiledError(Exception):
    """This resource is no entry, for the reason given, and that is no fault."""


def owner(found: Found, index: Index) -> str:
    """The chart number of the patient whom the resource is about; "" where that Patient is refused.

    Raises NotFiledError where it is about no patient, BadElementError where its patient is not in the input.
    """
    at = At(found.resource, found.type)
    for key in PATIENTS:
        value = found.resource.get(key)
        references = at.items(key) if isinstance(value, list) else [at.child(key)] if value is not None else []
        for reference in references:
            chart = index.chart(reference.value, found.file)
            if chart is not None:
                return chart
            if type_of(reference.value) not in ("", "Patient"):
                raise NotFiledError(f"about a {type_of(reference.value)}, not a patient")
            named = reference.text("reference") or "named by a number only"
            raise BadElementError(reference.path, f"its patient ({named[:120]}) is not in this input; put the Patient beside it")
    if found.type == "Device":
        raise NotFiledError("a device of no patient")
    raise BadElementError(f"{found.type}.{PATIENTS[0]}", "it does not say which patient it is about")


def entry_of(found: Found, index: Index, chart_number: str, source: str, at: datetime) -> ImportedEntry:
    """Read a resource that has a shape. `source` is the system that gave the chart its number, `at` the instant of the import.

    Raises BadElementError for an element that can't be taken.
    """
    reading = _Reading(found, index, chart_number, source, at)
    own_kind = _own_kind(reading.at)
    return _own_entry(reading, own_kind) if own_kind else _foreign_entry(reading)


class _Reading:
    """One resource being read: what all of its parts need to know."""

    def __init__(self, found: Found, index: Index, chart_number: str, source: str, at: datetime) -> None:
        self.found, self.index, self.chart_number, self.source, self.now = found, index, chart_number, source, at
        self.at = At(found.resource, found.type)
        self.contained = found.resource.get("contained")

    def say(self, reference: dict) -> str:
        """A reference in words; "" for this patient."""
        return self.index.say(reference, self.found.file, self.chart_number, self.contained)

    def named(self, reference: dict) -> tuple[str, str]:
        """(type, name) of whom a reference is to; the patient of this chart has no name here."""
        if self.index.chart(reference, self.found.file) is not None:
            return "Patient", ""
        known = self.index.look_up(reference, self.found.file, self.contained)
        return known.type if known else type_of(reference), self.index.named(reference, known)

    def dates(self, paths: tuple[str, ...]) -> Iterator[Moment]:
        """The dates that stand under these paths; of a period its start, else its end."""
        for path in paths:
            at, key = self.at, path
            if "." in path:
                group, key = path.split(".")
                if not isinstance(at.value.get(group), dict):
                    continue
                at = at.child(group)
            if isinstance(at.value.get(key), dict):
                at, key = at.child(key), "start" if at.value[key].get("start") else "end"
            if at.text(key):
                yield moment(at.text(key), f"{at.path}.{key}")

    def encounter(self) -> Any:
        """What is known of the encounter in which this was, or None."""
        for key in ("encounter", "context"):
            value = self.found.resource.get(key)
            inner = value.get("encounter") if isinstance(value, dict) and "reference" not in value else value
            for reference in inner if isinstance(inner, list) else [inner]:
                if isinstance(reference, dict) and (known := self.index.look_up(reference, self.found.file)):
                    return known
        return None


def _made(reading: _Reading, documents: Documents, service: Moment, **parts: Any) -> ImportedEntry:
    """The entry, with what every one of them has."""
    found = reading.found
    return ImportedEntry(
        place=found.problem("", ""),
        type=found.type,
        keys=(found.full_url, identity(found)),
        chart_number=reading.chart_number,
        service_on=service.day,
        service_at=service.at,
        files=documents.files,
        notes=[found.problem("attachment", f"not kept: {what}") for what in documents.unkept],
        **parts,
    )


def _foreign_entry(reading: _Reading) -> ImportedEntry:
    service, remark = _service(reading)
    documents = documents_of(reading.found, reading.index)
    is_note = reading.found.type == "DocumentReference" and documents.texts
    return _made(
        reading,
        documents,
        service,
        source_id=_source_id(reading),
        kind=Entry.Kind.VISIT_NOTE if is_note else SHAPES[reading.found.type].kind,
        title=_title(reading),
        body=_body(reading, documents, remark),
        signed_as=_signed(reading),
        written_at=next((written.at for written in reading.dates(WRITTEN) if written.is_whole), service.at),
    )


def _source_id(reading: _Reading) -> str:
    """Where the entry was found, the same each time: the system, or the chart where it has no name, then the resource.

    What Meso itself exported keeps its own: where it had been found before, else its seal.
    """
    by_system = {str(item.get("system")): item.get("value") for item in _dicts(reading.found.resource.get("identifier"))}
    if isinstance(before := by_system.get(codes.SOURCE_SYSTEM), str):
        return before[:200]
    if isinstance(seal := by_system.get(codes.SEAL_SYSTEM), str):
        return f"{codes.SEAL_SYSTEM}|{seal[:64]}"
    source = reading.source or f"chart {reading.chart_number}"
    name = identity(reading.found)
    if len(source) + len(name) > 199:
        raise BadElementError(f"{reading.found.type}.id", "this id and its system are too long together")
    return f"{source}|{name}"


def _dicts(value: Any) -> list[dict]:
    return [item for item in fhir_text.listed(value) if isinstance(item, dict)]


def _service(reading: _Reading) -> tuple[Moment, str]:
    """The date of service, and a remark where the source does not say the day itself."""
    dates = list(reading.dates(DATES))
    whole = next((found for found in dates if found.is_whole), None)
    if whole:
        return whole, ""
    known = reading.encounter()
    if known and known.date:
        met = moment(known.date, "Encounter.period.start")
        if met.is_whole:
            return met, ""
    if dates:
        return dates[0], f"The source does not say the day; this is filed under {dates[0].day}."
    meta = reading.at.child("meta").text("lastUpdated")
    when = (
        moment(meta, f"{reading.at.path}.meta.lastUpdated")
        if meta
        else Moment(clock.office_day(reading.now), reading.now, is_whole=True)
    )
    named = "the day on which the source last changed it" if meta else "the day of the import"
    return when, f"The source gives no date; this is filed under {named}, {when.day}."


def _title(reading: _Reading) -> str:
    """The source's own title, at most 200 characters; the whole of it stands in the text."""
    shape = SHAPES[reading.found.type]
    said = title_of(reading.found.resource)
    for key in shape.title:
        if not said and isinstance(reading.found.resource.get(key), dict):
            said = reading.say(reading.found.resource[key])
    said = " ".join(said.split())
    title = ": ".join(filter(None, (shape.before, said))) or fhir_text.label(reading.found.type)
    if At(reading.found.resource, reading.found.type).value.get("status") == "entered-in-error" or _is_refuted(reading.at):
        title = f"[entered in error] {title}"
    return title if len(title) <= 200 else title[:199] + "…"


def _is_refuted(resource: At) -> bool:
    value = resource.value.get("verificationStatus")
    return isinstance(value, dict) and "entered-in-error" in [coding.get("code") for coding in _dicts(value.get("coding"))]


def _body(reading: _Reading, documents: Documents, remark: str) -> str:
    """Its documents' own words first, then what the resource says element by element, then what a reader should know of it."""
    resource = reading.found.resource
    said = fhir_text.lines(resource, reading.say)
    narrative = reading.at.child("text")
    if narrative.text("status") not in ("generated", "extensions") or not (said or documents.texts):
        said += [line for line in [fhir_text.from_html(narrative.text("div"))] if line and line not in documents.texts]
    said += [f"Not kept in this chart: {what}" for what in documents.unkept]
    parts = [*documents.texts, "\n".join(said), remark]
    return "\n\n".join(part for part in parts if part.strip())


def _signed(reading: _Reading) -> str:
    """Who the source says answers for it; else "Imported from" the house it is from, or the system, or a FHIR file."""
    houses = []
    for reference in _actors(reading.found.resource):
        kind, name = reading.named(reference)
        if name and kind in ("", *_PEOPLE):
            return name[:200]
        if kind not in _NOT_STAFF:
            houses.append(name)
    references = [reading.found.resource.get(key) for key in HOUSES]
    known = reading.encounter()
    references.append(known.house if known else None)
    houses += [reading.named(reference)[1] for reference in references if isinstance(reference, dict)]
    return f"Imported from {next(filter(None, [*houses, reading.source]), 'a FHIR file')}"[:200]


def _actors(resource: dict) -> Iterator[dict]:
    for key in SIGNERS:
        value = resource.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                inner = next((item[name] for name in ACTORS if isinstance(item.get(name), dict)), None)
                if inner or "reference" in item or "display" in item:
                    yield inner or item


# --- Meso's own export, read again -------------------------------------------------------------------------------------------


def _own_kind(resource: At) -> str:
    """The kind that an export of Meso wrote on its document, or ""."""
    if resource.path != "DocumentReference":
        return ""
    known = (*Entry.Kind.values, codes.ADDENDUM, codes.STRIKE, codes.ATTACHMENT, codes.LINKED)
    for coding in resource.child("type").items("coding"):
        if coding.text("system") == codes.KIND_SYSTEM and coding.text("code") in known:
            return coding.text("code")
    return ""


def _own_entry(reading: _Reading, kind: str) -> ImportedEntry:
    """An entry as it was exported, its text letter for letter. Addenda and lines become entries that name what they belong to."""
    at, documents = reading.at, documents_of(reading.found, reading.index)
    service, _ = _service(reading)
    titles = [content.child("attachment").text("title") for content in at.items("content")]
    authors = [author.text("display") for author in at.items("author")]
    targets = [link.child("target").text("reference") for link in at.items("relatesTo") if link.text("code") == "appends"]
    kinds = {
        codes.ATTACHMENT: Entry.Kind.OUTSIDE_RECORD,
        codes.ADDENDUM: Entry.Kind.VISIT_NOTE,
        codes.STRIKE: Entry.Kind.VISIT_NOTE,
        codes.LINKED: Entry.Kind.CORRESPONDENCE,
    }
    return _made(
        reading,
        documents,
        service,
        source_id=_source_id(reading),
        kind=kinds.get(kind, kind),
        title=(next(iter(titles), "") or fhir_text.label(kind))[:200],
        body="\n\n".join(documents.texts),
        signed_as=(next(iter(authors), "") or _signed(reading))[:200],
        written_at=next((written.at for written in reading.dates(("date",))), service.at),
        own=_treatment(at),
        is_file=kind == codes.ATTACHMENT,
        appended_to=next(iter(targets), ""),
    )


def _treatment(resource: At) -> dict[str, Any]:
    """The fields of a mesotherapy treatment out of the extension that an export wrote."""
    own: dict[str, Any] = {}
    for extension in resource.items("extension"):
        if extension.text("url") == codes.TREATMENT_URL:
            for part in extension.items("extension"):
                if part.text("url") in _OWN_FIELDS:
                    own[part.text("url")] = part.text("valueString")
                elif part.text("url") == "product":
                    product = {detail.text("url"): detail.text("valueString") for detail in part.items("extension")}
                    own.setdefault("products", []).append(product)
    return own
