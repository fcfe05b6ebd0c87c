"""The registers of the privacy program: policies, training, sanctions, statements (164.530(b), 164.530(e), 164.530(i))."""

from datetime import date, datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures import retention_rules
from meso.append_only import AppendOnly, AppendOnlyQuerySet
from meso.documents import Keeping, WithoutBytes
from meso.encrypted import EncryptedBinaryField, EncryptedTextField
from meso.models import User


class PolicyQuerySet(AppendOnlyQuerySet):
    """Which policies."""

    def in_force_between(self, start: date, end: date) -> "PolicyQuerySet":
        """In force on any day of the period."""
        return self.filter(begins_on__lte=end).exclude(ending__last_on__lt=start)


class _Registered(AppendOnly):
    """A row of a register: who wrote it down, and when."""

    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        abstract = True


class PolicyManager(WithoutBytes, models.Manager.from_queryset(PolicyQuerySet)):  # type: ignore[misc]
    """Leaves the bytes in the database until they are asked for."""


class Policy(Keeping, _Registered):
    """A policy or procedure as it stands in writing (164.530(i)); its document is a PDF, kept byte for byte."""

    title = models.CharField(_("title"), max_length=200)
    created_on = models.DateField(_("made on"))
    begins_on = models.DateField(_("in force since"))
    document = EncryptedBinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)

    objects: ClassVar = PolicyManager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["title", "begins_on", "id"]

    def __str__(self) -> str:
        return f"policy {self.pk}"

    @property
    def keep_through(self) -> date | None:
        """The last day on which it must be there (164.530(j)(2)); None while it is in force."""
        ending = getattr(self, "ending", None)
        return retention_rules.keep_through(self.created_on, ending.last_on) if ending else None

    def end(self, *, last_on: date, reason: str, by: User, at: datetime, on: date) -> "PolicyEnding":
        """It was last in force on that day; its six years count from there (164.530(j)(2)).

        Raises ValidationError when it has ended already, and for a day before it began or in the future.
        """
        if PolicyEnding.objects.filter(policy=self).exists():
            raise ValidationError(_t("This policy has ended already."))
        if not self.begins_on <= last_on <= on:
            raise ValidationError({"last_on": _t("The day must lie between the day it began and today.")})
        return PolicyEnding.objects.create(policy=self, last_on=last_on, reason=reason, by=by, at=at)


class PolicyEnding(_Registered):
    """The end of a policy: replaced, or given up."""

    policy = models.OneToOneField(Policy, on_delete=models.PROTECT, related_name="ending")
    last_on = models.DateField(_("last in force on"))
    reason = models.CharField(_("why"), max_length=500)

    class Meta:
        verbose_name = _("end of a policy")

    def __str__(self) -> str:
        return f"policy {self.policy_id} ended {self.last_on}"


class Training(_Registered):
    """Somebody of the staff was trained: what in, and when (164.530(b))."""

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("who"))
    trained_on = models.DateField(_("on"))
    topic = models.CharField(_("what in"), max_length=300)

    class Meta:
        verbose_name = _("training")
        ordering = ["-trained_on", "-id"]

    def __str__(self) -> str:
        return f"training {self.trained_on}"


class Sanction(_Registered):
    """A sanction against somebody of the staff, and what for (164.530(e)(2)); where nothing was done, that and why."""

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("who"))
    imposed_on = models.DateField(_("on"))
    what_happened = EncryptedTextField(_("what happened"))
    sanction = models.CharField(_("sanction"), max_length=500)

    class Meta:
        verbose_name = _("sanction")
        ordering = ["-imposed_on", "-id"]

    def __str__(self) -> str:
        return f"sanction {self.imposed_on}"


class Statement(_Registered):
    """What the office states about itself; the latest of a kind is in force, and those before it are its history."""

    class Kind(models.TextChoices):
        OFFICIAL = "official", _("Privacy official and contact for complaints (164.530(a))")
        ACCESS = "access", _("Titles of those who handle requests for access (164.524(e))")
        AMENDMENT = "amendment", _("Titles of those who handle amendments (164.526(f))")
        ACCOUNTING = "accounting", _("Titles of those who handle accountings (164.528(d))")
        RECORD_SETS = "record_sets", _("Designated record sets open to access (164.524(e))")
        COVERED = "covered", _("Why the office is, or is not, a covered entity (45 CFR 160.102, 160.103)")
        SAFEGUARDS = "safeguards", _("Safeguards outside of Meso: locks, screens, paper (164.530(c))")
        MITIGATION = "mitigation", _("How harm is mitigated (164.530(f))")

    kind = models.CharField(_("what about"), max_length=12, choices=Kind.choices)
    text = models.TextField(_("what is stated"))
    begins_on = models.DateField(_("holds since"))

    class Meta:
        verbose_name = _("statement")
        ordering = ["kind", "begins_on", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.begins_on}"
