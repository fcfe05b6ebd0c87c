"""The price of copies as it was told to the patient before they are made, and what the patient said to it."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.money import MoneyField
from meso.signed import Signed
from requests_app.kinds import Delivery


class FeeQuoteQuerySet(AppendOnlyQuerySet):
    """Which prices. Called on a request's own `fee_quotes`."""

    def standing(self) -> "FeeQuote | None":
        """The price told last, with its answer, or None: a later one takes the place of those before it."""
        return self.select_related("answer").order_by("id").last()


class FeeQuote(Signed):
    """A price told to the patient: an estimate of pages and postage. Money in dollars."""

    request = models.ForeignKey("requests_app.PatientRequest", on_delete=models.PROTECT, related_name="fee_quotes")
    delivery = models.CharField(_("on paper or electronically"), max_length=12, choices=Delivery.choices)
    pages = models.PositiveIntegerField(_("pages, about"))
    rate = MoneyField(_("price of a page"))
    copies = MoneyField(_("copies"))
    postage = MoneyField(_("postage, about"))
    total = MoneyField(_("total"))
    told_on = models.DateField(_("told on"))
    how = models.CharField(_("how"), max_length=20)  # talking.Way

    objects: ClassVar = FeeQuoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("price told")
        verbose_name_plural = _("prices told")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="fee_quote_adds_up",  # within half a cent, as copy_bill_adds_up
                condition=models.Q(total__gt=models.F("copies") + models.F("postage") - Decimal("0.005"))
                & models.Q(total__lt=models.F("copies") + models.F("postage") + Decimal("0.005")),
            ),
        ]

    def __str__(self) -> str:
        return f"price {self.pk}"

    @property
    def is_accepted(self) -> bool:
        """Whether the patient has said yes to it."""
        return hasattr(self, "answer") and self.answer.what == FeeAnswer.What.ACCEPTED


class FeeAnswer(Signed):
    """What the patient said to a price, once. None of it touches the clock."""

    class What(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        CHANGED = "changed", _("wants something else")
        WITHDRAWN = "withdrawn", _("wants no copies at this price")

    quote = models.OneToOneField(FeeQuote, on_delete=models.PROTECT, related_name="answer")
    what = models.CharField(_("what the patient said"), max_length=10, choices=What.choices)
    on = models.DateField()
    how = models.CharField(_("how"), max_length=20)
    note = models.CharField(_("in their words"), max_length=1000, blank=True)

    class Meta:
        verbose_name = _("answer to a price")

    def __str__(self) -> str:
        return f"price {self.quote_id} {self.what}"
