"""Legal holds: while one is in force nothing of what it covers may be purged, however old (law.md §10; 164.530(j))."""

from datetime import date, datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.models import User
from meso.seals import Sealed, patient_chain
from meso.signed import Signed
from records.models.patient import Patient

OFFICE_CHAIN = "office"  # what binds the whole office hangs on a chain of its own


class LegalHoldQuerySet(AppendOnlyQuerySet):
    """Which holds."""

    def in_force(self, on: date) -> "LegalHoldQuerySet":
        """Begun on or before the day and not lifted by it."""
        return self.filter(begins_on__lte=on).exclude(ending__ended_on__lte=on)


class _HeldRow(Signed, Sealed):
    """A row of one patient's chain, or of the office's where it is about no one patient."""

    class Meta:
        abstract = True

    def chain_key(self) -> str:
        """The patient's chain, or the office's."""
        return patient_chain(self.patient_id) if self.patient_id else OFFICE_CHAIN  # type: ignore[attr-defined]


class LegalHold(_HeldRow):
    """A lawsuit, an audit or an investigation is under way or to be expected: keep what is about it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="holds")  # None: everything
    reason = models.CharField(_("reason"), max_length=1000)
    begins_on = models.DateField(_("in force since"))

    objects: ClassVar = LegalHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal hold")
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="hold_has_a_reason", condition=~models.Q(reason=""))]

    def __str__(self) -> str:
        return f"legal hold {self.pk}"

    @classmethod
    def place(cls, patient: Patient | None, *, reason: str, begins_on: date, by: User, at: datetime) -> "LegalHold":
        """Place a hold on one patient's records, or on everything (None). Raises IntegrityError without a reason."""
        reason = reason.strip()
        return cls.objects.create(patient=patient, reason=reason, begins_on=begins_on, by=by, at=at)

    def lift(self, *, reason: str, on: date, by: User, at: datetime) -> "LegalHoldEnding":
        """End it from that day on. Raises ValidationError when it has ended already."""
        try:
            with transaction.atomic():
                return LegalHoldEnding.objects.create(patient=self.patient, hold=self, ended_on=on, reason=reason, by=by, at=at)
        except IntegrityError:  # no row to lock: a hold on everything is no one patient's
            raise ValidationError(_t("This hold was lifted already.")) from None


class LegalHoldEnding(_HeldRow):
    """The end of a legal hold."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, related_name="+")
    hold = models.OneToOneField(LegalHold, on_delete=models.PROTECT, related_name="ending")
    ended_on = models.DateField(_("ended on"))
    reason = models.CharField(_("reason"), max_length=1000)

    class Meta:
        verbose_name = _("end of a legal hold")

    def __str__(self) -> str:
        return f"legal hold {self.hold_id} ended {self.ended_on}"
