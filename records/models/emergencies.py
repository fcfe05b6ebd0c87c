"""What went to a provider in an emergency in spite of a restriction, with the letter it asks for (164.522(a)(1)(iii)-(iv))."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.documents import Keeping, WithoutBytes
from meso.encrypted import EncryptedBinaryField
from meso.models import Office, User
from meso.pdf import render_pdf
from meso.seals import Sealed
from meso.signed import Signed
from records.models.patient import Patient
from records.models.restrictions import Restriction
from records.restriction_rules import Outcome, Recipient


class EmergencyReleaseQuerySet(AppendOnlyQuerySet):
    """Which releases."""

    def unsent(self) -> "EmergencyReleaseQuerySet":
        """Those whose letter is not recorded as sent."""
        return self.filter(sent=None)


class EmergencyReleaseManager(WithoutBytes, models.Manager.from_queryset(EmergencyReleaseQuerySet)):  # type: ignore[misc]
    """Leaves the bytes in the database until they are asked for."""


class EmergencyRelease(Keeping, Signed, Sealed):
    """Restricted information that a provider got to treat the patient in an emergency; `letter` is the PDF as issued.

    The letter asks the provider not to use or disclose it further, and is made with the record of the release.
    """

    DIGESTS: ClassVar = {"letter": "letter_sha256"}

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="emergencies")
    released_on = models.DateField(_("given on"))
    provider = models.CharField(_("provider"), max_length=300)
    provider_address = models.TextField(_("provider's address"), blank=True)
    information = models.TextField(_("what was given"))
    reason = models.CharField(_("what the emergency was"), max_length=1000)
    letter = EncryptedBinaryField()
    letter_sha256 = models.CharField(max_length=64)
    made_on = models.DateField()  # the day the letter is dated

    objects: ClassVar = EmergencyReleaseManager()

    class Meta:
        verbose_name = _("release in an emergency")
        verbose_name_plural = _("releases in an emergency")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"emergency release {self.pk} under restriction {self.restriction_id}"

    @classmethod
    def record(
        cls,
        restriction: Restriction,
        *,
        released_on: date,
        provider: str,
        provider_address: str,
        information: str,
        reason: str,
        by: User,
        at: datetime,
        on: date,
        office: Office,
    ) -> "EmergencyRelease":
        """Record the release and make its letter, dated `on`. The same release twice is recorded once.

        Raises ValidationError without the emergency in words, and where the restriction does not stop treatment at all.
        """
        if not reason.strip():
            raise ValidationError({"reason": _t("Say what the emergency was: without one the restriction binds.")})
        with transaction.atomic():
            Restriction.objects.hold(restriction.pk)
            told = restriction.verdict(None, purpose="treatment", recipient=Recipient.PROVIDER, on=released_on, emergency=True)
            if told.outcome != Outcome.EMERGENCY:
                raise ValidationError(_t("This restriction does not stop treatment on that day; no exception is needed."))
            facts = {"released_on": released_on, "provider": provider, "information": information, "reason": reason}
            there = cls.objects.filter(restriction=restriction, **facts).first()
            return there or cls.objects.create(
                patient_id=restriction.patient_id,
                restriction=restriction,
                provider_address=provider_address,
                letter=_letter(restriction, facts | {"address": provider_address}, by=by, on=on, office=office),
                made_on=on,
                by=by,
                at=at,
                **facts,
            )

    def send(self, *, sent_on: date, how: str, by: User, at: datetime) -> "EmergencyLetterSent":
        """Record that the letter went out. Raises ValidationError when that is recorded, and for a day before it was made."""
        with transaction.atomic():
            Restriction.objects.hold(self.restriction_id)
            if EmergencyLetterSent.objects.filter(release=self).exists():
                raise ValidationError(_t("It is recorded that this letter was sent."))
            if sent_on < self.made_on:
                raise ValidationError({"day": _t("The letter was made later than that.")})
            return EmergencyLetterSent.objects.create(
                patient_id=self.patient_id, release=self, sent_on=sent_on, how=how, by=by, at=at
            )


class EmergencyLetterSent(Signed, Sealed):
    """The letter of an emergency went out to the provider."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    release = models.OneToOneField(EmergencyRelease, on_delete=models.PROTECT, related_name="sent")
    sent_on = models.DateField(_("sent on"))
    how = models.CharField(_("how"), max_length=300)

    class Meta:
        verbose_name = _("emergency letter sent")
        verbose_name_plural = _("emergency letters sent")

    def __str__(self) -> str:
        return f"letter of emergency release {self.release_id} sent {self.sent_on}"


def _letter(restriction: Restriction, release: dict[str, Any], *, by: User, on: date, office: Office) -> bytes:
    context = {"restriction": restriction, "patient": restriction.patient, "release": release, "dated": on, "by": by}
    return render_pdf("records/pdf/no_further_use.html", {**context, "office": office}).content
