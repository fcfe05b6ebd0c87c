"""When many requests come in: a sum or a wait, and nobody shut out."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from meso.models import AccessEvent, Office
from requests_app import work
from requests_app.models import Complaint, PatientRequest
from requests_app.views.public import SENT
from tests.requests_app.public_pages import filled_in, send, solved, value_of, work_of

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
FORM = "/privacy/request/"
BUSY = "We get many requests at the moment"


@pytest.fixture(autouse=True)
def today(db):
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def busy():
    """Twenty requests have come in within the hour."""
    Office.objects.update_or_create(pk=1, defaults={"phone": "555-010-4400"})
    for number in range(work.IN_ALL.most):
        work.IN_ALL.add(NOW, "")
        work.FROM_ONE.add(NOW, f"place {number}")


def later(**passed):
    return time_machine.travel(NOW + timedelta(**passed), tick=False)


# --- the sum ----------------------------------------------------------------------------------------------------------


def test_a_sum_holds_for_its_page_alone():
    answer = solved("a page")
    assert work.is_done("a page", answer)
    assert not work.is_done("another page", answer)


@pytest.mark.parametrize("answer", ["", "-", "1,2,3,4,5,6,7,8", "1", "9" * 50, ",".join(["0"] * 9), "١,2,3,4,5,6,7,8"])
def test_what_is_no_answer_is_none(answer):
    assert not work.is_done("a page", answer)


def test_each_of_the_puzzles_counts():
    answer = solved("a page").split(",")
    for i in range(work.PUZZLES):
        wrong = [*answer[:i], str(int(answer[i]) + 1), *answer[i + 1 :]]
        assert not work.is_done("a page", ",".join(wrong))


# --- when it is asked for ---------------------------------------------------------------------------------------------


def test_on_a_quiet_day_nothing_is_asked(client):
    html = client.get(FORM, {"kind": "access"}).text
    assert BUSY not in html
    assert "data-work=" not in html


@pytest.mark.parametrize("kind", ["access", "restriction"])
def test_when_many_come_in_a_page_without_its_sum_is_not_taken_and_loses_nothing(client, busy, kind):
    typed = filled_in(client, kind) | {"work": ""}
    html = client.post(FORM, typed).text
    assert PatientRequest.objects.count() == 0
    assert BUSY in html
    assert "555-010-4400" in html
    assert value_of(html, "asker_name") == typed["asker_name"]
    assert value_of(html, "token") == typed["token"]  # the wait goes on from when the page was made
    assert client.post(FORM, typed | {"work": work_of(html)}).status_code == 302


def test_one_address_alone_is_asked_from_its_sixth_on(client):
    for number in range(work.FROM_ONE.most):
        assert work_of(client.get(FORM, {"kind": "access"}).text) == ""
        assert send(client, description=f"No. {number}").status_code == 302
    assert "data-work=" in client.get(FORM, {"kind": "access"}).text
    assert "data-work=" not in client.get(FORM, {"kind": "access"}, REMOTE_ADDR="198.51.100.9").text
    assert send(client, description="One more").status_code == 302  # with its sum


def test_the_complaint_form_asks_for_it_too_and_counts(client, busy):
    html = client.get("/privacy/complaint/").text
    typed = {"about": "They read it aloud.", "token": value_of(html, "token")}
    assert BUSY in client.post("/privacy/complaint/", typed).text
    assert client.post("/privacy/complaint/", typed | {"work": work_of(html)}).status_code == 302
    assert Complaint.objects.count() == 1
    assert work.FROM_ONE.count(NOW, "127.0.0.1") == 1


def test_one_sum_pays_for_a_few_corrections_and_not_for_hundreds(client, busy):
    typed = filled_in(client, "access")
    taken = [client.post(FORM, typed | {"description": f"No. {number}"}).status_code for number in range(6)]
    assert taken == [302] * work.PAYS.most + [200] * 3
    assert PatientRequest.objects.count() == work.PAYS.most


def test_an_hour_later_it_is_quiet_again(client, busy):
    with later(minutes=60):
        assert "data-work=" not in client.get(FORM, {"kind": "access"}).text


# --- without JavaScript -----------------------------------------------------------------------------------------------


def test_whoever_can_not_do_sums_waits_two_minutes_instead(client, busy):
    typed = filled_in(client, "access") | {"work": ""}
    with later(seconds=119):
        assert BUSY in client.post(FORM, typed).text
    with later(seconds=120):
        assert client.post(FORM, typed).status_code == 302


def test_waiting_is_for_people_and_not_for_hundreds_of_pages(client, busy):
    pages = [filled_in(client, "access") | {"work": "", "description": f"No. {number}"} for number in range(5)]
    with later(minutes=3):
        taken = [client.post(FORM, page).status_code for page in pages]
        assert taken == [302] * work.WAITED.most + [200] * 2
        other = Client(REMOTE_ADDR="198.51.100.9")
        assert other.post(FORM, pages[-1]).status_code == 302


def test_it_is_told_in_spanish(client, busy):
    html = client.get(FORM, {"kind": "access"}, headers={"accept-language": "es"}).text
    part = re.search(r'<section class="notice work".*?</section>', html, re.S)[0]
    for english in ("We get many", "Your browser", "Almost done", "The sum", "To keep robots"):
        assert english not in part


# --- the last limit ---------------------------------------------------------------------------------------------------


def test_beyond_sixty_an_hour_an_address_is_told_to_wait_in_its_language_and_others_go_on(client):
    Office.objects.update_or_create(pk=1, defaults={"phone": "555-010-4400"})
    for _ in range(SENT.most):
        SENT.add(NOW, "127.0.0.1")
    before = AccessEvent.objects.count()
    for _ in range(3):
        response = client.post(FORM, {"kind": "access"}, headers={"accept-language": "es"})
        assert response.status_code == 429
    assert "60 minutos" in response.text
    assert "555-010-4400" in response.text
    assert AccessEvent.objects.count() == before + 1
    assert client.post(FORM, {"kind": "access"}, REMOTE_ADDR="198.51.100.9").status_code == 200
    assert client.get(FORM).status_code == 200  # reading goes on


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_counted_one_by_one(at_once):
    at_once(lambda _: SENT.add(NOW, "a"), range(4))
    assert SENT.count(NOW, "a") == 4
