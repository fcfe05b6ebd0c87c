"""What the officer keeps beside the log: research protocols and business associates. They may change; their history is kept."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from disclosures import accounting_rules
from meso.labels import Labelled


class ResearchProtocol(Labelled, models.Model):
    """Research without the patients' authorization: what an accounting says of it in their place (164.512(i), 164.528(b)(4))."""

    class Waiver(models.TextChoices):
        IRB = "irb", _("Waiver by an institutional review board")
        BOARD = "board", _("Waiver by a privacy board")
        PREPARATORY = "preparatory", _("Preparatory to research: the researcher’s representations")
        DECEDENTS = "decedents", _("On decedents: the researcher’s representations")

    name = models.CharField(_("name of the protocol"), max_length=300, unique=True)
    description = models.TextField(_("what it is about, in plain words"))
    purpose = models.TextField(_("its purpose"))
    selection = models.TextField(_("how records were selected"))
    kinds = models.TextField(_("kinds of information given"))
    begins_on = models.DateField(_("first day of its disclosures"))
    ends_on = models.DateField(_("last day of its disclosures"))
    sponsor = models.CharField(_("sponsor"), max_length=300)
    sponsor_address = models.TextField(_("sponsor’s address"))
    sponsor_phone = models.CharField(_("sponsor’s telephone"), max_length=40)
    researcher = models.CharField(_("researcher who received it"), max_length=300)
    researcher_address = models.TextField(_("researcher’s address"))
    researcher_phone = models.CharField(_("researcher’s telephone"), max_length=40)
    people = models.PositiveIntegerField(_("people whose records it covers"))
    waiver = models.CharField(_("on what it rests"), max_length=12, choices=Waiver.choices)

    history = HistoricalRecords()
    objects: ClassVar = models.Manager()

    class Meta:
        verbose_name = _("research protocol")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="protocol_ends_after_it_begins",
                condition=models.Q(ends_on__gte=models.F("begins_on")),
                violation_error_message=_("The last day comes before the first one."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def may_be_short(self) -> bool:
        """Whether an accounting may tell of the protocol in place of its disclosures, one by one."""
        return accounting_rules.may_be_short(self.people)


class BusinessAssociate(Labelled, models.Model):
    """Somebody who handles patients' information for the office under a contract (164.504(e)); their disclosures count."""

    name = models.CharField(_("name"), max_length=300, unique=True)
    does = models.TextField(_("what they do for the office"))
    contract_on = models.DateField(_("contract signed on"))
    contract_ends_on = models.DateField(_("contract ends on"), null=True, blank=True)
    contact = models.TextField(_("whom to reach, and how"), blank=True)

    history = HistoricalRecords()
    objects: ClassVar = models.Manager()

    class Meta:
        verbose_name = _("business associate")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="associate_contract_ends_after_it_begins",
                condition=models.Q(contract_ends_on=None) | models.Q(contract_ends_on__gte=models.F("contract_on")),
                violation_error_message=_("The contract ends before it was signed."),
            )
        ]

    def __str__(self) -> str:
        return self.name
