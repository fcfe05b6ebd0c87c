"""The designated record set of one patient, gathered once for every way of giving it out (164.501, 164.524)."""

from dataclasses import dataclass
from datetime import date

from django.db import models

from meso.seals import Seal, Sealed
from records import beside
from records.models import Attachment, Entry, Patient, Restriction


@dataclass(frozen=True)
class RecordSet:
    """All that is this patient's and theirs to have: what was filed in the wrong chart, and what the right of access does
    not reach (164.524(a)(1)(i)-(ii)), is left out with its attachments."""

    patient: Patient
    entries: list[Entry]  # oldest first, each with its addenda and lines
    attachments: list[Attachment]  # with their bytes
    restrictions: list[Restriction]  # in force

    def attachments_by_entry(self) -> dict[int | None, list[Attachment]]:
        """The attachments of each entry by its key; under None those that lie in the chart beside all entries."""
        found: dict[int | None, list[Attachment]] = {}
        for attachment in self.attachments:
            found.setdefault(attachment.entry_id, []).append(attachment)
        return found

    def seals(self) -> dict[tuple[str, int], str]:
        """The seal of each row by (table, row)."""
        rows = [row for entry in self.entries for row in _laid_on(entry)]
        wanted: dict[str, list[int]] = {}
        for row in (*rows, *self.attachments, *self.restrictions):
            wanted.setdefault(row._meta.label_lower, []).append(row.pk)
        found: dict[tuple[str, int], str] = {}
        for table, keys in wanted.items():
            for start in range(0, len(keys), 500):
                links = Seal.objects.filter(table=table, row__in=keys[start : start + 500])
                found |= {(table, link.row): link.seal for link in links}
        return found


def _laid_on(entry: Entry) -> list[Sealed]:
    """The entry and every row that hangs on it."""
    return [entry, *entry.addenda.all(), *entry.strikes.all(), *(item.row for item in entry.beside)]


def of(patient: Patient, on: date) -> RecordSet:
    """Gather it in a fixed number of queries. `on` is today: the day on which a restriction is in force."""
    theirs = patient.entries.of_record().releasable()
    entries = list(theirs.with_marks().oldest_first())
    beside.lay(entries, on)
    given = models.Q(entry=None) | models.Q(entry__in=theirs)
    attachments = patient.attachments.with_bytes().filter(given).select_related("entry", "added_by").order_by("id")
    return RecordSet(patient, entries, list(attachments), list(Restriction.objects.in_force(on).filter(patient=patient)))
