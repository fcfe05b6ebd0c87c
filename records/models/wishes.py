"""How the patient wishes to be reached (164.522(b))."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.encrypted import EncryptedCharField, EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from records.models.patient import Patient


class ContactPreferenceQuerySet(AppendOnlyQuerySet):
    """Which preferences."""

    def latest_of(self, patient: Patient, on: date) -> "ContactPreference | None":
        """The one in force on that day: the latest that has begun, or None."""
        return self.filter(patient=patient, begins_on__lte=on).order_by("-begins_on", "-id").first()


class ContactPreference(Sealed):
    """How the patient wishes to be reached, in place of what stands in the chart.

    There is no field for why, and there must be none.
    """

    class Means(models.TextChoices):
        MAIL = "mail", _("By mail")
        PHONE = "phone", _("By telephone")
        EMAIL = "email", _("By e-mail")
        PICK_UP = "pick_up", _("Picked up at the office")
        OTHER = "other", _("Another way")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="contact_preferences")
    means = models.CharField(_("how"), max_length=10, choices=Means.choices)
    where = EncryptedTextField(_("where"), help_text=_("The address, number or e-mail to use."))
    avoid = EncryptedCharField(_("do not use"), max_length=300, blank=True)
    begins_on = models.DateField(_("in force since"))
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    request_number = models.CharField(max_length=20, blank=True)

    objects: ClassVar = ContactPreferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact preference")
        indexes = [models.Index(fields=["patient", "-begins_on", "-id"], name="contact_by_patient")]

    def __str__(self) -> str:
        return f"contact preference {self.pk}"


class WayOut(models.TextChoices):
    """How papers leave the office, as rows and timelines keep it."""

    MAIL = "by mail", _("By mail")
    HANDED_OVER = "handed over", _("Handed over")
    EMAIL = "by e-mail", _("By e-mail")
    ENCRYPTED_EMAIL = "by encrypted e-mail", _("By encrypted e-mail")
    FAX = "by fax", _("By fax")

    @property
    def means(self) -> "ContactPreference.Means":
        """The means that a patient may wish for, or not, to which it belongs. A fax is another way, not a telephone call."""
        return {
            "by mail": ContactPreference.Means.MAIL,
            "handed over": ContactPreference.Means.PICK_UP,
            "by e-mail": ContactPreference.Means.EMAIL,
            "by encrypted e-mail": ContactPreference.Means.EMAIL,
            "by fax": ContactPreference.Means.OTHER,
        }[self.value]
