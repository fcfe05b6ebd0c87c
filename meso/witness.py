"""Nobody looks and nothing is written without an event of the audit: the last gate, next to the view.

A view says itself what was looked at or done (meso/audit.py). Here is what no view can forget: a page that wrote no event gets
one, named after its URL; and a form of the staff's is one transaction, so what it did and its event stand or fall together. Where
the event can't be written, the answer is a failure and holds nothing. No setting switches this off. Exceptions: `UNWITNESSED`.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from meso import audit
from meso.http import HttpRequest
from meso.keys import KeyMissing
from meso.middleware import does_not_open
from meso.roles import PUBLIC

SAFE = ("GET", "HEAD", "OPTIONS")

# URL name -> why a page of the staff's writes no event of its own accord.
UNWITNESSED = {
    "session": "asked by an open page by itself, for how long it has before it locks; it tells that and whose session it is",
    "session_typed": "keeps for its writer what a locked page holds; the form is audited when it is opened, and when it is sent",
    "unlock": "shows the name of whoever locked it and nothing more; the password, right or wrong, is an event of its own",
    "entry_draft": "kept every few seconds while somebody types; the form is audited when it is opened, and when it is sent",
}


def in_parts(view: Callable) -> Callable:
    """Mark a view that must not be one transaction: it waits for a mail server, or reads for long and writes its event only."""
    view.in_parts = True  # type: ignore[attr-defined]
    return view


class WitnessMiddleware:
    """Runs the view; the last of the middleware, so that whoever was turned away before is not here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Callable, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        if getattr(view, "needs", PUBLIC) == PUBLIC:
            return None  # the patients' pages say themselves what they wrote
        try:
            if request.method in SAFE or getattr(view, "in_parts", False):
                return witnessed(request, view, args, kwargs)
            with transaction.atomic():
                return witnessed(request, view, args, kwargs)
        except KeyMissing as error:  # said here: no process_exception hears of a view that a middleware runs
            return does_not_open(request, error)


def witnessed(request: Any, view: Callable, args: Any, kwargs: dict[str, Any]) -> HttpResponse:
    """The view's answer, once an event tells of it. A refusal or a page that is not there shows nothing and needs none."""
    response = view(request, *args, **kwargs)
    shows = response.status_code < (300 if request.method in SAFE else 400)
    name = request.resolver_match.url_name
    if shows and not audit.has_event(request) and name not in UNWITNESSED:
        action = audit.Action.VIEW if response.status_code < 300 else audit.Action.CHANGE
        which = kwargs.get("number", kwargs.get("pk", ""))
        subject = f"{name.replace('_', ' ')} {which}".strip()
        audit.record(action, subject, chart=str(kwargs.get("chart", "")), request=request)
    return response
