"""Requests that ask for the same are shown together; a calendar of due dates; the rule's version kept on each request."""

from dataclasses import replace
from datetime import date, timedelta
from html import unescape

import pytest

from requests_app import deadlines, ics, repeats, rules
from requests_app.models import PatientRequest
from tests.factories import PatientFactory, RequestFactory, UserFactory
from tests.requests_app.answering import ON, RECEIVED, now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
DAY = timedelta(days=1)


def closed(by, received_on, **fields) -> PatientRequest:
    request = RequestFactory(received_on=received_on, on=received_on, **fields)
    request.withdraw(reason="Called", **now(by, received_on))
    return request


# --- the same asked again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received_on", "is_open", "linked"),
    [
        (date(2025, 11, 24), False, True),
        (date(2025, 11, 23), False, False),
        (date(2025, 11, 23), True, True),
        (date(2019, 1, 2), True, True),
        (date(2026, 11, 24), False, True),
    ],
)
def test_a_request_of_twelve_months_or_one_that_is_open_is_linked(received_on, is_open, linked):
    user, patient = UserFactory(), PatientFactory()
    if is_open:
        other = RequestFactory(patient=patient, received_on=received_on, on=received_on)
    else:
        other = closed(user, received_on, patient=patient)
    asked = RequestFactory(patient=patient, received_on=ON)
    assert (repeats.like(asked) == [other]) == linked
    assert repeats.like(other) == [asked]


def test_from_a_leap_day_twelve_months_end_on_february_28():
    user, patient = UserFactory(), PatientFactory()
    asked = closed(user, date(2024, 2, 29), patient=patient)
    inside = closed(user, date(2025, 2, 28), patient=patient)
    closed(user, date(2025, 3, 1), patient=patient)
    assert repeats.like(asked) == [inside]


def test_another_kind_or_another_chart_is_not_the_same():
    patient = PatientFactory()
    asked = RequestFactory(patient=patient)
    RequestFactory(patient=patient, kind="amendment")
    RequestFactory(patient=PatientFactory(date_of_birth=patient.date_of_birth))
    assert repeats.like(asked) == []


@pytest.mark.parametrize(
    ("name", "born", "linked"),
    [
        ("María-José Carreño", date(1984, 7, 2), True),
        ("carreno maria jose", date(1984, 7, 2), True),
        ("Maria Carreño", date(1984, 7, 2), False),
        ("María-José Carreño", date(1984, 7, 3), False),
        ("María-José Carreño", None, False),
    ],
)
def test_before_a_chart_is_found_the_same_name_and_birth_date_are_the_same_person(name, born, linked):
    known = RequestFactory(patient=None, asker_name="María-José Carreño", asker_born=date(1984, 7, 2))
    asked = RequestFactory(patient=None, asker_name=name, asker_born=born)
    assert (repeats.like(asked) == [known]) == linked


def test_two_charts_of_one_name_and_birth_date_are_two_people():
    facts = {"asker_name": "Anna Smith", "asker_born": date(1984, 7, 2)}
    one, two = RequestFactory(**facts), RequestFactory(**facts)
    unknown = RequestFactory(patient=None, **facts)
    assert repeats.like(one) == [unknown]
    assert repeats.like(unknown) == [two, one]


def test_each_keeps_its_own_clock_and_nothing_is_merged(client, signed_in):
    user = signed_in("front_desk")
    patient = PatientFactory()
    first = RequestFactory(patient=patient, received_on=RECEIVED, on=RECEIVED)
    data = {"received_on": ON.isoformat(), "channel": "in_person", "patient": patient.chart_number, "who": "patient"}
    page = client.post("/requests/new/", {**data, "kind": "access", "access_form": "mail"}, follow=True)
    second = PatientRequest.objects.exclude(pk=first.pk).get()
    text = unescape(page.text)
    assert f"asked for the same before: {first.number}. Each has its own clock and its own answer." in text
    assert f'href="{first.get_absolute_url()}"' in text
    assert (first.due_on, second.due_on) == (RECEIVED + 30 * DAY, ON + 30 * DAY)
    first.withdraw(reason="Called", **now(user))
    second.refresh_from_db()
    assert second.is_open


def test_the_page_costs_the_same_with_more_of_them(client, signed_in, queries_for):
    signed_in("front_desk")
    patient = PatientFactory()
    asked = RequestFactory(patient=patient, asker_born=patient.date_of_birth)
    RequestFactory(patient=patient)
    few = queries_for(asked.get_absolute_url())
    for _ in range(4):
        RequestFactory(patient=patient)
    assert len(queries_for(asked.get_absolute_url())) == len(few)


# --- due dates as a calendar -------------------------------------------------------------------------------------------


def test_the_calendar_has_the_open_requests_and_no_name(client, signed_in):
    user = signed_in("front_desk")
    patient = PatientFactory(last_name="Unmistakable")
    asked = RequestFactory(patient=patient, description="My left knee")
    closed(user, RECEIVED, patient=patient)
    answer = client.get("/requests/due.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode()
    assert text.count("BEGIN:VEVENT") == 1
    assert f"SUMMARY:{asked.number} is due\r\n" in text
    assert "DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261225\r\n" in text
    assert "DTSTAMP:20261124T150000Z\r\n" in text
    assert all(word not in text for word in ("Unmistakable", "knee", patient.chart_number))
    assert text.replace("\r\n", "").count("\n") == 0
    assert "/requests/due.ics" in client.get("/requests/").text


@pytest.mark.parametrize("line", ["SUMMARY:short", "X" * 75, "X" * 76, "Ä" * 200, "URL:https://" + "a" * 300])
def test_long_lines_are_folded_at_75_octets_and_unfold_to_the_same(line):
    folded = ics.folded(line)
    assert all(len(piece.encode()) <= 75 for piece in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == line


def test_a_text_is_escaped():
    assert ics.escaped("a,b;c\\d\ne") == "a\\,b\\;c\\\\d\\ne"


# --- the rule's version ------------------------------------------------------------------------------------------------


def test_a_rule_edit_leaves_old_requests_dates_and_text_alone(client, signed_in, monkeypatch):
    signed_in("front_desk")
    old = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    before, page = old.working(), client.get(old.get_absolute_url()).text
    edited = replace(
        rules.of("2026-11"),
        version="2027-03",
        since=date(2027, 3, 1),
        promise="Since March the office answers in %(days)s days, by %(day)s.",
        statutory=rules.of("2026-11").statutory | {"access": (15, "45 CFR 164.524(b)(2), as amended")},
    )
    monkeypatch.setitem(rules.VERSIONS, "2027-03", edited)
    monkeypatch.setattr(rules, "CURRENT", "2027-03")
    new = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    old.refresh_from_db()
    assert old.working() == before
    assert (old.due_on, old.statutory_due_on) == (RECEIVED + 30 * DAY, RECEIVED + 30 * DAY)
    again = client.get(old.get_absolute_url()).text
    assert (
        again.split("How this date was worked out")[1].split("</details>")[0]
        == (page.split("How this date was worked out")[1].split("</details>")[0])
    )
    assert new.rule_version == "2027-03"
    assert new.statutory_due_on == RECEIVED + 15 * DAY
    text = client.get(new.get_absolute_url()).text
    assert "Since March the office answers in 30 days, by" in text
    assert "as amended" in text
    assert deadlines.statutory_days("access") == 15


def test_every_version_knows_every_kind_and_the_current_one_is_the_latest():
    assert rules.of(rules.CURRENT).since == max(rule.since for rule in rules.VERSIONS.values())
    for version, rule in rules.VERSIONS.items():
        assert rule.version == version
        assert set(rule.statutory) == {"access", "amendment", "restriction", "confidential_communication", "accounting"}
        assert "2026" in str(rule.promise % {"days": 30, "day": "2026-12-24"})
