"""Whom the office tells of a correction, with the letter and each attempt; and what others tell us (164.526(c)(3), (e))."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from disclosures.models import Disclosure
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.models import Patient
from requests_app.models.timeline import Letter


class Recipient(Sealed):
    """Somebody to be told that the record was corrected, why, and the letter to them as it was made."""

    class Why(models.TextChoices):
        NAMED = "named", _("The patient names them")
        HOLDS = "holds", _("Got the entry from this office")
        ASSOCIATE = "associate", _("Works for this office and has the entry")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="recipients")
    why = models.CharField(_("why they are told"), max_length=10, choices=Why.choices)
    name = models.CharField(_("name"), max_length=300)
    address = models.TextField(_("address"), blank=True)
    agreed_on = models.DateField(_("patient agreed on"), null=True)
    disclosure = models.ForeignKey(Disclosure, on_delete=models.PROTECT, null=True, related_name="+")
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="recipient")
    added_on = models.DateField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("recipient of a correction")
        verbose_name_plural = _("recipients of a correction")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "name", "address"], name="recipient_once"),
            models.CheckConstraint(
                name="recipient_named_with_agreement",
                condition=~models.Q(why="named") | models.Q(agreed_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"recipient {self.pk}"


class Telling(Sealed):
    """One attempt to tell a recipient: it reached them, or it did not."""

    class How(models.TextChoices):
        TOLD = "told", _("Told")
        FAILED = "failed", _("Could not be reached")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="tellings")
    outcome = models.CharField(_("what came of it"), max_length=6, choices=How.choices)
    on = models.DateField()
    way = models.CharField(_("how"), max_length=40)
    note = models.CharField(_("note"), max_length=300, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("attempt to tell a recipient")
        verbose_name_plural = _("attempts to tell a recipient")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["recipient"], condition=models.Q(outcome="told"), name="recipient_told_once"),
        ]

    def __str__(self) -> str:
        return f"recipient {self.recipient_id} {self.outcome}"


class InboundAmendment(Sealed):
    """Another provider or plan tells us that it has amended what we hold too (164.526(e)): a task for the physician."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="inbound_amendments")
    told_by = models.CharField(_("who told us"), max_length=300)
    told_on = models.DateField(_("told on"))
    what = models.TextField(_("what they changed"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("amendment told by another provider")
        verbose_name_plural = _("amendments told by other providers")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"inbound amendment {self.pk}"


class InboundAnswer(Signed, Sealed):
    """What the physician did about it: amended an entry, or left the record as it is, with the reason."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    inbound = models.OneToOneField(InboundAmendment, on_delete=models.PROTECT, related_name="answer")
    entry = models.ForeignKey("records.Entry", on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("why nothing is amended"), max_length=1000, blank=True)
    on = models.DateField()

    class Meta:
        verbose_name = _("answer to an inbound amendment")
        verbose_name_plural = _("answers to inbound amendments")
        constraints = [
            models.CheckConstraint(
                name="inbound_amended_or_reason",
                condition=models.Q(entry__isnull=False, reason="") | models.Q(entry__isnull=True) & ~models.Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"answer to inbound amendment {self.inbound_id}"
