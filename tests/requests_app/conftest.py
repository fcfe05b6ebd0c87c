"""For the requests' tests: several at once, each on a connection of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection


@pytest.fixture
def at_once() -> Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]:
    """`at_once(act, values)` calls act(value) for all values at the same time; what is raised comes back as a result."""

    def run(act: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
        todo = list(values)
        barrier = Barrier(len(todo))

        def one(value: Any) -> Any:
            try:
                barrier.wait(timeout=20)
                return act(value)
            except Exception as error:  # noqa: BLE001  (the test looks at it)
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(todo)) as pool:
            return list(pool.map(one, todo))

    return run
