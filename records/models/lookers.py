"""Lists of who has looked at a chart, as they were given to the patient, kept byte for byte."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField
from meso.seals import Sealed
from meso.signed import Signed
from records.models.patient import Patient


class LookersGiven(Keeping, Signed, Sealed):
    """Who has looked at the chart, told to the patient. A courtesy of the office: 164.528 asks for disclosures, not for looks."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="lookers_given")
    start = models.DateField(_("from"))
    end = models.DateField(_("to"))
    issued_on = models.DateField(_("given on"))
    lines = models.PositiveIntegerField(_("lines"))
    document = EncryptedBinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("list of who has looked")
        verbose_name_plural = _("lists of who has looked")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="lookers_period_runs_forward",
                condition=models.Q(end__gte=models.F("start")),
                violation_error_message=_("The last day can’t come before the first."),
            )
        ]

    def __str__(self) -> str:
        return f"list {self.pk} of who has looked"
