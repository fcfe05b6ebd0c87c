"""Drives pages over HTTP from a process of its own: one login, closed loops, a fixed number of requests.

Reads its orders as JSON from stdin and prints what it measured as JSON. Uses nothing of Django.
"""

import base64
import hmac
import http.client
import json
import re
import struct
import sys
import threading
import time
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlencode

ROUNDS = 6  # a page and its floor take turns, so that a noisy second strikes both
TIMEOUT = 60  # seconds


class WrongAnswerError(Exception):
    """Raised when the server answers otherwise than the page should."""


class Visitor:
    """A browser's share of the work: a kept connection, cookies, the token against forgery."""

    def __init__(self, host: str, port: int, cookies: dict[str, str] | None = None):
        self.connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        self.cookies = dict(cookies or {})
        self.headers: dict[str, str] = {}  # besides its cookies

    def ask(self, path: str, fields: dict[str, Any] | None = None) -> tuple[int, bytes]:
        """GET, or POST the fields. Returns status and body."""
        headers = {**self.headers, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields is not None:
            token = next((value for name, value in self.cookies.items() if name.endswith("csrftoken")), "")
            body = urlencode({"csrfmiddlewaretoken": token, **fields}, doseq=True)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            return self._send("POST" if body else "GET", path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            if body is not None:
                raise
            self.connection.close()  # the server let an idle connection go
            return self._send("GET", path, body, headers)

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, bytes]:
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        for line in response.headers.get_all("Set-Cookie") or []:
            found = re.match(r"([^=;]+)=([^;]*)", line)
            if found:
                self.cookies[found[1]] = found[2]
        return response.status, response.read()

    def log_in(self, username: str, password: str, factor: str) -> None:
        """Log in through the forms of password and code. Raises WrongAnswerError."""
        self.ask("/accounts/login/")
        status, _ = self.ask("/accounts/login/", {"username": username, "password": password})
        if status != 302:
            raise WrongAnswerError(f"the login of {username} answered {status}")
        status, body = self.ask("/accounts/code/", {"code": code_of(factor)})
        if status != 302:
            raise WrongAnswerError(f"the second step of {username} answered {status}: {_plain(body)}")


def code_of(factor: str) -> str:
    """What an authenticator app with this key shows now (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(factor), struct.pack(">Q", int(time.time()) // 30), "sha1")
    place = digest[-1] & 15
    return f"{(int.from_bytes(digest[place : place + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


Side = dict[str, Any]  # a page or its floor: `orders` that go round, the status to `expect`, `headers`


def measure(visitor: Visitor, orders: list[list], side: Side) -> list[float]:
    """Ask for each in turn, the next when the last has come. Seconds of each. Raises WrongAnswerError for another answer."""
    seconds = []
    visitor.headers = side["headers"]
    for path, fields in orders:
        begun = time.perf_counter()
        status, body = visitor.ask(path, fields)
        seconds.append(time.perf_counter() - begun)
        if status != side["expect"]:
            raise WrongAnswerError(f"{path} answered {status}, not {side['expect']}: {_plain(body)}")
    return seconds


def _plain(body: bytes) -> str:
    """The words of a page, for an error message."""
    return " ".join(re.sub(r"<[^>]*>", " ", body.decode(errors="replace")).split())[:600]


def rate(visitors: list[Visitor], orders: list[list], side: Side) -> float:
    """Requests a second with all visitors at once, each in its own closed loop. Raises WrongAnswerError as `measure` does."""
    failures: list[Exception] = []

    def loop(visitor: Visitor, share: list[list]) -> None:
        try:
            measure(visitor, share, side)
        except (WrongAnswerError, OSError, http.client.HTTPException) as error:
            failures.append(error)

    shares = [orders[place :: len(visitors)] for place in range(len(visitors))]
    threads = [threading.Thread(target=loop, args=pair) for pair in zip(visitors, shares, strict=True)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begun
    if failures:
        raise failures[0]
    return len(orders) / elapsed


def run(spec: dict[str, Any], visitors: list[Visitor], requests: int) -> dict[str, Any]:
    """One page beside its floor: the seconds of each request alone, and both rates with all visitors."""
    page, floor = ({**spec, "orders": cycle(spec["orders"])}, {**spec["floor"], "orders": cycle(spec["floor"]["orders"])})
    share = max(1, requests // ROUNDS)
    seconds: dict[str, list[float]] = {"page": [], "floor": []}
    rates: dict[str, list[float]] = {"page": [], "floor": []}
    sides = (("floor", floor), ("page", page))
    for _, side in sides:  # warm: templates loaded, statements prepared, rows in the cache
        rate(visitors, list(islice(side["orders"], 8 * len(visitors))), side)
    for _ in range(ROUNDS):
        for name, side in sides:
            seconds[name] += measure(visitors[0], list(islice(side["orders"], share)), side)
    for _ in range(ROUNDS):
        for name, side in sides:
            for visitor in visitors:
                visitor.connection.close()  # a new draw of which worker serves whom
            rates[name].append(rate(visitors, list(islice(side["orders"], share)), side))
    return {"name": spec["name"], "seconds": seconds, "rates": rates}


def run_or_say(spec: dict[str, Any], visitors: list[Visitor], requests: int) -> dict[str, Any]:
    """As `run`; a page that answers otherwise than it should is a result too, with the reason."""
    try:
        return run(spec, visitors, requests)
    except (WrongAnswerError, OSError, http.client.HTTPException) as error:
        return {"name": spec["name"], "failed": str(error)}


def main() -> None:
    """Do what stdin orders. Exits 1 with one line when nobody can log in."""
    orders = json.load(sys.stdin)
    host, port = orders["host"], orders["port"]
    results = []
    for username, specs in orders["specs"].items():
        visitor = Visitor(host, port)
        try:
            visitor.log_in(username, orders["password"], orders["factor"])
        except (WrongAnswerError, OSError) as error:
            sys.exit(f"bench.drive: {error}")
        visitors = [visitor, *(Visitor(host, port, visitor.cookies) for _ in range(orders["concurrency"] - 1))]
        results += [run_or_say(spec, visitors, orders["requests"]) for spec in specs]
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
