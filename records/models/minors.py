"""Care that a minor consented to alone (164.502(g)(3)), and the day on which a minor is one no longer."""

from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.encrypted import EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records import representation
from records.models.chart import Entry
from records.models.patient import Patient
from records.models.representatives import Representative, RepresentativeEnding, check_licensed
from records.representation import Basis


class MinorConsent(Signed, Sealed):
    """Marks an entry: the minor acts alone in this. Hidden from the parent until a licensed professional decides otherwise."""

    class Ground(models.TextChoices):
        CONSENTED = "consented", _("(A) The minor consented, no other consent is needed, and the minor asked for no parent")
        LAWFUL_ALONE = "lawful_alone", _("(B) The care is lawful without a parent; the minor, a court or another consented")
        PARENT_ASSENTED = "parent_assented", _("(C) The parent agreed that it stays between the minor and the office")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="minor_consent")
    ground = models.CharField(_("why the minor acts alone"), max_length=16, choices=Ground.choices)

    class Meta:
        verbose_name = _("mark of a minor's own consent")

    def __str__(self) -> str:
        return f"entry {self.entry_id}: the minor consented"

    @classmethod
    def mark(cls, entry: Entry, *, ground: str, by: User, at: datetime) -> "MinorConsent":
        """Mark the entry. Raises ValidationError when it is marked, or when the patient was of age on the day of service."""
        if entry.service_on >= representation.adulthood(entry.patient.date_of_birth):
            raise ValidationError(_t("The patient was 18 on the day of service: no parent sees it in any case."))
        with transaction.atomic():
            Entry.objects.hold(entry.pk)
            if cls.objects.filter(entry=entry).exists():
                raise ValidationError(_t("This entry is marked already."))
            return cls.objects.create(patient=entry.patient, entry=entry, ground=ground, by=by, at=at)

    @property
    def decision(self) -> "MinorDecision | None":
        """The latest decision, or None: then the entry stays hidden."""
        return max(self.decisions.all(), key=lambda one: one.pk, default=None)

    @property
    def parent_may_see(self) -> bool:
        """Whether the latest decision lets the parent see it."""
        return self.decision is not None and self.decision.parent_may_see

    def decide(self, *, parent_may_see: bool, law: str, reasoning: str, by: User, at: datetime) -> "MinorDecision":
        """Decide whether the parent sees it, as state law says or, where it is silent, by judgment; the latest decision holds.

        Raises ValidationError for somebody without a licence (164.502(g)(3)(ii)).
        """
        check_licensed(by)
        facts: dict[str, Any] = {"parent_may_see": parent_may_see, "law": law, "reasoning": reasoning}
        return MinorDecision.objects.create(patient=self.patient, mark=self, by=by, licence=by.licence_number, at=at, **facts)


class MinorDecision(Signed, Sealed):
    """A licensed professional's decision whether a parent sees a marked entry."""

    class Law(models.TextChoices):
        ALLOWS = "allows", _("State law allows or demands that the parent sees it")
        FORBIDS = "forbids", _("State law forbids it")
        SILENT = "silent", _("State law is silent: professional judgment")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    mark = models.ForeignKey(MinorConsent, on_delete=models.PROTECT, related_name="decisions")
    parent_may_see = models.BooleanField()
    law = models.CharField(_("state law"), max_length=8, choices=Law.choices)
    reasoning = EncryptedTextField(_("reasoning"))
    licence = models.CharField(max_length=40)

    class Meta:
        verbose_name = _("decision on a minor's own consent")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="minor_decision_keeps_the_law",
                condition=~models.Q(law="forbids", parent_may_see=True) & ~models.Q(law="allows", parent_may_see=False),
            )
        ]

    def __str__(self) -> str:
        return f"decision {self.pk} on mark {self.mark_id}"


class SignedAnew(Signed, Sealed):
    """A patient who turned 18 signed notice and forms in their own name, or does not come any more: this closes the task."""

    class Outcome(models.TextChoices):
        SIGNED = "signed", _("They were given the notice and signed anew in their own name")
        LEFT = "left", _("They do not come to this office any more")

    patient = models.OneToOneField(Patient, on_delete=models.PROTECT, related_name="signed_anew")
    outcome = models.CharField(_("what came of it"), max_length=8, choices=Outcome.choices)
    signed_on = models.DateField(_("on"))
    forms = models.CharField(_("which forms"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("forms signed anew at 18")
        constraints = [
            models.CheckConstraint(name="signed_anew_says_what", condition=~models.Q(outcome="signed") | ~models.Q(forms=""))
        ]

    def __str__(self) -> str:
        return f"patient {self.patient_id} signed anew"

    @classmethod
    def record(
        cls, patient: Patient, *, outcome: str, signed_on: date, forms: str, by: User, at: datetime, on: date
    ) -> "SignedAnew":
        """Close the task, and end what parents' authority is still on file from the 18th birthday on.

        Raises ValidationError before that birthday, for a day that does not fit, and when it is recorded already.
        """
        birthday = representation.adulthood(patient.date_of_birth)
        if on < birthday:
            words = _t("Nobody signs for themselves before they are 18, on %(day)s.")
            raise ValidationError(words % {"day": representation.spoken(birthday)})
        if not birthday <= signed_on <= on:
            raise ValidationError({"signed_on": _t("The day must lie between the 18th birthday and today.")})
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=patient.pk)
            if cls.objects.filter(patient=patient).exists():
                raise ValidationError(_t("That is recorded already."))
            for parent in Representative.objects.filter(patient=patient, basis=Basis.PARENT, ending=None):
                RepresentativeEnding.objects.create(
                    patient=patient,
                    representative=parent,
                    ended_on=birthday,
                    reason=_t("The patient turned 18."),
                    by=by,
                    at=at,
                )
            facts: dict[str, Any] = {"outcome": outcome, "signed_on": signed_on, "forms": forms}
            return cls.objects.create(patient=patient, by=by, at=at, **facts)
