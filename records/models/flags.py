"""Flags on entries: material that a patient's right of access does not reach, and records under 42 CFR Part 2.

A flag is laid on one entry by somebody who answers for it; set by mistake, it is ended by a row of its own. The chart
itself is never hidden because somebody goes to law: only what is flagged is left out of a copy (164.524(a)(1)).
"""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.encrypted import EncryptedCharField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.exclusion import Kind
from records.models.chart import Entry
from records.models.patient import Patient


class EntryFlagManager(models.Manager.from_queryset(AppendOnlyQuerySet)):  # type: ignore[misc]
    """Flags come with their endings, so that whether one stands costs no query."""

    def get_queryset(self) -> AppendOnlyQuerySet:
        return super().get_queryset().select_related("ending")


class EntryFlag(Signed, Sealed):
    """Says what an entry is: psychotherapy notes, put together for a proceeding, or a record under 42 CFR Part 2."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="flags")
    kind = models.CharField(_("what it is"), max_length=20, choices=Kind.choices)
    reason = EncryptedCharField(_("why it is that"), max_length=1000)

    objects: ClassVar = EntryFlagManager()

    class Meta:
        verbose_name = _("flag on an entry")
        verbose_name_plural = _("flags on entries")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="entry_flag_is_known", condition=models.Q(kind__in=Kind.values)),
            models.CheckConstraint(name="entry_flag_says_why", condition=~models.Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} flag on entry {self.entry_id}"

    @classmethod
    def lay(cls, entry: Entry, kind: str, *, reason: str, by: User, at: Any) -> "EntryFlag":
        """Flag the entry. Raises ValidationError where the same flag stands on it already."""
        with transaction.atomic():
            Entry.objects.hold(entry.pk)
            if cls.objects.filter(entry=entry, kind=kind, ending=None).exists():
                raise ValidationError(_("This entry has that flag already."))
            return cls.objects.create(patient_id=entry.patient_id, entry=entry, kind=kind, reason=reason, by=by, at=at)

    @property
    def stands(self) -> bool:
        """Whether it has not been taken back."""
        return getattr(self, "ending", None) is None

    def end(self, *, reason: str, by: User, at: Any) -> "EntryFlagEnding":
        """Take back a flag that was set by mistake. Raises ValidationError where it was taken back already."""
        with transaction.atomic():
            Entry.objects.hold(self.entry_id)
            if EntryFlagEnding.objects.filter(flag=self).exists():
                raise ValidationError(_("This flag was taken back already."))
            return EntryFlagEnding.objects.create(patient_id=self.patient_id, flag=self, reason=reason, by=by, at=at)


class EntryFlagEnding(Signed, Sealed):
    """Says that a flag was set by mistake. Flag and mistake both stay readable."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    flag = models.OneToOneField(EntryFlag, on_delete=models.PROTECT, related_name="ending")
    reason = EncryptedCharField(_("why it was a mistake"), max_length=1000)

    class Meta:
        verbose_name = _("end of a flag")
        verbose_name_plural = _("ends of flags")

    def __str__(self) -> str:
        return f"flag {self.flag_id} taken back"
