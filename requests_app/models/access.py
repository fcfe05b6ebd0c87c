"""Other ways of giving access than a copy: an appointment to look at the record, a summary in place of the record."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnly
from meso.models import User
from meso.money import MoneyField
from requests_app.models.timeline import Letter


class Appointment(AppendOnly):
    """A day, time and place to look at the record, told by letter; a later one takes its place (164.524(c)(3)(i))."""

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="appointments")
    day = models.DateField(_("day"))
    time = models.TimeField(_("time"))
    place = models.CharField(_("place"), max_length=300)
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("appointment to look at the record")
        verbose_name_plural = _("appointments to look at the record")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"appointment {self.pk}"


class SummaryAgreement(AppendOnly):
    """The patient agreed beforehand to a summary or explanation in place of the record, and to its fee (164.524(c)(2)(iii))."""

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="summary_agreements")
    agreed_on = models.DateField(_("agreed to the summary on"))
    fee = MoneyField(_("fee"))
    fee_agreed_on = models.DateField(_("agreed to the fee on"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("agreement to a summary")
        verbose_name_plural = _("agreements to a summary")
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="summary_fee_not_below_zero", condition=models.Q(fee__gte=0))]

    def __str__(self) -> str:
        return f"agreement {self.pk}"
