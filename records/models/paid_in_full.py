"""What the patient paid for in full and keeps from the health plan: the mandatory restriction (164.522(a)(1)(vi)).

When the payment fails nothing is lifted: the office calls the patient, and only then may the officer end it for that line.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.models import User
from meso.money import MoneyField, in_words
from meso.seals import Sealed
from meso.signed import Signed
from records.models.chart import Entry
from records.models.patient import Patient
from records.models.restrictions import Restriction
from records.restriction_rules import Covers, Recipient


class PaidInFullQuerySet(AppendOnlyQuerySet):
    """Which services that were paid for in full."""

    def same_line(self, patient: Patient, service: str, service_on: date, entries: list[Entry]) -> "PaidInFullQuerySet":
        """The same service line, still kept from the plan: one of these entries, or the same words and day."""
        same = models.Q(service=service, service_on=service_on, restriction__listed=None)
        if entries:
            same |= models.Q(restriction__listed__entry__in=entries)
        return self.filter(same, patient=patient, restriction__ending=None)


class PaidInFull(Sealed):
    """The service that the patient, or somebody other than the plan, paid for in full. Money in dollars.

    One service line, and no other of the same day (164.522(a)(1)(vi)(B)).
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    restriction = models.OneToOneField(Restriction, on_delete=models.PROTECT, related_name="paid")
    service = models.CharField(_("service"), max_length=300)
    service_on = models.DateField(_("date of service"))
    plan = models.CharField(_("health plan"), max_length=300)
    charged = MoneyField(_("charged for it"))
    amount = MoneyField(_("paid for it"))
    paid_on = models.DateField(_("paid on"))

    objects: ClassVar = PaidInFullQuerySet.as_manager()

    class Meta:
        verbose_name = _("service paid in full")
        verbose_name_plural = _("services paid in full")
        constraints = [
            models.CheckConstraint(
                name="paid_in_full_leaves_nothing_open",
                condition=models.Q(amount=models.F("charged"), amount__gt=0),
                violation_error_message=_("The balance of this line must be zero."),
            )
        ]

    def __str__(self) -> str:
        return f"service of {self.service_on} paid in full"

    @classmethod
    def keep(
        cls,
        patient: Patient,
        *,
        service: str,
        service_on: date,
        plan: str,
        charged: Decimal,
        amount: Decimal,
        paid_on: date,
        begins_on: date,
        by: User,
        at: datetime,
        entries: Iterable[Entry] = (),
        request_number: str = "",
    ) -> Restriction:
        """Record that a service was paid in full and is kept from the health plan, which can't be refused.

        Money in dollars. Raises ValidationError while anything is unpaid on this line, for another chart's entry, and for
        a line that is kept from the plan already (164.522(a)(1)(vi)).
        """
        if amount != charged:
            words = _t("The balance of this line must be zero: charged %(charged)s, paid %(paid)s.")
            raise ValidationError({"amount": words % {"charged": in_words(charged), "paid": in_words(amount)}})
        entries = list(entries)
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=patient.pk)
            if cls.objects.same_line(patient, service, service_on, entries).exists():
                raise ValidationError(_t("This is kept from the health plan already."))
            made = Restriction.agree(
                patient, what=service, from_whom=plan, covers=[Covers.PAYMENT, Covers.OPERATIONS],
                kept_from=[Recipient.HEALTH_PLAN], entries=entries, begins_on=begins_on, by=by, at=at,
                request_number=request_number,
            )  # fmt: skip
            facts = {"service": service, "service_on": service_on, "charged": charged, "amount": amount, "paid_on": paid_on}
            cls.objects.create(patient=patient, restriction=made, plan=plan, **facts)
        return made


class PaymentBounceQuerySet(AppendOnlyQuerySet):
    """Which payments that failed."""

    def waiting(self) -> "PaymentBounceQuerySet":
        """Neither made good nor the end of their restriction: the patient is to be called."""
        return self.filter(made_good=None, restriction__ending=None)


class PaymentBounce(Signed, Sealed):
    """The payment behind a mandatory restriction failed. Lifts nothing by itself (law.md §5)."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    restriction = models.ForeignKey(Restriction, on_delete=models.PROTECT, related_name="bounces")
    found_on = models.DateField(_("found on"))
    what = models.CharField(_("what happened"), max_length=500)

    objects: ClassVar = PaymentBounceQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment that failed")
        verbose_name_plural = _("payments that failed")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"payment behind restriction {self.restriction_id} failed"

    @classmethod
    def note(cls, restriction: Restriction, *, found_on: date, what: str, by: User, at: datetime) -> "PaymentBounce":
        """Record that the payment behind it failed. It goes on binding; the patient must be called first.

        Raises ValidationError where no payment is behind it, it has ended, or a failed payment still waits.
        """
        with transaction.atomic():
            restriction.lock()
            if not restriction.is_mandatory:
                raise ValidationError(_t("This restriction rests on no payment."))
            if cls.objects.waiting().filter(restriction=restriction).exists():
                raise ValidationError(_t("A failed payment is on record; the patient is to be called about it."))
            return cls.objects.create(
                patient_id=restriction.patient_id,
                restriction=restriction,
                found_on=found_on,
                what=what,
                by=by,
                at=at,
            )

    def make_good(self, *, paid_on: date, how: str, by: User, at: datetime) -> "PaymentMadeGood":
        """The patient has paid after all: the restriction goes on. Raises ValidationError when nothing waits any more."""
        with transaction.atomic():
            Restriction.objects.hold(self.restriction_id)
            if not PaymentBounce.objects.waiting().filter(pk=self.pk).exists():
                raise ValidationError(_t("This was settled already."))
            return PaymentMadeGood.objects.create(patient_id=self.patient_id, bounce=self, paid_on=paid_on, how=how, by=by, at=at)


class PaymentMadeGood(Signed, Sealed):
    """A failed payment was made good."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    bounce = models.OneToOneField(PaymentBounce, on_delete=models.PROTECT, related_name="made_good")
    paid_on = models.DateField(_("paid on"))
    how = models.CharField(_("how"), max_length=500)

    class Meta:
        verbose_name = _("payment made good")
        verbose_name_plural = _("payments made good")

    def __str__(self) -> str:
        return f"payment {self.bounce_id} made good"
