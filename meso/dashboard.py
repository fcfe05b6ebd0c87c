"""The registry of dashboard cards, so that the ground need not import the apps that stand on it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest

from meso.roles import may


@dataclass(frozen=True)
class Card:
    """A part of the dashboard: who sees it, its template, and what fills it on a day."""

    permission: str
    template: str
    context: Callable[[HttpRequest, date], dict[str, Any] | None]
    order: int
    wide: bool


_cards: list[Card] = []


def register(*, permission: str, template: str, order: int, wide: bool = False) -> Callable:
    """Decorator for `context(request, on)`: puts the card on the dashboard of those who have the permission.

    A context of None leaves the card out: there is nothing to tell today.
    """

    def add(context: Callable[[HttpRequest, date], dict[str, Any] | None]) -> Callable:
        _cards.append(Card(permission, template, context, order, wide))
        _cards.sort(key=lambda card: card.order)
        return context

    return add


def cards_for(request: HttpRequest, on: date) -> list[dict[str, Any]]:
    """This person's cards in order, each with its context filled for the day."""
    filled = [(card, card.context(request, on)) for card in _cards if may(request.user, card.permission)]
    return [{"template": card.template, "wide": card.wide, **context} for card, context in filled if context is not None]
