"""Rows that somebody answers for: who wrote them, when, and the name as it stood under them that day."""

from typing import Any

from django.conf import settings
from django.db import models

from meso.append_only import AppendOnly


class Signed(AppendOnly):
    """Base of append-only rows that carry a signature: `by`'s own at the moment of writing. A bulk must give it."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the row, signed: a later change of the name leaves it as it was."""
        if self._state.adding:
            self.signed_as = self.by.signature
        super().save(*args, **kwargs)
