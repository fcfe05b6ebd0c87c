"""What becomes of a signed form: taken back, ended, found false, copied, written about. A row for each."""

from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from disclosures.models.authorizations import SCAN_FORMATS, Authorization
from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.models import Patient


class _Act(Signed, Sealed):
    """A dated and signed row in the patient's chain."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    @classmethod
    def of(cls, authorization: Authorization, *, by: User, at: Any, **facts: Any) -> Any:
        """Write it of a form. Raises ValidationError, with words for the user, where the form does not take it (any more)."""
        facts |= {"patient_id": authorization.patient_id, "authorization": authorization}
        try:
            with transaction.atomic():
                Patient.objects.select_for_update().get(pk=authorization.patient_id)  # a release at the same moment waits
                cls.allow(authorization)
                return cls.objects.create(by=by, at=at, **facts)
        except IntegrityError:
            raise ValidationError(_("This was recorded already. Open the form again to see it.")) from None

    @classmethod
    def allow(cls, authorization: Authorization) -> None:
        """Let it be, or raise ValidationError where the form takes no such act."""


class _OnlyWhileItStands(_Act):
    """An act on a form that nobody has taken back in writing and no other record has replaced."""

    class Meta:
        abstract = True

    @classmethod
    def allow(cls, authorization: Authorization) -> None:
        if AuthorizationRevocation.objects.filter(authorization=authorization).exists():
            raise ValidationError(_("It was taken back in writing already."))
        if Authorization.objects.filter(replaces=authorization).exists():
            raise ValidationError(_("It was recorded anew: open the record that has taken its place."))


class AuthorizationRevocation(Keeping, _OnlyWhileItStands):
    """The patient's written revocation: from the day it came nothing more goes out (164.508(b)(5)). Earlier releases stay."""

    DIGESTS: ClassVar = {"scan": "scan_sha256"}

    authorization = models.OneToOneField(Authorization, on_delete=models.PROTECT, related_name="revocation")
    received_on = models.DateField(_("received on"))
    note = models.CharField(_("note"), max_length=1000, blank=True)
    scan = EncryptedBinaryField(default=b"")
    scan_format = models.CharField(max_length=80, choices=SCAN_FORMATS, blank=True)
    scan_sha256 = models.CharField(max_length=64, blank=True)

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("revocation of an authorization")

    def __str__(self) -> str:
        return f"revocation of authorization {self.authorization_id}"


class OralRevocation(_OnlyWhileItStands):
    """The patient asked orally to take it back: without effect in law, kept until it comes in writing (164.508(b)(5))."""

    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="oral_revocations")
    asked_on = models.DateField(_("asked on"))
    note = models.CharField(_("note"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("oral revocation")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"oral revocation of authorization {self.authorization_id}"


class AuthorizationEventHappened(_OnlyWhileItStands):
    """What was to end the form has happened; it is of no use from the day the office knows (164.508(b)(2)(i))."""

    authorization = models.OneToOneField(Authorization, on_delete=models.PROTECT, related_name="event")
    happened_on = models.DateField(_("happened on"))
    known_on = models.DateField(_("known here since"))

    class Meta:
        verbose_name = _("end of an authorization by its event")
        constraints = [
            models.CheckConstraint(
                name="authorization_event_known_after_it_happened",
                condition=models.Q(happened_on__lte=models.F("known_on")),
                violation_error_message=_("It can’t be known before it happened."),
            )
        ]

    def __str__(self) -> str:
        return f"event of authorization {self.authorization_id}"

    @classmethod
    def allow(cls, authorization: Authorization) -> None:
        super().allow(authorization)
        if not authorization.expiry_event.strip():
            raise ValidationError(_("This form does not name anything that ends it."))


class AuthorizationFoundFalse(_Act):
    """The privacy officer's finding that something material in the form is false (164.508(b)(2)(v))."""

    authorization = models.OneToOneField(Authorization, on_delete=models.PROTECT, related_name="found_false")
    found_on = models.DateField(_("found on"))
    reason = models.CharField(_("what is false"), max_length=1000)

    class Meta:
        verbose_name = _("finding that an authorization is false")

    def __str__(self) -> str:
        return f"finding on authorization {self.authorization_id}"


class AuthorizationCopyGiven(_Act):
    """The patient got a copy of the signed form, which is owed where the office asked for it (164.508(c)(4))."""

    authorization = models.OneToOneField(Authorization, on_delete=models.PROTECT, related_name="copy")
    given_on = models.DateField(_("given on"))

    class Meta:
        verbose_name = _("copy of an authorization given to the patient")

    def __str__(self) -> str:
        return f"copy of authorization {self.authorization_id}"


class AuthorizationLetter(Keeping, _Act):
    """The letter that tells the patient what a form lacks, as it was issued, byte for byte."""

    authorization = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="letters")
    made_on = models.DateField()
    document = EncryptedBinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("letter about an authorization")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"letter {self.pk} about authorization {self.authorization_id}"

    @classmethod
    def allow(cls, authorization: Authorization) -> None:
        if not authorization.lacking():
            raise ValidationError(_("Nothing is missing in this form, so there is no letter to write."))

    def mark_sent(self, *, by: User, at: Any, sent_on: date, way: str) -> "AuthorizationLetterSent":
        """Record how and when it went out. Raises ValidationError when that was recorded already."""
        facts = {"patient_id": self.patient_id, "by": by, "at": at}
        try:
            with transaction.atomic():
                return AuthorizationLetterSent.objects.create(letter=self, sent_on=sent_on, way=way, **facts)
        except IntegrityError:
            raise ValidationError(_("This was recorded already. Open the form again to see it.")) from None


class AuthorizationLetterSent(_Act):
    """When and how a letter about a form went out."""

    class Way(models.TextChoices):
        MAIL = "mail", _("By mail")
        HAND = "hand", _("Handed over")
        EMAIL = "email", _("By e-mail")
        OTHER = "other", _("Another way")

    letter = models.OneToOneField(AuthorizationLetter, on_delete=models.PROTECT, related_name="sent")
    sent_on = models.DateField(_("sent on"))
    way = models.CharField(_("how"), max_length=10, choices=Way.choices)

    class Meta:
        verbose_name = _("sending of a letter about an authorization")

    def __str__(self) -> str:
        return f"sending of letter {self.letter_id}"
