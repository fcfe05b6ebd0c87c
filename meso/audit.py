"""Writes the audit trail: one AccessEvent for each look, print, export, change and refusal.

Nothing a patient typed goes in: subjects and details are words of ours ("chart", "entry 12", "25 rows").
"""

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from meso import clock
from meso.models import AccessEvent, User

Action = AccessEvent.Action


def address_of(request: HttpRequest | None) -> str | None:
    """The network address that the request came from, or None.

    Behind a proxy of the office's own (BEHIND_PROXY) it is what that proxy added last; what stands before it, anybody may write.
    """
    if request is None:
        return None
    told = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    address = told.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:
        return None


def record(
    action: str, subject: str, *, user: Any = None, chart: str = "", detail: str = "", request: HttpRequest | None = None
) -> AccessEvent:
    """Write one event. The user is the request's unless given; `chart` is a chart number or ""."""
    who = user or getattr(request, "user", None)
    return AccessEvent.objects.create(
        at=clock.now(),
        user=who if isinstance(who, User) or getattr(who, "is_authenticated", False) else None,
        action=action,
        subject=subject[:60],
        chart_number=chart[:64],
        detail=detail[:120],
        address=address_of(request),
    )


def looked_at(request: HttpRequest, subject: str, chart: str = "", detail: str = "") -> None:
    """Somebody looked at `subject` ("chart", "disclosure log") on a screen."""
    record(Action.VIEW, subject, chart=chart, detail=detail, request=request)


def refused(request: HttpRequest, permission: str, chart: str = "") -> None:
    """Somebody was refused for want of `permission`."""
    record(Action.REFUSED, permission, chart=str(chart), detail=request.method or "", request=request)


@receiver(user_logged_in)
def _logged_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record(Action.LOGIN, "login", user=user, request=request)


@receiver(user_logged_out)
def _logged_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user:
        record(Action.LOGOUT, "login", user=user, request=request)


@receiver(user_login_failed)
def _login_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    known = User.objects.filter(username=credentials.get("username") or "").first()
    record(Action.LOGIN_FAILED, "login", user=known, request=request)
