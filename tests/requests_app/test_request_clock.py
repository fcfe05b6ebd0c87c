"""The two acts that move a clock, the event of going overdue, and several people at once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from meso.models import Office
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Outcome
from requests_app.models import PatientRequest
from requests_app.models.timeline import RequestEvent, Verb
from tests.factories import RequestFactory, UserFactory

RECEIVED = date(2026, 11, 2)
DUE = date(2026, 12, 2)
ON = date(2026, 11, 10)
AT = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


# --- the clock's two acts ----------------------------------------------------------------------------------------


def test_an_extension_names_its_day_and_that_day_becomes_the_due_date(officer):
    request = RequestFactory(received_on=date(2026, 9, 15), on=date(2026, 9, 15))
    event = request.extend(
        until=date(2026, 11, 14), reason="Storage", told_on=date(2026, 10, 15), by=officer, at=AT, on=date(2026, 10, 16)
    )
    assert (request.due_on, request.extended_to, request.first_due_on) == (
        date(2026, 11, 14), date(2026, 11, 14), date(2026, 10, 15),
    )  # fmt: skip
    assert event.sentence == "Extended once, from Oct 15, 2026 to Nov 14, 2026. The patient was told on Oct 15, 2026."
    assert event.note == "Storage"


@pytest.mark.parametrize(
    ("told_on", "says"),
    [(date(2026, 11, 11), "future"), (date(2026, 11, 1), "before the request was received")],
)
def test_the_letter_of_an_extension_was_sent_between_receipt_and_today(officer, told_on, says):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow, match=says) as refusal:
        request.extend(until=date(2026, 12, 20), reason="Storage", told_on=told_on, by=officer, at=AT, on=ON)
    assert refusal.value.field == "told_on"


def test_a_corrected_day_of_receipt_moves_the_clock_and_says_why(officer):
    entered = datetime(2026, 11, 2, 15, 0, tzinfo=UTC)
    request = RequestFactory(received_on=date(2026, 11, 2), on=date(2026, 11, 2), at=entered)
    event = request.correct_receipt(date(2026, 10, 30), reason="Handed over on Friday", by=officer, at=AT, on=ON)
    assert request.due_on == date(2026, 11, 29)  # law.md §1
    assert event.note == "Handed over on Friday"
    assert event.sentence == "Day of receipt corrected from Nov 2, 2026 to Oct 30, 2026. Due Nov 29, 2026."


@pytest.mark.parametrize(
    ("day", "reason", "field"),
    [
        (date(2026, 10, 30), "  ", "reason"),
        (date(2026, 11, 2), "The same", "received_on"),
        (date(2026, 11, 3), "Later than it was typed in", "received_on"),
    ],
)
def test_a_correction_of_the_day_of_receipt_outside_the_rule_is_refused(officer, day, reason, field):
    entered = datetime(2026, 11, 3, 4, 30, tzinfo=UTC)  # 23:30 on November 2 in New York
    request = RequestFactory(received_on=date(2026, 11, 2), on=date(2026, 11, 2), at=entered)
    with timezone.override("America/New_York"), pytest.raises(NotAllowedNow) as refusal:
        request.correct_receipt(day, reason=reason, by=officer, at=AT, on=ON)
    assert refusal.value.field == field
    assert PatientRequest.objects.get(pk=request.pk).due_on == DUE


@pytest.mark.parametrize("day", [date(2026, 9, 14), date(2026, 8, 1)])
def test_a_correction_that_makes_the_extension_unlawful_is_refused(officer, day):
    """The letter went out on the old due date: one day earlier and it would have come too late."""
    request = RequestFactory(received_on=date(2026, 9, 15), on=date(2026, 9, 15))
    request.extend(
        until=date(2026, 10, 20), reason="Storage", told_on=date(2026, 10, 15), by=officer, at=AT, on=date(2026, 10, 15)
    )
    with pytest.raises(NotAllowedNow, match="would not be lawful"):
        request.correct_receipt(day, reason="It lay in the box", by=officer, at=AT, on=ON)


def test_an_extended_request_keeps_its_named_day_when_receipt_is_corrected(officer):
    request = RequestFactory(received_on=date(2026, 9, 15), on=date(2026, 9, 15))
    request.extend(until=date(2026, 10, 20), reason="Storage", told_on=date(2026, 10, 1), by=officer, at=AT, on=date(2026, 10, 1))
    request.correct_receipt(date(2026, 9, 10), reason="It lay in the box", by=officer, at=AT, on=ON)
    assert (request.first_due_on, request.due_on) == (date(2026, 10, 10), date(2026, 10, 20))


def test_a_later_change_of_the_offices_promise_leaves_running_clocks_alone(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    Office.current()
    Office.objects.filter(pk=1).update(promised_days=15)
    request.refresh_from_db()
    assert (request.working().due_on, request.promised_days) == (DUE, 30)
    assert RequestFactory(received_on=RECEIVED, on=RECEIVED).due_on == date(2026, 11, 17)


# --- going overdue -----------------------------------------------------------------------------------------------


def overdue_events(request: PatientRequest) -> list[date]:
    return list(request.events.filter(verb=Verb.OVERDUE).values_list("on", flat=True))


def test_going_overdue_is_one_event_however_often_anybody_looks(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    assert PatientRequest.objects.note_overdue(on=DUE, at=AT) == 0
    assert PatientRequest.objects.note_overdue(on=DUE + timedelta(days=1), at=AT) == 1
    assert PatientRequest.objects.note_overdue(on=DUE + timedelta(days=5), at=AT) == 0
    assert overdue_events(request) == [DUE + timedelta(days=1)]
    assert request.events.last().sentence == "The due date, Dec 2, 2026, has passed and the request is open."


def test_a_clock_that_is_moved_and_passes_again_is_overdue_again(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    PatientRequest.objects.note_overdue(on=date(2026, 12, 3), at=AT)
    request.extend(
        until=date(2026, 12, 20), reason="Storage", told_on=DUE, by=officer, at=AT, on=date(2026, 12, 4)
    )  # sent in time, typed in late
    assert PatientRequest.objects.note_overdue(on=date(2026, 12, 20), at=AT) == 0
    assert PatientRequest.objects.note_overdue(on=date(2026, 12, 21), at=AT) == 1
    assert overdue_events(request) == [date(2026, 12, 3), date(2026, 12, 21)]


def test_a_closed_request_never_goes_overdue(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    request.withdraw(reason="Called", by=officer, at=AT, on=ON)
    assert PatientRequest.objects.note_overdue(on=date(2027, 6, 1), at=AT) == 0


def test_a_request_that_is_answered_late_has_its_overdue_event_even_if_nobody_looked_between(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    request.withdraw(reason="Called", by=officer, at=AT, on=DUE + timedelta(days=2))
    assert [event.verb for event in request.events.all()][-2:] == [Verb.OVERDUE, Verb.CLOSED]
    assert request.events.last().sentence.endswith("2 days late.")


def test_two_overdue_events_on_one_day_are_refused_by_the_database(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    request.events.record(Verb.OVERDUE, by=None, at=AT, on=DUE, due_on=DUE)
    with pytest.raises(IntegrityError), transaction.atomic():
        request.events.record(Verb.OVERDUE, by=None, at=AT, on=DUE, due_on=DUE)


# --- two at once -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_is_refused_and_the_first_decision_stands(at_once):
    officer = UserFactory(role="privacy_officer")
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    request.verify_identity("photo ID seen", by=officer, at=AT, on=ON)

    def decide(outcome: str) -> Any:
        mine = PatientRequest.objects.get(pk=request.pk)
        return mine.decide(outcome, ground="U1", text="Because of the rule", by=officer, at=AT, on=ON)

    results = at_once(decide, [Outcome.GRANTED, Outcome.DENIED, Outcome.GRANTED_IN_PART, Outcome.GRANTED])
    assert sum(isinstance(result, RequestEvent) for result in results) == 1
    assert sum(isinstance(result, NotAllowedNow) for result in results) == 3
    request.refresh_from_db()
    assert request.events.filter(verb=Verb.DECIDED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_looking_at_once_notes_an_overdue_request_once(at_once):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    results = at_once(lambda _: PatientRequest.objects.note_overdue(on=DUE + timedelta(days=1), at=AT), range(4))
    assert sorted(results) == [0, 0, 0, 1]
    assert len(overdue_events(request)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_twice_at_once_takes_one_request(at_once):
    Office.current()
    results = at_once(lambda _: RequestFactory(once="f00d", patient=None).pk, range(4))
    assert len(set(results)) == 1, results
    assert PatientRequest.objects.count() == 1
