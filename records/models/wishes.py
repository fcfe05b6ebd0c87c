"""What the patient has asked for and the office has agreed to: restrictions (164.522(a)) and how to be contacted (164.522(b))."""

from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.models import User
from meso.seals import Sealed
from records.models.patient import Patient


class RestrictionQuerySet(AppendOnlyQuerySet):
    """Which restrictions."""

    def in_force(self, on: date) -> "RestrictionQuerySet":
        """Begun on or before the day and not ended by it. A restriction still binds on the day before its ending."""
        return self.filter(begins_on__lte=on).exclude(ending__ended_on__lte=on)


class Restriction(Sealed):
    """A limit on use or disclosure that the office has agreed to, binding until it is ended."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="restrictions")
    what = models.TextField(_("what is restricted"))
    from_whom = models.CharField(_("from whom it is kept"), max_length=300, blank=True)
    begins_on = models.DateField(_("in force since"))
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    request_number = models.CharField(max_length=20, blank=True)

    objects: ClassVar = RestrictionQuerySet.as_manager()

    class Meta:
        verbose_name = _("restriction")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"restriction {self.pk}"

    def end(self, *, by: User, at: Any, on: date, reason: str) -> "RestrictionEnding":
        """End it from that day on. Raises IntegrityError when it has ended already."""
        return RestrictionEnding.objects.create(
            patient=self.patient, restriction=self, ended_on=on, reason=reason, by=by, signed_as=by.signature, at=at
        )


class RestrictionEnding(Sealed):
    """The end of a restriction: from that day it no longer binds."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="ending")
    ended_on = models.DateField(_("ended on"))
    reason = models.CharField(_("reason"), max_length=1000)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("end of a restriction")

    def __str__(self) -> str:
        return f"restriction {self.restriction_id} ended {self.ended_on}"


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
    where = models.TextField(_("where"), help_text=_("The address, number or e-mail to use."))
    avoid = models.CharField(_("do not use"), max_length=300, blank=True)
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
