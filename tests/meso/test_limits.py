"""How often something may be done: the one table of limits, and the page beyond them."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.http import HttpResponse

from meso import brakes
from meso.limits import Limit, Tally, network_of
from meso.models import AccessEvent, Office
from tests.factories import PatientFactory

AT = datetime(2026, 11, 24, 15, tzinfo=UTC)
THREE = Limit("three", most=3, window=timedelta(minutes=15))


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


# --- counting ---------------------------------------------------------------------------------------------------------


def test_three_are_three_and_the_window_begins_with_the_first(db):
    for minute in (0, 5, 10):
        assert THREE.wait(after(minute), "a") is None
        THREE.add(after(minute), "a")
    assert THREE.wait(after(10), "a") == timedelta(minutes=5)
    assert THREE.wait(after(14.99), "a") is not None
    assert THREE.wait(after(15), "a") is None
    THREE.add(after(15), "a")
    assert THREE.count(after(15), "a") == 1


def test_each_counts_for_itself(db):
    for _ in range(3):
        THREE.add(AT, "a")
    assert THREE.wait(AT, "a")
    assert THREE.wait(AT, "b") is None
    assert Limit("other", 3, THREE.window).wait(AT, "a") is None
    assert THREE.wait(AT, "a", "") is None


def test_what_is_forgotten_begins_anew(db):
    for _ in range(3):
        THREE.add(AT, "a")
    assert THREE.forget("a")
    assert THREE.wait(AT, "a") is None
    assert not THREE.forget("a")


def test_the_table_says_nothing_of_whom_it_counts_and_does_not_grow(db):
    THREE.add(AT, "198.51.100.7")
    assert "198" not in str(list(Tally.objects.values_list("key", flat=True)))
    for number in range(20):
        THREE.add(after(60), number)
    assert Tally.objects.filter(until__lt=after(60)).count() == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        (None, "no address"),
    ],
)
def test_a_place_is_an_address_or_the_network_within_which_one_machine_takes_any(address, network):
    assert network_of(address) == network


# --- the page beyond --------------------------------------------------------------------------------------------------


@pytest.fixture
def view():
    @brakes.at_most(THREE, method="POST")
    def view(request):
        return HttpResponse("done")

    return view


def ask(view, rf, method="post", address="198.51.100.7"):
    return getattr(rf, method)("/privacy/x/", REMOTE_ADDR=address)


def test_beyond_the_limit_the_page_says_how_long_and_one_event_is_written(view, rf, db):
    with time_machine.travel(AT, tick=False):
        answers = [view(ask(view, rf)) for _ in range(9)]
        other = view(ask(view, rf, address="198.51.100.8"))
        looked = view(ask(view, rf, "get"))
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 6
    assert (other.status_code, looked.status_code) == (200, 200)
    assert "Try again in 15 minutes." in answers[-1].text
    assert answers[-1]["Retry-After"] == "900"
    event = AccessEvent.objects.get()
    assert (event.action, event.subject, event.address) == ("refused", "too often: three", "198.51.100.7")


def test_the_next_window_writes_its_own_event(view, rf, db):
    for start in (AT, after(15)):
        with time_machine.travel(start, tick=False):
            for _ in range(5):
                view(ask(view, rf))
    assert AccessEvent.objects.count() == 2


def test_what_is_refused_costs_no_write(view, rf, db, django_assert_num_queries):
    with time_machine.travel(AT, tick=False):
        for _ in range(4):
            view(ask(view, rf))
        with django_assert_num_queries(2):  # whether it is over; whether this refusal is the first
            view(ask(view, rf))


def test_in_words_it_is_never_sooner_than_it_will_be():
    assert brakes.in_words(timedelta(seconds=1)) == "Try again in 1 minute."
    assert brakes.in_words(timedelta(seconds=61)) == "Try again in 2 minutes."


# --- whom it holds ----------------------------------------------------------------------------------------------------


def test_one_person_prints_no_more_than_a_person_can_use_and_a_colleague_goes_on(client, signed_in, monkeypatch):
    patient = PatientFactory()
    signed_in("front_desk")
    monkeypatch.setattr(Limit, "wait", lambda self, at, *who: timedelta(minutes=3) if self is brakes.HEAVY else None)
    response = client.get(f"/patients/{patient.chart_number}/print/")
    assert response.status_code == 429
    assert "Try again in 3 minutes." in response.text


def test_heavy_papers_count_by_person(client, signed_in):
    patient = PatientFactory()
    user = signed_in("front_desk")
    client.get(f"/patients/{patient.chart_number}/print/")
    assert brakes.HEAVY.count(datetime.now(UTC), user.pk) == 1
    assert brakes.HEAVY.most > 100


def test_the_notice_may_be_had_often_but_not_for_ever(client, db):
    Office.current()
    for _ in range(brakes.PAPERS.most):
        brakes.PAPERS.add(datetime.now(UTC), "127.0.0.1")
    assert client.get("/privacy/notice.pdf").status_code == 429
    assert client.get("/privacy/notice.pdf", REMOTE_ADDR="198.51.100.9").status_code == 200
