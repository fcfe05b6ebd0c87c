"""`send_reminders`: who is told of which clock, and nothing about a patient in the mail."""

from datetime import UTC, date, datetime, timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, RequestFactory, UserFactory

ON = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


@pytest.fixture
def officer():
    return UserFactory(role="privacy_officer", email="privacy@example.org", first_name="Nora", last_name="Lind")


def due_in(days: int, **facts):
    """A request with so many days left."""
    return RequestFactory(received_on=ON + timedelta(days=days - 30), on=ON, **facts)


def run(capsys, *arguments: str) -> str:
    call_command("send_reminders", *arguments)
    return capsys.readouterr().out.strip()


def test_clocks_within_a_week_go_out_in_one_mail_a_person_the_worst_first(capsys, officer):
    week, fine, late, today, soon = due_in(7), due_in(8), due_in(-2), due_in(0), due_in(3)
    said = run(capsys)
    assert said == f"privacy@example.org: {late.number}, {today.number}, {soon.number}, {week.number}"
    (sent,) = mail.outbox
    assert sent.to == ["privacy@example.org"]
    assert sent.subject == "4 requests have clocks that run out"
    places = [
        sent.body.index(text)
        for text in (
            "Overdue", late.number, "2 days late", "Due today", today.number, "Due within 3 days", soon.number,
            "3 days left", "Due within 7 days", week.number,
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert fine.number not in sent.body
    assert "Hello Nora Lind," in sent.body


def test_the_mail_holds_numbers_kinds_and_dates_and_nothing_of_the_patient(capsys, officer):
    patient = PatientFactory(first_name="Unmistakable", last_name="Quill", chart_number="C-77001", phone="555-777-8888")
    due_in(2, kind="amendment", patient=patient, description="My diary", asker_email="quill@example.org")
    run(capsys)
    text = mail.outbox[0].subject + mail.outbox[0].body
    assert "Correct the record: due Thu, Nov 26, 2026, 2 days left. Falls on Thanksgiving Day" in text
    for word in ("Unmistakable", "Quill", "C-77001", "777", "diary", "quill@", "1984"):
        assert word not in text


def test_the_person_it_is_assigned_to_is_told_and_the_officers_are_not(capsys, officer):
    desk = UserFactory(email="desk@example.org")
    mine = due_in(1, assignee=desk)
    assert run(capsys) == f"desk@example.org: {mine.number}"


@pytest.mark.parametrize("gone", [{"is_active": False, "email": "gone@example.org"}, {"email": ""}])
def test_who_can_not_be_reached_is_stood_in_for_by_the_officers(capsys, officer, gone):
    request = due_in(1, assignee=UserFactory(**gone))
    assert run(capsys) == f"privacy@example.org: {request.number}"


def test_every_privacy_officer_is_told(capsys, officer):
    UserFactory(role="privacy_officer", email="second@example.org")
    due_in(1)
    run(capsys)
    assert [message.to for message in mail.outbox] == [["privacy@example.org"], ["second@example.org"]]


def test_nothing_to_send_is_said(capsys, officer):
    due_in(8)
    assert run(capsys) == "Nothing to send: no open request is overdue or due within a week of 2026-11-24."
    assert mail.outbox == []


def test_another_day_may_be_asked_for(capsys, officer):
    request = due_in(8)
    assert run(capsys, "--on", "2026-11-25") == f"privacy@example.org: {request.number}"


def test_a_day_to_come_puts_no_overdue_event_on_a_timeline(capsys, officer):
    request, late = due_in(3), due_in(-1)
    run(capsys, "--on", "2027-01-31")
    assert request.events.filter(verb=Verb.OVERDUE).count() == 0
    assert late.events.filter(verb=Verb.OVERDUE).count() == 1


def test_a_clock_that_nobody_can_be_told_of_is_a_failure(capsys):
    UserFactory(role="privacy_officer", email="")
    request = due_in(1)
    with pytest.raises(CommandError, match=f"Nobody was told of {request.number}"):
        call_command("send_reminders")


def test_the_others_are_told_all_the_same(capsys):
    told, untold = due_in(1, assignee=UserFactory(email="desk@example.org")), due_in(2)
    with pytest.raises(CommandError, match=untold.number):
        call_command("send_reminders")
    assert capsys.readouterr().out.strip() == f"desk@example.org: {told.number}"
    assert len(mail.outbox) == 1


def test_a_mail_server_that_fails_is_a_failure_in_plain_words(officer, monkeypatch):
    def fail(*args, **kwargs):
        raise SMTPServerDisconnected("the server went away")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)
    due_in(1)
    with pytest.raises(CommandError, match="0 of 1 reminders were sent, then: the server went away"):
        call_command("send_reminders")
