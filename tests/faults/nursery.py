"""A process that holds Meso's code and no connection to a database: children that it forks do what it is told, each from scratch.

So a server that is killed two hundred times is back in a moment, and nothing of one that was killed lives on in the next.
Orders come on stdin, answers go to stdout, a line of JSON each. `python -m tests.faults.nursery`, in an office's environment.
"""

import json
import os
import sys
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

WORKERS = 2


def serve(port: int, log: str, shift: float) -> int:
    """Fork gunicorn with the office's configuration, its clock set by so many seconds. Returns its pid, which leads a group."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for place, there in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (out, 2)):
            os.dup2(place, there)
        if shift:
            import time_machine

            time_machine.travel(datetime.now(UTC) + timedelta(seconds=shift)).start()
        from gunicorn.app.wsgiapp import run

        address = ["--bind", f"127.0.0.1:{port}", "--workers", str(WORKERS)]
        sys.argv = ["gunicorn", "--config", "python:meso.gunicorn_conf", *address, "meso.wsgi"]
        run()
    finally:
        os._exit(0)


def act(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """What that function of tests/faults/inside.py answers in a child of its own, or where it failed."""
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        with os.fdopen(reading) as answer:
            text = answer.read()
        os.waitpid(child, 0)
        return json.loads(text or '{"failed": "it ended without a word"}')
    try:
        from tests.faults import inside

        os.dup2(2, 1)  # stdout is for answers
        answer = {"answer": getattr(inside, name)(**facts)}
    except BaseException:  # noqa: BLE001  (whatever it is, whoever asked is told)
        answer = {"failed": traceback.format_exc()[-1500:]}
    with os.fdopen(writing, "w") as out:
        json.dump(answer, out)
    os._exit(0)


def main() -> None:
    """Load everything, then do what stdin says until it ends."""
    from django.conf import settings

    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # nobody fetches any
    import gunicorn.app.wsgiapp
    import gunicorn.workers.gthread  # noqa: F401  (loaded once, for all children)
    from django.db import connections
    from django.urls import get_resolver

    import meso.wsgi  # noqa: F401
    from tests.faults import inside  # noqa: F401

    get_resolver().check()
    if connections["default"].connection is not None:
        raise RuntimeError("a connection that is open here would be shared by all children")
    for line in sys.stdin:
        order = json.loads(line)
        match order.pop("do"):
            case "serve":
                answer: dict[str, Any] = {"answer": serve(**order)}
            case "bury":
                answer = {"answer": os.waitpid(order["pid"], 0)[1]}
            case "act":
                answer = act(order["name"], order["facts"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
