"""The office's one chain, for rows that everybody writes all day long: the events of the audit.

A patient's chain is locked from the write to the end of the transaction. One chain for all can't be: whoever draws a long copy
would hold up every page of the office, and two who write a chart's row and an event in different orders would wait on each
other for ever. So the row is stored with the act that it tells of, and its link is laid by the last statements of that same
transaction, just before COMMIT (meso/db). The head is locked for as long as a commit takes and no lock is asked for behind it;
and there is no moment at which a stored row has no link, so one without is a break.
"""

from typing import Any

from django.db import connection, transaction

from meso.append_only import AppendOnly
from meso.seals import Sealed, locked_head, seal_over

OFFICE = "office"
_LINK = (
    'INSERT INTO meso_seal (chain, place, "table", "row", previous, seal) '
    'SELECT %s, %s, %s, %s, %s, %s WHERE EXISTS (SELECT 1 FROM "{table}" WHERE id = %s)'
)


class OfficeSealed(Sealed):
    """Base of append-only rows that are links of the office's chain. `save()` stores the row; COMMIT lays its link."""

    class Meta:
        abstract = True

    def chain_key(self) -> str:
        """The office's chain."""
        return OFFICE

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(savepoint=False):  # an event that can't be written undoes the act that it tells of
            AppendOnly.save(self, *args, **kwargs)
            waiting = connection.last_acts.setdefault(OFFICE, Links())  # type: ignore[attr-defined]
            waiting.add(self)


class Links:
    """The links that this transaction has yet to lay, in the order in which their rows were stored."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], OfficeSealed] = {}

    def add(self, row: OfficeSealed) -> None:
        """One more. SQLite gives the number of a row that was taken back once more: the later row counts."""
        key = (row._meta.db_table, row.pk)
        self._rows.pop(key, None)
        self._rows[key] = row

    def __call__(self) -> None:
        """Lay them. A row that a savepoint took back is not there any more and gets none."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Foreign keys are checked now. COMMIT would lock their rows behind the head, while their writer waits for it.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            head = locked_head(OFFICE)
            for (table, key), row in self._rows.items():
                place, seal = head.length + 1, seal_over(head.seal, row)
                cursor.execute(_LINK.format(table=table), [OFFICE, place, row._meta.label_lower, key, head.seal, seal, key])
                if cursor.rowcount:
                    head.length, head.seal = place, seal
            cursor.execute("UPDATE meso_chainhead SET length = %s, seal = %s WHERE chain = %s", [head.length, head.seal, OFFICE])
