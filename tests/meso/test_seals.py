"""Seals: what is canonical, that every kind of tampering shows and is named, and that a row reads back as it was sealed."""

import hashlib
import json
import string
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disclosures.models import AccountingGiven
from meso import seals
from meso.append_only import AppendOnlyError
from meso.seals import ChainHead, Seal, canonical_json, patient_chain
from records.models import Attachment, Entry, Restriction
from tests.conftest import triggers_lifted
from tests.factories import (
    AT,
    AttachmentFactory,
    ContactPreferenceFactory,
    DisclosureFactory,
    EntryFactory,
    PatientFactory,
    RestrictionFactory,
    UserFactory,
)


def tamper(*statements: str) -> None:
    """What somebody with the database's password could do: lift the triggers, run SQL, put the triggers back."""
    with transaction.atomic():
        connection.check_constraints()
        with triggers_lifted(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.check_constraints()


@pytest.fixture
def chart(db):
    """A patient with four entries, which are links 1 to 4 of their chain."""
    patient = PatientFactory()
    author = UserFactory(role="physician")
    entries = [EntryFactory(patient=patient, author=author, title=f"Visit {n}") for n in (1, 2, 3, 4)]
    assert seals.verify().breaks == []
    return patient, entries


def found() -> list[tuple[int, str, int | None]]:
    """The breaks as (place, table, row)."""
    return [(broken.place, broken.table, broken.row) for broken in seals.verify().breaks]


# --- what a seal is -------------------------------------------------------------------------------------------------


def test_canonical_json_is_the_table_and_what_the_row_holds_in_sorted_order(db):
    entry = EntryFactory(signed_as='A "quoted" name, ünïcode 王', body="Seen.", service_on=date(2026, 5, 1), written_at=AT)
    body, title = (hashlib.sha256(Entry._meta.get_field(name).stored_value(entry)).hexdigest() for name in ("body", "title"))
    assert canonical_json(entry) == (
        f'{{"row":{{"author_id":{entry.author_id},"body":"sha256:{body}","id":{entry.pk},"kind":"visit_note",'
        f'"patient_id":{entry.patient_id},"service_on":"2026-05-01","signed_as":"A \\"quoted\\" name, ünïcode 王",'
        f'"title":"sha256:{title}","written_at":"2026-11-24T15:00:00.000000+00:00"}},"table":"records.entry"}}'
    )


def test_a_seal_is_the_sha256_over_the_seal_before_and_the_row(chart):
    _patient, entries = chart
    first, second = Seal.objects.order_by("place")[:2]
    assert first.previous == "0" * 64
    assert second.previous == first.seal
    assert second.seal == hashlib.sha256(f"{first.seal}\n{canonical_json(entries[1])}".encode()).hexdigest()


def test_a_column_that_a_later_version_adds_leaves_old_seals_whole(db):
    entry = EntryFactory()
    written = json.loads(canonical_json(entry))["row"]
    assert {"areas", "technique", "products", "on_paper", "source_id"} & set(written) == set()


def test_every_sealed_table_stands_in_its_patients_chain(db):
    patient = PatientFactory()
    rows = [
        EntryFactory(patient=patient),
        AttachmentFactory(patient=patient),
        RestrictionFactory(patient=patient),
        ContactPreferenceFactory(patient=patient),
        DisclosureFactory(patient=patient),
    ]
    chain = Seal.objects.filter(chain=patient_chain(patient.pk)).order_by("place")
    assert [(link.table, link.row) for link in chain] == [(row._meta.label_lower, row.pk) for row in rows]
    head = ChainHead.objects.get(chain=patient_chain(patient.pk))
    assert (head.length, head.seal) == (5, chain[4].seal)


def test_a_row_whose_link_can_not_be_written_is_not_written_either(chart, monkeypatch):
    patient, _entries = chart
    monkeypatch.setattr(seals, "canonical_json", lambda instance, **how: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        EntryFactory(patient=patient, title="Half written")
    assert patient.entries.count() == 4


def test_the_database_refuses_a_fork(chart):
    """A second link behind one seal, or at one place, can't be stored even with the triggers off."""
    last = Seal.objects.order_by("-place")[0]
    connection.check_constraints()
    for place, previous in ((last.place, "1" * 64), (last.place + 1, last.previous)):
        with triggers_lifted(), pytest.raises(IntegrityError, match=r"(?i)unique"), transaction.atomic():
            Seal.objects.create(chain=last.chain, place=place, table="x", row=place, previous=previous, seal="2" * 64)


# --- tampering shows, and where ------------------------------------------------------------------------------------


def test_a_changed_byte_is_found(chart):
    _patient, entries = chart
    tamper(f"UPDATE records_entry SET body = body || '.' WHERE id = {entries[1].pk}")
    assert found() == [(2, "records.entry", entries[1].pk)]
    assert "changed" in seals.verify().breaks[0].problem


@pytest.mark.parametrize(
    "change",
    [
        "service_on = '2026-05-02'",
        "written_at = '2026-11-24 15:00:00.000001'",
        "author_id = NULL",
        "kind = 'consent'",
        "on_paper = true",
    ],
)
def test_a_change_of_any_column_is_found(chart, change):
    _patient, entries = chart
    tamper(f"UPDATE records_entry SET {change} WHERE id = {entries[2].pk}")
    assert found() == [(3, "records.entry", entries[2].pk)]


def test_a_changed_byte_of_an_attachment_is_found(db):
    attachment = AttachmentFactory()
    value = "X'00'" if connection.vendor == "sqlite" else "'\\x00'::bytea"
    tamper(f"UPDATE records_attachment SET content = {value}")
    assert found() == [(1, "records.attachment", attachment.pk)]


def test_a_removed_row_is_found(chart):
    _patient, entries = chart
    tamper(f"DELETE FROM records_entry WHERE id = {entries[1].pk}")
    assert found() == [(2, "records.entry", entries[1].pk)]
    assert "gone" in seals.verify().breaks[0].problem


def test_a_removed_row_with_its_seal_is_found_at_the_link_behind_it(chart):
    _patient, entries = chart
    tamper(f'DELETE FROM meso_seal WHERE "row" = {entries[1].pk}', f"DELETE FROM records_entry WHERE id = {entries[1].pk}")
    [broken] = seals.verify().breaks
    assert (broken.place, broken.row) == (3, entries[2].pk)
    assert "link 2 is missing" in broken.problem


def test_a_removed_last_row_with_its_seal_is_found(chart):
    patient, entries = chart
    tamper(f'DELETE FROM meso_seal WHERE "row" = {entries[3].pk}', f"DELETE FROM records_entry WHERE id = {entries[3].pk}")
    [broken] = seals.verify().breaks
    assert (broken.chain, broken.place) == (patient_chain(patient.pk), 3)
    assert "ends at link 3, its head says 4" in broken.problem


def test_a_swapped_order_of_links_is_found(chart):
    _patient, entries = chart
    tamper(
        "UPDATE meso_seal SET place = 99 WHERE place = 2",
        "UPDATE meso_seal SET place = 2 WHERE place = 3",
        "UPDATE meso_seal SET place = 3 WHERE place = 99",
    )
    assert found()[0] == (2, "records.entry", entries[2].pk)
    assert "order" in seals.verify().breaks[0].problem


def test_two_rows_that_change_places_are_found(chart):
    """The links stay, and what they seal is exchanged."""
    _patient, entries = chart
    second, third = entries[1].pk, entries[2].pk
    tamper(
        f'UPDATE meso_seal SET "row" = 0 WHERE "row" = {second}',
        f'UPDATE meso_seal SET "row" = {second} WHERE "row" = {third}',
        f'UPDATE meso_seal SET "row" = {third} WHERE "row" = 0',
    )
    assert found() == [(2, "records.entry", third), (3, "records.entry", second)]


def insert_copy_of(entry: Entry) -> str:
    columns = [field.column for field in Entry._meta.concrete_fields]
    picked = ", ".join("id + 5000" if column == "id" else f'"{column}"' for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    return f"INSERT INTO records_entry ({names}) SELECT {picked} FROM records_entry WHERE id = {entry.pk}"


def test_an_inserted_row_is_found(chart):
    patient, entries = chart
    tamper(insert_copy_of(entries[0]))
    [broken] = seals.verify().breaks
    assert (broken.chain, broken.table, broken.row) == (patient_chain(patient.pk), "records.entry", entries[0].pk + 5000)
    assert "no seal" in broken.problem


def test_an_inserted_row_with_a_made_up_link_in_the_middle_is_found(chart):
    patient, entries = chart
    chain = patient_chain(patient.pk)
    tamper(
        insert_copy_of(entries[0]),
        "UPDATE meso_seal SET place = place + 100 WHERE place > 2",
        "UPDATE meso_seal SET place = place - 99 WHERE place > 100",
        'INSERT INTO meso_seal (chain, place, "table", "row", previous, seal) '
        f"VALUES ('{chain}', 3, 'records.entry', {entries[0].pk + 5000}, '{'a' * 64}', '{'b' * 64}')",
        f"UPDATE meso_chainhead SET length = 5 WHERE chain = '{chain}'",
    )
    assert found()[0] == (3, "records.entry", entries[0].pk + 5000)


def test_a_row_moved_to_another_chart_is_found(chart):
    patient, entries = chart
    other = PatientFactory()
    tamper(f"UPDATE records_entry SET patient_id = {other.pk} WHERE id = {entries[0].pk}")
    [broken] = seals.verify().breaks
    assert (broken.chain, broken.place) == (patient_chain(patient.pk), 1)
    assert "another chart" in broken.problem


def test_an_emptied_chain_is_found(chart):
    patient, _entries = chart
    tamper("DELETE FROM meso_seal", "DELETE FROM records_entry")
    [broken] = seals.verify().breaks
    assert broken.chain == patient_chain(patient.pk)
    assert "head says 4" in broken.problem


def test_a_head_that_was_taken_away_or_set_back_is_found(chart):
    patient, _entries = chart
    chain = patient_chain(patient.pk)
    tamper(f"UPDATE meso_chainhead SET length = 3 WHERE chain = '{chain}'")
    assert found() == [(4, "chain", None)]
    of_chain = f"WHERE place = 4 AND meso_chainhead.chain = '{chain}'"
    tamper(f"UPDATE meso_chainhead SET length = 4, seal = previous FROM meso_seal {of_chain}")
    assert [broken.problem for broken in seals.verify().breaks] == ["its head holds another seal"]
    tamper(f"DELETE FROM meso_chainhead WHERE chain = '{chain}'")
    assert [(broken.chain, broken.problem) for broken in seals.verify().breaks] == [(chain, "the chain's head is gone")]


def test_a_break_is_named_in_its_own_chain_only(chart):
    _patient, entries = chart
    EntryFactory.create_batch(3)
    tamper(f"UPDATE records_entry SET title = 'Changed' WHERE id = {entries[3].pk}")
    report = seals.verify()
    assert (report.chains, report.links) == (4, 7)
    assert [broken.row for broken in report.breaks] == [entries[3].pk]


def test_chains_beyond_one_batch_are_all_verified(db, monkeypatch):
    patients = PatientFactory.create_batch(320)
    author = UserFactory(role="physician")
    seals.bulk_seal([EntryFactory.build(patient=patient, author=author) for patient in patients])
    assert (seals.verify().chains, seals.verify().links) == (320, 320)
    last = Entry.objects.order_by("-pk")[0]
    tamper(f"UPDATE records_entry SET title = 'Changed' WHERE id = {last.pk}")
    assert [row for _place, _table, row in found()] == [last.pk]


# --- many at once --------------------------------------------------------------------------------------------------


def test_rows_sealed_in_bulk_are_links_like_those_written_one_by_one(db):
    one, two = PatientFactory.create_batch(2)
    author = UserFactory(role="physician")
    EntryFactory(patient=one, author=author)
    rows = [EntryFactory.build(patient=patient, author=author, title=f"Bulk {n}") for n in (1, 2, 3) for patient in (one, two)]
    rows.append(AttachmentFactory.build(patient=two, added_by=author, size=1, sha256="0" * 64))
    seals.bulk_seal(rows)
    EntryFactory(patient=two, author=author)
    for patient, length in ((one, 4), (two, 5)):
        previous = seals.START
        for place, link in enumerate(Seal.objects.filter(chain=patient_chain(patient.pk)).order_by("place"), start=1):
            model = Attachment if link.table == "records.attachment" else Entry
            assert (link.place, link.previous) == (place, previous)
            assert link.seal == seals.seal_over(previous, model._base_manager.get(pk=link.row))
            previous = link.seal
        assert ChainHead.objects.get(chain=patient_chain(patient.pk)).length == length
    assert seals.verify().breaks == []


def test_bulk_create_goes_round_the_seal_and_is_found(db):
    """The way round is open to code of ours only; `verify` tells when somebody took it."""
    author = UserFactory(role="physician")
    Entry.objects.bulk_create([EntryFactory.build(patient=PatientFactory(), author=author)])
    assert "no seal" in seals.verify().breaks[0].problem


def test_the_cost_of_verifying_grows_in_queries_by_batches_only(chart, django_assert_num_queries):
    with django_assert_num_queries(6 + len(seals.sealed_models())):
        seals.verify()


# --- a row reads back as it was sealed ------------------------------------------------------------------------------

text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=60)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
instants = st.datetimes(
    datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-5)))
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    title=text.filter(str.strip),
    body=text,
    products=st.lists(json_values, max_size=3),
    written_at=instants,
    service_on=st.dates(date(1900, 1, 1), date(2100, 1, 1)) | st.sampled_from(["2026-05-01", "1999-12-31"]),
    on_paper=st.booleans() | st.none().map(bool),
)
def test_an_entry_reads_back_as_it_was_sealed(chart, title, body, products, written_at, service_on, on_paper):
    patient, entries = chart
    with transaction.atomic():
        entry = EntryFactory(
            patient=patient,
            author=entries[0].author,
            title=title,
            body=body,
            products=products,
            written_at=written_at,
            service_on=service_on,
            on_paper=on_paper,
        )
        link = Seal.objects.get(table="records.entry", row=entry.pk)
        assert seals.seal_over(link.previous, Entry.objects.get(pk=entry.pk)) == link.seal
        transaction.set_rollback(True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=300),
    kind=st.sampled_from([bytes, memoryview, bytearray]),
    fee=st.decimals(-1, 99999, places=2) | st.sampled_from([0, "0", "6.5", Decimal("-0.00"), Decimal("1E+2")]),
)
def test_bytes_and_money_read_back_as_they_were_sealed(chart, content, kind, fee):
    patient, entries = chart
    with transaction.atomic():
        given_out = AccountingGiven.objects.create(
            patient=patient,
            start=date(2026, 1, 1),
            end="2026-11-24",
            scope="notice",
            issued_on=date(2026, 11, 24),
            issued_at=AT,
            issued_by=entries[0].author,
            fee=fee,
            lines="3",
            document=kind(content),
        )
        link = Seal.objects.get(table="disclosures.accountinggiven", row=given_out.pk)
        assert seals.seal_over(link.previous, AccountingGiven._base_manager.get(pk=given_out.pk)) == link.seal
        transaction.set_rollback(True)


def test_two_spellings_of_one_letter_are_two_texts(db):
    """é as one character and as two are kept as they came, and a change from one to the other is a change."""
    entry = EntryFactory(title="caf\u00e9")
    assert Entry.objects.get(pk=entry.pk).title == "caf\u00e9"
    tamper(f"UPDATE records_entry SET title = 'cafe\u0301' WHERE id = {entry.pk}")
    assert found() == [(1, "records.entry", entry.pk)]


def test_what_would_read_back_differently_is_refused(db):
    with pytest.raises(TypeError, match="sealed JSON"), transaction.atomic():
        RestrictionFactory(covers=[{"dose": 0.5}])
    with pytest.raises(TypeError, match="sealed JSON"), transaction.atomic():
        RestrictionFactory(covers=[{1: "a key that is no text"}])
    with pytest.raises(ValueError, match="time zone"):
        seals._plain(Entry._meta.get_field("written_at"), datetime(2026, 11, 24, 10, 0))
    assert not Restriction.objects.exists()


# --- the command ---------------------------------------------------------------------------------------------------


def test_verify_records_says_that_all_holds(chart, capsys):
    call_command("verify_records")
    assert capsys.readouterr().out == "All 5 links of 2 chains hold.\n"  # with the audit's, which tells of the command


def test_verify_records_names_the_first_broken_link_and_fails(chart, capsys):
    from django.core.management import CommandError

    patient, entries = chart
    tamper(f"UPDATE records_entry SET title = 'Changed' WHERE id IN ({entries[1].pk}, {entries[3].pk})")
    with pytest.raises(CommandError) as failure:
        call_command("verify_records")
    assert failure.value.returncode == 1
    assert str(failure.value) == (
        f"The first broken link: patient/{patient.pk}, link 2 (records.entry {entries[1].pk}): "
        "the row is not what was sealed: it has been changed. 1 more broken after it; --format json lists them all."
    )


def test_verify_records_as_json(chart, capsys):
    from django.core.management import CommandError

    patient, entries = chart
    call_command("verify_records", format="json")
    assert json.loads(capsys.readouterr().out) == {"ok": True, "chains": 2, "links": 5, "breaks": []}
    tamper(f"DELETE FROM records_entry WHERE id = {entries[0].pk}")
    with pytest.raises(CommandError):
        call_command("verify_records", format="json")
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "chains": 2,
        "links": 6,
        "breaks": [
            {
                "chain": f"patient/{patient.pk}",
                "place": 1,
                "table": "records.entry",
                "row": entries[0].pk,
                "problem": "the row it sealed is gone",
            }
        ],
    }


def test_a_seal_itself_can_not_be_changed(chart):
    link = Seal.objects.first()
    link.seal = "0" * 64
    with pytest.raises(AppendOnlyError):
        link.save()


def test_a_seal_is_sixty_four_hexadecimal_digits(chart):
    assert all(set(link.seal) <= set(string.hexdigits) and len(link.seal) == 64 for link in Seal.objects.all())
