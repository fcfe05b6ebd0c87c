"""Postage prices that the office adds to those it knows."""

from datetime import date
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnly, AppendOnlyQuerySet
from meso.models import User
from meso.money import MoneyField
from requests_app import postage
from requests_app.postage import Band, Shape


class PostagePriceQuerySet(AppendOnlyQuerySet):
    """Which prices."""

    def bands(self) -> list[Band]:
        """What is known, with what the office added behind it."""
        added = self.order_by("id").values_list("shape", "ounces", "price", "effective_on", "source")
        return [*postage.KNOWN, *(Band(*row) for row in added)]

    def estimate(self, sheets: int, on: date) -> Band | None:
        """The band that so many sheets fall into on that day, or None."""
        return postage.estimate(sheets, self.bands(), on)


class PostagePrice(AppendOnly):
    """A price of the post office, from a day on, and where it was read. A later row takes the place of an earlier one."""

    shape = models.CharField(_("shape"), max_length=6, choices=Shape.choices)
    ounces = models.PositiveSmallIntegerField(_("up to ounces"), validators=[MinValueValidator(1), MaxValueValidator(13)])
    price = MoneyField(_("price"), validators=[MinValueValidator(0)])
    effective_on = models.DateField(_("in force since"))
    source = models.CharField(_("where it was read"), max_length=200)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False)
    at = models.DateTimeField(editable=False)

    objects: ClassVar = PostagePriceQuerySet.as_manager()

    class Meta:
        verbose_name = _("postage price")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.shape} {self.ounces} oz"
