"""Who may act for the patient (164.502(g)), how each authority ends, and what only the physician and the officer may read."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.documents import Keeping, WithoutBytes
from meso.encrypted import EncryptedBinaryField, EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records import names, representation
from records.models.chart import Attachment
from records.models.patient import Patient
from records.representation import Basis, Paper, Scope


class RepresentativeQuerySet(AppendOnlyQuerySet):
    """Which representatives. They come without the bytes of their document; `defer(None)` brings them."""

    def with_state(self) -> "RepresentativeQuerySet":
        """Each with what decides whether it may act: patient, ending, refusals. Two queries more where there is any."""
        return self.select_related("patient", "ending", "verified_by").prefetch_related("refusals__ending")


class RepresentativeManager(WithoutBytes, models.Manager.from_queryset(RepresentativeQuerySet)):  # type: ignore[misc]
    """Leaves the bytes in the database until they are asked for."""


class Representative(Keeping, Sealed):
    """Somebody who may act for the patient: on what basis, shown by which paper, for what, from when to when.

    Whether they may act on a day is never stored: `records.representation.refusal` works it out.
    """

    DIGESTS: ClassVar = {"scan": "scan_sha256"}

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="representatives")
    name = models.CharField(_("name"), max_length=300)
    name_key = models.CharField(max_length=300, editable=False)  # the words of the name, sorted
    relation = models.CharField(_("who they are to the patient"), max_length=100)
    address = models.TextField(_("postal address"), blank=True)
    phone = models.CharField(_("telephone"), max_length=40, blank=True)
    basis = models.CharField(_("authority"), max_length=20, choices=Basis.choices)
    law = models.CharField(_("which law"), max_length=300, blank=True)
    paper = models.CharField(_("document seen"), max_length=20, choices=Paper.choices)
    paper_dated = models.DateField(_("dated"), null=True)
    scan = EncryptedBinaryField(null=True)
    scan_format = models.CharField(max_length=80, choices=Attachment.Format.choices, blank=True)
    scan_sha256 = models.CharField(max_length=64, blank=True)
    scope = models.CharField(_("for which matters"), max_length=20, choices=Scope.choices)
    limits = models.CharField(_("which matters, in words"), max_length=500, blank=True)
    begins_on = models.DateField(_("in force since"))
    expires_on = models.DateField(_("last day in force"), null=True)
    verified_how = models.CharField(_("how it was verified"), max_length=300)
    verified_on = models.DateField()
    verified_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    objects: ClassVar = RepresentativeManager()

    class Meta:
        verbose_name = _("representative")
        ordering = ["id"]
        indexes = [models.Index(fields=["basis", "patient"], name="representative_by_basis")]
        constraints = [
            models.CheckConstraint(
                name="representative_ends_after_begin",
                condition=models.Q(expires_on=None) | models.Q(expires_on__gte=models.F("begins_on")),
            ),
            models.CheckConstraint(
                name="representative_limits_in_words", condition=~models.Q(scope="limited") | ~models.Q(limits="")
            ),
            models.CheckConstraint(
                name="representative_other_law_named", condition=~models.Q(basis="other_law") | ~models.Q(law="")
            ),
        ]

    def __str__(self) -> str:
        return f"representative {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store it with the key of its name and the digest of its scan."""
        if self._state.adding:
            self.name_key = _name_key(self.name)
        super().save(*args, **kwargs)

    @property
    def rule(self) -> representation.Rule:
        """What the law says of its basis."""
        return representation.RULES[self.basis]

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds by itself: what its paper says, or the day before the 18th birthday; None is open."""
        if self.basis != Basis.PARENT:
            return self.expires_on
        eve = date.fromordinal(representation.adulthood(self.patient.date_of_birth).toordinal() - 1)
        return min(eve, self.expires_on) if self.expires_on else eve

    @classmethod
    def put_on_file(cls, patient: Patient, *, by: User, at: datetime, on: date, **facts: Any) -> "Representative":
        """Put somebody on file who has been verified today. The same facts twice (a second click) make one row.

        Raises ValidationError, by field: what representation.problems finds; on `name` for somebody whom the physician
        has refused under that name, whatever paper they bring now.
        """
        with transaction.atomic():
            locked = Patient.objects.select_for_update().get(pk=patient.pk)
            found = representation.problems(
                facts["basis"],
                facts["paper"],
                facts["scope"],
                begins_on=facts["begins_on"],
                expires_on=facts.get("expires_on"),
                born=locked.date_of_birth,
                died_on=locked.deceased_on,
                on=on,
            )
            same_name = list(locked.representatives.with_state().filter(name_key=_name_key(facts["name"])))
            if any(representation.refusal_in_force(one, on) for one in same_name):
                found["name"] = str(representation.ASK_OFFICER)
            if found:
                raise ValidationError(found)
            told = ("basis", "paper", "scope", "begins_on", "expires_on")
            again = [one for one in same_name if all(getattr(one, field) == facts.get(field) for field in told)]
            there = next((one for one in again if not hasattr(one, "ending")), None)
            return there or cls.objects.create(
                patient=locked, verified_on=on, verified_by=by, signed_as=by.signature, recorded_at=at, **facts
            )

    def end(self, *, by: User, at: datetime, on: date, ended_on: date, reason: str) -> "RepresentativeEnding":
        """End the authority from that day on. Raises ValidationError when it has ended, or for a day that does not fit."""
        with transaction.atomic():
            Representative.objects.hold(self.pk)
            me = Representative.objects.get(pk=self.pk)
            if RepresentativeEnding.objects.filter(representative=me).exists():
                raise ValidationError(_t("This authority has ended already."))
            if not me.begins_on <= ended_on <= on:
                raise ValidationError({"ended_on": _t("The day must lie between the day it began and today.")})
            return RepresentativeEnding.objects.create(
                patient=me.patient, representative=me, ended_on=ended_on, reason=reason, by=by, at=at
            )

    def refuse(self, *, by: User, at: datetime, on: date, ground: str, reasoning: str) -> "RepresentativeRefusal":
        """No longer treat this person as the representative, from today on: a licensed professional's judgment (164.502(g)(5)).

        Raises ValidationError without a licence on file, and when a refusal is in force already.
        """
        check_licensed(by)
        with transaction.atomic():
            Representative.objects.hold(self.pk)
            me = Representative.objects.get(pk=self.pk)
            if representation.refusal_in_force(me, on):
                raise ValidationError(_t("This representative is refused already."))
            return RepresentativeRefusal.objects.create(
                patient=me.patient,
                representative=me,
                ground=ground,
                reasoning=reasoning,
                begins_on=on,
                by=by,
                licence=by.licence_number,
                at=at,
            )


def _name_key(name: str) -> str:
    return " ".join(sorted(names.words(name)))[:300]


def check_licensed(by: User) -> None:
    """Raise ValidationError unless this person's licence is on file: the judgment must be a licensed professional's."""
    if not by.licence_number:
        raise ValidationError(
            _t("This rests on a licensed professional's judgment. Your licence number is missing: the office admin adds it.")
        )


class RepresentativeEnding(Signed, Sealed):
    """The end of an authority: revoked, replaced, emancipated. From that day it no longer holds."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    representative = models.OneToOneField(Representative, on_delete=models.PROTECT, related_name="ending")
    ended_on = models.DateField(_("ended on"))
    reason = models.CharField(_("what ended it"), max_length=1000)

    class Meta:
        verbose_name = _("end of an authority")

    def __str__(self) -> str:
        return f"representative {self.representative_id} ended {self.ended_on}"


class RepresentativeRefusal(Signed, Sealed):
    """The physician's judgment not to treat somebody as the representative; only physician and privacy officer read it."""

    class Ground(models.TextChoices):
        HARMED = "harmed", _("The patient has been or may be subjected to abuse, neglect or violence by this person")
        ENDANGERED = "endangered", _("Treating this person as the representative could endanger the patient")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    representative = models.ForeignKey(Representative, on_delete=models.PROTECT, related_name="refusals")
    ground = models.CharField(_("reasonable belief"), max_length=12, choices=Ground.choices)
    reasoning = EncryptedTextField(_("why this is in the patient's best interest"))
    begins_on = models.DateField()
    licence = models.CharField(max_length=40)

    class Meta:
        verbose_name = _("refusal of a representative")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"refusal {self.pk} of representative {self.representative_id}"

    def binds(self, on: date) -> bool:
        """Whether it is in force on that day."""
        ending = getattr(self, "ending", None)
        return self.begins_on <= on and (ending is None or on < ending.ended_on)

    def end(self, *, by: User, at: datetime, on: date, reason: str) -> "RefusalEnding":
        """Treat the person as the representative again, from today on. Raises ValidationError as `refuse` does."""
        check_licensed(by)
        with transaction.atomic():
            RepresentativeRefusal.objects.hold(self.pk)
            if RefusalEnding.objects.filter(refusal=self).exists():
                raise ValidationError(_t("This refusal has ended already."))
            return RefusalEnding.objects.create(
                patient=self.patient,
                refusal=self,
                ended_on=on,
                reason=reason,
                by=by,
                licence=by.licence_number,
                at=at,
            )


class RefusalEnding(Signed, Sealed):
    """The physician's judgment that the ground of a refusal is gone."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    refusal = models.OneToOneField(RepresentativeRefusal, on_delete=models.PROTECT, related_name="ending")
    ended_on = models.DateField()
    reason = EncryptedTextField(_("why the ground is gone"))
    licence = models.CharField(max_length=40)

    class Meta:
        verbose_name = _("end of a refusal")

    def __str__(self) -> str:
        return f"refusal {self.refusal_id} ended {self.ended_on}"
