"""Copies made for a patient, their bill with the rate it was made at, and how the bill was settled."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.db import models, transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnly
from meso.documents import DocumentManager, Keeping
from meso.encrypted import EncryptedBinaryField
from meso.models import User
from meso.money import MoneyField, in_words
from records.models import Patient
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Delivery
from requests_app.models.timeline import Verb


class CopyBill(Keeping):
    """A copy as it was made (the PDF, page by page as counted) and its bill. Money in dollars (law.md §0, §12)."""

    DIGESTS: ClassVar = {"copy": "copy_sha256"}

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="bills")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    entry_ids = models.JSONField()
    package = models.JSONField(default=dict)  # keys by kind: what is withheld, kept internal, or laid beside the record
    delivery = models.CharField(_("how the copy goes out"), max_length=12, choices=Delivery.choices)
    other_form = models.CharField(_("why in another form than was asked for"), max_length=300, blank=True)
    other_form_agreed_on = models.DateField(_("patient agreed on"), null=True)  # to that other form
    pages = models.PositiveIntegerField(_("pages of the copy"))  # what the PDF really has
    paper_pages = models.PositiveIntegerField(_("pages photocopied from the paper chart"), default=0)
    sheets = models.PositiveIntegerField(_("sheets of paper"), default=0)  # what is weighed; pages are what is paid for
    charged_pages = models.PositiveIntegerField(_("pages charged"))
    rate = MoneyField(_("price of a page"))
    copies = MoneyField(_("copies"))
    postage = MoneyField(_("postage paid"))
    total = MoneyField(_("total"))
    copy = EncryptedBinaryField()  # the PDF of the copy
    copy_sha256 = models.CharField(max_length=64)
    document = EncryptedBinaryField()  # the PDF of the bill
    made_on = models.DateField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar = DocumentManager()

    class Meta:
        verbose_name = _("bill for copies")
        verbose_name_plural = _("bills for copies")
        ordering = ["id"]
        constraints = [
            # Within half a cent: SQLite keeps decimals as binary fractions, whose sums are not exact.
            models.CheckConstraint(
                name="copy_bill_adds_up",
                condition=models.Q(total__gt=models.F("copies") + models.F("postage") - Decimal("0.005"))
                & models.Q(total__lt=models.F("copies") + models.F("postage") + Decimal("0.005")),
            ),
        ]

    def __str__(self) -> str:
        return f"bill {self.pk}"

    def settle(self, how: str, *, by: User, at: datetime, on: date) -> "BillSettlement":
        """Record that it was paid, or that the office waives it, for which no reason is needed. Never touches the clock.

        Raises NotAllowedNow for a bill that was settled already or has nothing to pay.
        """
        with transaction.atomic():
            request = type(self.request).objects.select_for_update().get(pk=self.request_id)
            if BillSettlement.objects.filter(bill=self).exists():
                raise NotAllowedNow(_t("This bill was settled already."))
            if not self.total:
                raise NotAllowedNow(_t("There is nothing to pay on this bill."))
            settlement = BillSettlement.objects.create(bill=self, how=how, on=on, at=at, by=by)
            words = settlement.get_how_display()
            request.events.record(Verb.SETTLED, by=by, at=at, on=on, total=in_words(self.total), how=words, bill=self.pk)
        return settlement


class CopySetAside(AppendOnly):
    """A copy that was made and is not given after all, with the reason. It stays; the request no longer waits for it."""

    bill = models.OneToOneField(CopyBill, on_delete=models.PROTECT, related_name="set_aside")
    reason = models.CharField(_("reason"), max_length=1000)
    on = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("copy set aside")
        verbose_name_plural = _("copies set aside")

    def __str__(self) -> str:
        return f"bill {self.bill_id} set aside"


class BillSettlement(AppendOnly):
    """How a bill was settled: paid, or waived. An open bill never holds a request (law.md §2, §12)."""

    class How(models.TextChoices):
        PAID = "paid", _("Paid")
        WAIVED = "waived", _("Waived")

    bill = models.OneToOneField(CopyBill, on_delete=models.PROTECT, related_name="settlement")
    how = models.CharField(_("how"), max_length=8, choices=How.choices)
    on = models.DateField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("settlement of a bill")

    def __str__(self) -> str:
        return f"bill {self.bill_id} {self.how}"
