"""What comes in and what goes out: the request as the middlewares leave it, and a file as an answer."""

from django import http
from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage
from django.core.exceptions import PermissionDenied
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from meso.models import Office, User
from meso.sessions import SessionStore


class Refused(PermissionDenied):
    """Something that is closed to whoever asks: the audit's words for it, and its chart number or "".

    The refusal is written down once the view's own transaction is rolled back (meso.views.refused).
    """

    def __init__(self, subject: str, chart: str = ""):
        super().__init__(subject)
        self.subject, self.chart = subject, chart


class HttpRequest(http.HttpRequest):
    """A request that has come through the two gates: it knows the office and, behind the login, who asks."""

    office: Office
    user: User  # type: ignore[assignment]
    htmx: HtmxDetails
    session: SessionStore


class MessageCookie(CookieStorage):
    """Messages in a cookie of this host alone."""

    cookie_name = "__Host-messages" if settings.PRODUCTION else "messages"


class MessageStorage(FallbackStorage):
    """In the cookie, and in the session what is too long for one. The session would live longer with each message it held."""

    storage_classes = (MessageCookie, SessionStorage)


def is_page_of_ours(address: str) -> bool:
    """Whether whoever brought this address may be sent on to it: a path of this site, from its root, and no other host."""
    return address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)


def file_answer(content: bytes | str, name: str, *, kind: str = "application/pdf", download: bool = False) -> http.HttpResponse:
    """A file to open in the browser, or to `download`. `name` is made of numbers, never of a person's name.

    Imported chart numbers may hold what a disk or a header can't: any such letter becomes "_". What is to be saved is locked in
    besides: should a browser open it all the same, nothing in it runs.
    """
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    shown = "attachment" if download else "inline"
    headers = {"Content-Disposition": f'{shown}; filename="{safe}"', "X-Content-Type-Options": "nosniff"}
    if download:
        headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return http.HttpResponse(content, content_type=kind, headers=headers)
