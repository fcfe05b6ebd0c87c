"""The audit is sealed: one chain of the office, laid just before COMMIT; tampering shows; writers at once don't fork or wait."""

import importlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from meso import anchors, audit, office_chain, seals
from meso.models import AccessEvent, ChainHead, Seal, User
from meso.office_chain import OFFICE
from records.models import Patient
from tests.factories import AT, EntryFactory, PatientFactory, UserFactory
from tests.meso import processes
from tests.meso.test_seals import tamper

WRITERS, ROWS = 6, 20


def looked(**facts) -> AccessEvent:
    return audit.record(audit.Action.VIEW, "chart", **facts)


def breaks() -> list[tuple[int, str, int | None]]:
    return [(broken.place, broken.table, broken.row) for broken in seals.verify().breaks]


def links() -> list[tuple[int, int]]:
    """The office's chain as (place, number of the event)."""
    return list(Seal.objects.filter(chain=OFFICE).order_by("place").values_list("place", "row"))


@pytest.fixture
def events(db):
    """Four looks, which are links 1 to 4."""
    made = [looked(chart=str(10000 + number)) for number in (1, 2, 3, 4)]
    assert seals.verify().breaks == []
    return made


# --- every event is a link ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_event_is_sealed_when_its_transaction_is_over_and_not_a_moment_later():
    event = looked()
    assert links() == [(1, event.pk)]
    with transaction.atomic():
        second, third = looked(), looked()
        assert links() == [(1, event.pk)]
    assert links() == [(1, event.pk), (2, second.pk), (3, third.pk)]
    assert ChainHead.objects.get(chain=OFFICE).length == 3
    assert seals.verify().breaks == []


@pytest.mark.django_db(transaction=True)
def test_what_is_taken_back_gets_no_link():
    with pytest.raises(RuntimeError), transaction.atomic():
        looked()
        raise RuntimeError
    with transaction.atomic():
        first = looked(chart="1")
        with pytest.raises(RuntimeError), transaction.atomic():
            looked(chart="2")
            raise RuntimeError
        last = looked(chart="3")  # on SQLite it takes the number of the one that was taken back
    with transaction.atomic(), pytest.raises(RuntimeError), transaction.atomic():
        looked(chart="4")
        raise RuntimeError
    assert links() == [(1, first.pk), (2, last.pk)]
    assert (seals.verify().breaks, connection.last_acts) == ([], {})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [ZeroDivisionError, DatabaseError])
def test_an_act_whose_event_can_not_be_sealed_is_undone(monkeypatch, failure):
    def fails(*args):
        raise failure

    patient, who = PatientFactory(), UserFactory(role="physician")
    hooks: list[str] = []
    with monkeypatch.context() as broken:
        broken.setattr(office_chain, "seal_over", fails)
        with pytest.raises(failure), transaction.atomic():
            EntryFactory(patient=patient, author=who)
            transaction.on_commit(lambda: hooks.append("ran"))
            looked()
    looked()
    assert (patient.entries.count(), AccessEvent.objects.count(), hooks) == (0, 1, [])
    assert seals.verify().breaks == []


def test_an_event_with_an_address_and_a_zone_reads_back_as_it_was_sealed(db):
    for address in ("10.0.0.7", "::1", "2001:DB8::00:1", "::ffff:10.0.0.7", "fe80::1%eth0"):
        looked(request=RequestFactory(REMOTE_ADDR=address).get("/"), user=UserFactory())
    assert seals.verify().breaks == []


text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=70)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=text, chart=text, detail=text, address=st.ip_addresses().map(str))
def test_any_event_reads_back_as_it_was_sealed(db, subject, chart, detail, address):
    with transaction.atomic():
        audit.record("view", subject, chart=chart, detail=detail, request=RequestFactory(REMOTE_ADDR=address).get("/"))
        assert seals.verify().breaks == []
        transaction.set_rollback(True)


def test_the_events_of_before_get_their_links_when_the_chain_is_laid(db):
    AccessEvent.objects.bulk_create([AccessEvent(at=AT, action="view", subject="chart") for _ in range(2500)])
    tamper("DELETE FROM meso_chainhead")
    assert len(seals.verify().breaks) == 2500
    migration = importlib.import_module("meso.migrations.0006_seal_the_audit")
    migration.seal_what_is_there(apps, SimpleNamespace(connection=connection))
    looked()
    report = seals.verify()
    assert (report.breaks, report.links) == ([], 2501)


# --- tampering shows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["detail = 'x'", "user_id = NULL", "chart_number = ''", "action = 'search'", "address = NULL"])
def test_a_changed_event_is_found(db, change):
    for _ in range(3):
        looked(user=UserFactory(), chart="10023", request=RequestFactory().get("/"))
    second = AccessEvent.objects.order_by("pk")[1]
    tamper(f"UPDATE meso_accessevent SET {change} WHERE id = {second.pk}")
    assert breaks() == [(2, "meso.accessevent", second.pk)]


def test_a_removed_event_is_found_with_its_link_or_without(events):
    tamper(f"DELETE FROM meso_accessevent WHERE id = {events[1].pk}")
    assert breaks() == [(2, "meso.accessevent", events[1].pk)]
    tamper(f"DELETE FROM meso_seal WHERE \"row\" = {events[1].pk} AND chain = '{OFFICE}'")
    assert breaks() == [(3, "meso.accessevent", events[2].pk)]


def test_a_cut_tail_is_found(events):
    tamper("DELETE FROM meso_seal WHERE place = 4", f"DELETE FROM meso_accessevent WHERE id = {events[3].pk}")
    assert breaks() == [(3, "chain", None)]


def test_an_event_put_in_by_hand_is_found(events):
    tamper(
        "INSERT INTO meso_accessevent (id, at, action, subject, chart_number, detail) "
        "SELECT id + 5000, at, action, subject, chart_number, detail FROM meso_accessevent "
        f"WHERE id = {events[0].pk}"
    )
    assert breaks() == [(0, "meso.accessevent", events[0].pk + 5000)]
    looked()  # and nobody who comes after seals it by the way
    assert breaks() == [(0, "meso.accessevent", events[0].pk + 5000)]


def test_two_events_that_change_places_are_found(events):
    second, third = events[1].pk, events[2].pk
    tamper(
        f'UPDATE meso_seal SET "row" = 0 WHERE "row" = {second}',
        f'UPDATE meso_seal SET "row" = {second} WHERE "row" = {third}',
        f'UPDATE meso_seal SET "row" = {third} WHERE "row" = 0',
    )
    assert breaks() == [(2, "meso.accessevent", third), (3, "meso.accessevent", second)]


def test_verify_records_names_the_event_and_fails(events, capsys):
    call_command("verify_records")
    assert "All 5 links of 1 chains hold." in capsys.readouterr().out
    tamper(f"UPDATE meso_accessevent SET chart_number = '10099' WHERE id = {events[2].pk}")
    with pytest.raises(
        CommandError, match=rf"office, link 3 \(meso\.accessevent {events[2].pk}\): the row is not what was sealed"
    ):
        call_command("verify_records")


def test_an_audit_rewritten_with_its_whole_chain_shows_against_the_anchor(events):
    paper = anchors.make(AT.date(), AT).text
    tamper(f"UPDATE meso_accessevent SET detail = 'nothing to see' WHERE id = {events[1].pk}")
    previous, statements = seals.START, []
    for place, row in links():
        seal = seals.seal_over(previous, AccessEvent.objects.get(pk=row))
        statements.append(
            f"UPDATE meso_seal SET previous = '{previous}', seal = '{seal}' WHERE chain = '{OFFICE}' AND place = {place}"
        )
        previous = seal
    tamper(*statements, f"UPDATE meso_chainhead SET seal = '{previous}' WHERE chain = '{OFFICE}'")
    assert seals.verify().breaks == []
    assert not anchors.check(paper).holds


# --- many at once ---------------------------------------------------------------------------------------------------


def work(number: int, patient: int, author: int) -> None:
    """What one of the staff does: looks, and writes to the one chart with its event before it or behind it, by turns."""
    who, chart = User.objects.get(pk=author), Patient.objects.get(pk=patient)
    for row in range(ROWS):
        if row % 3 == 0:
            looked(user=who)
            continue
        with transaction.atomic():
            User.objects.select_for_update().get(pk=author)  # and COMMIT of the others' events asks for this row, too
            if (row + number) % 2:
                looked(user=who)
            EntryFactory(patient=chart, author=who, title=f"{number}, {row}")
            if not (row + number) % 2:
                looked(user=who)


def in_threads(patient: int, author: int) -> None:
    def one(number: int) -> None:
        try:
            work(number, patient, author)
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(one, range(WRITERS), timeout=120))


def in_processes(patient: int, author: int) -> None:
    processes.run_at_once(work, [(number, patient, author) for number in range(WRITERS)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("together", [in_threads, in_processes])
def test_writers_at_once_lose_no_event_fork_no_chain_and_never_wait_on_each_other(together):
    patient, author = PatientFactory(), UserFactory(role="physician")
    together(patient.pk, author.pk)
    assert AccessEvent.objects.count() == WRITERS * ROWS
    assert [place for place, _row in links()] == list(range(1, WRITERS * ROWS + 1))
    assert {row for _place, row in links()} == set(AccessEvent.objects.values_list("pk", flat=True))
    assert seals.verify().breaks == []


@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_holds_up_nobody_else_s_page():
    """On PostgreSQL. SQLite has one writer at a time, whatever is written."""
    if connection.vendor == "sqlite":
        assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        return
    written = threading.Event()

    def another() -> None:
        try:
            looked(chart="2")
            written.set()
        finally:
            connection.close()

    with transaction.atomic():
        mine = looked(chart="1")
        thread = threading.Thread(target=another)
        thread.start()
        assert written.wait(20), "a page waited for somebody else's transaction"
        thread.join()
    theirs = AccessEvent.objects.get(chart_number="2")
    assert links() == [(1, theirs.pk), (2, mine.pk)]
    assert seals.verify().breaks == []


def test_an_event_of_before_stays_where_the_filter_looks_for_it(events):
    """Reading by days leans on numbers that follow the times: the chain changes neither."""
    found = AccessEvent.objects.between(events[0].at - timedelta(seconds=1), events[-1].at + timedelta(seconds=1))
    assert {event.pk for event in found} == {event.pk for event in events}


# --- a head that is gone ----------------------------------------------------------------------------------------------


def headless_office() -> None:
    """An office that has worked, and whose chain's head somebody deleted."""
    for _ in range(3):
        looked()
    connection.do_last_acts()
    tamper(f"DELETE FROM meso_chainhead WHERE chain = '{OFFICE}'")


@pytest.mark.django_db(transaction=True)
def test_without_its_head_nothing_can_be_written_and_every_command_says_what_to_run():
    headless_office()
    with pytest.raises(DatabaseError):
        looked()
    with pytest.raises(CommandError, match=r"The head of the office's chain is gone.*rebuild_head"):
        call_command("verify_records")


@pytest.mark.django_db(transaction=True)
def test_the_head_is_rebuilt_from_the_last_link_and_the_office_works_on(capsys):
    headless_office()
    before = Seal.objects.filter(chain=OFFICE).latest("place")
    call_command("rebuild_head")
    assert f"{OFFICE}: 3 links, its head stands again." in capsys.readouterr().out
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject) == ("command", "command rebuild_head")
    assert Seal.objects.get(chain=OFFICE, place=before.place + 1).previous == before.seal
    looked()
    call_command("verify_records")
    assert "hold" in capsys.readouterr().out
    call_command("rebuild_head")
    assert "Every chain has its head." in capsys.readouterr().out


BROKEN = {
    "a changed event": "UPDATE meso_accessevent SET detail = 'x' WHERE id = (SELECT MIN(id) FROM meso_accessevent)",
    "a link taken out": f"DELETE FROM meso_seal WHERE chain = '{OFFICE}' AND place = 2",
    "a link cut off": f"DELETE FROM meso_seal WHERE chain = '{OFFICE}' AND place = 3",
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_where_more_than_the_head_is_gone_nothing_is_rebuilt(broken):
    headless_office()
    tamper(broken)
    with pytest.raises(CommandError, match=r"Nothing was rebuilt. More is gone than a head"):
        call_command("rebuild_head")
    assert seals.headless() == [OFFICE]


@pytest.mark.django_db(transaction=True)
def test_a_tail_that_was_cut_off_with_its_rows_shows_against_the_anchor_before_it_is_rebuilt():
    for _ in range(3):
        looked()
    anchor = anchors.make(AT.date(), AT)
    last = Seal.objects.filter(chain=OFFICE).latest("place")
    tamper(
        f"DELETE FROM meso_chainhead WHERE chain = '{OFFICE}'",
        f"DELETE FROM meso_seal WHERE id = {last.pk}",
        f"DELETE FROM meso_accessevent WHERE id = {last.row}",
    )
    with pytest.raises(CommandError, match="Nothing was rebuilt"):
        call_command("rebuild_head", anchor=anchor.text)
    assert seals.headless() == [OFFICE]
