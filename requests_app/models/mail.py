"""What became of each letter once it left: sent, delivered, come back, sent again. Nothing here changes."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.signed import Signed
from requests_app.models.timeline import Letter


class LetterDeliveryQuerySet(AppendOnlyQuerySet):
    """Which deliveries."""

    def came_back(self) -> "LetterDeliveryQuerySet":
        """The returns that nothing has followed: these letters must go another way. The oldest first."""
        later = LetterDelivery.objects.filter(letter=models.OuterRef("letter"), pk__gt=models.OuterRef("pk"))
        return self.filter(~models.Exists(later), what=LetterDelivery.What.RETURNED).order_by("id")


class LetterDelivery(Signed):
    """One thing that became of a letter, on an office day. `address` is where it went, line by line."""

    class What(models.TextChoices):
        SENT = "sent", _("Sent")
        DELIVERED = "delivered", _("Delivered")
        RETURNED = "returned", _("Came back")
        AGAIN = "again", _("Sent again")

    letter = models.ForeignKey(Letter, on_delete=models.PROTECT, related_name="deliveries")
    what = models.CharField(max_length=10, choices=What.choices)
    on = models.DateField()
    how = models.CharField(max_length=40, blank=True)
    address = models.TextField(blank=True)
    note = models.CharField(_("what is known of it"), max_length=300, blank=True)

    objects: ClassVar = LetterDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery of a letter")
        verbose_name_plural = _("deliveries of letters")
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(what="returned"), name="delivery_returned")]
        constraints = [
            models.CheckConstraint(
                name="delivery_is_known", condition=models.Q(what__in=["sent", "delivered", "returned", "again"])
            )
        ]

    def __str__(self) -> str:
        return f"letter {self.letter_id} {self.what}"

    @property
    def where(self) -> str:
        """The address on one line."""
        return ", ".join(self.address.splitlines())
