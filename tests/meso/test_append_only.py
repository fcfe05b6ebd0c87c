"""Rows of append-only tables can't be changed or removed: not by the model, not by SQL, not by a cascade (design.md)."""

import pytest
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, connection, transaction
from django.db.models.deletion import ProtectedError

from meso import append_only
from meso.append_only import AppendOnlyError
from records.models import Entry
from tests.conftest import as_owner
from tests.factories import EntryFactory, PatientFactory

ALL_MODELS = sorted(append_only.append_only_models(), key=lambda model: model._meta.label)


def raw(sql: str, *params) -> None:
    """The triggers are asked, whatever the role may: this is what the tables' owner runs into."""
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.fixture
def entry(db):
    return EntryFactory(title="As written")


@pytest.fixture
def owner(db):
    """The test works as the owner of the tables, whose guards it takes away or whose columns it changes."""
    with as_owner():
        yield


def unchanged(entry) -> bool:
    return Entry.objects.get(pk=entry.pk).title == "As written"


def test_a_stored_row_can_not_be_saved_or_deleted(entry):
    entry.title = "Changed"
    with pytest.raises(AppendOnlyError, match="can't be changed"):
        entry.save()
    with pytest.raises(AppendOnlyError, match="can't be removed"):
        entry.delete()
    assert unchanged(entry)


def test_saving_a_new_object_under_an_old_key_is_refused(entry):
    copy = EntryFactory.build(pk=entry.pk, patient=entry.patient, author=entry.author, title="Changed")
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()
    assert unchanged(entry)


@pytest.mark.parametrize(
    "act",
    [
        lambda rows: rows.update(title="Changed"),
        lambda rows: rows.delete(),
        lambda rows: rows.bulk_update(list(rows), ["title"]),
        lambda rows: rows.update_or_create(defaults={"title": "Changed"}),
        lambda rows: rows.bulk_create(list(rows), update_conflicts=True, unique_fields=["id"], update_fields=["title"]),
    ],
    ids=["update", "delete", "bulk_update", "update_or_create", "bulk_create that updates"],
)
def test_the_queryset_refuses(entry, act):
    with pytest.raises(AppendOnlyError):
        act(Entry.objects.all())
    assert unchanged(entry)


def test_a_cascade_from_the_parent_is_refused(entry):
    with pytest.raises(ProtectedError):
        entry.author.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        raw("DELETE FROM records_patient WHERE id = %s", entry.patient_id)
        connection.check_constraints()
    assert unchanged(entry)


def test_the_base_manager_goes_round_the_model_and_the_database_refuses(entry):
    for act in (lambda: Entry._base_manager.update(title="Changed"), lambda: Entry._base_manager.all()._raw_delete("default")):
        with as_owner(), pytest.raises((IntegrityError, AppendOnlyError)), transaction.atomic():
            act()
    assert unchanged(entry)


def test_the_admin_of_django_is_refused(entry, rf):
    admin = ModelAdmin(Entry, AdminSite())
    request = rf.post("/")
    with pytest.raises(AppendOnlyError):
        admin.delete_queryset(request, Entry.objects.all())
    with pytest.raises(AppendOnlyError):
        admin.delete_model(request, entry)
    with pytest.raises(AppendOnlyError):
        admin.save_model(request, entry, form=None, change=True)
    assert unchanged(entry)


@pytest.mark.parametrize("model", ALL_MODELS, ids=lambda model: model._meta.label)
def test_raw_sql_is_refused_on_every_append_only_table(model, db):
    table = model._meta.db_table
    first_row = EntryFactory()
    connection.check_constraints()  # PostgreSQL truncates nothing while deferred checks wait
    if connection.vendor == "postgresql":
        for sql in (f'UPDATE "{table}" SET id = id', f'DELETE FROM "{table}"', f'TRUNCATE "{table}" CASCADE'):
            with pytest.raises(IntegrityError, match="append-only"):
                raw(sql)
    else:
        names = append_only.trigger_names(model, "sqlite")
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            assert {row[0] for row in cursor.fetchall()} == names
    assert first_row.pk


def test_raw_sql_on_a_stored_row_is_refused(entry):
    for sql in (
        "UPDATE records_entry SET title = 'Changed'",
        "DELETE FROM records_entry",
        "DELETE FROM records_entry WHERE id > 0",
    ):
        with pytest.raises(IntegrityError, match="append-only"):
            raw(sql)
    assert unchanged(entry)


def test_insert_or_replace_and_upsert_are_refused(entry):
    columns = [field.column for field in Entry._meta.concrete_fields]
    other = EntryFactory(source_id="import/1", title="Imported")
    picked = ", ".join(f'"{column}"' for column in columns)
    changed = ", ".join("'Changed'" if column == "title" else f'"{column}"' for column in columns)
    by_other_key = ", ".join("id + 1000" if c == "id" else "'Changed'" if c == "title" else f'"{c}"' for c in columns)
    upsert = f"INSERT INTO records_entry ({picked}) SELECT {changed} FROM records_entry WHERE id = {entry.pk} "
    statements = [upsert + "ON CONFLICT (id) DO UPDATE SET title = 'Changed'"]
    if connection.vendor == "sqlite":
        statements += [
            f"INSERT OR REPLACE INTO records_entry ({picked}) SELECT {changed} FROM records_entry WHERE id = {entry.pk}",
            f"REPLACE INTO records_entry ({picked}) SELECT {by_other_key} FROM records_entry WHERE id = {other.pk}",
        ]
    for sql in statements:
        with pytest.raises(IntegrityError, match="append-only"):
            raw(sql)
    assert unchanged(entry)
    assert Entry.objects.get(pk=other.pk).title == "Imported"


@pytest.mark.django_db(transaction=True)
def test_a_second_raw_connection_is_refused():
    entry = EntryFactory(title="As written")
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        if "mode=memory" in str(settings["NAME"]):
            pytest.fail("the test database must be a file, so that a second connection can reach it")
        import sqlite3

        with sqlite3.connect(settings["NAME"], timeout=10) as second, pytest.raises(sqlite3.IntegrityError, match="append-only"):
            second.execute("UPDATE records_entry SET title = 'Changed'")
        second.close()
    else:
        import psycopg

        with (
            psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None, "options": ""}) as second,
            pytest.raises(psycopg.IntegrityError, match="append-only"),
        ):
            second.execute("SET session_replication_role = replica")
            second.execute("UPDATE records_entry SET title = 'Changed'")
    assert unchanged(entry)


def test_the_system_check_asks_for_a_missing_trigger(owner):
    call_command("check", databases=["default"])
    append_only.drop_triggers(connection, Entry)
    with pytest.raises(SystemCheckError, match=r"meso\.E001"):
        call_command("check", databases=["default"])
    append_only.install_triggers(connection, Entry)
    call_command("check", databases=["default"])


def test_migrate_names_a_missing_trigger_and_puts_it_back_when_told_to(owner):
    append_only.drop_triggers(connection, Entry)
    assert append_only.missing_triggers(connection)
    with pytest.raises(SystemCheckError, match="migrate --skip-checks"):
        call_command("migrate", verbosity=0, skip_checks=False)
    call_command("migrate", verbosity=0, skip_checks=True)
    assert append_only.missing_triggers(connection) == set()


@pytest.mark.django_db(transaction=True)
def test_triggers_survive_a_rebuild_of_the_table(owner):
    """On SQLite an added column rebuilds the table and drops its triggers; the migrate after it restores them."""
    from django.db import models

    field = models.CharField(max_length=5, default="x")
    field.set_attributes_from_name("tried")
    with connection.schema_editor() as editor:
        editor.add_field(Entry, field)
    try:
        call_command("migrate", verbosity=0)
        assert append_only.missing_triggers(connection) == set()
    finally:
        with connection.schema_editor() as editor:
            editor.remove_field(Entry, field)
        call_command("migrate", verbosity=0)
    assert append_only.missing_triggers(connection) == set()


def test_a_chart_is_never_removed(db):
    patient = PatientFactory()
    with pytest.raises(AppendOnlyError):
        patient.delete()
    with pytest.raises(AppendOnlyError):
        type(patient).objects.all().delete()
