"""Whether this process can work: its database answers, is migrated as the code wants it, and has every append-only guard.

The first good answer is kept for the process's life, as a new version of the code is a new process; after it, only whether the
database answers is asked. A guard taken away later is found by `manage.py check --database default`.
"""

import logging

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from meso import append_only

log = logging.getLogger(__name__)
_fit: set[str] = set()  # databases that had everything once, by name


def is_ready() -> bool:
    """Whether work can be taken. One query where it was so before; what is missing goes into the log."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        name = str(connection.settings_dict["NAME"])
        if name not in _fit and _has_everything():
            _fit.add(name)
    except DatabaseError:
        log.exception("Not ready: the database does not answer.")
        return False
    return name in _fit


def _has_everything() -> bool:
    """Whether the database has all that the code wants; what it lacks goes into the log."""
    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        log.error("Not ready: %d migrations are not applied.", len(plan))
    elif missing := append_only.missing_triggers(connection):
        log.error("Not ready: %d append-only guards are missing.", len(missing))
    else:
        return True
    return False
