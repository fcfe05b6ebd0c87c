"""What the privacy officer found when looking through unusual looks at charts, signed off line by line."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnlyQuerySet
from meso.models import User
from meso.office_chain import OfficeSealed
from meso.signed import Signed


class Rule(models.TextChoices):
    """Why a line stands in the queue, the gravest first."""

    WAY_IN = "way_in", _("Somebody else gave this login a new way in")
    OWN = "own", _("Their own chart")
    COLLEAGUE = "colleague", _("A colleague's chart")
    GUARDED = "guarded", _("A guarded chart")
    SURNAME = "surname", _("The patient has their last name")
    STREET = "street", _("The patient lives in their street")
    EXPORTS = "exports", _("Many prints, downloads and exports in a day")
    CHARTS = "charts", _("Many charts in a short time")
    AFTER_HOURS = "after_hours", _("Outside the office's hours")
    NO_VISIT = "no_visit", _("No visit, request or release near that day")


class AccessReview(Signed, OfficeSealed):
    """One finding of the queue, signed off (164.308(a)(1)(ii)(D)). More looks of the same day bring it back."""

    class Outcome(models.TextChoices):
        EXPLAINED = "explained", _("Explained")
        FOLLOW_UP = "follow_up", _("To be followed up")

    rule = models.CharField(_("why it was listed"), max_length=12, choices=Rule.choices)
    about = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("who looked"))
    chart_number = models.CharField(_("chart"), max_length=64, blank=True)
    day = models.DateField(_("day"))
    looks = models.PositiveIntegerField(_("looks"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    note = models.CharField(_("note"), max_length=500, blank=True)

    objects: ClassVar = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("review of a look")
        verbose_name_plural = _("reviews of looks")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "about", "chart_number", "day", "looks"], name="access_reviewed_once")
        ]
        indexes = [models.Index(fields=["day"], name="access_review_by_day")]

    def __str__(self) -> str:
        return f"review {self.pk}"
