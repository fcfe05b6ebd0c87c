"""Django's two databases, with one thing more: what must be the last act of a transaction is done just before its COMMIT."""

from collections.abc import Callable
from typing import Any


class LastActs:
    """Mixin of a DatabaseWrapper. `last_acts` holds what the running transaction has yet to do, each by a key of its own.

    Each is called with nothing, once, inside the outermost transaction and behind every other statement of it. One that fails
    undoes the whole transaction. A savepoint that is rolled back leaves its acts here: an act must look whether what it is
    about is still there.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.last_acts: dict[Any, Callable[[], None]] = {}

    def do_last_acts(self) -> None:
        """Do now what waits. For whoever, in one transaction, writes and then reads what its last acts would have made."""
        acts, self.last_acts = self.last_acts, {}
        for act in acts.values():
            act()

    def _commit(self) -> None:
        if self.last_acts:
            try:
                self.do_last_acts()
            except BaseException:
                self.rollback()  # type: ignore[attr-defined]  # Django itself does so for the database's own errors only
                raise
        super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self.last_acts = {}
        super()._rollback()  # type: ignore[misc]

    def _close(self) -> None:
        self.last_acts = {}
        super()._close()  # type: ignore[misc]
