"""That a patient has died: told by somebody, on a day, never a silent change of a date."""

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.models.patient import Patient


class DeathReport(Signed, Sealed):
    """What the office knows of a patient's death and how. The latest holds; one without a day takes the one before back."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="death_reports")
    died_on = models.DateField(_("died on"), null=True)
    how_known = models.CharField(_("how the office knows"), max_length=300)

    class Meta:
        verbose_name = _("report of a death")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"report of a death {self.pk}"

    @classmethod
    def record(cls, patient: Patient, *, died_on: date | None, how_known: str, by: User, at: datetime, on: date) -> "DeathReport":
        """Put the day of death into the chart, or take it back (`died_on` None). The chart's own history keeps it too.

        Raises ValidationError for a day in the future or before the birth, and for what the chart says already.
        """
        with transaction.atomic():
            now = Patient.objects.select_for_update().get(pk=patient.pk)
            if died_on and not now.date_of_birth <= died_on <= on:
                raise ValidationError({"died_on": _t("The day must lie between the birth date and today.")})
            if died_on == now.deceased_on:
                raise ValidationError(_t("The chart says so already."))
            now.deceased_on = died_on
            now.save()
            patient.deceased_on = died_on
            return cls.objects.create(patient=now, died_on=died_on, how_known=how_known, by=by, at=at)
