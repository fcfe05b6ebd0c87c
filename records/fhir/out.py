"""The designated record set as FHIR R4: a `collection` Bundle of a Patient, a DocumentReference for each entry, and Consents.

Marks on an entry, in R4's own terms (DocumentReference):
- the entry's text stands letter for letter in `content[0]`, text/plain; with lines through it, or fields of a treatment, a
  second `content`, text/html, shows the entry as the chart does, struck words in <del>;
- a marked entry has `docStatus` "amended", and its `description` says that it is disputed and to what extent;
- each addendum, each line and all else that hangs on the entry is a DocumentReference of its own that `relatesTo` the entry,
  code "appends": who, when, why.
An attachment is one too, its bytes inline. A restriction in force is a Consent whose provision denies.
"""

import base64
import uuid
from datetime import UTC, date, datetime
from typing import Any

from django.template.loader import render_to_string

from meso import clock
from meso.models import Office
from records.beside import Beside
from records.fhir import codes
from records.models import Addendum, Attachment, Entry, Patient, Restriction, StrikeThrough
from records.record_set import RecordSet

Resource = dict[str, Any]
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


def bundle_of(record: RecordSet, seals: dict[tuple[str, int], str], at: datetime) -> Resource:
    """The whole record as a Bundle. `seals` has the seal of each of its rows by (table, row); `at` is when it is made."""
    return _Writer(record, seals).bundle(at)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _without_empty(resource: Resource) -> Resource:
    """Without elements that hold nothing: R4 has no empty ones."""
    return {key: value for key, value in resource.items() if value not in ("", None, [], {})}


def _text_content(body: str, title: str, kind: str = "text/plain") -> Resource:
    data = base64.b64encode(body.encode()).decode()
    return {"attachment": _without_empty({"contentType": f"{kind}; charset=utf-8", "data": data, "title": title})}


class _Writer:
    """One export: what all of its resources refer to."""

    def __init__(self, record: RecordSet, seals: dict[tuple[str, int], str]) -> None:
        self.record, self.seals, self.office = record, seals, Office.current()
        self.patient_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{codes.CHART_SYSTEM}:{record.patient.chart_number}"))
        self.subject = {"reference": f"urn:uuid:{self.patient_id}"}

    def bundle(self, at: datetime) -> Resource:
        """The Bundle: the patient first, each entry followed by what was laid beside it."""
        attachments = self.record.attachments_by_entry()
        resources = [patient_resource(self.record.patient, self.patient_id, self.office)]
        for entry in self.record.entries:
            resources.append(self.entry(entry))
            resources += [self.addendum(addendum, entry) for addendum in entry.addenda.all()]
            resources += [self.strike(strike, entry) for strike in entry.strikes.all()]
            resources += [self.linked(item, entry) for item in entry.beside]
            resources += [self.attachment(attachment) for attachment in attachments.get(entry.pk, [])]
        resources += [self.attachment(attachment) for attachment in attachments.get(None, [])]
        resources += [self.restriction(restriction) for restriction in self.record.restrictions]
        entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]
        return {"resourceType": "Bundle", "type": "collection", "timestamp": _instant(at), "entry": entries}

    def _seal(self, row: Any) -> str:
        return self.seals[row._meta.label_lower, row.pk]

    def _id(self, row: Any) -> str:
        """An id that is the same in every export: out of the row's seal."""
        return str(uuid.UUID(hex=self._seal(row)[:32]))

    def _document(self, row: Any, kind: str, label: str, on: date, **parts: Any) -> Resource:
        """A DocumentReference: what all of them have, then `parts`."""
        day = on.isoformat()
        return _without_empty(
            {
                "resourceType": "DocumentReference",
                "id": self._id(row),
                "extension": parts.pop("extension", []),
                "identifier": [{"system": codes.SEAL_SYSTEM, "value": self._seal(row)}, *parts.pop("identifier", [])],
                "status": "current",
                "docStatus": parts.pop("docStatus", "final"),
                "type": {"coding": [{"system": codes.KIND_SYSTEM, "code": kind, "display": label}], "text": label},
                "subject": self.subject,
                "custodian": {"display": self.office.name},
                "context": {"period": {"start": day, "end": day}},
                **parts,
            }
        )

    def entry(self, entry: Entry) -> Resource:
        """An entry: its text as written and, where it is marked, as the chart shows it."""
        strikes = list(entry.strikes.all())
        treatment = treatment_fields(entry)
        content = [_text_content(entry.body, entry.title)]
        if strikes or treatment:
            shown = {"entry": entry, "passages": entry.passages(), "strikes": strikes, "treatment": treatment}
            content.append(_text_content(render_to_string("records/entry_document.html", shown), entry.title, "text/html"))
        return self._document(
            entry,
            entry.kind,
            str(entry.get_kind_display()),
            entry.service_on,
            extension=_treatment_extension(entry),
            identifier=[{"system": codes.SOURCE_SYSTEM, "value": entry.source_id}] if entry.source_id else [],
            docStatus="amended" if strikes or entry.addenda.all() else "final",
            date=_instant(entry.written_at),
            author=[{"display": entry.signed_as}],
            description=_described(entry, strikes),
            content=content,
        )

    def _appended(self, row: Any, kind: str, entry: Entry, **parts: Any) -> Resource:
        """A document about an entry: what was added to it, or that a line goes through it."""
        label = str(row._meta.verbose_name)
        appends = [{"code": "appends", "target": {"reference": f"urn:uuid:{self._id(entry)}"}}]
        return self._document(row, kind, label[:1].upper() + label[1:], relatesTo=appends, **parts)

    def addendum(self, addendum: Addendum, entry: Entry) -> Resource:
        """An addendum, with who wrote it and when."""
        return self._appended(
            addendum,
            codes.ADDENDUM,
            entry,
            on=clock.office_day(addendum.written_at),
            date=_instant(addendum.written_at),
            author=[{"display": addendum.signed_as}],
            description=f"Addendum to: {entry.title}",
            content=[_text_content(addendum.body, f"Addendum to: {entry.title}")],
        )

    def strike(self, strike: StrikeThrough, entry: Entry) -> Resource:
        """A line through an entry or its words: who drew it, when and why."""
        where = f"entry of {entry.service_on} “{entry.title}”"
        if strike.is_whole:
            said = f"The whole {where} is disputed and has a line through it."
        else:
            said = f"These words of the {where} are disputed and have a line through them:\n{strike.passage}"
        return self._appended(
            strike,
            codes.STRIKE,
            entry,
            on=clock.office_day(strike.at),
            date=_instant(strike.at),
            author=[{"display": strike.signed_as}],
            description=f"Line through: {entry.title}",
            content=[_text_content(f"{said}\nReason: {strike.reason}", f"Line through: {entry.title}")],
        )

    def linked(self, item: Beside, entry: Entry) -> Resource:
        """What hangs on an entry from the apps above: a request that was denied, a statement of disagreement, a rebuttal."""
        return self._appended(
            item.row,
            codes.LINKED,
            entry,
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._seal(item.row)}:{self._seal(entry)}")),  # one row may hang on several
            on=item.on,
            author=[{"display": item.signed}],
            description=f"{item.title} ({entry.title})",
            content=[_text_content(item.text, item.title)],
        )

    def attachment(self, attachment: Attachment) -> Resource:
        """An attachment, its bytes inline; beside its entry where it has one."""
        file = {
            "contentType": attachment.format,
            "data": base64.b64encode(bytes(attachment.content)).decode(),
            "size": attachment.size,
            "title": attachment.name,
            "creation": _instant(attachment.added_at),
        }
        entry = attachment.entry
        parts: dict[str, Any] = {
            "on": entry.service_on if entry else clock.office_day(attachment.added_at),
            "date": _instant(attachment.added_at),
            "author": [{"display": attachment.added_by.signature}] if attachment.added_by else [],
            "description": attachment.name,
            "content": [{"attachment": file}],
        }
        if entry:
            return self._appended(attachment, codes.ATTACHMENT, entry, **parts)
        return self._document(attachment, codes.ATTACHMENT, "Attachment", **parts)

    def restriction(self, restriction: Restriction) -> Resource:
        """A restriction that the office has agreed to (45 CFR 164.522(a)): a Consent that denies."""
        told = "\n".join(filter(None, (restriction.what, restriction.from_whom and f"Kept from: {restriction.from_whom}")))
        return {
            "resourceType": "Consent",
            "id": self._id(restriction),
            "identifier": [{"system": codes.SEAL_SYSTEM, "value": self._seal(restriction)}],
            "status": "active",
            "scope": {
                "coding": [{"system": f"{_TERMINOLOGY}/consentscope", "code": "patient-privacy", "display": "Privacy Consent"}]
            },
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}]}],
            "patient": self.subject,
            "dateTime": _instant(restriction.recorded_at),
            "organization": [{"display": self.office.name}],
            "sourceAttachment": _text_content(told, "Restriction agreed to")["attachment"],
            "policyRule": {"text": "45 CFR 164.522(a): a restriction of uses and disclosures that the office has agreed to"},
            "provision": {"type": "deny", "period": {"start": restriction.begins_on.isoformat()}},
        }


def patient_resource(patient: Patient, id_: str, office: Office) -> Resource:
    """The Patient: every detail of the chart, the chart number as the medical record number."""
    number = {
        "use": "usual",
        "type": {"coding": [{"system": f"{_TERMINOLOGY}/v2-0203", "code": "MR", "display": "Medical record number"}]},
        "system": codes.CHART_SYSTEM,
        "value": patient.chart_number,
        "assigner": {"display": office.name},
    }
    spoken = {"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": patient.language}]}, "preferred": True}
    return _without_empty(
        {
            "resourceType": "Patient",
            "id": id_,
            "identifier": [number],
            "name": _names(patient),
            "telecom": [
                *([{"system": "phone", "value": patient.phone, "use": "home"}] if patient.phone else []),
                *([{"system": "email", "value": patient.email}] if patient.email else []),
            ],
            "gender": patient.sex,
            "birthDate": patient.date_of_birth.isoformat(),
            "deceasedDateTime": patient.deceased_on.isoformat() if patient.deceased_on else "",
            "address": _addresses(patient),
            "communication": [spoken] if patient.language else [],
        }
    )


def _names(patient: Patient) -> list[Resource]:
    given = [patient.first_name] if patient.first_name else []
    names = [_without_empty({"use": "official", "family": patient.last_name, "given": given})]
    return [*names, {"use": "nickname", "given": [patient.preferred_name]}] if patient.preferred_name else names


def _addresses(patient: Patient) -> list[Resource]:
    lines = [line for line in (patient.address_1, patient.address_2) if line]
    address = {"line": lines, "city": patient.city, "state": patient.state, "postalCode": patient.zip}
    return [{"use": "home", **_without_empty(address)}] if any(address.values()) else []


def _described(entry: Entry, strikes: list[StrikeThrough]) -> str:
    if entry.is_struck_whole:
        return f"{entry.title} (disputed: a line goes through the whole entry)"
    return f"{entry.title} (disputed in part: a line goes through some of its words)" if strikes else entry.title


def treatment_fields(entry: Entry) -> list[tuple[str, str]]:
    """A treatment's own fields that hold something, as (name, value)."""
    fields = [("areas treated", entry.areas), ("technique", entry.technique), ("reaction", entry.reaction)]
    fields += [
        ("product", ", ".join(f"{name} {value}" for name, value in product.items() if value)) for product in entry.products
    ]
    return [(name[:1].upper() + name[1:], value) for name, value in fields if value]


def _treatment_extension(entry: Entry) -> list[Resource]:
    """The same as an extension, for a Meso that reads it again."""
    parts: list[Resource] = [
        {"url": name, "valueString": getattr(entry, name)} for name in ("areas", "technique", "reaction") if getattr(entry, name)
    ]
    for product in entry.products:
        details = [{"url": name, "valueString": str(value)} for name, value in product.items() if value]
        parts += [{"url": "product", "extension": details}] if details else []
    return [{"url": codes.TREATMENT_URL, "extension": parts}] if parts else []
