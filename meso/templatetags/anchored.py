"""The anchor on paper: each copy that leaves the office carries it out (meso/anchors.py)."""

from datetime import date
from typing import Any

from django import template

from meso import anchors

register = template.Library()


@register.inclusion_tag("meso/pdf/_anchor.html")
def latest_anchor(on: date) -> dict[str, Any]:
    """The last anchor made by the day of the paper, with its QR code and what it proves; nothing before the first. One query."""
    return {"anchor": anchors.latest(on)}
