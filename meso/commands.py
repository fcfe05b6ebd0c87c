"""What every command of the house shares: exit codes 0 done, 1 failed, 2 misused; plain English on stderr."""

import argparse
import atexit
import getpass
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.progress import Progress

from meso import audit, clock, seals
from meso.csv_in import BadFile
from meso.models import Office
from meso.office_chain import OFFICE


def a_day(text: str) -> date:
    """argparse type: an ISO day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2026-11-24") from None


def _caller() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user that the machine has no name for, as in a container
        return str(os.getuid())


class Told(BaseCommand):
    """Mixin before one of Django's own commands that reach accounts or data: the audit says first that it runs, and as whom."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        self.tell()
        return super().handle(*args, **options)

    def tell(self) -> None:
        """Write an event: which command runs, and as whom the machine knows its caller. Where that fails, nothing runs."""
        name = type(self).__module__.rpartition(".")[2]
        try:
            audit.record(audit.Action.COMMAND, f"command {name}", detail=f"by {_caller()}")
        except DatabaseError as error:
            if OFFICE not in seals.headless():
                raise
            raise Failed(
                "The head of the office's chain is gone: nothing can be written. See docs/backup.md: rebuild_head"
            ) from error


class Failed(CommandError):
    """Raised by a command that could not do its work: its text goes to stderr, exit 1."""


class Command(Told):
    """Base of Meso's commands. Subclasses write `work(**options)`; it runs in the office's zone on a migrated database."""

    requires_system_checks: list = []
    needs_migrated_database = True

    def handle(self, *args: Any, **options: Any) -> str | None:
        if self.needs_migrated_database:
            self.ask_for_migrations()
            clock.set_zone(Office.current().time_zone)
            self.tell()
        try:
            return self.work(**options)
        except BadFile as bad:
            lines = [str(problem) for problem in bad.problems]
            raise Failed("Nothing was stored.\n" + "\n".join(lines)) from bad

    def work(self, *args: Any, **options: Any) -> str | None:
        """The command's own work, which each command writes. Returns text for stdout, or None. Raises Failed."""
        raise Failed(f"{type(self).__module__} has no work to do.")

    def ask_for_migrations(self) -> None:
        """Raise Failed for a database that is not migrated or can't be reached."""
        try:
            executor = MigrationExecutor(connection)
            behind = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        except DatabaseError as error:
            raise Failed(f"The database can't be reached: {str(error).splitlines()[0]}") from error
        if behind:
            raise Failed("This database is not migrated. Run: python manage.py migrate")

    def out(self, text: str | bytes, path: str | None) -> None:
        """Write a result to a file, or to stdout where none is named."""
        data = text.encode() if isinstance(text, str) else text
        if path:
            try:
                Path(path).write_bytes(data)
            except OSError as error:
                raise Failed(f"{path} can't be written: {error.strerror}") from error
        else:
            sys.stdout.buffer.write(data) if isinstance(text, bytes) else self.stdout.write(text, ending="")


def progress(total: int, label: str) -> Callable[[int], None]:
    """A progress bar on stderr, shown only on a terminal. Returns `advance(by)`."""
    console = Console(stderr=True)
    if not console.is_terminal or not total:
        return lambda by: None
    bar = Progress(console=console, transient=True)
    task = bar.add_task(label, total=total)
    bar.start()
    atexit.register(bar.stop)  # a command that fails halfway leaves the terminal as it was

    def advance(by: int) -> None:
        bar.advance(task, by)
        if bar.finished:
            bar.stop()

    return advance
