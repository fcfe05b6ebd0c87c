"""Django's `date` filter with a memory, in every template: a list writes the same few days on every row, and to write one
takes longer than the rest of its cell (docs/performance.md).
"""

import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.template import defaultfilters
from django.utils.translation import get_language

register = template.Library()
_DAYS_REMEMBERED = 20_000  # fifty years


@register.filter("date", expects_localtime=True, is_safe=False)
def date(value: Any, form: str | None = None) -> Any:
    """As Django's own; a plain day is written once for each form and language."""
    if type(value) is datetime.date:
        return _written(value, form, get_language())
    return defaultfilters.date(value, form)


@lru_cache(_DAYS_REMEMBERED)
def _written(day: datetime.date, form: str | None, _language: str | None) -> Any:
    return defaultfilters.date(day, form)
