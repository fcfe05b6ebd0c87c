"""Encrypted columns: plain in Python, locked in the database, not searched, sealed as they are stored."""

import base64
import json
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import FieldError, ValidationError
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, models, transaction

from meso import append_only, keys, seals
from meso.encrypted import Encrypted, EncryptedBinaryField, Locked, encrypted_fields, lock_plain_words, refuse_plain_rows
from meso.keys import KeyMissing
from meso.models import Draft
from meso.seals import Seal
from records.models import Attachment, Entry
from requests_app.models import PatientRequest
from tests.conftest import as_owner, past_the_guard
from tests.factories import AT, AttachmentFactory, EntryFactory, PatientFactory, RequestFactory, UserFactory

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


# --- words --------------------------------------------------------------------------------------------------------------


def words_of(row) -> dict[str, bytes]:
    """What the database itself holds of each encrypted column of this row."""
    return {field.name: stored(type(row), f'"{field.column}"', row.pk) for field in encrypted_fields(type(row))}


def test_the_words_of_a_chart_can_not_be_read_in_the_database(db):
    told = {"title": "HIV test", "areas": "Abdomen", "technique": "Nappage", "reaction": "Redness", "body": "Told in confidence."}
    entry = EntryFactory(**told, products=[{"name": "Lipostabil", "lot": "7"}])
    strike = entry.strike(by=entry.author, at=AT, reason="Not true", passage="confidence")
    addendum = entry.add_addendum(by=entry.author, at=AT, body="More in confidence.")
    for row in (entry, strike, addendum):
        for name, held in words_of(row).items():
            assert base64.b64decode(held, validate=True).startswith(b"MESO1"), name
    again = Entry.objects.get(pk=entry.pk)
    assert {name: getattr(again, name) for name in told} == told
    assert again.products == [{"name": "Lipostabil", "lot": "7"}]
    assert seals.verify().breaks == []


def test_nothing_is_stored_as_nothing(db):
    entry = EntryFactory(body="", areas="", products=[])
    assert {name: words_of(entry)[name] for name in ("body", "areas", "products")} == {
        "body": b"", "areas": b"", "products": b"[]",
    }  # fmt: skip
    again = Entry.objects.get(pk=entry.pk)
    assert (again.body, again.areas, again.products) == ("", "", [])
    assert list(Entry.objects.filter(body="")) == [entry]


def test_what_is_changed_in_place_is_stored(db):
    draft = Draft.objects.create(user=UserFactory(), path="/x/", fields={"body": ["a"]}, saved_at=AT)
    before = words_of(draft)["fields"]
    read = Draft.objects.get(pk=draft.pk)
    read.fields["body"].append("b")
    read.save()
    assert Draft.objects.get(pk=draft.pk).fields == {"body": ["a", "b"]}
    assert words_of(draft)["fields"] != before


def test_a_row_that_is_saved_without_a_look_keeps_its_locked_bytes(db):
    asked = RequestFactory(description="Please send my photographs.")
    before = words_of(asked)["description"]
    PatientRequest.objects.get(pk=asked.pk).save()
    assert words_of(asked)["description"] == before
    PatientRequest.objects.filter(pk=asked.pk).update(description="Other words")
    assert PatientRequest.objects.get(pk=asked.pk).description == "Other words"
    assert b"Other" not in words_of(asked)["description"]


def test_a_line_of_words_is_as_long_as_its_form_allows(db):
    entry = EntryFactory.build(title="x" * 201, patient=PatientFactory(), author=UserFactory())
    with pytest.raises(ValidationError) as refusal:
        entry.full_clean()
    assert "title" in refusal.value.message_dict


# --- rows from before -------------------------------------------------------------------------------------------------


@pytest.fixture
def old_entry(db):
    """An entry as a Meso before the encryption of words left it: its words plain in the database, and its seal laid over them."""
    products = [{"name": "Lipostabil", "lot": "7"}]
    entry = EntryFactory(title="HIV test", body="Told in confidence.", areas="", products=products)
    link = Seal.objects.get()
    seal = seals.seal_over(link.previous, entry, words_open=True)
    assert "Told in confidence." in seals.canonical_json(entry, words_open=True)
    assert seal != link.seal
    past_the_guard("UPDATE meso_seal SET seal = %s", seal)
    past_the_guard("UPDATE meso_chainhead SET seal = %s WHERE chain = %s", seal, link.chain)
    plain = ("HIV test", "Told in confidence.", json.dumps(products))
    past_the_guard("UPDATE records_entry SET title = %s, body = %s, products = %s", *plain)
    return entry


def migrate_words() -> None:
    """What the migration does once its columns are there."""
    with as_owner(connection):
        lock_plain_words("records")(apps, SimpleNamespace(connection=connection))


@pytest.fixture
def migrated(old_entry):
    migrate_words()
    return Entry.objects.get(pk=old_entry.pk)


def test_the_migration_locks_old_words_and_leaves_what_they_say_and_their_seals(migrated):
    assert {name: held[:6] for name, held in words_of(migrated).items() if held not in (b"", b"[]")} == {
        "title": b"TUVTTz", "body": b"TUVTTz", "products": b"TUVTTz",  # MESO1
    }  # fmt: skip
    assert (migrated.title, migrated.body, migrated.areas) == ("HIV test", "Told in confidence.", "")
    assert migrated.products == [{"name": "Lipostabil", "lot": "7"}]
    assert seals.verify().breaks == []
    newer = EntryFactory(patient=migrated.patient, body="Written after.")
    assert seals.verify().breaks == []
    assert "Written after." not in seals.canonical_json(newer)


def test_the_migration_leaves_the_guard_in_force(migrated):
    assert append_only.missing_triggers(connection) == set()
    refused = pytest.raises(IntegrityError, match="append-only")
    with as_owner(connection), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE records_entry SET body = ''")


def test_words_that_the_migration_left_plain_do_not_pass_for_sealed(old_entry):
    assert [broken.row for broken in seals.verify().breaks] == [old_entry.pk]


def lock_into(entry: Entry, words: str) -> None:
    """Other words in the body, as whoever has the database and its keys would put them there."""
    field = Entry._meta.get_field("body")
    past_the_guard("UPDATE records_entry SET body = %s WHERE id = %s", field.get_prep_value(words), entry.pk)


def test_a_change_of_an_old_row_shows(migrated):
    lock_into(migrated, "Told in confidence.")
    assert seals.verify().breaks == []  # the same words, locked anew
    lock_into(migrated, "Told to everybody.")
    assert ["has been changed" in broken.problem for broken in seals.verify().breaks] == [True]
    past_the_guard("UPDATE records_entry SET body = title")  # bytes that open nowhere else
    assert ["has been changed" in broken.problem for broken in seals.verify().breaks] == [True]


def test_words_that_spell_a_digest_do_not_pass_for_the_locked_bytes_of_a_newer_row(db):
    entry = EntryFactory(title="Visit", body="Seen.", areas="", products=[])
    sealed = json.loads(seals.canonical_json(entry))["row"]
    field = Entry._meta.get_field("title")
    past_the_guard("UPDATE records_entry SET title = %s", field.get_prep_value(sealed["title"]))
    lock_into(entry, sealed["body"])
    link = Seal.objects.get()
    assert seals.seal_over(link.previous, Entry.objects.get(), words_open=True) == link.seal  # what is asked for is needed
    assert ["has been changed" in broken.problem for broken in seals.verify().breaks] == [True]


def test_an_old_row_whose_key_is_missing_is_not_called_changed(migrated, settings, tmp_path):
    settings.MASTER_KEY_FILE = tmp_path / "gone.key"
    keys._opened.clear()
    [broken] = seals.verify().breaks
    assert "or is older than encryption" in broken.problem
    assert "gone.key" in broken.problem


# --- which columns ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        "records.Entry.title", "records.Entry.body", "records.Entry.areas", "records.Entry.products", "records.Entry.technique",
        "records.Entry.reaction", "records.Addendum.body", "records.StrikeThrough.passage", "records.StrikeThrough.reason",
        "records.Misfiling.reason", "records.EntryFlag.reason", "records.MinorDecision.reasoning",
        "records.RepresentativeRefusal.reasoning", "records.RefusalEnding.reason", "records.ContactPreference.where",
        "records.ContactPreference.avoid", "records.Restriction.what", "records.ChartGuard.reason",
        "records.EmergencyAccess.reason", "records.EmergencyReview.words", "disclosures.Breach.what",
        "disclosures.BreachEvent.data", "disclosures.VictimTold.words", "disclosures.Suspension.statement",
        "requests_app.Complaint.complainant", "requests_app.Complaint.reach", "requests_app.Complaint.about",
        "requests_app.ComplaintEvent.text", "requests_app.Disagreement.text", "requests_app.Rebuttal.text",
        "requests_app.WithheldPassage.passage", "requests_app.ReviewOutcome.reasons", "requests_app.Sanction.what_happened",
        "requests_app.PatientRequest.description", "requests_app.PatientRequest.decision_text", "meso.Draft.fields",
    ],
)  # fmt: skip
def test_the_most_sensitive_words_are_encrypted(column):
    model, _, field = column.rpartition(".")
    assert isinstance(apps.get_model(model)._meta.get_field(field), Encrypted)
