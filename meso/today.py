"""The order of the day: what this person must do, why, and where. Each room names sources of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from meso import days
from meso.http import HttpRequest
from meso.roles import may

SHOWN = 12
MOST = 50  # tasks that one source names


@dataclass(frozen=True)
class Task:
    """One thing to do: in words of the desk, why, the page that does it, and the day by which; None for no day of its own."""

    what: str
    why: str
    url: str
    due: date | None = None

    def urgency(self, on: date) -> str:
        """How near its day is: "late", "soon", "fine"; "fine" for none."""
        return days.urgency((self.due - on).days) if self.due else "fine"

    def left(self, on: date) -> str:
        """The days left in words, or ""."""
        return days.in_words((self.due - on).days) if self.due else ""


Source = Callable[[HttpRequest, date], Iterable[Task]]
_sources: list[tuple[str, Source]] = []


def source(permission: str) -> Callable[[Source], Source]:
    """Decorator for `tasks(request, on)`: a bounded number of tasks for whoever has the permission."""

    def add(tasks: Source) -> Source:
        _sources.append((permission, tasks))
        return tasks

    return add


def tasks_for(request: HttpRequest, on: date) -> list[Task]:
    """What this person must do, the soonest first, what has no day last."""
    found = [task for permission, tasks in _sources if may(request.user, permission) for task in tasks(request, on)]
    return sorted(found, key=lambda task: (task.due is None, task.due or on))
