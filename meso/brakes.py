"""Where the limits are asked: a view is marked with what it may be asked how often; beyond that it answers with the page 429."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meso import audit, clock, errors
from meso.limits import Limit, network_of

HEAVY = Limit("papers", most=120, window=timedelta(hours=1))  # of one member of the staff: a day's work, not a robot's
PAPERS = Limit("patients' papers", most=30, window=timedelta(hours=1))  # of one address, without a login


def place_of(request: HttpRequest) -> str:
    """From where the request came, as the limits count places."""
    return network_of(audit.address_of(request))


def person_of(request: HttpRequest) -> Any:
    """Who asks, by key; without a login, from where."""
    return request.user.pk or place_of(request)


def minutes_of(wait: timedelta) -> int:
    """In whole minutes, rounded up."""
    return max(1, -(-int(wait.total_seconds()) // 60))


def in_words(wait: timedelta) -> str:
    """How long, rounded up: "Try again in 5 minutes."."""
    minutes = minutes_of(wait)
    return ngettext("Try again in %(count)d minute.", "Try again in %(count)d minutes.", minutes) % {"count": minutes}


def told_to_wait(request: HttpRequest, wait: timedelta, lines: Sequence[str] = ()) -> HttpResponse:
    """The page 429: how long to wait, and these lines; a browser's program reads the same in Retry-After."""
    response = errors.page(request, 429, wait=in_words(wait), lines=lines)
    response.headers["Retry-After"] = str(max(1, int(wait.total_seconds())))
    return response


def refuse(request: HttpRequest, limit: Limit, wait: timedelta, *who: Any) -> HttpResponse:
    """The page that says how long to wait. One event for each who and window: the audit can't be filled by asking again."""
    if limit.is_first_refusal(clock.now(), *who):
        audit.record(audit.Action.REFUSED, f"too often: {limit.name}", detail=request.method or "", request=request)
    office = getattr(request, "office", None)
    lines = [_("You can also call us: %(phone)s") % {"phone": office.phone}] if office and office.phone else []
    return told_to_wait(request, wait, lines)


def at_most(limit: Limit, by: Callable[[HttpRequest], Any] = place_of, method: str = "") -> Callable:
    """Mark a view: `by` may ask it that often, by `method` ("" for any). Put it under `@needs`."""

    def mark(view: Callable) -> Callable:
        @wraps(view)
        def braked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if method and request.method != method:
                return view(request, *args, **kwargs)
            at, who = clock.now(), by(request)
            if wait := limit.wait(at, who):
                return refuse(request, limit, wait, who)
            limit.add(at, who)
            return view(request, *args, **kwargs)

        return braked

    return mark
