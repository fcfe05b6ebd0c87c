"""What tests of several processes at once share: each process works on the test's own database, none is left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

_WORK = """
import importlib, json, sys, django
django.setup()
module, name, given = sys.argv[1:]
getattr(importlib.import_module(module), name)(*json.loads(given))
"""


def url_of(database: dict) -> str:
    """The address of this test database, for a process of its own."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    login = f"{database['USER']}:{quote(database['PASSWORD'])}@" if database["PASSWORD"] else f"{database['USER']}@"
    return f"postgres://{login}{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def run_at_once(work: Callable, given: Sequence[tuple[Any, ...]]) -> None:
    """Call `work`, a function of a test module, in as many processes as there are arguments, all at once; each must succeed."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "meso.settings", "DATABASE_URL": url_of(connection.settings_dict)}
    connection.close()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _WORK, work.__module__, work.__name__, json.dumps(arguments)],
            cwd=settings.BASE_DIR,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for arguments in given
    ]
    for process in running:
        _, complaint = process.communicate(timeout=600)
        assert process.returncode == 0, complaint
