"""Statements of agencies that keep their disclosures out of a patient's accounting for a time (164.528(a)(2)).

Nobody but the privacy officer sees these rows, and nothing that a patient or the desk gets tells of them.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures import suspension_rules
from disclosures.models.accounting import AccountingGiven
from disclosures.suspension_rules import NotSuspendable
from meso.append_only import AppendOnlyQuerySet
from meso.documents import WithoutBytes
from meso.encrypted import EncryptedBinaryField, EncryptedTextField
from meso.models import User
from meso.seals import Sealed
from meso.signed import Signed
from records.models import Patient


class SuspensionQuerySet(AppendOnlyQuerySet):
    """Which suspensions. Leaves the scanned statement in the database until it is asked for."""

    def active(self, on: date) -> "SuspensionQuerySet":
        """Those that withhold on that day: begun, not past their last day, not ended, no written one in their place."""
        ended = SuspensionEnding.objects.filter(suspension=models.OuterRef("pk"), ended_on__lte=on)
        superseded = Suspension.objects.filter(supersedes=models.OuterRef("pk"), stated_on__lte=on)
        return self.filter(~models.Exists(ended), ~models.Exists(superseded), stated_on__lte=on, last_day__gte=on)

    def with_state(self) -> "SuspensionQuerySet":
        """With what a list shows: the patient, who recorded it, how it ended."""
        return self.select_related("patient", "ending", "superseded_by")


class SuspensionManager(WithoutBytes, models.Manager.from_queryset(SuspensionQuerySet)):  # type: ignore[misc]
    """Leaves the bytes in the database until they are asked for."""


class Suspension(Sealed):
    """An official's statement that an accounting would impede the agency: who said it, how they were known, how long it holds.

    `agency` and `names` are the recipients as the log writes them; rows to them under `codes` are withheld.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="suspensions")
    agency = models.CharField(_("agency"), max_length=300)
    names = models.JSONField(_("other names of it in the log"), default=list)
    official = models.CharField(_("official"), max_length=200)
    identity = models.CharField(_("how their identity was shown"), max_length=300)
    codes = models.JSONField(_("which disclosures"))
    written = models.BooleanField(_("in writing"))
    statement = EncryptedTextField(_("what was stated"))
    stated_on = models.DateField(_("stated on"))
    until = models.DateField(_("to the day"), null=True)
    last_day = models.DateField(_("holds through"))
    document = EncryptedBinaryField(null=True)  # the scanned statement
    document_name = models.CharField(max_length=200, blank=True)
    document_format = models.CharField(max_length=100, blank=True)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()

    objects: ClassVar = SuspensionManager()

    class Meta:
        verbose_name = _("suspension")
        indexes = [
            models.Index(fields=["last_day"], name="suspension_by_last_day"),
            models.Index(fields=["patient", "last_day"], name="suspension_by_patient"),
        ]
        constraints = [
            models.CheckConstraint(
                name="suspension_ends_after_it_began",
                condition=models.Q(last_day__gte=models.F("stated_on")),
                violation_error_message=_("A suspension can't end before it begins."),
            ),
            models.CheckConstraint(name="suspension_oral_names_no_end", condition=models.Q(written=True) | models.Q(until=None)),
        ]

    def __str__(self) -> str:
        return f"suspension {self.pk}"

    @classmethod
    def record(
        cls,
        *,
        patient: Patient,
        by: User,
        at: datetime,
        on: date,
        supersedes: "Suspension | None" = None,
        **facts: Any,
    ) -> "Suspension":
        """Write an official's statement down; from now on its rows are withheld.

        `facts` are agency, official, identity, codes, written, statement, stated_on, until, and what may be left out: names and
        the scan. A written statement may come in an oral one's place. Raises NotSuspendable: codes that can't be suspended, a
        time that is over or an oral statement prolonged by another.
        """
        days = {name: facts[name] for name in ("stated_on", "until", "written")}
        suspension_rules.check_codes(facts["codes"])
        suspension_rules.check_days(**days, on=on)
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=patient.pk)
            for running in cls.objects.active(on).filter(patient=patient):
                if running != supersedes and running.is_of(facts["agency"], facts["codes"]):
                    raise NotSuspendable(
                        _t("One of this agency is active already. Record the written one in its place."), "agency"
                    )
            if supersedes:
                supersedes.check_may_be_superseded(on, written=facts["written"])
            return cls.objects.create(
                patient=patient,
                last_day=suspension_rules.last_day(**days),
                supersedes=supersedes,
                recorded_by=by,
                signed_as=by.signature,
                recorded_at=at,
                **facts,
            )

    def check_may_be_superseded(self, on: date, *, written: bool) -> None:
        """Raise NotSuspendable unless it is active and the new statement is a written one (164.528(a)(2)(ii)(C))."""
        if not written:
            raise NotSuspendable(
                _t("Only a written statement holds longer than thirty days: a second oral one adds nothing."), "written"
            )
        if not Suspension.objects.active(on).filter(pk=self.pk).exists():
            raise NotSuspendable(_t("It is not active any more. Record the statement as a new one."))

    def is_of(self, agency: str, codes: list[str]) -> bool:
        """Whether it covers that agency and any of these codes."""
        return any(suspension_rules.same_agency(name, agency) for name in (self.agency, *self.names)) and bool(
            {*self.codes} & {*codes}
        )

    def end(self, *, by: User, at: datetime, on: date, reason: str) -> "SuspensionEnding":
        """End it before its time: its rows are listed from that day on. Raises NotSuspendable where it is not active."""
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=self.patient_id)
            if not Suspension.objects.active(on).filter(pk=self.pk).exists():
                raise NotSuspendable(_t("It is not active any more."))
            return SuspensionEnding.objects.create(
                patient=self.patient, suspension=self, ended_on=on, reason=reason, by=by, at=at
            )

    @property
    def stopped_on(self) -> date | None:
        """The first day on which it withholds nothing because it was ended or a written one took its place; None for neither."""
        ending, later = getattr(self, "ending", None), getattr(self, "superseded_by", None)
        return ending.ended_on if ending else later.stated_on if later else None

    def is_active(self, on: date) -> bool:
        """Whether it withholds on that day: its last day counts."""
        return self.stated_on <= on <= self.last_day and not (self.stopped_on and self.stopped_on <= on)


class SuspensionEnding(Signed, Sealed):
    """A suspension ended before its time: from that day its rows are listed again."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    suspension = models.OneToOneField(Suspension, on_delete=models.PROTECT, related_name="ending")
    ended_on = models.DateField(_("ended on"))
    reason = models.CharField(_("reason"), max_length=1000)

    class Meta:
        verbose_name = _("end of a suspension")

    def __str__(self) -> str:
        return f"end of suspension {self.suspension_id}"


class ReissueAnswer(Signed, Sealed):
    """How the officer answered "re-issue?" for an accounting that a lapsed suspension had cut: given anew, or why not."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    accounting = models.ForeignKey(AccountingGiven, on_delete=models.PROTECT, related_name="+")
    suspension = models.ForeignKey(Suspension, on_delete=models.PROTECT, related_name="reissue_answers")
    given = models.ForeignKey(AccountingGiven, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(_("reason"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("answer whether to re-issue")
        verbose_name_plural = _("answers whether to re-issue")
        constraints = [
            models.UniqueConstraint(fields=["accounting", "suspension"], name="reissue_answered_once"),
            models.CheckConstraint(
                name="reissue_given_or_reason",
                condition=models.Q(given=None) ^ models.Q(reason=""),
                violation_error_message=_("Give the accounting anew, or the reason why not."),
            ),
        ]

    def __str__(self) -> str:
        return f"answer for accounting {self.accounting_id}"
