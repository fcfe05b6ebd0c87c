"""Guessing a login is slowed, and nobody is shut out of their own account by somebody else who guesses (V6.3.1 of the ASVS).

Failures are counted by account and by place. A browser from which somebody has logged in before, or an address from which
they have within thirty days, has an allowance of its own for that account: whoever guesses elsewhere uses up nothing of it. A
name that is nobody's is counted as any other, so a limit tells nothing. Wrong codes of the second factor count like passwords.
"""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core import signing
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from meso import audit, brakes, clock
from meso.limits import Limit, network_of
from meso.models import AccessEvent, User

KNOWN = Limit("failed logins, known", most=10, window=timedelta(minutes=15))  # of an account, in a browser or place it knows
ACCOUNT = Limit("failed logins", most=10, window=timedelta(minutes=15))  # of an account, from everywhere else
DAY = Limit("failed logins of a day", most=60, window=timedelta(days=1))  # the same: NIST SP 800-63B-4, 3.2.2 allows 100 in all
PLACE = Limit("failed logins from here", most=20, window=timedelta(minutes=15))  # of a place, whatever the accounts
_LIFTED = Limit("lifted", most=1000, window=timedelta(days=2))  # counts only: each lift makes the keys of that account new

COOKIE = "__Host-browser" if settings.PRODUCTION else "browser"
REMEMBERED = timedelta(days=30)
_SALT = "meso.lockout"
_MOST_PEOPLE = 20  # who share one browser

Rule = tuple[Limit, tuple[Any, ...]]


def _person(account: str) -> str:
    """How the browser's mark names an account, without its name."""
    return salted_hmac(_SALT, account, algorithm="sha256").hexdigest()[:24]


def _browser(request: HttpRequest) -> dict[str, Any]:
    """This browser's mark, and who has logged in from it; {} for one that is not known."""
    try:
        return signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=REMEMBERED)
    except signing.BadSignature:
        return {}


def _is_known_address(username: str, address: str | None, at: datetime) -> bool:
    if address is None:
        return False
    since = at - REMEMBERED
    logins = AccessEvent.objects.filter(action=AccessEvent.Action.LOGIN, address=address, at__gte=since)
    return logins.filter(user__username=username).exists()


def _rules(request: HttpRequest, username: str, at: datetime) -> Iterator[Rule]:
    """Which limits a try at this account from here is counted by."""
    account, address = username.strip().casefold()[:150], audit.address_of(request)
    here, times = network_of(address), _LIFTED.count(at, account)
    browser, known_here = _browser(request), _is_known_address(username.strip(), address, at)
    if _person(account) in browser.get("people", []):
        yield KNOWN, (account, times, browser["mark"])
    elif known_here:
        yield KNOWN, (account, times, here)
    else:
        yield PLACE, (here,)
        yield from _from_elsewhere(account, times)


def _from_elsewhere(account: str, times: int) -> Iterator[Rule]:
    yield ACCOUNT, (account, times)
    yield DAY, (account, times)


def held(request: HttpRequest, username: str) -> timedelta | None:
    """How long this account can't be tried from here; None: now it can. The first who is told so is written down."""
    at = clock.now()
    waits = [(wait, limit, who) for limit, who in _rules(request, username, at) if (wait := limit.wait(at, *who))]
    if not waits:
        return None
    wait, limit, who = max(waits, key=lambda one: one[0])
    if limit.is_first_refusal(at, *who):
        known = User.objects.filter(username=username.strip()).first()
        audit.record(audit.Action.REFUSED, f"too often: {limit.name}", user=known, request=request)
    return wait


@receiver(user_login_failed)
def _failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    at = clock.now()
    for limit, who in _rules(request, str(credentials.get("username") or ""), at) if request else ():
        limit.add(at, *who)


@receiver(user_logged_in)
def _logged_in(sender: Any, request: Any, user: User, **kwargs: Any) -> None:
    request.has_logged_in = user


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Mark the browser as one from which this person has logged in."""
    user = getattr(request, "has_logged_in", None)
    if user is None:
        return
    browser, person = _browser(request), _person(user.get_username().casefold())
    people = [person, *(other for other in browser.get("people", []) if other != person)]
    mark = {"mark": browser.get("mark") or secrets.token_urlsafe(16), "people": people[:_MOST_PEOPLE]}
    response.set_cookie(
        COOKIE,
        signing.dumps(mark, salt=_SALT),
        max_age=REMEMBERED,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def wait_of(user: User) -> timedelta | None:
    """How long nobody can try this account from a browser or place that it does not know; None where they can."""
    at, account = clock.now(), user.get_username().casefold()
    waits = [limit.wait(at, *who) for limit, who in _from_elsewhere(account, _LIFTED.count(at, account))]
    return max((wait for wait in waits if wait), default=None)


def minutes_held(user: User) -> int:
    """The same in minutes; 0 where they can."""
    wait = wait_of(user)
    return brakes.minutes_of(wait) if wait else 0


def lift(user: User) -> None:
    """Let this account be tried anew from everywhere, by the word of somebody who knows its owner."""
    _LIFTED.add(clock.now(), user.get_username().casefold())
