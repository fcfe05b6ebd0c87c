"""What a log line may say: constants of the code, numbers, kinds of errors and places in the code. Never a value.

The message of an error quotes what was being handled: PostgreSQL's DETAIL the whole row, ValueError what was typed. So an error
is told by its kind and by where in the code it came from, and an address by its route (`patients/<chart>/`), whatever it holds.
A library's own sentence is shown as it stands in its code, without what it was filled in with.
"""

import logging
import sys
import sysconfig
import threading
import traceback
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any

from django.conf import settings

_OURS = {"meso", "records", "disclosures", "requests_app"}  # their sentences are ours, and hold no name (tests/meso/test_logs.py)
_ROOTS = sorted({str(settings.BASE_DIR), *sysconfig.get_paths().values()}, key=len, reverse=True)


def _file(name: str) -> str:
    """The file without the folder that this machine keeps its code in."""
    root = next((root for root in _ROOTS if name.startswith(f"{root}/")), "")
    return name.removeprefix(f"{root}/") if root else Path(name).name


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that led to it, the newest first; a circle is walked once."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _kind(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def places(error: BaseException | None) -> list[dict[str, Any]]:
    """Kind and places in the code ("file:line function", the outermost first) of an error and of what led to it."""
    return [
        {
            "kind": _kind(one),
            "at": [
                f"{_file(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
                for frame, line in traceback.walk_tb(one.__traceback__)
            ],
        }
        for one in _chain(error)
    ]


def route_of(request: Any) -> str:
    """The pattern of the address that was asked for, "patients/<chart>/"; what somebody wrote into the address is not told."""
    match = getattr(request, "resolver_match", None)
    return (match.route or "/") if match else "an address of no page"


def _plain(value: Any) -> Any:
    """A number or a kind of error as it is; of anything else only that it was there."""
    if isinstance(value, BaseException):
        return _kind(value)
    return value if isinstance(value, int | float) else "…"


def words(record: logging.LogRecord) -> str:
    """What the record says, without values. See the module."""
    if request := getattr(record, "request", None):
        status = getattr(record, "status_code", None)
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Answer"
        reason = str(record.args[0]) if record.name == "django.security.csrf" and isinstance(record.args, tuple) else ""
        why = f" ({reason.partition(' - ')[0]})" if reason else ""
        return f"{status or ''} {phrase}{why}: {getattr(request, 'method', '')} {route_of(request)}".strip()
    if record.name.partition(".")[0] in _OURS:
        return record.getMessage()
    if record.name.startswith("gunicorn") and record.levelno <= logging.INFO:
        return record.getMessage()  # where it listens, which workers start
    if not isinstance(record.msg, str) or not record.args:
        return f"(words left out) {_file(record.pathname)}:{record.lineno}"
    values = {name: _plain(value) for name, value in record.args.items()} if isinstance(record.args, dict) else None
    try:
        return record.msg % (values or tuple(_plain(value) for value in record.args))
    except (TypeError, ValueError):
        return record.msg


class Lines(logging.Formatter):
    """Plain lines, in UTC: when, level, logger, words; then a line for each kind of error with its places."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text. Its own formatting of errors is not asked."""
        when = f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z"
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        told = [f"  {one['kind']} at {' > '.join(one['at']) or 'no place'}" for one in places(error)]
        return "\n".join([f"{when} {record.levelname} {record.name} {words(record)}", *told])

    @staticmethod
    def converter(seconds: float | None) -> Any:
        """UTC, whatever the machine's zone."""
        import time

        return time.gmtime(seconds)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("meso").critical("Stopped by an error.", exc_info=(kind, error, trace))


def catch_the_uncaught() -> None:
    """Errors that nothing catches, of a command or of a thread, go into the log as any other, without their values."""
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)
