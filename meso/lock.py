"""The locked session: what answers in its place, and how its owner goes on (45 CFR 164.312(a)(2)(iii))."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_POST

from meso import audit, drafts, sessions
from meso.forms import UnlockForm
from meso.http import HttpRequest, is_page_of_ours
from meso.roles import OWN, PUBLIC, needs
from meso.sessions import while_locked


def instead_of(view: Callable, request: HttpRequest) -> HttpResponse | None:
    """What a locked session gets in place of any page; None where the page may be shown, and then somebody was at work."""
    if getattr(view, "while_locked", False):
        return None
    if not request.session.until_lock:
        return _ask_to_unlock(request)
    request.session.saw(request)
    return None


def _ask_to_unlock(request: HttpRequest) -> HttpResponse:
    """The way to unlock it. What was typed is kept for its writer."""
    if request.headers.get("HX-Request") == "true":
        return render(request, "meso/_expired.html", {"locked": True}, status=401)
    if request.method == "POST":
        told = drafts.keep_for_unlocking(request)
        return render(request, "meso/unlock.html", {"form": UnlockForm(request=request), **told}, status=401)
    return redirect_to_login(request.get_full_path(), reverse("unlock"))


def of_page(request: Any) -> dict[str, int] | None:
    """The seconds that a page's script goes by; None for a page that shows nothing to hide, or that is everybody's."""
    view = getattr(getattr(request, "resolver_match", None), "func", None)
    if view is None or getattr(view, "needs", PUBLIC) == PUBLIC or getattr(view, "while_locked", False):
        return None
    if not request.user.is_authenticated:
        return None
    return {"left": request.session.until_lock, "ends": request.session.left, "warning": settings.SESSION_LOCK_WARNING}


def _state(request: HttpRequest) -> JsonResponse:
    """Whose session it is, for how long, and the token that its forms need: a login in another window has changed it."""
    facts = {"who": request.user.pk, "left": request.session.until_lock, "ends": request.session.left}
    return JsonResponse({**facts, "token": get_token(request)})


@needs(OWN)
@while_locked
def session_state(request: HttpRequest) -> HttpResponse:
    """What an open page asks by itself, which is no activity; a POST is a person's key or click in it, which is."""
    if request.method == "POST" and request.session.until_lock:
        request.session.saw(request, every=0)
    return _state(request)


@needs(OWN)
@while_locked
@require_POST
def session_typed(request: HttpRequest) -> HttpResponse:
    """Keep what is typed in a locked page whose writer gives way to somebody else's login."""
    drafts.keep_for_unlocking(request)
    return HttpResponse(status=204)


@needs(OWN)
@while_locked
def unlock(request: HttpRequest) -> HttpResponse:
    """Unlock with the password: as a page that leads back to where one was, or for the script of a page that stayed open."""
    goal = _goal(request)
    in_place = not request.accepts("text/html")
    form = UnlockForm(request.POST if request.method == "POST" else None, request=request)
    if form.is_valid():
        sessions.unlock(request, request.user)
        audit.record(audit.Action.LOGIN, "unlock", request=request)
    elif in_place:
        return JsonResponse({"error": " ".join(str(word) for words in form.errors.values() for word in words)})
    elif form.is_bound or not request.session.until_lock:
        return render(request, "meso/unlock.html", {"form": form, "next": goal})
    return _state(request) if in_place else redirect(goal)


def _goal(request: HttpRequest) -> str:
    """Where to go on; the start page for an address that is not ours."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    return asked if is_page_of_ours(asked) else resolve_url(settings.LOGIN_REDIRECT_URL)
