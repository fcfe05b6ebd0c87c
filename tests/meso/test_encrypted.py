"""Encrypted columns: plain in Python, locked in the database, not searched, sealed as they are stored."""

import json
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.core.management.base import CommandError
from django.db import connection, models

from meso import keys, seals
from meso.encrypted import Encrypted, EncryptedBinaryField, Locked, encrypted_fields, refuse_plain_rows
from meso.keys import KeyMissing
from records.models import Attachment
from tests.conftest import past_the_guard
from tests.factories import AttachmentFactory

PDF = b"%PDF-1.4 of Maria Alvarez"


def stored(model, field: str, pk: int) -> bytes:
    """What the database itself holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {field} FROM {model._meta.db_table} WHERE id = %s", [pk])
        value = cursor.fetchone()[0]
    return value.encode() if isinstance(value, str) else bytes(value)


def test_every_file_of_the_house_is_encrypted():
    """A column of bytes that is not would be a document that anybody with the database's file can read."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            assert not isinstance(field, models.BinaryField) or isinstance(field, EncryptedBinaryField), field


def test_the_database_holds_nothing_that_can_be_read(db):
    attachment = AttachmentFactory(content=PDF, format="application/pdf")
    held = stored(Attachment, "content", attachment.pk)
    assert held.startswith(b"MESO1")
    assert b"Maria" not in held
    assert Attachment.objects.get(pk=attachment.pk).content == PDF  # deferred, and fetched when asked for
    assert Attachment.objects.with_bytes().get(pk=attachment.pk).content == PDF
    assert attachment.content == PDF  # as it was written, without a look at the database


def test_a_row_is_opened_only_when_it_is_read(db, monkeypatch):
    AttachmentFactory(content=PDF)
    monkeypatch.setattr(keys, "unlock", lambda *args: pytest.fail("nobody asked for it"))
    assert len(Attachment.objects.with_bytes()) == 1
    assert seals.verify().breaks == []  # an auditor needs no key


def test_a_seal_covers_what_is_stored(db):
    attachment = AttachmentFactory(content=PDF)
    sealed = json.loads(seals.canonical_json(attachment))["row"]["content"]
    assert sealed == json.loads(seals.canonical_json(Attachment.objects.get(pk=attachment.pk)))["row"]["content"]
    again = AttachmentFactory(content=PDF)
    assert sealed != json.loads(seals.canonical_json(again))["row"]["content"]  # a guess can't be tried against it


def test_what_is_not_stored_is_not_sealed(db):
    attachment = AttachmentFactory(content=PDF)
    attachment.refresh_from_db(fields=["content"])
    with pytest.raises(ValueError, match="read its row anew"):
        seals.canonical_json(attachment)


def test_a_value_carried_to_another_row_shows_in_the_chain(db):
    first, second = AttachmentFactory(content=PDF), AttachmentFactory(content=b"%PDF-1.4 another")
    taken = "(SELECT content FROM records_attachment WHERE id = %s)"
    past_the_guard(f"UPDATE records_attachment SET content = {taken} WHERE id = %s", first.pk, second.pk)
    assert [broken.row for broken in seals.verify().breaks] == [second.pk]


def test_what_somebody_wrote_into_the_column_does_not_open(db):
    attachment = AttachmentFactory(content=PDF)
    past_the_guard("UPDATE records_attachment SET content = %s", b"%PDF-1.4 forged")
    with pytest.raises(KeyMissing, match="not locked"):
        assert Attachment.objects.get(pk=attachment.pk).content


def test_a_page_whose_key_is_missing_says_so_and_names_nobody(client, signed_in, settings, tmp_path, caplog):
    signed_in("physician")
    attachment = AttachmentFactory(content=PDF, format="application/pdf", name="maria.pdf")
    settings.MASTER_KEY_FILE = tmp_path / "gone.key"
    keys._opened.clear()  # as in a process that begins without the file
    address = f"/patients/{attachment.patient.chart_number}/files/{attachment.pk}/"
    answer = client.get(address)
    assert answer.status_code == 503
    assert "its key is missing" in answer.text
    assert "Maria" not in answer.text
    assert "A value does not open" in caplog.text
    assert "maria" not in caplog.text.lower()


@pytest.mark.parametrize("lookup", ["content", "content__in", "content__gt", "content__icontains", "content__length"])
def test_the_database_can_not_search_it(db, lookup):
    with pytest.raises(FieldError, match="encrypted"):
        list(Attachment.objects.filter(**{lookup: PDF}))


def test_whether_there_is_anything_can_be_asked(db):
    full, empty = AttachmentFactory(content=PDF), AttachmentFactory(content=b"")
    assert list(Attachment.objects.filter(content=b"")) == [empty]
    assert list(Attachment.objects.exclude(content=b"").filter(content__isnull=False)) == [full]
    assert stored(Attachment, "content", empty.pk) == b""


def test_many_rows_at_once_are_locked_too(db):
    rows = [AttachmentFactory.build(patient=AttachmentFactory().patient, added_by=None, content=PDF, size=1) for _ in range(3)]
    seals.bulk_seal(rows)
    assert seals.verify().breaks == []
    assert all(stored(Attachment, "content", row.pk).startswith(b"MESO1") for row in rows)


def test_a_thousand_rows_ask_for_the_key_once(db, django_assert_num_queries):
    keys.forget()
    with django_assert_num_queries(1):
        for number in range(50):
            Locked.of(Attachment._meta.get_field("content"), b"%d" % number)


def test_the_migration_refuses_rows_from_before_and_says_what_to_do(db):
    look, editor = refuse_plain_rows("records"), SimpleNamespace(connection=connection)
    look(apps, editor)  # nothing there: nothing to say
    AttachmentFactory(content=PDF)
    look(apps, editor)
    past_the_guard("UPDATE records_attachment SET content = %s", PDF)
    with pytest.raises(CommandError, match="Begin with an empty database"):
        look(apps, editor)


def test_every_encrypted_column_says_its_place_once():
    """Two columns that share a place could exchange their values unnoticed."""
    fields = [field for model in apps.get_models() for field in encrypted_fields(model)]
    assert len(fields) > 15
    assert len({field.place for field in fields}) == len(fields)
    assert all(isinstance(field, Encrypted) for field in fields)
