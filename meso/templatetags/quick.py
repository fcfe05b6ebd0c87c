"""What every row of every list writes, made quick; in every template without a `load` (docs/performance.md)."""

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
    """Django's own with a memory: a plain day is written once for each form and language, not on every row anew."""
    if type(value) is datetime.date:
        return _written(value, form, get_language())
    return defaultfilters.date(value, form)


@lru_cache(_DAYS_REMEMBERED)
def _written(day: datetime.date, form: str | None, _language: str | None) -> Any:
    return defaultfilters.date(day, form)


@register.filter(is_safe=True)
@defaultfilters.stringfilter
def brief(text: str, longest: int) -> str:
    """The text, cut to `longest` characters with "…" at its end. Django's `truncatechars` weighs each letter for that."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
