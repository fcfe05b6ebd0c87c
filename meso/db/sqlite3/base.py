"""SQLite, as Django has it, with last acts."""

from django.db.backends.sqlite3 import base

from meso.db import LastActs


class DatabaseWrapper(LastActs, base.DatabaseWrapper):
    """A connection to SQLite."""
