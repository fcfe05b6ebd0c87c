"""The log as JSON lines, for machines: one object a line, and one line for each answer. Redacted as meso/logs.py does it.

An answer is told by its route's name, never by its address, its query or its body; a person by the number of their row.
"""

import json
import logging
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import empty

from meso.logs import Lines, places, words

HEADER = "X-Request-Id"
_request: ContextVar[str] = ContextVar("request", default="")
_log = logging.getLogger("meso.access")


class JsonLines(Lines):
    """time (UTC), level, logger, message; the request's number while one is at work; kinds and places of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": words(record),
        }
        if number := _request.get():
            line["request"] = number
        line |= getattr(record, "answer", {})
        if isinstance(record.exc_info, tuple) and record.exc_info[1]:
            line["error"] = places(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


class AccessLogMiddleware:
    """Gives each request a number, which its lines and its answer carry, and writes a line when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began, number = perf_counter(), secrets.token_hex(8)
        token = _request.set(number)
        try:
            response = self.get_response(request)
            response[HEADER] = number
            if request.path != "/healthz/" or response.status_code != 200:
                _log.info("answered", extra={"answer": _answer(request, response, began)})
        finally:
            _request.reset(token)
        return response


def _answer(request: HttpRequest, response: HttpResponse, began: float) -> dict[str, Any]:
    """What the line says of an answer. Whoever is logged in is told only where the request asked for them anyway."""
    match, person = request.resolver_match, getattr(request, "user", None)
    asked_for = getattr(person, "_wrapped", person) is not empty
    return {
        "method": request.method,
        "view": match.view_name or match.route if match else None,
        "status": response.status_code,
        "ms": round((perf_counter() - began) * 1000),
        "user": person.pk if asked_for and person else None,
    }
