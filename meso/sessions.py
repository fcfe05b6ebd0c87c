"""Sessions of the staff: how long one lasts, when it is locked, which a person has, how they are ended.

A session is one row that knows whose it is, so that all of a person's can be listed and deleted. It ends twelve hours after the
login, whatever is done in it (`SESSION_COOKIE_AGE`), and is locked after fifteen minutes in which nobody did anything
(`SESSION_IDLE_LOCK`): both limits stand in settings.py, both are kept by the server.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from meso import clock

SEEN_EVERY = 60  # seconds between two writings of "last seen": a page in between costs no query more
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "Chromebook",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux": "Linux",
}


class SessionQuerySet(models.QuerySet):
    """Which sessions."""

    def of(self, user: Any, at: datetime) -> "SessionQuerySet":
        """The sessions of this person that have not expired, last seen first."""
        return self.filter(user=user, expire_date__gt=at).order_by("-seen_at", "session_key")


class Session(AbstractBaseSession):
    """A session, and whose it is: empty for a visitor of the patients' pages. Read from what it holds each time it is saved."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    begun_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=300, blank=True)

    objects: ClassVar = BaseSessionManager.from_queryset(SessionQuerySet)()

    @classmethod
    def get_session_store_class(cls) -> type["SessionStore"]:
        """Django's way to find the store of this table."""
        return SessionStore

    @property
    def name(self) -> str:
        """What pages call this session. Its key, which is the way in, stands in the browser's cookie and nowhere else."""
        return salted_hmac("meso.sessions", self.session_key, algorithm="sha256").hexdigest()[:24]

    @property
    def device(self) -> str:
        """The browser and the machine, as far as the browser tells: "Firefox on Windows"."""
        browser = next((word for mark, word in _BROWSERS.items() if mark in self.agent), "")
        system = next((word for mark, word in _SYSTEMS.items() if mark in self.agent), "")
        if browser and system:
            return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
        return browser or system or _("A browser that does not say which")

    def is_locked(self, at: datetime) -> bool:
        """Whether it waits for its owner's password."""
        return self.seen_at is None or (at - self.seen_at).total_seconds() >= settings.SESSION_IDLE_LOCK


class SessionStore(db.SessionStore):
    """Django's sessions in the database, in rows that know whose they are and that nothing renews but a login."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row, its columns read from what the session holds."""
        row = cast(Session, super().create_model_instance(data))
        row.user_id = data.get(SESSION_KEY)
        row.begun_at, row.seen_at = _instant(data.get("begun")), _instant(data.get("seen"))
        row.address, row.agent = data.get("address"), data.get("agent", "")
        return row

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Seconds for which the cookie is kept: never past the twelve hours of the login."""
        return min(super().get_expiry_age(**kwargs), self.left) if "begun" in self else super().get_expiry_age(**kwargs)

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """When the server forgets the session: never past the twelve hours of the login."""
        latest = super().get_expiry_date(**kwargs)
        return min(latest, _instant(self["begun"] + settings.SESSION_COOKIE_AGE)) if "begun" in self else latest

    @property
    def left(self) -> int:
        """Seconds until the session ends for good; 0 for one that nobody has begun."""
        return max(0, self.get("begun", 0) + settings.SESSION_COOKIE_AGE - _second())

    @property
    def until_lock(self) -> int:
        """Seconds until it is locked; 0 when it is."""
        return max(0, self.get("seen", 0) + settings.SESSION_IDLE_LOCK - _second())

    def saw(self, request: HttpRequest, *, every: int = SEEN_EVERY) -> None:
        """Somebody did something: the lock is put off. Written at most `every` so many seconds."""
        if _second() - self.get("seen", 0) >= every:
            self["seen"] = _second()
            self["address"], self["agent"] = _whence(request)


def _second() -> int:
    return int(clock.now().timestamp())


def _instant(second: int | None) -> Any:
    return None if second is None else datetime.fromtimestamp(second, tz=UTC)


def _whence(request: HttpRequest) -> tuple[str | None, str]:
    from meso.audit import address_of  # which stands on the models, as this does not

    agent = request.headers.get("User-Agent", "").replace("\0", "")
    return address_of(request), agent[:300]


@receiver(user_logged_in)
def _begin(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """The twelve hours begin. What has expired is thrown away, so that no row of anybody's lies about."""
    request.session["begun"] = _second()
    request.session.saw(request, every=0)  # type: ignore[attr-defined]
    SessionStore.clear_expired()


def while_locked(view: Callable) -> Callable:
    """Mark a view that a locked session may use: it shows nothing of the office's, and using it does not put off the lock."""
    view.while_locked = True  # type: ignore[attr-defined]
    return view


def unlock(request: HttpRequest, user: Any) -> None:
    """Its owner has shown who they are: the session goes on under a new key. The twelve hours are not renewed."""
    update_session_auth_hash(request, user)
    request.session.saw(request, every=0)  # type: ignore[attr-defined]


def end(user: Any, which: str = "all", *, spare: str | None = None) -> int:
    """End the session of this `name` of theirs, or all; never the one with the key `spare`. Returns how many.

    Whoever holds one is a stranger at the next click (164.308(a)(3)(ii)(C)).
    """
    theirs = Session.objects.of(user, clock.now()).exclude(session_key=spare)
    keys = [row.session_key for row in theirs if which in ("all", row.name)]
    return Session.objects.filter(session_key__in=keys).delete()[0]
