"""Append-only tables: rows are added, never changed and never removed (design.md, "Append-only, and how that is kept").

Two walls. The model and its QuerySet refuse first, with words; the database's own triggers refuse whatever
goes round them (raw SQL, `_base_manager`, a second connection, a cascade). Django rebuilds a SQLite table on
many ALTERs and loses its triggers, so `install_triggers` runs after every migrate and a system check asks for them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NoReturn

from django.apps import AppConfig, apps
from django.core import checks
from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from meso.labels import Labelled

PREFIX = "append_only_"
PG_FUNCTION = "meso_append_only_refuse"


class AppendOnlyError(Exception):
    """Raised on an attempt to change or remove a row of an append-only table."""


class AppendOnlyQuerySet(models.QuerySet):
    """A QuerySet that adds and reads, and refuses everything else."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{self.model._meta.verbose_name_plural} are append-only: add a row that corrects the old one.")

    update = delete = bulk_update = update_or_create = select_for_update = _refuse

    def hold(self, pk: int) -> None:
        """Keep whoever holds this same row waiting until our transaction ends. Raises TransactionManagementError outside of one.

        In the place of `select_for_update`, which asks for the right to UPDATE: the web server's role has none on these tables
        (meso/app_role.py). An advisory lock on PostgreSQL; on SQLite whoever is in a transaction is the only writer already.
        """
        connection = connections[self.db]
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("hold() is for the inside of a transaction")
        if connection.vendor == "postgresql":
            key = sha256(f"{self.model._meta.db_table} {pk}".encode()).digest()[:8]
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(key, signed=True)])

    def bulk_create(self, objs: Iterable[Any], *args: Any, update_conflicts: bool = False, **kwargs: Any) -> list[Any]:
        """As Django's, without `update_conflicts`, which would change stored rows."""
        if update_conflicts:
            self._refuse()
        return super().bulk_create(objs, *args, **kwargs)


class AppendOnly(Labelled, models.Model):
    """Base of every append-only table. A stored row's `save()` and any `delete()` raise AppendOnlyError."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"This {self._meta.verbose_name} is stored and can't be changed: add a row that corrects it.")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"This {self._meta.verbose_name} is stored and can't be removed.")


def append_only_models() -> Iterator[type[AppendOnly]]:
    """Every concrete append-only model of the house."""
    return (model for model in apps.get_models() if issubclass(model, AppendOnly))


def _unique_keys(model: type[models.Model]) -> list[tuple[str, ...]]:
    """The column sets that a REPLACE could collide on: primary key, unique columns, unconditional unique constraints."""
    meta = model._meta
    keys = [_columns(model, (field.name,)) for field in meta.local_concrete_fields if field.primary_key or field.unique]
    keys += [
        _columns(model, constraint.fields)
        for constraint in meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields and not constraint.condition
    ]
    return list(dict.fromkeys(keys))


def _columns(model: type[models.Model], names: Iterable[str]) -> tuple[str, ...]:
    """The columns of these fields."""
    return tuple(str(model._meta.get_field(name).column) for name in names)  # type: ignore[union-attr]


def _partial_unique_keys(model: type[models.Model]) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """The conditional unique constraints as (columns, {column: required text}).

    Raises TypeError for a condition that is not plain equality.
    """
    meta = model._meta
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields and constraint.condition:
            wanted = {}
            for child in constraint.condition.children:
                if not (isinstance(child, tuple) and isinstance(child[1], str) and "__" not in child[0]):
                    raise TypeError(f"{constraint.name}: an append-only table's unique condition must be column = text")
                wanted[_columns(model, child[:1])[0]] = child[1]
            yield _columns(model, constraint.fields), wanted


def trigger_names(model: type[models.Model], vendor: str) -> set[str]:
    """The triggers that guard `model` on a database of this vendor ("sqlite" or "postgresql")."""
    table = model._meta.db_table
    if vendor == "sqlite":
        return {f"{PREFIX}{table}_{act}" for act in ("update", "delete", "insert")}
    return {f"{PREFIX}{table}"}


def _sqlite_triggers(model: type[models.Model]) -> Iterator[str]:
    table = model._meta.db_table
    refuse = f"SELECT RAISE(ABORT, 'append-only: {table} takes new rows only');"
    for act in ("update", "delete"):
        yield f'CREATE TRIGGER "{PREFIX}{table}_{act}" BEFORE {act.upper()} ON "{table}" BEGIN {refuse} END'
    # INSERT OR REPLACE deletes the row in its way without firing a delete trigger: refuse any key that exists.
    clashes = [[f'"{column}" = NEW."{column}"' for column in key] for key in _unique_keys(model)]
    for key, wanted in _partial_unique_keys(model):
        holds = [f"\"{column}\" = '{text}' AND NEW.\"{column}\" = '{text}'" for column, text in wanted.items()]
        clashes.append([f'"{column}" = NEW."{column}"' for column in key] + holds)
    taken = " OR ".join(f'EXISTS (SELECT 1 FROM "{table}" WHERE {" AND ".join(clash)})' for clash in clashes)  # noqa: S608
    yield f'CREATE TRIGGER "{PREFIX}{table}_insert" BEFORE INSERT ON "{table}" WHEN {taken} BEGIN {refuse} END'


def _postgresql_triggers(model: type[models.Model]) -> Iterator[str]:
    table = model._meta.db_table
    yield (
        f"CREATE OR REPLACE FUNCTION {PG_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'append-only: % takes new rows only', TG_TABLE_NAME "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    yield (
        f'CREATE TRIGGER "{PREFIX}{table}" BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table}" '
        f"FOR EACH STATEMENT EXECUTE FUNCTION {PG_FUNCTION}()"
    )
    yield f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{PREFIX}{table}"'


def drop_triggers(connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    """Take the guard off `model`. For `install_triggers`, `guard_lifted` and the test suite's flush, nothing else."""
    on_table = "" if connection.vendor == "sqlite" else f' ON "{model._meta.db_table}"'
    with connection.cursor() as cursor:
        for name in trigger_names(model, connection.vendor):
            cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"{on_table}')


def install_triggers(connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    """Put the guard on `model`, new each time so that it knows the table's present unique keys."""
    drop_triggers(connection, model)
    statements = _sqlite_triggers(model) if connection.vendor == "sqlite" else _postgresql_triggers(model)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@contextmanager
def guard_lifted(connection: BaseDatabaseWrapper, model: type[models.Model]) -> Iterator[None]:
    """The guard off `model`, where it has one, and on again: for a migration that stores what rows hold in another form."""
    guarded = bool(trigger_names(model, connection.vendor) & _triggers(connection))
    if guarded:
        drop_triggers(connection, model)
    yield
    if guarded:
        install_triggers(connection, model)


def _triggers(connection: BaseDatabaseWrapper) -> set[str]:
    """The names of all triggers that are in force."""
    if connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}


def missing_triggers(connection: BaseDatabaseWrapper) -> set[str]:
    """Names of guards that should be in the database and are not; a table not yet migrated is not asked for."""
    tables = set(connection.introspection.table_names())
    wanted = set().union(
        *(trigger_names(model, connection.vendor) for model in append_only_models() if model._meta.db_table in tables), set()
    )
    return wanted - _triggers(connection)


def install_after_migrate(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """post_migrate receiver: guards every append-only table of the app that was just migrated."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    for model in append_only_models():
        if model._meta.app_config == app_config and model._meta.db_table in tables:
            install_triggers(connection, model)


def check_triggers(
    *, app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """System check (`check --database default`): an append-only table without its triggers is an error."""
    return [
        checks.Error(
            f"The append-only guard {name} is missing in database {alias!r}.",
            hint="Find out who took it away; `python manage.py migrate --skip-checks` puts it back.",
            id="meso.E001",
        )
        for alias in databases or []
        for name in sorted(missing_triggers(connections[alias]))
    ]
