"""What a choice is called, looked up without translating every other choice beside it."""

from typing import Any

from django.db import models


class Labelled:
    """Mixin of models: `get_kind_display()` asks for one label. Django's own hashes, and so translates, all of them each time."""

    def _get_FIELD_display(self, field: models.Field) -> Any:  # noqa: N802  (Django's name)
        value = getattr(self, field.attname)
        label = dict(field.flatchoices).get(value, value)
        return label if label is None else str(label)
