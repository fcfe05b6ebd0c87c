"""A field for dollars."""

from decimal import Decimal
from typing import Any

from django import forms


def money(label: Any, help_text: Any = "", *, required: bool = True) -> forms.DecimalField:
    """Dollars and cents, more than nothing."""
    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=Decimal("0.01"),
        max_digits=10,
        decimal_places=2,
        help_text=help_text,
        widget=widget,
    )
