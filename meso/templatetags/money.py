"""How a template shows money: the same words as everywhere else."""

from decimal import Decimal

from django import template

from meso.money import in_words

register = template.Library()


@register.filter
def dollars(amount: Decimal) -> str:
    """`{{ bill.total|dollars }}`: "$7.40"."""
    return in_words(amount)
