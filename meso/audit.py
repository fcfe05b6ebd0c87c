"""Writes the audit trail: one AccessEvent for each look, print, export, change and refusal.

Nothing a patient typed goes in: subjects and details are words of ours ("chart", "entry 12", "25 rows").
"""

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver
from django.forms import BaseModelForm
from django.http import HttpRequest
from simple_history.models import HistoricalRecords

from meso import clock
from meso.models import AccessEvent, User

Action = AccessEvent.Action
BY_COMMAND = "password by a command"  # nobody is logged in there


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
    if request is not None:
        request.has_event = True  # type: ignore[attr-defined]
    return AccessEvent.objects.create(
        at=clock.now(),
        user=who if isinstance(who, User) or getattr(who, "is_authenticated", False) else None,
        action=action,
        subject=subject[:60],
        chart_number=chart[:64],
        detail=detail[:120],
        address=address_of(request),
    )


def has_event(request: HttpRequest) -> bool:
    """Whether an event was written for this request."""
    return getattr(request, "has_event", False)


def changed(form: BaseModelForm) -> str:
    """What a form of the office's own settings changed: the names of fields, and what numbers and ticks were and are."""
    told = []
    for name in form.changed_data:
        was, now = form.initial.get(name), form.cleaned_data.get(name)
        told.append(name if isinstance(now, str) or isinstance(was, str) else f"{name} {was} to {now}")
    return ", ".join(told)


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


# What is told of a member of the staff when it changes. Where somebody logs in, nothing of it does.
_TOLD = (
    "role",
    "is_active",
    "is_superuser",
    "password",
    "username",
    "first_name",
    "last_name",
    "email",
    "credentials",
    "home_street",
)


@receiver(pre_save, sender=User)
def _staff_as_they_stood(sender: Any, instance: User, update_fields: Any = None, **kwargs: Any) -> None:
    asked = instance.pk and (update_fields is None or set(update_fields) & set(_TOLD))
    instance.stood = User.objects.filter(pk=instance.pk).values(*_TOLD).first() if asked else None  # type: ignore[attr-defined]


@receiver(post_save, sender=User)
def _staff_changed(sender: Any, instance: User, created: bool, **kwargs: Any) -> None:
    """A person of the staff is new, or has another role, password or way in: by whatever way, a page, a command or a shell."""
    request = getattr(HistoricalRecords.context, "request", None)
    if created:
        record(Action.CREATE, f"staff {instance.pk}", detail=f"role {instance.role}", request=request)
        return
    stood = getattr(instance, "stood", None) or {}
    new = [name for name in stood if stood[name] != getattr(instance, name)]
    if new:
        told = [_told(name, stood[name], getattr(instance, name)) for name in new]
        record(Action.CHANGE, f"staff {instance.pk}", detail=", ".join(told), request=request)


def _told(name: str, was: Any, now: Any) -> str:
    if name == "role":
        return f"role {was} to {now}"
    if name == "is_active":
        return "may log in" if now else "may not log in"
    return name
