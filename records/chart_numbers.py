"""What a chart number may be: it is part of the chart's address."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = {"new", "pick"}  # /patients/new/ and /patients/pick/ are pages


def check(number: str) -> None:
    """Raise ValidationError unless the desk may give this number to a chart."""
    if not _SHAPE.fullmatch(number):
        raise ValidationError(_("A chart number has letters from A to Z, digits, and . - _ and begins with a letter or digit."))
    if number.casefold() in _RESERVED:
        raise ValidationError(_("The word “new” can't be a chart number."))
