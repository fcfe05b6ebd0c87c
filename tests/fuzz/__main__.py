"""`python -m tests.fuzz [--inputs 20000] [--seed 1] [--database sqlite|postgresql]`: the invented office under bad input.

Every form of every role, every parameter and part of an address, every importer. Exit 0 without a finding, 1 with one.
"""

import argparse
import logging
import os
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

SERVER = os.environ.get("FAULTS_POSTGRES", "postgres://postgres@127.0.0.1:5432")


def main() -> int:
    """Make the office, attack it, print what came of it as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="bad inputs in all, at least (default: 20000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs (default: 1)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", default="", help="only what has this in its name")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meso-fuzz-")))
        os.environ |= {"MESO_DATA": str(folder), "MESO_ENV": "local", "DEBUG": "false", "DJANGO_SETTINGS_MODULE": "meso.settings"}
        os.environ["DATABASE_URL"] = stack.enter_context(database(asked.database))
        import django

        django.setup()
        from tests.fuzz import run

        begun = time.monotonic()
        report, found = run.everything(folder, inputs=asked.inputs, seed=asked.seed, only=asked.only)
        return run.tell(report, found, time.monotonic() - begun)


class database:  # noqa: N801  (used as a context manager)
    """An empty database of that kind, gone afterwards; gives its address, "" for SQLite's default."""

    def __init__(self, kind: str):
        self.name = f"meso_fuzz_{secrets.token_hex(4)}" if kind == "postgresql" else ""

    def __enter__(self) -> str:
        if self.name:
            from tests.faults.house import maintenance

            maintenance(SERVER, f"CREATE DATABASE {self.name}")
        return f"{SERVER}/{self.name}" if self.name else ""

    def __exit__(self, *error: object) -> None:
        if self.name:
            from django.db import connections

            from tests.faults.house import maintenance

            connections.close_all()
            maintenance(SERVER, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(main())
