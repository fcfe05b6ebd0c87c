"""The clocks on every dated example of law.md §1 to §4 and §13a, and on any day that Hypothesis can think of."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from meso import clock
from meso import days as told
from requests_app import deadlines, office_days, rules
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind

NEW_YORK = ZoneInfo("America/New_York")
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-01-02", 30, "2026-02-01"),  # a Friday to a Sunday: never rolls
        ("2026-11-25", 30, "2026-12-25"),  # stays on Christmas Day
        ("2028-01-30", 30, "2028-02-29"),
        ("2026-01-30", 30, "2026-03-01"),
        ("2028-01-31", 30, "2028-03-01"),
        ("2026-01-31", 30, "2026-03-02"),
        ("2028-02-29", 60, "2028-04-29"),
        ("2026-12-05", 30, "2027-01-04"),
        ("2026-12-05", 60, "2027-02-03"),
        ("2026-12-31", 60, "2027-03-01"),
        ("2027-12-31", 60, "2028-02-29"),
        ("2026-03-31", 30, "2026-04-30"),
        ("2026-10-30", 30, "2026-11-29"),  # handed over on a Friday, typed in on Monday
        ("2026-03-10", 30, "2026-04-09"),
        ("2026-05-04", 30, "2026-06-03"),
        ("2026-07-01", 30, "2026-07-31"),
        ("2026-03-05", 30, "2026-04-04"),
        ("2026-06-10", 60, "2026-08-09"),
        ("2026-09-15", 30, "2026-10-15"),
        ("2026-11-24", 60, "2027-01-23"),
    ],
)
def test_a_due_date_is_receipt_plus_calendar_days(received, days, due):
    assert deadlines.due_on(day(received), days) == day(due)


@pytest.mark.parametrize(
    ("kind", "received", "plain", "extended"),
    [
        ("access", "2026-05-04", "2026-06-03", "2026-07-03"),
        ("amendment", "2026-12-03", "2027-02-01", "2027-03-03"),
        ("amendment", "2027-12-01", "2028-01-30", "2028-02-29"),
        ("accounting", "2026-11-24", "2027-01-23", "2027-02-22"),
    ],
)
def test_the_federal_limit_is_thirty_or_sixty_days_and_thirty_more_when_extended(kind, received, plain, extended):
    assert deadlines.statutory_due_on(kind, day(received)) == day(plain)
    assert deadlines.statutory_due_on(kind, day(received), extended=True) == day(extended)


@pytest.mark.parametrize("kind", ["restriction", "confidential_communication"])
def test_the_law_sets_no_limit_for_these_kinds(kind):
    assert deadlines.statutory_due_on(kind, day("2026-11-24")) is None
    assert deadlines.statutory_due_on(kind, day("2026-11-24"), extended=True) is None


def test_every_kind_has_its_limit_and_its_citation():
    assert set(rules.of(rules.CURRENT).statutory) == set(Kind.values)
    assert all(citation.startswith("45 CFR 164.") for _, citation in rules.of(rules.CURRENT).statutory.values())


@pytest.mark.parametrize(
    ("instant", "received", "due"),
    [
        (datetime(2026, 2, 20, 23, 30, tzinfo=NEW_YORK), "2026-02-20", "2026-03-22"),  # 720 hours would say March 23
        (datetime(2026, 10, 15, 0, 30, tzinfo=NEW_YORK), "2026-10-15", "2026-11-14"),  # 720 hours would say November 13
        (datetime(2026, 4, 1, 3, 30, tzinfo=UTC), "2026-03-31", "2026-04-30"),  # 23:30 in New York
    ],
)
def test_the_day_of_receipt_is_the_day_on_the_offices_clock(instant, received, due):
    with timezone.override(NEW_YORK):
        assert clock.office_day(instant) == day(received)
        assert deadlines.due_on(clock.office_day(instant)) == day(due)


def test_acting_on_the_due_date_is_on_time_and_the_next_day_is_one_day_late():
    due = day("2026-02-01")
    assert not deadlines.is_late(due, due)
    assert deadlines.is_late(day("2026-02-02"), due)
    assert deadlines.days_left(due, day("2026-02-02")) == -1


@pytest.mark.parametrize(
    ("due", "told", "until"),
    [
        ("2026-06-03", "2026-06-03", "2026-06-20"),
        ("2026-06-03", "2026-06-03", "2026-07-03"),
        ("2026-10-15", "2026-10-15", "2026-11-14"),
    ],
)
def test_an_extension_inside_the_rule_is_allowed(due, told, until):
    deadlines.check_extension(
        first_due_on=day(due), extended=False, until=day(until), told_on=day(told), reason="Records are in storage"
    )


@pytest.mark.parametrize(
    ("due", "told", "until", "reason", "extended", "field", "says"),
    [
        ("2026-06-03", "2026-06-03", "2026-07-04", "Storage", False, "until", "Jul 3, 2026 at the latest"),
        ("2026-06-03", "2026-06-04", "2026-06-20", "Storage", False, "told_on", "on or before the due date"),
        ("2026-10-15", "2026-10-15", "2026-11-15", "Storage", False, "until", "Nov 14, 2026 at the latest"),
        ("2026-10-15", "2026-10-16", "2026-11-14", "Storage", False, "told_on", "on or before the due date"),
        ("2026-10-15", "2026-10-15", "2026-10-15", "Storage", False, "until", "after the present due date"),
        ("2026-10-15", "2026-10-15", "2026-11-01", "  \n", False, "reason", "reason in writing"),
        ("2026-10-15", "2026-10-15", "2026-11-01", "Storage", True, "", "its one extension"),
    ],
)
def test_an_extension_outside_the_rule_is_refused_at_its_field(due, told, until, reason, extended, field, says):
    with pytest.raises(NotAllowedNow, match=says) as refusal:
        deadlines.check_extension(first_due_on=day(due), extended=extended, until=day(until), told_on=day(told), reason=reason)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("due", "closed", "target"),
    [
        ("2026-02-01", "a Sunday", "2026-01-30"),
        ("2026-12-25", "Christmas Day", "2026-12-24"),
        ("2027-01-23", "a Saturday", "2027-01-22"),
        ("2026-12-26", "a Saturday", "2026-12-24"),  # Friday is Christmas Day
        ("2026-07-05", "a Sunday", "2026-07-02"),  # July 4 is a Saturday, taken on Friday
        ("2027-12-31", "New Year's Day", "2027-12-30"),  # January 1 is a Saturday, taken on Friday
        ("2026-11-26", "Thanksgiving Day", "2026-11-25"),
        ("2027-05-31", "Memorial Day", "2027-05-28"),
        ("2026-10-12", "Columbus Day", "2026-10-09"),
        ("2027-07-05", "Independence Day", "2027-07-02"),  # July 4 is a Sunday, taken on Monday
        ("2026-11-24", "", "2026-11-24"),
    ],
)
def test_the_last_office_day_is_a_target_before_weekends_and_federal_holidays(due, closed, target):
    assert office_days.why_closed(day(due)) == closed
    assert deadlines.last_office_day(day(due)) == day(target)


def test_the_note_says_why_and_names_the_day_to_work_to():
    assert deadlines.weekend_note(day("2026-02-01")) == "Falls on a Sunday; last office day Fri, Jan 30."
    assert deadlines.weekend_note(day("2026-12-25")) == "Falls on Christmas Day; last office day Thu, Dec 24."
    assert deadlines.weekend_note(day("2026-11-24")) == ""


def test_a_year_has_its_eleven_federal_holidays():
    assert sorted(office_days.federal_holidays(2026)) == [
        day(text)
        for text in (
            "2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03",
            "2026-09-07", "2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "words", "urgency"),
    [
        (30, "30 days left", "fine"),
        (8, "8 days left", "fine"),
        (7, "7 days left", "soon"),
        (1, "1 day left", "soon"),
        (0, "due today", "soon"),
        (-1, "1 day late", "late"),
        (-12, "12 days late", "late"),
    ],
)
def test_days_left_in_words(days, words, urgency):
    assert told.in_words(days) == words
    assert told.urgency(days) == urgency


def test_the_working_of_a_clock_holds_every_part_of_it():
    working = deadlines.working("amendment", day("2026-12-03"), 30, extended_to=None)
    assert (working.first_due_on, working.due_on, working.days) == (day("2027-01-02"), day("2027-01-02"), 30)
    assert (working.statutory_days, working.statutory_due_on) == (60, day("2027-02-01"))
    assert working.federal_limit == day("2027-02-01")
    assert working.note == "Falls on a Saturday; last office day Thu, Dec 31."
    assert working.last_extension_day == day("2027-02-01")
    assert working.rule_version == rules.CURRENT


def test_an_extended_clock_runs_to_the_named_day_and_not_to_the_cap():
    working = deadlines.working("access", day("2026-05-04"), 30, extended_to=day("2026-06-20"))
    assert (working.first_due_on, working.due_on) == (day("2026-06-03"), day("2026-06-20"))
    assert working.statutory_due_on == day("2026-07-03")


def test_no_federal_limit_is_shown_where_it_is_the_due_date_itself():
    assert deadlines.working("access", day("2026-05-04"), 30, extended_to=None).federal_limit is None
    assert deadlines.working("restriction", day("2026-05-04"), 30, extended_to=None).federal_limit is None


@given(received=DAYS, days=st.integers(1, 30))
def test_days_are_counted_and_never_rolled(received, days):
    due = deadlines.due_on(received, days)
    assert (due - received).days == days
    assert deadlines.last_office_day(due) <= due
    assert (due - deadlines.last_office_day(due)).days <= 5


@given(received=DAYS, kind=st.sampled_from(Kind.values), days=st.integers(1, 30), more=st.integers(1, 30))
def test_the_promise_never_lies_behind_the_federal_limit(received, kind, days, more):
    first = deadlines.due_on(received, days)
    for extended_to in (None, first + timedelta(days=more)):
        working = deadlines.working(kind, received, days, extended_to=extended_to)
        assert working.statutory_due_on is None or working.due_on <= working.statutory_due_on


@given(
    due=DAYS,
    told=st.integers(-40, 40),
    until=st.integers(-40, 70),
    extended=st.booleans(),
    reason=st.sampled_from(["", "Storage"]),
)
def test_an_extension_is_lawful_exactly_inside_its_four_bounds(due, told, until, extended, reason):
    facts = {"first_due_on": due, "extended": extended, "reason": reason}
    days = {"told_on": due + timedelta(days=told), "until": due + timedelta(days=until)}
    if not extended and reason and told <= 0 and 1 <= until <= 30:
        deadlines.check_extension(**facts, **days)
    else:
        with pytest.raises(NotAllowedNow, match=r"\w"):
            deadlines.check_extension(**facts, **days)


@given(second=st.integers(1_577_836_800, 2_082_758_400))  # 2020 to 2036
def test_an_instant_belongs_to_the_day_that_the_office_reads_on_its_wall(second):
    at = datetime.fromtimestamp(second, tz=UTC)
    with timezone.override(NEW_YORK):
        assert clock.office_day(at) == at.astimezone(NEW_YORK).date()


@given(due=DAYS)
def test_the_last_office_day_is_open_and_every_day_behind_it_is_closed(due):
    last = deadlines.last_office_day(due)
    assert not office_days.why_closed(last)
    assert all(office_days.why_closed(last + timedelta(days=n)) for n in range(1, (due - last).days + 1))
