"""The notice of privacy practices as it was issued, where it was posted, and who was given it (164.520)."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso import clock, languages
from meso.append_only import AppendOnly, AppendOnlyQuerySet
from meso.documents import Keeping, WithoutBytes
from meso.encrypted import EncryptedBinaryField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records import notice_rules
from records.models.patient import Patient


class NoticeVersionQuerySet(AppendOnlyQuerySet):
    """Which versions of the notice."""

    def in_force(self, on: date, language: str = "en") -> "NoticeVersion | None":
        """The version that binds the office on that day, in that language, or None.

        One in another language than English that is older than the English one no longer says what holds: then the English one.
        """
        begun = self.filter(effective_on__lte=on).order_by("-effective_on", "-id")
        english = begun.filter(language="en").first()
        other = begun.filter(language=language).first() if language != "en" else None
        return other if other and not (english and other.effective_on < english.effective_on) else english

    def between(self, start: date, end: date) -> "NoticeVersionQuerySet":
        """Those in force on any day of the period: begun in it, and the one that was in force when it began."""
        before = [version.pk for language, _name in settings.LANGUAGES if (version := self.in_force(start, language))]
        return self.filter(models.Q(effective_on__range=(start, end)) | models.Q(pk__in=before)).order_by("effective_on", "id")


class NoticeVersionManager(WithoutBytes, models.Manager.from_queryset(NoticeVersionQuerySet)):  # type: ignore[misc]
    """Leaves the bytes in the database until they are asked for."""


class NoticeVersion(Keeping):
    """The notice as it was issued: its blocks of text, the day from which it holds, and its PDF, byte for byte."""

    effective_on = models.DateField(_("in force since"))
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    texts = models.JSONField()  # {block's key: text}; notice_rules.BLOCKS
    change = models.CharField(_("what is new"), max_length=1000, blank=True)
    is_material = models.BooleanField(_("a material change"), default=False)
    document = EncryptedBinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar = NoticeVersionManager()

    class Meta:
        verbose_name = _("version of the notice")
        indexes = [models.Index(fields=["-effective_on", "-id"], name="notice_by_day")]

    def __str__(self) -> str:
        return f"notice of {self.effective_on}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the version with the digest of its document. Raises ValidationError for one that lacks a required part."""
        if lacking := notice_rules.lacks(self.texts, self.language):
            raise ValidationError(lacking)
        super().save(*args, **kwargs)

    @classmethod
    def issue(cls, *, effective_on: date, on: date, **facts: Any) -> "NoticeVersion":
        """Put a notice in force from that day. `facts` are the model's fields.

        Raises ValidationError for a notice that lacks a part (164.520(b)), for a day before today, since a notice can't bind
        before it is published (164.520(b)(1)(viii)), and for a later version that does not say what is new.
        """
        if effective_on < on:
            raise ValidationError({"effective_on": _t("A notice can't hold from a day before it is published.")})
        if not facts.get("change", "").strip() and cls.objects.filter(language=facts.get("language", "en")).exists():
            raise ValidationError({"change": _t("Say what is new in it.")})
        return cls.objects.create(effective_on=effective_on, **facts)

    def post(self, place: str, *, posted_on: date, by: User, at: datetime, on: date) -> "NoticePosting":
        """Record that it was hung up or put on a site. Raises ValidationError for a day in the future or before it was made."""
        if not clock.office_day(self.made_at) <= posted_on <= on:
            raise ValidationError({"posted_on": _t("The day must lie between the day it was made and today.")})
        return NoticePosting.objects.create(version=self, place=place, posted_on=posted_on, by=by, at=at)


class NoticePosting(AppendOnly):
    """Where a version was put up, and when (164.520(c)(2)(iii), 164.520(c)(3)(i))."""

    class Place(models.TextChoices):
        OFFICE = "office", _("In the office, where patients see it")
        WEBSITE = "website", _("On the office's website")

    version = models.ForeignKey(NoticeVersion, on_delete=models.PROTECT, related_name="postings")
    place = models.CharField(_("where"), max_length=10, choices=Place.choices)
    posted_on = models.DateField(_("on"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("posting of the notice")
        ordering = ["posted_on", "id"]

    def __str__(self) -> str:
        return f"{self.place} {self.posted_on}"


class NoticeAcknowledgmentQuerySet(AppendOnlyQuerySet):
    """Which acknowledgments."""

    def given(self) -> "NoticeAcknowledgmentQuerySet":
        """Those by which the patient has the notice: in an emergency it is still owed (164.520(c)(2))."""
        return self.exclude(signed=NoticeAcknowledgment.Signed.EMERGENCY)


class NoticeAcknowledgment(Signed, Sealed):
    """A patient was given the notice: signed for, or the good-faith effort and why there is no signature (164.520(c)(2)(ii))."""

    class Signed(models.TextChoices):
        YES = "yes", _("They signed that they got it")
        REFUSED = "refused", _("They got it and did not want to sign")
        EMERGENCY = "emergency", _("An emergency: it is given as soon as that is over")
        UNABLE = "unable", _("They could not sign")
        OTHER = "other", _("Not signed for another reason")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="notices_given")
    version = models.ForeignKey(NoticeVersion, on_delete=models.PROTECT, null=True, related_name="+")
    given_on = models.DateField(_("on"))
    signed = models.CharField(_("acknowledgment"), max_length=10, choices=Signed.choices)
    why_not = models.CharField(_("what was tried, and why there is no signature"), max_length=500, blank=True)

    objects: ClassVar = NoticeAcknowledgmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("acknowledgment of the notice")
        verbose_name_plural = _("acknowledgments of the notice")
        indexes = [models.Index(fields=["patient", "-given_on", "-id"], name="notice_given_by_patient")]
        constraints = [
            models.CheckConstraint(
                name="notice_signed_or_why_not",
                condition=models.Q(signed="yes") | ~models.Q(why_not=""),
                violation_error_message=_("Without a signature, say what was tried and why there is none."),
            )
        ]

    def __str__(self) -> str:
        return f"notice given {self.given_on}"

    @classmethod
    def record(
        cls, patient: Patient, *, given_on: date, signed: str, why_not: str, by: User, at: datetime, on: date
    ) -> "NoticeAcknowledgment":
        """Keep that the notice in force on that day was given; one of before Meso's first version is an earlier paper.

        Raises ValidationError for a day in the future, and without a signature or the reason why there is none.
        """
        if given_on > on:
            raise ValidationError({"given_on": _t("This day is in the future.")})
        if signed != cls.Signed.YES and not why_not.strip():
            raise ValidationError({"why_not": _t("Without a signature, say what was tried and why there is none.")})
        version = NoticeVersion.objects.in_force(given_on, languages.written(patient.language))
        return cls.objects.create(
            patient=patient,
            version=version,
            given_on=given_on,
            signed=signed,
            why_not=why_not,
            by=by,
            at=at,
        )
