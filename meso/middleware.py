"""The gates of every request: its language, the office (its zone made current, nothing cached), the wall of permissions."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.views.defaults import permission_denied

from meso import audit, clock, drafts, lock, signin
from meso.http import HttpRequest
from meso.keys import KeyMissing
from meso.models import Office
from meso.roles import PUBLIC, may

logger = logging.getLogger(__name__)


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


class OfficeMiddleware:
    """Sets `request.office`, makes the office's zone current, and forbids caches to keep a page of the staff."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz/":
            return self.get_response(request)
        request.office = Office.current()  # type: ignore[attr-defined]
        clock.set_zone(request.office.time_zone)  # type: ignore[attr-defined]
        try:
            if "\0" in request.path:
                raise Http404  # PostgreSQL keeps no such letter, so no address of ours holds one
            response = self.get_response(request)
        finally:
            timezone.deactivate()
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What does not open, for want of its key or because it was altered, is said in words."""
        if not isinstance(error, KeyMissing):
            return None
        logger.error("A value does not open: manage.py check_keys says why", exc_info=error)
        return render(request, "locked.html", status=503)


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
            return permission_denied(request, PermissionDenied())
        return None

    def _to_the_login(self, request: Any) -> HttpResponse:
        if SESSION_KEY in request.session:
            request.session.flush()  # of an account that was shut past its model: opened again, it opens no old browser
        if request.method == "POST":
            return drafts.login_that_keeps_typing(request)
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
