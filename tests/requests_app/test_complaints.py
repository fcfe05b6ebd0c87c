"""Complaints: taken in by anybody, read by the privacy officer alone, each with its outcome (45 CFR 164.530(d))."""

from datetime import UTC, date, datetime
from itertools import product

import pytest
import time_machine

from meso.append_only import AppendOnlyError
from meso.models import AccessEvent
from requests_app import answers, complaint_rules, talking
from requests_app.deadlines import NotAllowedNow
from requests_app.models import Complaint, ComplaintEvent
from tests.factories import AT, PatientFactory, RequestFactory, UserFactory
from tests.requests_app.answering import an_office
from tests.requests_app.public_pages import value_of

ON = date(2026, 11, 24)
FACTS = {"channel": "in_person", "about": "Somebody talked about my visit at the desk.", "taken_at": AT}
SECRET = "Somebody talked about my visit"


@pytest.fixture(autouse=True)
def noon(db):
    with time_machine.travel(datetime(2026, 11, 24, 17, 0, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


def taken(**facts) -> Complaint:
    return Complaint.take(on=ON, **{"received_on": ON, "reach": "555-010-2233", **FACTS, **facts})


def act(complaint, officer, verb, text="Asked the two who were there.", done_on=ON, on=ON):
    return complaint.act(verb, text, done_on=done_on, by=officer, at=AT, on=on)


def test_the_government_takes_a_complaint_for_180_days():
    assert complaint_rules.hhs_by(date(2026, 1, 15)) == date(2026, 7, 14)


def test_without_a_day_of_knowing_the_180_days_count_from_the_receipt():
    assert taken(known_on=date(2026, 1, 15)).hhs_by == date(2026, 7, 14)
    assert taken().hhs_by == date(2027, 5, 23)


ACTS = ("investigated", "outcome", "answered", "note")
BEFORE = {"open": (), "decided": ("outcome",), "answered": ("outcome", "answered")}
ALLOWED = {
    ("open", "investigated"), ("open", "outcome"), ("open", "note"), ("decided", "answered"), ("decided", "note"),
    ("answered", "note"),
}  # fmt: skip


@pytest.mark.parametrize(("state", "verb"), list(product(BEFORE, ACTS)))
def test_each_act_follows_from_where_the_complaint_stands_or_is_refused(officer, state, verb):
    complaint = taken()
    for before in BEFORE[state]:
        act(complaint, officer, before)
    assert complaint.state == state
    if (state, verb) in ALLOWED:
        assert act(complaint, officer, verb).verb == verb
    else:
        with pytest.raises(NotAllowedNow, match="as the complaint stands now"):
            act(complaint, officer, verb)
        assert complaint.events.count() == len(BEFORE[state])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "  "}, "text"),
        ({"done_on": date(2026, 11, 25)}, "done_on"),
        ({"done_on": date(2026, 11, 23)}, "done_on"),
    ],
)
def test_an_act_needs_words_and_a_day_between_receipt_and_today(officer, change, field):
    with pytest.raises(NotAllowedNow) as refused:
        act(taken(), officer, "outcome", **change)
    assert refused.value.field == field


def test_an_answer_that_asks_for_a_waiver_is_refused(officer):
    complaint = taken()
    act(complaint, officer, "outcome")
    with pytest.raises(NotAllowedNow, match="give up a right") as refused:
        act(complaint, officer, "answered", text="Please sign to give up your right to complain.")
    assert refused.value.field == "text"


def test_who_left_no_address_can_not_be_answered_and_the_complaint_is_done_with_its_outcome(officer):
    complaint = taken(reach="")
    assert not complaint.is_done
    act(complaint, officer, "outcome")
    assert complaint.is_done
    assert not Complaint.objects.open().exists()
    with pytest.raises(NotAllowedNow, match="nobody to answer"):
        act(complaint, officer, "answered")


def test_the_open_ones_are_those_without_outcome_or_answer(officer):
    fresh, decided, answered = taken(), taken(), taken()
    for complaint in (decided, answered):
        act(complaint, officer, "outcome")
    act(answered, officer, "answered")
    assert set(Complaint.objects.open()) == {fresh, decided}


def test_nothing_of_it_changes(officer):
    complaint = taken()
    event = act(complaint, officer, "note")
    for row in (complaint, event):
        with pytest.raises(AppendOnlyError):
            row.save()
    assert not hasattr(ComplaintEvent, "edit")


def test_a_complaint_of_tomorrow_is_refused():
    with pytest.raises(NotAllowedNow, match="future"):
        taken(received_on=date(2026, 11, 25))
    with pytest.raises(NotAllowedNow, match="by the day on which they complained"):
        taken(received_on=date(2026, 11, 20), known_on=date(2026, 11, 21))


# --- the pages ------------------------------------------------------------------------------------------------------

TYPED = {"received_on": "2026-11-23", "channel": "telephone", "about": SECRET, "complainant": "Maria Alvarez", "once": "one"}


@pytest.mark.parametrize("role", ["front_desk", "physician"])
def test_the_desk_takes_one_in_and_then_sees_only_its_number(client, signed_in, role):
    signed_in(role)
    page = client.post("/complaints/new/", TYPED, follow=True)
    complaint = Complaint.objects.get()
    html = page.content.decode()
    assert complaint.number in html
    assert SECRET not in html
    assert client.get(f"/complaints/{complaint.pk}/").status_code == 403
    assert client.get("/complaints/").status_code == 403
    created = AccessEvent.objects.get(action="create")
    assert (created.subject, created.detail) == (f"complaint {complaint.number}", "telephone")


def test_the_same_form_sent_twice_is_one_complaint(client, signed_in):
    signed_in("front_desk")
    client.post("/complaints/new/", TYPED)
    client.post("/complaints/new/", TYPED)
    assert Complaint.objects.count() == 1


def test_a_wrong_form_loses_nothing(client, signed_in):
    signed_in("front_desk")
    html = client.post("/complaints/new/", {**TYPED, "received_on": "2026-11-25"}).content.decode()
    assert SECRET in html
    assert "future" in html
    assert not Complaint.objects.exists()


def test_the_officer_reads_it_decides_and_answers(client, signed_in):
    signed_in("privacy_officer")
    patient = PatientFactory(chart_number="10023")
    complaint = taken(patient=patient)
    address = f"/complaints/{complaint.pk}/"
    html = client.get(address).content.decode()
    assert SECRET in html
    assert "May 23, 2027" in html
    wrong = client.post(address, {"verb": "outcome", "done_on": "2026-11-30", "text": "We moved the desk."})
    assert "We moved the desk." in wrong.content.decode()
    client.post(address, {"verb": "outcome", "done_on": "2026-11-24", "text": "We moved the desk."})
    client.post(address, {"verb": "answered", "done_on": "2026-11-24", "text": "By telephone: we moved the desk."})
    assert [event.verb for event in complaint.events.all()] == ["outcome", "answered"]
    assert AccessEvent.objects.filter(subject=f"complaint {complaint.number}", chart_number="10023").count() >= 3


def test_the_list_asks_no_more_of_the_database_for_many(client, signed_in, queries_for, officer):
    signed_in("privacy_officer")
    act(taken(), officer, "outcome")
    queries_for("/complaints/")  # the office's profile is made on its first use
    few = len(queries_for("/complaints/"))
    for _ in range(5):
        act(taken(), officer, "outcome")
    assert len(queries_for("/complaints/")) == few
    assert len(queries_for("/complaints/?show=open")) == few


# --- the public page ------------------------------------------------------------------------------------------------


def sent(client, **changes):
    html = client.get("/privacy/complaint/").content.decode()
    return client.post("/privacy/complaint/", {"token": value_of(html, "token"), "about": SECRET, **changes})


def test_the_public_page_names_the_office_the_government_and_the_180_days(client):
    html = client.get("/privacy/complaint/").content.decode()
    for words in (
        "Secretary of Health and Human Services",
        "180 days",
        "1-877-696-6775",
        "Privacy Officer",
        "hold it against you",
    ):
        assert words in html
    assert 'href="/privacy/complaint/"' in client.get("/privacy/").content.decode()


def test_a_nameless_complaint_comes_in_once(client):
    html = client.get("/privacy/complaint/").content.decode()
    typed = {"token": value_of(html, "token"), "about": SECRET}
    client.post("/privacy/complaint/", typed)
    page = client.post("/privacy/complaint/", typed, follow=True)
    complaint = Complaint.objects.get()
    assert (complaint.channel, complaint.complainant, complaint.taken_by, complaint.received_on) == ("web", "", None, ON)
    assert complaint.number in page.content.decode()
    assert SECRET not in page.content.decode()


@pytest.mark.parametrize("change", [{"leave_empty": "x"}, {"token": "made up"}, {"about": ""}, {"known_on": "2027-01-01"}])
def test_robots_and_slips_take_nothing_in_and_lose_nothing(client, change):
    page = sent(client, complainant="Maria Alvarez", **change)
    assert page.status_code == 200
    assert "Maria Alvarez" in page.content.decode()
    assert not Complaint.objects.exists()


def test_the_receipt_is_for_the_browser_that_sent_it(client):
    assert client.get("/privacy/complaint/received/").status_code == 302


# --- letters of requests --------------------------------------------------------------------------------------------


def test_no_letter_of_a_request_may_ask_for_a_waiver(officer):
    office = an_office()
    request = RequestFactory(received_on=date(2026, 11, 1))
    now = {"by": officer, "at": AT, "on": ON, "office": office}
    words = "We need your signature to give up your right to complain."
    with pytest.raises(NotAllowedNow, match="give up a right") as refused:
        answers.extend_with_letter(request, until=date(2026, 12, 20), reason=words, told_on=ON, how="by mail", **now)
    assert refused.value.field == "reason"
    with pytest.raises(NotAllowedNow, match="give up a right") as refused:
        answers.decide_with_letter(request, "denied", ground="U1", text=words, **now)
    assert refused.value.field == "text"
    with pytest.raises(NotAllowedNow, match="give up a right") as refused:
        talking.tell(request, words, way="by letter", said_on=ON, **now)
    assert refused.value.field == "text"
    request.refresh_from_db()
    assert (request.extended_to, request.outcome, request.letters.count()) == (None, "", 0)
