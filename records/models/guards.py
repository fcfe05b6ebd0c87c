"""Guarded charts, and the glass that is broken to open one in an emergency: who, why, until when, and what the review found.

Minimum necessary inside the office (45 CFR 164.502(b), 164.514(d)(2)): a known person's chart, a colleague's own, or one whose
patient asked for it opens for those named on the guard and for the privacy officer. Everybody else breaks the glass
(164.312(a)(2)(ii), emergency access), which the privacy officer reviews. Which entries are closed is records/seeing.py.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.encrypted import EncryptedCharField
from meso.models import User
from meso.roles import Role
from meso.seals import Sealed
from meso.signed import Signed
from records.models.chart import Entry
from records.models.patient import Patient

LASTS = timedelta(minutes=60)  # how long the chart stays open to whoever broke the glass: a decision, as the law names no time
REASON = 1000


class ChartGuardQuerySet(AppendOnlyQuerySet):
    """Which guards."""

    def in_force(self) -> "ChartGuardQuerySet":
        """Those that nobody has lifted: what a chart's review queue and the gate ask for."""
        return self.filter(ending=None)


class ChartGuard(Signed, Sealed):
    """A chart is guarded: only those named on it, and the privacy officer, open it.

    Whether charts are guarded now: `Patient.objects.guarded()` gives those that are, and a guard's `kind` says why. Events of
    the audit name a chart by its number: `AccessEvent.objects.filter(chart_number__in=Patient.objects.guarded().numbers())`
    are the looks at guarded charts, and `EmergencyAccess` has the looks for which the glass was broken.
    """

    class Kind(models.TextChoices):
        VIP = "vip", _("Somebody who is widely known")
        STAFF = "staff", _("Somebody who works here, or their family")
        ASKED = "asked", _("The patient asked for it")
        OTHER = "other", _("Another reason")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="guards")
    kind = models.CharField(_("why it is guarded"), max_length=10, choices=Kind.choices)
    reason = EncryptedCharField(_("in words"), max_length=REASON, blank=True)

    objects: ClassVar = ChartGuardQuerySet.as_manager()

    class Meta:
        verbose_name = _("guard on a chart")
        verbose_name_plural = _("guards on charts")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="guard_kind_is_known", condition=models.Q(kind__in=["vip", "staff", "asked", "other"])
            ),
            models.CheckConstraint(
                name="guard_other_says_why", condition=~models.Q(kind="other", reason=""),
                violation_error_message=_("Say why the chart is guarded."),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"guard {self.pk}"

    @classmethod
    def lay(cls, patient: Patient, *, kind: str, reason: str, team: Iterable[User], by: User, at: datetime) -> "ChartGuard":
        """Guard the chart for this team; a guard already on it is lifted in the same act, so that a team is changed so.

        Raises ValidationError where another reason has no words, and where nobody is named.
        """
        named = list(dict.fromkeys(team))
        if not named:
            raise ValidationError({"team": _t("Name at least one person who treats or looks after this patient.")})
        if kind == cls.Kind.OTHER and not reason.strip():
            raise ValidationError({"reason": _t("Say why the chart is guarded.")})
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=patient.pk)
            for old in cls.objects.in_force().filter(patient=patient):
                ChartGuardEnding.objects.create(patient=patient, guard=old, reason=_t("Guarded anew."), by=by, at=at)
            guard = cls.objects.create(patient=patient, kind=kind, reason=reason.strip(), by=by, at=at)
            for person in named:
                ChartGuardMember.objects.create(patient=patient, guard=guard, user=person)
        return guard

    def lift(self, *, reason: str, by: User, at: datetime) -> "ChartGuardEnding":
        """Take the guard off. Raises ValidationError when it was lifted already, and without a reason."""
        if not reason.strip():
            raise ValidationError({"reason": _t("Say why the guard is lifted.")})
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=self.patient_id)
            if ChartGuardEnding.objects.filter(guard=self).exists():
                raise ValidationError(_t("This guard was lifted already."))
            return ChartGuardEnding.objects.create(patient_id=self.patient_id, guard=self, reason=reason.strip(), by=by, at=at)


class ChartGuardMember(Sealed):
    """Somebody for whom a guarded chart opens as any other does."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    guard = models.ForeignKey(ChartGuard, on_delete=models.PROTECT, related_name="team")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("person named on a guard")
        verbose_name_plural = _("people named on guards")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["guard", "user"], name="guard_names_each_once")]

    def __str__(self) -> str:
        return f"user {self.user_id} on guard {self.guard_id}"


class ChartGuardEnding(Signed, Sealed):
    """The end of a guard."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    guard = models.OneToOneField(ChartGuard, on_delete=models.PROTECT, related_name="ending")
    reason = EncryptedCharField(_("why it is lifted"), max_length=REASON)

    class Meta:
        verbose_name = _("end of a guard")
        verbose_name_plural = _("ends of guards")

    def __str__(self) -> str:
        return f"guard {self.guard_id} lifted"


class EmergencyAccessQuerySet(AppendOnlyQuerySet):
    """Which emergency accesses."""

    def lasting(self, at: datetime) -> "EmergencyAccessQuerySet":
        """Those begun and not run out at that moment."""
        return self.filter(at__lte=at, until__gt=at)

    def of_chart(self) -> "EmergencyAccessQuerySet":
        """Those that opened a guarded chart, and no single closed entry."""
        return self.filter(entry=None)

    def for_reviewer(self, user: User) -> "EmergencyAccessQuerySet":
        """Those that this person is shown: all for a privacy officer, else those that they may review themselves."""
        if user.role == Role.PRIVACY_OFFICER:
            return self
        officers = User.objects.filter(role=Role.PRIVACY_OFFICER, is_active=True)
        if user.role != Role.PHYSICIAN or officers.count() != 1:
            return self.none()
        return self.filter(by__in=officers)

    def unreviewed(self) -> "EmergencyAccessQuerySet":
        """Those that nobody has signed off."""
        return self.filter(review=None)


class EmergencyAccess(Signed, Sealed):
    """Somebody broke the glass: a guarded chart, or one psychotherapy note (`entry`), opened to them for an hour."""

    class Kind(models.TextChoices):
        TREATMENT = "treatment", _("Emergency treatment")
        HERE = "here", _("The patient is here")
        URGENT = "urgent", _("A request that can’t wait")
        OTHER = "other", _("Another reason")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="emergency_accesses")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, related_name="emergency_accesses")
    kind = models.CharField(_("what it is for"), max_length=10, choices=Kind.choices)
    reason = EncryptedCharField(_("what happened"), max_length=REASON)
    until = models.DateTimeField(_("open until"))

    objects: ClassVar = EmergencyAccessQuerySet.as_manager()

    class Meta:
        verbose_name = _("emergency access")
        verbose_name_plural = _("emergency accesses")
        ordering = ["id"]
        indexes = [models.Index(fields=["patient", "by", "until"], name="emergency_access_lasting")]
        constraints = [
            models.CheckConstraint(
                name="emergency_kind_is_known", condition=models.Q(kind__in=["treatment", "here", "urgent", "other"])
            ),
            models.CheckConstraint(name="emergency_says_why", condition=~models.Q(reason="")),
            models.CheckConstraint(name="emergency_runs_out", condition=models.Q(until__gt=models.F("at"))),
            models.CheckConstraint(
                name="emergency_note_is_treatment", condition=models.Q(entry=None) | models.Q(kind="treatment")
            ),
        ]

    def __str__(self) -> str:
        return f"emergency access {self.pk}"

    @classmethod
    def begin(
        cls, patient: Patient, *, kind: str, reason: str, by: User, at: datetime, entry: Entry | None = None
    ) -> "EmergencyAccess":
        """Break the glass. What is open already stays open, and no second row is written: a button pressed twice.

        Raises ValidationError without a reason, and for a psychotherapy note unless a physician treats in an emergency:
        beyond its author, only a serious and imminent threat opens it (164.508(a)(2)(ii), 164.512(j)(1)(i)).
        """
        if not reason.strip():
            raise ValidationError({"reason": _t("Say in a sentence what happened: the privacy officer reads it.")})
        if entry is not None and (kind != cls.Kind.TREATMENT or by.role != Role.PHYSICIAN):
            raise ValidationError(
                {"kind": _t("Another’s psychotherapy note opens to a physician in an emergency, and to nobody else.")}
            )
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=patient.pk)
            there = cls.objects.lasting(at).filter(patient=patient, entry=entry, by=by).last()
            return there or cls.objects.create(
                patient=patient, entry=entry, kind=kind, reason=reason.strip(), until=at + LASTS, by=by, at=at
            )

    def may_be_reviewed_by(self, user: User) -> bool:
        """Whether this person may sign it off: a privacy officer, and never for themselves.

        Where whoever broke the glass is the office's only privacy officer now, a physician may (docs/security.md).
        """
        if user.pk == self.by_id:
            return False
        return type(self).objects.filter(pk=self.pk).for_reviewer(user).exists()

    def review_by(self, user: User, *, finding: str, words: str, at: datetime) -> "EmergencyReview":
        """Sign it off.

        Raises ValidationError for somebody who may not, a second time, and without words where it was not justified.
        """
        if not self.may_be_reviewed_by(user):
            raise ValidationError(_t("Another person must review this: nobody signs off an access of their own."))
        if finding != EmergencyReview.Finding.JUSTIFIED and not words.strip():
            raise ValidationError({"words": _t("Say what was wrong with it, and what follows.")})
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=self.patient_id)
            if EmergencyReview.objects.filter(access=self).exists():
                raise ValidationError(_t("This access was reviewed already."))
            return EmergencyReview.objects.create(
                patient_id=self.patient_id, access=self, finding=finding, words=words.strip(), by=user, at=at
            )


class EmergencyReview(Signed, Sealed):
    """What the review of an emergency access found (164.308(a)(1)(ii)(D))."""

    class Finding(models.TextChoices):
        JUSTIFIED = "justified", _("Justified")
        NOT_JUSTIFIED = "not_justified", _("Not justified")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    access = models.OneToOneField(EmergencyAccess, on_delete=models.PROTECT, related_name="review")
    finding = models.CharField(_("finding"), max_length=15, choices=Finding.choices)
    words = EncryptedCharField(_("what was found, and what follows"), max_length=REASON, blank=True)

    class Meta:
        verbose_name = _("review of an emergency access")
        verbose_name_plural = _("reviews of emergency accesses")
        constraints = [
            models.CheckConstraint(name="review_finding_is_known", condition=models.Q(finding__in=["justified", "not_justified"]))
        ]

    def __str__(self) -> str:
        return f"review of emergency access {self.access_id}: {self.finding}"
