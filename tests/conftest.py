"""What every test stands on: the triggers lifted for a flush and for nothing else, somebody logged in, queries counted."""

import io
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import hypothesis
import pytest
import time_machine
from django.core.cache import cache
from django.core.management.commands import flush
from django.db import connection
from django.test.utils import CaptureQueriesContext

from meso import app_role, append_only, logs
from meso.models import User
from tests import signing_in  # noqa: F401  (what it hears of `force_login`)
from tests.factories import AT, PASSWORD, UserFactory

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # the ORM beside Playwright

# How long an example takes says how busy the machine is, and nothing of the code.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
NOV_24 = date(2026, 11, 24)


@pytest.fixture
def nov_24() -> Iterator[None]:
    """The office's clock stands at ten in the morning of Tuesday, November 24, 2026."""
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What one test put into the cache is none of the next one's business."""
    yield
    cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords_and_plain_static(django_db_setup=None) -> Iterator[None]:
    """A quick hasher; static files by name, so that no test needs collectstatic."""
    from django.test import override_settings

    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES={
            "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
        WHITENOISE_USE_FINDERS=True,
        WHITENOISE_AUTOREFRESH=True,
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    ):
        yield


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    """Wrong codes of one test are not counted against the next."""
    cache.clear()


@contextmanager
def as_owner(on=connection) -> Iterator[None]:
    """Past the role of MESO_TEST_ROLE, as the owner of the tables; nothing where the tests are the owner already."""
    if not on.settings_dict.get("OPTIONS", {}).get("options"):
        yield
        return
    with on.cursor() as cursor:
        cursor.execute("SELECT current_setting('role')")
        (before,) = cursor.fetchone()
        cursor.execute("SET ROLE NONE")
    try:
        yield
    finally:
        on.cursor().execute(f"SET ROLE {before}")


@contextmanager
def triggers_lifted(on=connection) -> Iterator[None]:
    """The guards off and on again: for the flush between transactional tests, and for a test that plays the attacker."""
    models = [m for m in append_only.append_only_models() if m._meta.db_table in on.introspection.table_names()]
    with as_owner(on):
        for model in models:
            append_only.drop_triggers(on, model)
        try:
            yield
        finally:
            for model in models:
                append_only.install_triggers(on, model)


def past_the_guard(statement: str, *values: object) -> None:
    """One statement as somebody with the database's password would run it: the triggers lifted and put back."""
    connection.check_constraints()
    with triggers_lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        connection.check_constraints()


@pytest.fixture(scope="session", autouse=True)
def _flush_past_the_guard(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A transactional test ends with DELETE or TRUNCATE of every table; only that flush goes past the triggers."""
    operations = type(connection.ops)
    original = operations.execute_sql_flush

    def flush(self, sql_list):
        with triggers_lifted(self.connection):
            return original(self, sql_list)

    operations.execute_sql_flush = flush
    yield
    operations.execute_sql_flush = original


@pytest.fixture(scope="session", autouse=True)
def _as_the_web_server(django_db_setup, django_db_blocker, _nobody_stays) -> Iterator[None]:
    """MESO_TEST_ROLE=1 on PostgreSQL: every test works under a role with the rights of the web server's (meso/app_role.py)."""
    if not os.environ.get("MESO_TEST_ROLE") or connection.vendor != "postgresql":
        yield
        return
    role, handle = f"role_of_{connection.settings_dict['NAME']}", flush.Command.handle
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {role}")  # of a run that was killed
        cursor.execute(f"CREATE ROLE {role}")
        app_role.grant(connection, role)

    def handle_as_owner(self, **options):
        with as_owner():
            return handle(self, **options)

    options = connection.settings_dict.setdefault("OPTIONS", {})
    options["options"], flush.Command.handle = f"-c role={role}", handle_as_owner
    connection.close()
    yield
    del options["options"]
    flush.Command.handle = handle
    with django_db_blocker.unblock():
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


@pytest.fixture(scope="session", autouse=True)
def _nobody_stays(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A live server's thread may still hold its session when all is over; PostgreSQL drops no database in use."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")


@pytest.fixture
def signed_in(client, db) -> Callable[..., User]:
    """`signed_in("front_desk")` logs the client in as somebody of that role and returns them."""

    def sign_in(role: str, **fields) -> User:
        user = UserFactory(role=role, **fields)
        client.force_login(user)
        return user

    return sign_in


@pytest.fixture
def queries_for(client) -> Callable[..., list[str]]:
    """`queries_for("/requests/")` gives the SQL of one GET (or POST, with `data`); the answer must be 200."""

    def run(path: str, data: dict | None = None) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            response = client.get(path) if data is None else client.post(path, data)
        assert response.status_code == 200, (path, response.status_code)
        return [query["sql"] for query in captured.captured_queries]

    return run


@pytest.fixture
def written() -> Iterator[Callable[[], str]]:
    """What the service would write on stderr: a function that gives it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines())
    logging.getLogger().addHandler(handler)
    yield stream.getvalue
    logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project. Without it the test skips; under CI its absence is a failure."""
    if not SHARED.is_dir():
        if os.environ.get("MESO_REQUIRE_ALL"):
            pytest.fail("the shared data is required and is not there")
        pytest.skip("the shared data is not beside the project")
    return SHARED


@pytest.fixture
def password() -> str:
    """The password of every user that the factories make."""
    return PASSWORD
