"""The order of the day: what this person must do, the soonest first, each with its reason and a link that does it."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from requests_app.kinds import Kind, Outcome, Step
from requests_app.models import PatientRequest
from tests.factories import AT, DisclosureFactory, RequestFactory, UserFactory

ON = date(2026, 11, 24)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


def tasks_of(client, role: str) -> list[tuple[str, str]]:
    """(address, words) of every task on this person's page."""
    if role:
        client.force_login(UserFactory(role=role))
    page = client.get("/").content.decode()
    section = re.search(r'<section class="panel todo">.*?</section>', page, re.DOTALL)
    found = re.findall(r'<th scope="row"><a href="([^"]+)">([^<]+)</a>', section.group()) if section else []
    of_the_house = ("/notices/", "/#backup-drill")  # an office of these tests has no notice in force and no backup
    return [task for task in found if task[0] not in of_the_house]


def at_step(step: Step, kind: str = Kind.ACCESS, days_ago: int = 3, **facts) -> PatientRequest:
    """A request whose next step is this one."""
    received = ON - timedelta(days=days_ago)
    about = {"patient": None} if step == Step.MATCH else {}
    request = RequestFactory(kind=kind, received_on=received, on=received, **about, **facts)
    by = UserFactory(role="privacy_officer")
    now = {"by": by, "at": AT, "on": ON}
    if step not in (Step.MATCH, Step.VERIFY):
        request.verify_identity("photo ID seen", **now)
    if step == Step.CARRY_OUT:
        request.decide(Outcome.GRANTED, **now)
    if step == Step.SEND:
        request.decide(Outcome.DENIED, ground={"access": "U1", "amendment": "A4"}[kind], text="Because.", **now)
    return request


@pytest.mark.parametrize(
    ("step", "kind", "roles", "page"),
    [
        (Step.MATCH, Kind.ACCESS, {"front_desk", "privacy_officer"}, "request_match"),
        (Step.VERIFY, Kind.ACCESS, {"front_desk", "privacy_officer"}, "request_verify"),
        (Step.DECIDE, Kind.ACCESS, {"privacy_officer"}, "request_decide"),
        (Step.DECIDE, Kind.AMENDMENT, {"physician"}, "request_decide_amendment"),
        (Step.CARRY_OUT, Kind.ACCESS, {"front_desk", "privacy_officer"}, "request_carry_out"),
        (Step.CARRY_OUT, Kind.AMENDMENT, {"physician"}, "request_amend"),
        (Step.SEND, Kind.ACCESS, {"front_desk", "privacy_officer"}, "request"),
    ],
)
def test_each_next_step_is_shown_to_whoever_does_it_and_leads_there(client, step, kind, roles, page):
    asked = at_step(step, kind)
    for role in ("front_desk", "physician", "privacy_officer", "office_admin"):
        links = [address for address, _ in tasks_of(client, role)]
        expected = [reverse(page, args=[asked.number])] if role in roles else []
        assert links == expected, role
        for address in links:
            assert client.get(address).status_code == 200


def test_the_soonest_due_comes_first_and_what_has_no_day_last(client):
    late, fine = at_step(Step.VERIFY, days_ago=35), at_step(Step.VERIFY, days_ago=1)
    soon = at_step(Step.VERIFY, days_ago=25)
    DisclosureFactory(purpose_code="national_security")
    found = [words for _, words in tasks_of(client, "privacy_officer")]
    assert [words.split(":")[0] for words in found[:3]] == [late.number, soon.number, fine.number]
    assert found[3].startswith("Decide on disclosure")


def test_what_lies_on_somebody_elses_desk_is_not_shown(client):
    theirs = at_step(Step.VERIFY, assignee=UserFactory(role="front_desk"))
    assert tasks_of(client, "front_desk") == []
    client.force_login(theirs.assignee)
    assert len(tasks_of(client, "")) == 1


def test_a_day_without_work_says_so(client):
    client.force_login(UserFactory(role="front_desk"))
    assert "Nothing waits for you today." in client.get("/").content.decode()


def test_a_long_list_is_cut_and_says_how_many_more(client, queries_for):
    client.force_login(UserFactory(role="front_desk"))
    at_step(Step.VERIFY)
    client.get("/")
    few = len(queries_for("/"))
    for _ in range(20):
        at_step(Step.VERIFY)
    assert len(tasks_of(client, "")) == 12
    assert "And 9 more, less pressing." in client.get("/").content.decode()
    assert len(queries_for("/")) == few
