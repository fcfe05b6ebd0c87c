"""The request as a view gets it: what the middlewares have put on it, for the type checker."""

from django import http
from django_htmx.middleware import HtmxDetails

from meso.models import Office, User


class HttpRequest(http.HttpRequest):
    """A request that has come through the two gates: it knows the office and, behind the login, who asks."""

    office: Office
    user: User  # type: ignore[assignment]
    htmx: HtmxDetails
