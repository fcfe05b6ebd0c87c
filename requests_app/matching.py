"""Which charts a request may belong to, and why each is suggested: a person decides, never the program."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from records import names
from records.models import Patient
from requests_app import deadlines
from requests_app.models import PatientRequest

LIMIT = 10


@dataclass
class Candidate:
    """A chart, what it shares with the asker, and what differs."""

    patient: Patient
    shares: list[str] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)
    words_shared: int = 0  # of the name: "Maria Jose" of "María-José Carreño" are two, of "Maria Alvarez" one

    @property
    def score(self) -> tuple[int, int]:
        """More is likelier."""
        return 2 * len(self.shares) - len(self.differs), self.words_shared


def candidates(asked: PatientRequest) -> list[Candidate]:
    """At most ten charts that share a name, birth date or telephone with the asker, the likeliest first."""
    found: dict[Any, Patient] = {}
    for patients in (_resembling(asked), _same_phone(asked), Patient.objects.search(asked.asker_name, limit=LIMIT)):
        found |= {patient.pk: patient for patient in patients if patient.pk not in found}
    compared = [compare(asked, patient) for patient in found.values()]
    likely = [candidate for candidate in compared if candidate.shares]
    return sorted(likely, key=lambda candidate: candidate.score, reverse=True)[:LIMIT]


def _resembling(asked: PatientRequest) -> list[Patient]:
    """Charts with this birth date or one a slip of the pen away, and a similar name, first or last name first."""
    words = asked.asker_name.split()
    if asked.asker_born is None or not words:
        return []
    cuts = {(words[0], " ".join(words[1:])), (" ".join(words[:-1]), words[-1])}
    return [patient for first, last in sorted(cuts) for patient in Patient.objects.resembling(first, last, asked.asker_born)]


def _same_phone(asked: PatientRequest) -> list[Patient]:
    digits = names.digits(asked.asker_phone)
    return list(Patient.objects.filter(phone_digits=digits).order_by("last_key", "id")[:LIMIT]) if len(digits) >= 7 else []


def compare(asked: PatientRequest, patient: Patient) -> Candidate:
    """What the asker and this chart share and where they differ, in words."""
    candidate = Candidate(patient)
    _compare_name(asked.asker_name, candidate)
    if asked.asker_born:
        _compare_born(asked.asker_born, candidate)
    if digits := names.digits(asked.asker_phone):
        _note(candidate, digits == patient.phone_digits, _("same telephone"), "")
    if asked.asker_email:
        _note(candidate, asked.asker_email.casefold() == patient.email.casefold(), _("same e-mail"), "")
    return candidate


def _note(candidate: Candidate, same: bool, if_same: str, if_not: str) -> None:
    if same:
        candidate.shares.append(if_same)
    elif if_not:
        candidate.differs.append(if_not)


def _compare_name(asked: str, candidate: Candidate) -> None:
    mine, patient = set(names.words(asked)), candidate.patient
    theirs = set(names.words(f"{patient.first_name} {patient.last_name}"))
    candidate.words_shared = len(mine & theirs)
    if mine == theirs:
        candidate.shares += [_("same name")]
    elif mine & (theirs | set(names.words(patient.preferred_name))):
        candidate.shares += [_("part of the name")]
    else:
        candidate.differs += [_("another name")]


def _compare_born(born: date, candidate: Candidate) -> None:
    theirs = candidate.patient.date_of_birth
    differs = _("another birth date: %(day)s") % {"day": deadlines.spoken(theirs)}
    _note(candidate, born == theirs, _("same birth date"), differs)
