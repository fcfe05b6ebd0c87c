"""Accountings of disclosures as they were given, kept byte for byte."""

import hashlib
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from disclosures.purposes import Scope
from meso.append_only import AppendOnlyQuerySet
from meso.models import User
from meso.money import MoneyField
from meso.seals import Sealed
from records.models import Patient


class AccountingGivenManager(models.Manager.from_queryset(AppendOnlyQuerySet)):  # type: ignore[misc]
    """Leaves the document in the database until it is asked for."""

    def get_queryset(self) -> AppendOnlyQuerySet:
        return super().get_queryset().defer("document")


class AccountingGiven(Sealed):
    """An accounting of disclosures as it was issued, byte for byte (164.528(d))."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="accountings")
    start = models.DateField(_("from"))
    end = models.DateField(_("to"))
    scope = models.CharField(
        max_length=10, choices=[(Scope.NOTICE.value, _("The office's notice")), (Scope.HIPAA.value, _("Federal minimum"))]
    )
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    fee = MoneyField(default=0)
    lines = models.PositiveIntegerField(_("entries listed"))
    document = models.BinaryField()  # the PDF
    sha256 = models.CharField(max_length=64)
    request_number = models.CharField(max_length=20, blank=True)

    objects: ClassVar = AccountingGivenManager()

    class Meta:
        verbose_name = _("accounting given")
        verbose_name_plural = _("accountings given")
        indexes = [models.Index(fields=["patient", "-issued_on", "-id"], name="accounting_by_patient")]

    def __str__(self) -> str:
        return f"accounting {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the document with its digest."""
        if self._state.adding:
            self.sha256 = hashlib.sha256(self.document).hexdigest()
        super().save(*args, **kwargs)
