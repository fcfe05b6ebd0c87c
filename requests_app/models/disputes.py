"""What hangs on a disputed entry for good: which it is, the patient's statement, the office's rebuttal, the wish that it travels.

All are sealed rows of the patient's record and can't be taken away from the entry (164.526(d)(4)).
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.encrypted import EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.models import Attachment, Entry, Patient
from requests_app.deadlines import NotAllowedNow, spoken
from requests_app.models.timeline import Letter, Verb

if TYPE_CHECKING:
    from requests_app.models.request import PatientRequest


class DisputedEntry(Sealed):
    """Ties an amendment that was not agreed to to an entry it is about: request and denial are linked to that entry."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="disputed")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="disputes")
    named_on = models.DateField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("disputed entry")
        verbose_name_plural = _("disputed entries")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "entry"], name="disputed_entry_once")]

    def __str__(self) -> str:
        return f"entry {self.entry_id} disputed"

    @classmethod
    def tie(cls, request: "PatientRequest", entries: Iterable[Entry], *, by: User, at: datetime, on: date) -> None:
        """Tie a denied amendment to the entries it is about (164.526(d)(4)); what is tied already stays as it is.

        Raises NotAllowedNow for an entry that is not in this patient's record.
        """
        tied = set(request.disputed.values_list("entry", flat=True))
        for entry in entries:
            if entry.patient_id != request.patient_id or entry.is_misfiled:
                raise NotAllowedNow(_t("That entry is not in this patient's record."), "disputed")
            if entry.pk not in tied:
                cls.objects.create(patient_id=entry.patient_id, request=request, entry=entry, named_on=on, by=by, at=at)
                what = _t("entry of %(day)s") % {"day": spoken(entry.service_on)}
                request.events.record(Verb.DISPUTED, by=by, at=at, on=on, what=what, entry=entry.pk)


class Disagreement(Sealed):
    """The patient's statement of disagreement: its words, a scan of it, or both. Taken in at any time after a denial."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="disagreements")
    received_on = models.DateField(_("received on"))
    text = EncryptedTextField(_("statement"), blank=True)
    scan = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("statement of disagreement")
        verbose_name_plural = _("statements of disagreement")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="disagreement_says_something", condition=~models.Q(text="", scan=None)),
        ]

    def __str__(self) -> str:
        return f"statement {self.pk}"


class Rebuttal(Signed, Sealed):
    """The office's answer to a statement. It is final only once the day is recorded on which the patient's copy was sent."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    disagreement = models.OneToOneField(Disagreement, on_delete=models.PROTECT, related_name="rebuttal")
    letter = models.OneToOneField(Letter, on_delete=models.PROTECT, related_name="rebuttal")  # the patient's copy
    text = EncryptedTextField(_("rebuttal"))
    written_on = models.DateField()

    class Meta:
        verbose_name = _("rebuttal")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"rebuttal {self.pk}"


class TravelWish(Sealed):
    """The patient, who filed no statement, asks that request and denial go along with the entry (164.526(d)(1)(iii))."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    request = models.OneToOneField("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="travel_wish")
    asked_on = models.DateField(_("asked on"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("wish that a denial travels")
        verbose_name_plural = _("wishes that a denial travels")

    def __str__(self) -> str:
        return f"wish {self.pk}"
