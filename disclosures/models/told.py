"""After an abuse report about an adult: the patient was told, or why not (164.512(c)(2))."""

from datetime import date, datetime

from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures.models.release import Release
from meso.models import User
from meso.seals import Sealed
from records.models import Patient


class TellingRefused(ValueError):
    """It can't be recorded so; the text says why."""


class PatientTold(Sealed):
    """The patient was told promptly of the report, or the officer's reason why not; recorded once."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    release = models.OneToOneField(Release, on_delete=models.PROTECT, related_name="told")
    told = models.BooleanField(_("the patient was told"))
    on = models.DateField(_("on"))
    words = models.CharField(_("how, or why not"), max_length=1000)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("word to the patient about a report")
        constraints = [models.CheckConstraint(name="patient_told_in_words", condition=~models.Q(words=""))]

    def __str__(self) -> str:
        return f"word about release {self.release_id}"

    @classmethod
    def record(
        cls, release: Release, *, told: bool, told_on: date, words: str, by: User, at: datetime, on: date
    ) -> "PatientTold":
        """Record it. Raises TellingRefused: no such report, recorded already, no words, a day before the report or to come."""
        if not Release.objects.reports_on_adults().filter(pk=release.pk).exists():
            raise TellingRefused(_t("This release is no report of abuse about an adult."))
        if cls.objects.filter(release=release).exists():
            raise TellingRefused(_t("This has been recorded already."))
        if not words.strip():
            raise TellingRefused(_t("Say how the patient was told, or why not."))
        if not release.released_on <= told_on <= on:
            raise TellingRefused(_t("The day must lie between the report and today."))
        return cls.objects.create(
            patient_id=release.patient_id, release=release, told=told, on=told_on, words=words.strip(), by=by,
            signed_as=by.signature, at=at,
        )  # fmt: skip
