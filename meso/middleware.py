"""The gates of every request: what each answer carries, how much may be sent, language, office, the wall of permissions."""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_out
from django.contrib.auth.views import redirect_to_login
from django.dispatch import receiver
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.utils import timezone, translation

from meso import audit, clock, drafts, errors, lock, lockout, signin
from meso.http import HttpRequest
from meso.keys import KeyMissing
from meso.models import Office
from meso.roles import FRESH, PUBLIC, may

logger = logging.getLogger(__name__)
# What a browser may do for our pages: nothing, but ask for a passkey.
_OFF = (
    "accelerometer, autoplay, browsing-topics, camera, clipboard-read, display-capture, encrypted-media, fullscreen, gamepad, "
    "geolocation, gyroscope, hid, identity-credentials-get, idle-detection, language-model, local-fonts, magnetometer, "
    "microphone, midi, otp-credentials, payment, picture-in-picture, screen-wake-lock, serial, speaker-selection, "
    "storage-access, summarizer, sync-xhr, translator, usb, window-management, xr-spatial-tracking"
)
PERMISSIONS_POLICY = ", ".join(
    [*(f"{name}=()" for name in _OFF.split(", ")), "publickey-credentials-create=(self)", "publickey-credentials-get=(self)"]
)
HEADERS = {
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
}


class SafetyMiddleware:
    """The outermost gate: every answer carries HEADERS, and no cache keeps any but static files, whatever answered.

    Whoever logged out, or was logged out, leaves nothing behind in the browser.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        if not (request.path.startswith(settings.STATIC_URL) and response.has_header("Cache-Control")):
            response.headers["Cache-Control"] = "no-store, private, max-age=0"
        lockout.remember(request, response)
        if getattr(request, "has_logged_out", False):
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


@receiver(user_logged_out)
def _logged_out(sender: Any, request: Any, **kwargs: Any) -> None:
    request.has_logged_out = True


MEGABYTE = 1024 * 1024
LARGEST_FROM_PATIENTS = 1 * MEGABYTE  # a form of words
LARGEST_FORM = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + MEGABYTE
LARGEST_WITH_FILES = 260 * MEGABYTE  # ten files of 25 MB and their form (records/uploads.py)


METHODS = ["GET", "HEAD", "OPTIONS", "POST"]


class BodyMiddleware:
    """How and how much may be sent, asked before any of it is read: little without a login, files only with one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        length = request.META.get("CONTENT_LENGTH") or ""
        if not length and request.headers.get("Transfer-Encoding"):
            return errors.page(request, 411)
        if length and not length.isdecimal():
            return errors.page(request, 400)
        if int(length or 0) > LARGEST_FROM_PATIENTS and int(length) > self._largest(request):
            return errors.page(request, 413)
        return self.get_response(request)

    def _largest(self, request: HttpRequest) -> int:
        """In bytes. The session is looked up only for what is larger than a form of words."""
        if request.path.startswith("/privacy/"):
            return LARGEST_FROM_PATIENTS
        if request.content_type == "multipart/form-data" and request.session.get(SESSION_KEY):
            return LARGEST_WITH_FILES
        return LARGEST_FORM


class LanguageMiddleware(LocaleMiddleware):
    """The patients' pages in the language of their choice or of their browser; the staff's in English."""

    def process_request(self, request: Any) -> None:
        if request.path.startswith("/privacy/"):
            super().process_request(request)
            return
        translation.activate(settings.LANGUAGE_CODE)
        request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(self, request: Any, response: Any) -> Any:
        return super().process_response(request, response) if request.path.startswith("/privacy/") else response


def does_not_open(request: HttpRequest, error: KeyMissing) -> HttpResponse:
    """The page for what is locked and does not open; the log says so without a value."""
    logger.error("A value does not open: manage.py check_keys says why", exc_info=error)
    return render(request, "locked.html", status=503)


class OfficeMiddleware:
    """Sets `request.office` and makes the office's zone current."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz/":
            return self.get_response(request)
        request.office = Office.current()  # type: ignore[attr-defined]
        clock.set_zone(request.office.time_zone)  # type: ignore[attr-defined]
        try:
            if "\0" in request.path or "\0" in unquote(request.META.get("QUERY_STRING", "")):
                raise Http404  # PostgreSQL keeps no such letter, so no address of ours holds one
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What does not open, for want of its key or because it was altered, is said in words."""
        return does_not_open(request, error) if isinstance(error, KeyMissing) else None


class PermissionMiddleware:
    """The wall: no view runs in a locked session, nor one whose permission has not been checked; every refusal is audited."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Callable, args: Any, kwargs: Any) -> HttpResponse | None:
        permission = getattr(view, "needs", None)
        if permission == PUBLIC:
            return None
        if not request.user.is_authenticated:
            return self._to_the_login(request)
        if permission and (first := lock.instead_of(view, request) or signin.second_factor_first(request, permission)):
            return first
        if permission is None or not may(request.user, permission):
            audit.refused(request, permission or "unnamed", kwargs.get("chart", ""))
            return errors.page(request, 403)
        return drafts.ask_again(request) if permission in FRESH and not signin.fresh(request) else None

    def _to_the_login(self, request: Any) -> HttpResponse:
        if SESSION_KEY in request.session:
            request.session.flush()  # of an account that was shut past its model: opened again, it opens no old browser
        if request.method == "POST":
            return drafts.login_that_keeps_typing(request)
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
