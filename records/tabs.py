"""The tabs of a chart: a registry, so that the apps above put theirs beside ours without being imported here."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise

from meso.roles import PERMISSIONS, may


@dataclass(frozen=True)
class Tab:
    """One tab: its label, the URL name that takes the chart number, who sees it, its place in the row."""

    label: str | Promise
    url_name: str
    permission: str
    order: int


_tabs: list[Tab] = []


def register(label: str | Promise, url_name: str, permission: str, order: int = 50) -> None:
    """Put a tab on every chart; called from an app's ready(). Raises LookupError for a permission not in meso/roles.py."""
    if permission not in PERMISSIONS:
        raise LookupError(f"{permission!r} is not in meso/roles.py")
    if all(tab.url_name != url_name for tab in _tabs):
        _tabs.append(Tab(label, url_name, permission, order))
        _tabs.sort(key=lambda tab: tab.order)


def tabs_for(user: Any, chart_number: str, path: str) -> list[dict[str, Any]]:
    """The tabs this person sees, each with `label`, `url` and whether it is the page at `path`."""
    return [
        {"label": tab.label, "url": (url := reverse(tab.url_name, args=[chart_number])), "is_current": path == url}
        for tab in _tabs
        if may(user, tab.permission)
    ]
