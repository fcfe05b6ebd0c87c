"""The invented office under attack: what stood in it before, and one input at a time, after which all is as it was.

Each input runs inside a transaction that is rolled back, by a clock that stands still, with nothing remembered in the cache:
every one meets the same office at the same instant. So no session locks, no limit is used up, nobody is logged out by the input
before. What shows only between two transactions is not found here, but by tests/meso/test_limits.py, tests/meso/test_lockout.py
and tests/faults.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.core.cache import cache
from django.db import connection, transaction
from django.http import QueryDict

# Table -> why a refusal, or a page that is only looked at, may write to it. Every other table must stay as it was.
MAY_CHANGE = {
    "meso_accessevent": "whoever is refused, fails or looks leaves an event of the audit",
    "meso_tally": "how often somebody tried is counted, above all when they are refused",
    "meso_draft": "what was typed into a session that is locked, or ran out, is kept for its writer",
    "meso_session": "when a session was last at work, and what it says once; a refused login or a new language begins one",
}
# (view, table) -> why the page that shows it writes there.
SHOWN_ONCE = {("mfa_view_recovery_codes", "mfa_authenticator"): "recovery codes are shown once, and marked as shown"}
WRITES = re.compile(r'^\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)


def digest(table: str) -> str:
    """Every row of a table as one digest."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}"')
        rows = sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor.fetchall())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


class Office:
    """The office as it was before; `undone()` runs one input and puts everything back."""

    def __init__(self) -> None:
        self.before = {table: digest(table) for table in connection.introspection.table_names() if table not in MAY_CHANGE}

    @contextmanager
    def undone(self) -> Iterator[set[str]]:
        """Gives the set of the compared tables that the block wrote to, filled as it goes; all is rolled back after."""
        written: set[str] = set()

        def watch(execute: Callable, sql: Any, params: Any, many: bool, context: Any) -> Any:
            if (found := WRITES.match(str(sql))) and found[1] in self.before:
                written.add(found[1])
            return execute(sql, params, many, context)

        cache.clear()
        with transaction.atomic():
            with connection.execute_wrapper(watch):
                yield written
            transaction.set_rollback(True)

    def unchanged(self, written: set[str]) -> list[str]:
        """Which of these tables are not as they were."""
        return [table for table in sorted(written) if digest(table) != self.before[table]]


def would_commit(written: set[str]) -> None:
    """Do what COMMIT would: the last acts, and the checks that wait for it. Raises what it would raise."""
    connection.do_last_acts()  # type: ignore[attr-defined]
    if written:
        connection.check_constraints()


@contextmanager
def noticing() -> Iterator[set[str]]:
    """Gives the names of the fields and parameters that the code asks for meanwhile, filled as it goes."""
    names: set[str] = set()

    def watched(method: Callable) -> Callable:
        def ask(self: QueryDict, name: Any, *rest: Any) -> Any:
            names.add(str(name))
            return method(self, name, *rest)

        return ask

    methods = {name: watched(getattr(QueryDict, name)) for name in ("__getitem__", "__contains__", "getlist")}
    with mock.patch.multiple(QueryDict, **methods):
        yield names
    names.discard("csrfmiddlewaretoken")
