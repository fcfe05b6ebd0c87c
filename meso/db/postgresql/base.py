"""PostgreSQL, as Django has it, with last acts."""

from django.db.backends.postgresql import base

from meso.db import LastActs


class DatabaseWrapper(LastActs, base.DatabaseWrapper):
    """A connection to PostgreSQL."""
