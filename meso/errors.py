"""The pages of what went wrong: one template, words for each status, nothing of the inside. They need no database."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

WORDS: dict[int, tuple[Any, Any]] = {
    400: (
        _("This could not be read"),
        _("What your browser sent is not in a form that this site takes. Please go back and try again."),
    ),
    403: (
        _("Not yours to open"),
        _(
            "Your role does not open this page. The refusal is noted in the audit. "
            "If you need it for your work, ask the office admin."
        ),
    ),
    404: (_("Nothing here"), _("There is no page or record at this address.")),
    411: (
        _("This could not be read"),
        _("Your browser did not say how much it sends. Please try again with another browser, or call us."),
    ),
    413: (
        _("This is too large to take"),
        _(
            "Nothing was saved. Please go back and send less at once: fewer or smaller files, or shorter words. "
            "If your login has ended, log in again in another tab first."
        ),
    ),
    429: (_("Please wait a little"), _("This was asked too often from your connection or for this account.")),
    500: (
        _("Something went wrong"),
        _(
            "Nothing was saved halfway. Please go back and try again; "
            "if it happens twice, tell the office the time at which it did."
        ),
    ),
}


def page(request: HttpRequest, status: int, **more: Any) -> HttpResponse:
    """The page of this status, for staff or, under /privacy/, for patients. `more` goes into templates/error.html."""
    title, words = WORDS[status]
    public = request.path.startswith("/privacy/")
    content = render_to_string("error.html", {"title": title, "words": words, "public": public, **more})
    return HttpResponse(content, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400."""
    return page(request, 400)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return page(request, 404)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return page(request, 500)
