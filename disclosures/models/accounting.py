"""Accountings of disclosures as they were given, kept byte for byte; and the price of a later one, told before it is made."""

from datetime import date, datetime
from typing import ClassVar

from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from disclosures.accounting_rules import ListRefused
from disclosures.purposes import Scope
from disclosures.tariff import PriceRefused
from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField
from meso.models import User
from meso.money import MoneyField
from meso.seals import Sealed
from meso.signed import Signed
from records import wishes
from records.models import Patient, WayOut

SCOPES = [(Scope.NOTICE.value, _("The office's notice")), (Scope.HIPAA.value, _("Federal minimum"))]


class PriceTold(Signed, Sealed):
    """The price of a later accounting within twelve months, told to the patient before it is made (164.528(c)(2)).

    Money in dollars, at the rate of that day. A new period or another way needs to be told anew.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="prices_told")
    request_number = models.CharField(max_length=20, blank=True)
    requested_on = models.DateField(_("asked for on"))
    start = models.DateField(_("from"))
    end = models.DateField(_("to"))
    scope = models.CharField(max_length=10, choices=SCOPES)
    scope_reason = models.CharField(max_length=20, blank=True)
    delivery = models.CharField(_("how it goes out"), max_length=12)
    pages = models.PositiveIntegerField(_("pages"))
    rate = MoneyField(_("price of a page"))
    postage = MoneyField(_("postage"))
    total = MoneyField(_("total"))
    told_on = models.DateField(_("told on"))

    class Meta:
        verbose_name = _("price told")
        verbose_name_plural = _("prices told")
        indexes = [models.Index(fields=["patient", "-id"], name="price_told_by_patient")]
        constraints = [
            models.CheckConstraint(
                name="price_told_after_request",
                condition=models.Q(told_on__gte=models.F("requested_on")),
                violation_error_message=_("The price can't be told before the list was asked for."),
            )
        ]

    def __str__(self) -> str:
        return f"price {self.pk}"

    def answer(self, choice: str, *, answered_on: date, by: User, at: datetime) -> "PriceAnswer":
        """Keep what the patient chose. Raises PriceRefused when they have answered already."""
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=self.patient_id)  # a second answer at the same moment waits
            if PriceAnswer.objects.filter(told=self).exists():
                raise PriceRefused(_t("The patient’s answer is recorded already."))
            facts = {"choice": choice, "answered_on": answered_on, "by": by, "at": at}
            return PriceAnswer.objects.create(patient=self.patient, told=self, **facts)


class PriceAnswer(Signed, Sealed):
    """What the patient chose once they knew the price: nothing is charged without it (164.528(c)(2))."""

    class Choice(models.TextChoices):
        ACCEPT = "accept", _("Pays this price")
        NARROW = "narrow", _("Wants another period or way, to pay less")
        WITHDRAW = "withdraw", _("Does not want the list any more")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    told = models.OneToOneField(PriceTold, on_delete=models.PROTECT, related_name="answered")
    choice = models.CharField(_("choice"), max_length=10, choices=Choice.choices)
    answered_on = models.DateField(_("answered on"))

    class Meta:
        verbose_name = _("answer to a price")
        verbose_name_plural = _("answers to prices")

    def __str__(self) -> str:
        return f"{self.choice} to price {self.told_id}"


class AccountingGiven(Keeping, Sealed):
    """An accounting of disclosures as it was issued, byte for byte (164.528(d)).

    `later_one` is not the free one of its twelve months: priced, given for nothing all the same, or issued anew by the office.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="accountings")
    start = models.DateField(_("from"))
    end = models.DateField(_("to"))
    scope = models.CharField(max_length=10, choices=SCOPES)
    scope_reason = models.CharField(max_length=20, blank=True)
    requested_on = models.DateField(_("asked for on"), null=True)  # null in rows older than this column: the day of issue
    later_one = models.BooleanField(default=False)
    price_told = models.OneToOneField(PriceTold, on_delete=models.PROTECT, null=True, related_name="given")
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    fee = MoneyField(default=0)
    lines = models.PositiveIntegerField(_("entries listed"))
    document = EncryptedBinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)
    request_number = models.CharField(max_length=20, blank=True)
    # "" where a request asked for it, whose timeline says how it went out, and in rows older than this column
    how = models.CharField(_("how it went out"), max_length=20, choices=WayOut.choices, blank=True)

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("accounting given")
        verbose_name_plural = _("accountings given")
        indexes = [models.Index(fields=["patient", "-issued_on", "-id"], name="accounting_by_patient")]

    def __str__(self) -> str:
        return f"accounting {self.pk}"

    @staticmethod
    def check_way(patient: Patient, how: str, on: date, request_number: str = "") -> None:
        """Raise ListRefused where the patient wishes to be reached in another way than this on that day (164.522(b)(1)(i)).

        `how` is a WayOut; "" only for a list that a request asked for, which asks about it when the list is given.
        """
        if not how and not request_number:
            raise ListRefused(_t("Say how it goes out."), "how")
        if how and (refusal := wishes.allows(patient, WayOut(how).means, "", on)):
            raise ListRefused(refusal, "how")
