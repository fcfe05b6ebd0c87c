"""The database role under which the office works: it may add to append-only tables and can't take a trigger away.

Whoever owns a table may drop its triggers, so on PostgreSQL the web server logs in as a role that owns nothing: SELECT and
INSERT on append-only tables and on histories, nothing but SELECT on what `migrate` writes, the four verbs on the rest, and
neither TRUNCATE nor any change of the schema. Default privileges can't tell a new append-only table from another, so
`grant_app_role` is run after each migrate. SQLite has no roles: whoever can write its file can do everything to it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from meso.append_only import AppendOnly

ADDED = ("SELECT", "INSERT")
WORKED = ("SELECT", "INSERT", "UPDATE", "DELETE")
READ = ("SELECT",)
EVERY = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_OF_MIGRATE = frozenset({"django_migrations", "django_content_type", "auth_permission"})


class NoSuchRole(ValueError):
    """Raised for a role that the server does not know, and for one that could do more than is granted here."""


def is_added_to_only(model: type[models.Model]) -> bool:
    """Whether rows of this table are added and never changed: append-only ones, and the histories of contact details."""
    return issubclass(model, AppendOnly) or hasattr(model, "history_object")


def rights() -> dict[str, tuple[str, ...]]:
    """What the role may do with each table of the house: {table: verbs}."""
    found: dict[str, tuple[str, ...]] = {MigrationRecorder.Migration._meta.db_table: READ}
    for model in apps.get_models(include_auto_created=True):
        table = model._meta.db_table
        found[table] = READ if table in _OF_MIGRATE else ADDED if is_added_to_only(model) else WORKED
    return found


def statements(connection: BaseDatabaseWrapper, role: str) -> Iterator[str]:
    """The SQL that gives `role` these rights and takes every other one on tables and schema away."""
    quote = connection.ops.quote_name
    there, who = set(connection.introspection.table_names()), quote(role)
    yield f"REVOKE ALL ON SCHEMA public FROM {who}"
    yield f"GRANT USAGE ON SCHEMA public TO {who}"
    for kind in ("TABLES", "SEQUENCES"):
        yield f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {who}"
        yield f"GRANT SELECT ON ALL {kind} IN SCHEMA public TO {who}"  # backups read all of it
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {who}"
    for table, verbs in sorted(rights().items()):
        if table in there and verbs != READ:
            yield f"GRANT {', '.join(verbs)} ON {quote(table)} TO {who}"


def excess(connection: BaseDatabaseWrapper, role: str) -> list[str]:
    """What `role` may do beyond `rights()`, by ownership, membership or as superuser, as "UPDATE records_entry"; sorted."""
    allowed = {f"{verb} {table}" for table, verbs in rights().items() for verb in verbs}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT verb || ' ' || relname FROM pg_class, unnest(%s::text[]) AS verb WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace AND has_table_privilege(%s, pg_class.oid, verb)",
            [list(EVERY), role],
        )
        return sorted({row[0] for row in cursor.fetchall()} - allowed)


def grant(connection: BaseDatabaseWrapper, role: str) -> None:
    """Give `role` its rights. For the inside of a transaction: nothing is to stay of what is refused.

    Raises NoSuchRole for a role that is not there, and for one that could change append-only rows all the same.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if '"' in role or not cursor.fetchone():
            raise NoSuchRole(f"The server knows no role {role!r}: make it first (docs/architecture.md).")
        for statement in statements(connection, role):
            cursor.execute(statement)
    if more := excess(connection, role):
        raise NoSuchRole(
            f"{role} may do {len(more)} things more than it should, such as {more[0]}: it owns tables, is a superuser, or is a "
            "member of a role that may. Choose a role that owns nothing."
        )


def check_role(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """System check (`check --deploy --database default`): whether we are logged in as a role that may do more than it should."""
    found: list[checks.CheckMessage] = []
    for connection in (connections[alias] for alias in databases or []):
        if connection.vendor == "postgresql" and (more := excess(connection, _ourselves(connection))):
            words = f"The database role of this process may do {len(more)} things more than Meso needs, such as {more[0]}."
            hint = "Let the web server log in as a role that owns nothing, and run: manage.py grant_app_role ROLE"
            found.append(checks.Warning(words, hint=hint, id="meso.W001"))
    return found


def _ourselves(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])
