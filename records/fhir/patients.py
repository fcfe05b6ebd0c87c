"""A FHIR R4 Patient as a chart's details: names and addresses letter for letter, nothing recorded that the source does not say.

Prefixes and suffixes (Mr., PhD) are not part of a name here. What a chart has no place for is counted and reported.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email

from meso.csv_in import Problem
from records.fhir import text as fhir_text
from records.fhir.dates import has_ended, moment
from records.fhir.files import At, BadElementError, Found
from records.imported import ImportedPatient, chart_number_fault, name_fault
from records.models import Patient

_NAME_USES = {"official": 0, "usual": 1, "": 2, "temp": 3, "nickname": 4, "anonymous": 5}  # which becomes the chart's name first
_FORMER = ("maiden", "old")
_PHONE_USES = ("mobile", "home", "", "temp", "work")
_ADDRESS_USES = ("home", "", "temp", "work", "billing")
_US = frozenset({"", "us", "usa", "u.s.", "u.s.a.", "united states", "united states of america", "840"})
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_NO_PLACE = ("contact", "extension", "generalPractitioner", "link", "managingOrganization", "maritalStatus", "photo")


def patient_of(found: Found, on: date) -> tuple[ImportedPatient | None, list[Problem]]:
    """Read a Patient: what became of it, or None and its faults. `on` is today: who was born later is refused."""
    at = At(found.resource, "Patient")
    faults: list[Problem] = []
    details: dict[str, Any] = {}
    notes: list[Problem] = []
    known: dict[str, Any] = {"number": ("", ""), "former": [], "identifiers": []}

    def note(path: str, reason: str) -> None:
        notes.append(found.problem(path, reason))

    parts: tuple[Callable[[], None], ...] = (
        lambda: known.update(zip(("number", "identifiers"), _number(at, found, on), strict=True)),
        lambda: known.update(former=_names(at, details, on)),
        lambda: _birth_and_death(at, details, note, on),
        lambda: _sex(at, details),
        lambda: _reach(at, details, note, on),
        lambda: _address(at, details, on),
        lambda: details.update(language=_language(at)),
        lambda: _check_lengths(details),
    )
    for part in parts:
        try:
            part()
        except BadElementError as bad:
            faults.append(found.problem(bad.path, bad.reason))
    if faults:
        return None, faults
    number, source = known["number"]
    imported = ImportedPatient(
        found.where, number, details, source, known["former"], known["identifiers"], notes, list(_without_place(at))
    )
    return imported, []


def _number(patient: At, found: Found, on: date) -> tuple[tuple[str, str], list[tuple[str, str]]]:
    """(chart number, the system it is from), and every identifier: the medical record number, else the resource's id."""
    identifiers = [item for item in patient.items("identifier") if item.text("value")]
    records = [item for item in identifiers if _is_record_number(item)]
    current = [item for item in records if item.text("use") != "old" and not has_ended(item.child("period").text("end"), on)]
    if current:
        first = min(current, key=lambda item: item.text("use") not in ("usual", "official"))
        number, path = first.text("value"), f"{first.path}.value"
        source = first.text("system") or first.child("assigner").text("display")
    else:
        number, path, source = patient.text("id") or found.full_url.removeprefix("urn:uuid:"), "Patient.id", ""
    if fault := chart_number_fault(number):
        raise BadElementError(path, fault if number else "a chart needs a medical record number (identifier of type MR) or an id")
    return (number, source), [(item.text("system"), item.text("value")) for item in identifiers]


def _is_record_number(identifier: At) -> bool:
    kind = identifier.child("type")
    codes = [coding.text("code") for coding in kind.items("coding")]
    return "MR" in codes or (not codes and kind.text("text").casefold() in ("mr", "mrn", "medical record number"))


def _written(name: At) -> tuple[str, str]:
    """(first name, last name) as the source has them; a name that is text only is a last name."""
    first, last = " ".join(name.texts("given")), name.text("family")
    return (first, last) if first or last else ("", name.text("text"))


def _names(patient: At, details: dict, on: date) -> list[str]:
    """Set first, last and preferred name; return the other names, under which the patient stays findable."""
    names = [name for name in patient.items("name") if any(_written(name))]
    current = [name for name in names if name.text("use") not in _FORMER]
    if not current:
        only = "only a name of before (maiden or old)" if names else "no name"
        raise BadElementError("Patient.name", f"a chart needs a name; there is {only} here")
    main = min(current, key=lambda name: (has_ended(name.child("period").text("end"), on), _NAME_USES.get(name.text("use"), 2)))
    details["first_name"], details["last_name"] = _written(main)
    if fault := name_fault(*_written(main)):
        raise BadElementError(main.path, fault)
    details["preferred_name"] = ""
    others = [name for name in names if name is not main]
    for name in others:
        called = " ".join(name.texts("given")) or name.text("text")
        if name.text("use") in ("nickname", "usual") and called != details["first_name"] and not details["preferred_name"]:
            details["preferred_name"] = called
    return [part for name in others for part in _written(name) if part]


def _birth_and_death(patient: At, details: dict, note: Callable[[str, str], None], on: date) -> None:
    text = patient.text("birthDate")
    if not text:
        raise BadElementError("Patient.birthDate", "a chart needs a birth date; there is none here")
    born = moment(text, "Patient.birthDate")
    if not born.is_whole or "T" in text:
        raise BadElementError("Patient.birthDate", f"a chart needs the whole day of birth, such as 1984-07-02; this is {text!r}")
    if born.day > on:
        raise BadElementError("Patient.birthDate", f"{born.day} is in the future")
    details["date_of_birth"], details["deceased_on"] = born.day, None
    death = patient.text("deceasedDateTime")
    if death:
        died = moment(death, "Patient.deceasedDateTime")
        if not died.is_whole:
            note("Patient.deceasedDateTime", f"died in {death}; the day is not said, so no date of death is recorded")
        elif not born.day <= died.day <= on:
            raise BadElementError("Patient.deceasedDateTime", f"{died.day} is before the birth or in the future")
        else:
            details["deceased_on"] = died.day
    elif patient.flag("deceasedBoolean"):
        note("Patient.deceasedBoolean", "has died; the day is not said, so no date of death is recorded")


def _sex(patient: At, details: dict) -> None:
    details["sex"] = patient.text("gender") or Patient.Sex.UNKNOWN
    if details["sex"] not in Patient.Sex.values:
        raise BadElementError("Patient.gender", f"{details['sex'][:40]!r} is none of {', '.join(Patient.Sex.values)}")


def _reach(patient: At, details: dict, note: Callable[[str, str], None], on: date) -> None:
    """The telephone number (a mobile or home one before others) and the e-mail address that fit a chart."""
    points = [
        point
        for point in patient.items("telecom")
        if point.text("value") and point.text("use") in _PHONE_USES and not has_ended(point.child("period").text("end"), on)
    ]
    points.sort(key=lambda point: (_PHONE_USES.index(point.text("use")) // 2, _rank(point)))
    phones = [point for point in points if point.text("system") in ("phone", "sms")]
    details["phone"] = next((point.text("value") for point in phones if len(point.text("value")) <= 40), "")
    if phones and not details["phone"]:
        note(f"{phones[0].path}.value", "longer than the 40 characters of a telephone number; left out")
    details["email"] = ""
    for point in points:
        if point.text("system") == "email" and not details["email"]:
            try:
                validate_email(point.text("value"))
                MaxLengthValidator(254)(point.text("value"))
                details["email"] = point.text("value")
            except ValidationError:
                note(f"{point.path}.value", "this is no e-mail address; left out")


def _rank(point: At) -> int:
    rank = point.value.get("rank")
    return rank if isinstance(rank, int) else 99


def _address(patient: At, details: dict, on: date) -> None:
    """One address, at home before elsewhere. What a US address has no line for, a foreign district and country, joins line 2."""
    addresses = [
        item
        for item in patient.items("address")
        if item.text("use") in _ADDRESS_USES and not has_ended(item.child("period").text("end"), on)
    ]
    main = min(addresses, key=lambda item: _ADDRESS_USES.index(item.text("use")), default=At({}, "Patient.address"))
    lines = main.texts("line") or ([] if main.text("city") else main.text("text").splitlines())
    abroad = main.text("country").casefold() not in _US
    district = "" if main.text("country") and not abroad else main.text("district")
    more = [*lines[1:], district, main.text("country") if abroad else ""]
    details |= {
        "address_1": lines[0] if lines else "",
        "address_2": ", ".join(part for part in more if part),
        "city": main.text("city"),
        "state": main.text("state"),
        "zip": main.text("postalCode"),
    }


def _language(patient: At) -> str:
    """The tag of the language to speak with them: the preferred one, else the first; "" where the source has no tag."""
    spoken = sorted(patient.items("communication"), key=lambda item: not item.flag("preferred"))
    codings = [coding.text("code") for item in spoken for coding in item.child("language").items("coding")]
    return next((code for code in codings if _TAG.fullmatch(code) and len(code) <= 35), "")


def _check_lengths(details: dict) -> None:
    for name, value in details.items():
        limit = getattr(Patient._meta.get_field(name), "max_length", None)
        if limit and isinstance(value, str) and len(value) > limit:
            called = fhir_text.label(name).replace("_", " ").lower()
            raise BadElementError("Patient", f"the {called} is longer than the {limit} characters that a chart holds")


def _without_place(patient: At) -> Iterator[str]:
    """The elements that say something a chart has no place for."""
    yield from (name for name in _NO_PLACE if patient.value.get(name))
    yield from ("multipleBirth" for name in ("multipleBirthBoolean", "multipleBirthInteger") if patient.value.get(name))
    names = patient.items("name")
    yield from (f"name.{part}" for part in ("prefix", "suffix") if any(name.value.get(part) for name in names))
    if len(patient.items("identifier")) > 1:
        yield "identifier (numbers other than the chart's)"
    if any(item.text("district") and item.text("country").casefold() in _US - {""} for item in patient.items("address")):
        yield "address.district"
    if len(patient.items("address")) > 1:
        yield "address (others than the chart's)"
    if len([point for point in patient.items("telecom") if point.text("value")]) > 1:
        yield "telecom (others than the chart's)"
