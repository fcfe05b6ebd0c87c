"""Rows that keep a document byte for byte: its digest is worked out here, and lists leave its bytes in the database."""

import hashlib
from typing import Any, ClassVar

from django.db import models

from meso.append_only import AppendOnly, AppendOnlyQuerySet


class WithoutBytes:
    """Mixin of managers: leaves every column of bytes in the database until it is asked for. `defer(None)` brings them."""

    model: type[models.Model]

    def get_queryset(self) -> Any:
        columns = self.model._meta.concrete_fields
        found = super().get_queryset()  # type: ignore[misc]
        return found.defer(*(column.name for column in columns if isinstance(column, models.BinaryField)))


class DocumentManager(WithoutBytes, models.Manager.from_queryset(AppendOnlyQuerySet)):  # type: ignore[misc]
    """Of tables that ask for nothing more."""


class Keeping(AppendOnly):
    """Base of append-only rows with a document. `DIGESTS` names the column of SHA-256 for a column of bytes; no bytes have ""."""

    DIGESTS: ClassVar[dict[str, str]] = {"document": "sha256"}

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the bytes with their digest."""
        if self._state.adding:
            for column, digest in self.DIGESTS.items():
                content = getattr(self, column)
                setattr(self, digest, hashlib.sha256(content).hexdigest() if content else "")
        super().save(*args, **kwargs)
