"""Looks at each page from inside: how many queries, which plans the database makes, how long the hard searches take.

DATABASE_URL=… python -m bench.probe      prints one line of JSON, the orders for bench/drive.py in it
"""

import json
import os
import re
import statistics
import time
from collections.abc import Callable
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import django

ROWS_THAT_COUNT = 2000  # a table smaller than this may be read whole
# What a desk types on its worst days: a letter, the commonest names, half a name, a day, three digits, nobody, a sentence.
HARD_SEARCHES = (
    "s",
    "smith",
    "ga",
    "mar",
    "maria garcia",
    "garcia maria",
    "ma sm",
    "lopez",
    "jose garcia lopez",
    "1984-07-02",
    "07/02/1984 smith",
    "555",
    "518555",
    "5",
    "(518) 555-0140",
    "15000",
    "1",
    "zzyzx",
    "maria zzyzx",
    "maria jose garcia lopez smith",
    "ann lee",
    "o'brien",
)


def _client(user: str, middleware: list[str] | None = None) -> Any:
    """A test client that has passed both steps of the login, behind the given middleware or Meso's."""
    from allauth.account.internal.flows.login import record_authentication
    from django.conf import settings
    from django.test import Client, override_settings

    from meso.models import User

    client = Client(raise_request_exception=False, SERVER_NAME="127.0.0.1")  # a 500 is a result too
    with override_settings(MIDDLEWARE=middleware or settings.MIDDLEWARE):
        client.handler.load_middleware()
    somebody = User.objects.get(username=user)
    client.force_login(somebody)
    session = client.session
    record_authentication(SimpleNamespace(session=session), somebody, "mfa", type="totp")
    session.save()
    return client


def _ask(client: Any, path: str, fields: dict | None, expect: int, headers: dict[str, str]) -> None:
    response = client.get(path, headers=headers) if fields is None else client.post(path, fields, headers=headers)
    assert response.status_code == expect, f"{path} answered {response.status_code}, not {expect}"


def queries_of(client: Any, orders: list, expect: int, headers: dict[str, str]) -> list[dict[str, str]]:
    """The queries of the second of these orders (the first warms the caches). Raises AssertionError for another answer."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    first, second = (orders * 2)[:2]
    _ask(client, *first, expect, headers)
    with CaptureQueriesContext(connection) as captured:
        _ask(client, *second, expect, headers)
    return captured.captured_queries


def whole_reads(queries: list[dict[str, str]], sizes: dict[str, int]) -> set[str]:
    """The large tables that one of these queries reads from end to end, by the database's own plan.

    A walk in the order of the key that ends with its LIMIT is none.
    """
    selects = [query["sql"] for query in queries if query["sql"].lstrip("( ").upper().startswith("SELECT")]
    found = {table for sql in selects for table in _tables_scanned(sql)}
    return {table for table in found if sizes.get(table, 0) >= ROWS_THAT_COUNT}


def _tables_scanned(sql: str) -> list[str]:
    from django.db import connection

    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}".replace("%", "%%"), ())
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    if connection.vendor == "postgresql":
        return re.findall(r'Seq Scan on "?(\w+)', plan)
    if " LIMIT " in sql and "TEMP B-TREE" not in plan:
        return []
    return re.findall(r'^SCAN "?(\w+)"?(?! USING)', plan, flags=re.MULTILINE)


def table_sizes() -> dict[str, int]:
    """Rows of each table of Meso."""
    from django.apps import apps

    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models()}


def search_times() -> dict[str, float]:
    """Milliseconds of each hard search, rows fetched: the median of nine."""
    from records.models import Patient

    return {text: _median_ms(lambda text=text: Patient.objects.search(text)) for text in HARD_SEARCHES}


def _median_ms(act: Callable[[], Any], times: int = 9) -> float:
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - begun)
    return round(statistics.median(seconds) * 1000, 2)


def insert_times(of: Any) -> dict[str, float]:
    """Milliseconds of one row stored through the model: the plain table beside the guarded and sealed one."""
    from bench.models import PlainDisclosure
    from disclosures.models import Disclosure
    from meso import clock
    from meso.models import User

    desk, turn = User.objects.get(username="desk"), iter(range(10_000))
    facts = {
        "disclosed_on": of.on,
        "recipient": "State Department of Health",
        "information": "Visit notes of the last year",
        "purpose_code": "required_by_law",
        "purpose": "Inspection of lot records under state law",
    }

    def patient() -> Any:
        return of.patients[next(turn) % len(of.patients)]

    return {
        "plain": _median_ms(
            lambda: PlainDisclosure.objects.create(patient=patient(), logged_by=desk, logged_at=clock.now(), **facts), 99
        ),
        "sealed": _median_ms(lambda: Disclosure.log(patient=patient(), by=desk, at=clock.now(), **facts), 99),
    }


def look(page: Any, of: Any, sizes: dict[str, int]) -> dict[str, Any]:
    """One page from inside: its orders, its queries, what it reads whole, the milliseconds of one answer; or why not."""
    from bench import pages

    told = {"name": page.name, "user": page.user, "bar": page.bar, "writes": page.writes}
    found = pages.spec(page, of)
    if found is None:
        return {**told, "missing": True}
    client, orders = _client(page.user), cycle(found["orders"])
    try:
        queries = queries_of(client, found["orders"], page.expect, found["headers"])
        milliseconds = _median_ms(lambda: _ask(client, *next(orders), page.expect, found["headers"]), 5)
    except AssertionError as error:
        return {**told, "failed": str(error)}
    return {
        **told,
        "spec": found,
        "queries": len(queries),
        "reads_whole": sorted(whole_reads(queries, sizes)),
        "inside_ms": milliseconds,
    }


def floors(of: Any) -> dict[str, int]:
    """Queries of the two floors."""
    from django.conf import settings

    from bench import pages

    found = {}
    for name, page in (("read", pages.READ_FLOOR), ("write", pages.WRITE_FLOOR)):
        client = _client(page.user, settings.FLOOR_MIDDLEWARE)
        found[name] = len(queries_of(client, list(page.orders(of)), page.expect, {}))
    return found


def main() -> None:
    """Print everything as one line of JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    django.setup()
    from django.conf import settings
    from django.db import connection

    from bench import pages
    from meso import clock

    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        version = " ".join(cursor.fetchone()[0].split()[:2])
    of, sizes = pages.sample(clock.today()), table_sizes()
    print(
        json.dumps(
            {
                "vendor": connection.vendor,
                "version": version,
                "patients": sizes["records_patient"],
                "rows": sum(sizes.values()),
                "floors": floors(of),
                "pages": [look(page, of, sizes) for page in pages.PAGES],
                "asked": [{k: v for k, v in look(page, of, sizes).items() if k != "spec"} for page in pages.ASKED],
                "search_ms": search_times(),
                "insert_ms": insert_times(of),
            }
        )
    )


if __name__ == "__main__":
    main()
