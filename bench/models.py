"""The floor's own table."""

from django.db import models

from meso.models import User
from records.models import Patient


class PlainDisclosure(models.Model):
    """The columns of a disclosure in an ordinary table: no guard, no seal. What a plain insert costs is measured on it."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    disclosed_on = models.DateField()
    recipient = models.CharField(max_length=300)
    recipient_address = models.TextField(blank=True)
    information = models.TextField()
    purpose_code = models.CharField(max_length=30)
    purpose = models.TextField()
    logged_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    logged_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"plain disclosure {self.pk}"
