"""Unusual looks at charts: each rule lists what it should and nothing near it; lines are signed off, and come back."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection

from meso import clock, seals
from meso.append_only import AppendOnlyError
from meso.forms import OfficeForm
from meso.models import AccessEvent, Office
from records.models import ChartGuard, Patient
from requests_app import unusual
from requests_app.models import AccessReview
from tests.factories import DisclosureFactory, EntryFactory, PatientFactory, RequestFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
ON = date(2026, 11, 24)  # a Tuesday
NOON = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 2, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _new_york():
    clock.set_zone("America/New_York")


def patient(**facts) -> Patient:
    """Somebody who came years ago and has not been seen since."""
    one = PatientFactory(**facts)
    Patient.objects.filter(pk=one.pk).update(registered_at=LONG_AGO)
    return one


def seen(one: Patient, day: date = ON) -> Patient:
    """The same, with a visit that day: nothing but what the test is about should list them."""
    EntryFactory(patient=one, service_on=day)
    return one


def looked(who, one: Patient, at: datetime = NOON, action: str = "view") -> AccessEvent:
    return AccessEvent.objects.create(at=at, user=who, action=action, subject="chart", chart_number=one.chart_number)


def listed(since: date = ON - timedelta(days=6), until: date = ON) -> list[tuple[str, str]]:
    return [(one.rule.value, one.chart) for one in unusual.findings(since, until, Office.current())]


# --- who they are to each other -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_name", "of_patient", "is_listed"),
    [("Álvarez", "ALVAREZ", True), ("O'Brien", "Obrien", True), ("Alvarez", "Alvarado", False), ("", "", False)],
)
def test_the_same_last_name_is_listed_however_it_is_written(last_name, of_patient, is_listed):
    one = seen(patient(first_name="Bo", last_name=of_patient))
    looked(UserFactory(first_name="Kim", last_name=last_name), one)
    assert listed() == ([("surname", one.chart_number)] if is_listed else [])


@pytest.mark.parametrize(
    ("home", "address", "is_listed"),
    [
        ("Elm St", "12 Elm Street", True),
        ("7B Elm street", "140 elm st.", True),
        ("Elm Street", "12 Oak Street", False),
        ("", "", False),
        ("", "12 Elm Street", False),
    ],
)
def test_the_same_street_is_listed_where_the_staff_wrote_theirs(home, address, is_listed):
    one = seen(patient(address_1=address))
    looked(UserFactory(home_street=home), one)
    assert listed() == ([("street", one.chart_number)] if is_listed else [])


def test_one_s_own_chart_and_a_colleague_s_are_listed_as_such_and_not_as_a_last_name():
    mine, hers = (seen(patient(first_name="Ada", last_name="Vance")), seen(patient(first_name="Kim", last_name="Ode")))
    ada = UserFactory(first_name="Ada", last_name="Vance")
    UserFactory(first_name="Kim", last_name="Ode", is_active=False)
    looked(ada, mine)
    looked(ada, hers)
    assert listed() == [("own", mine.chart_number), ("colleague", hers.chart_number)]


def test_every_look_at_a_guarded_chart_is_listed_even_of_those_whom_the_guard_names():
    known, works_here = seen(patient()), seen(patient())
    officer, doctor = UserFactory(role="privacy_officer"), UserFactory(role="physician")
    ChartGuard.lay(known, kind="vip", reason="", team=[doctor], by=officer, at=NOON)
    ChartGuard.lay(works_here, kind="staff", reason="", team=[doctor], by=officer, at=NOON)
    looked(doctor, known)
    looked(doctor, works_here)
    assert listed() == [("colleague", works_here.chart_number), ("guarded", known.chart_number)]
    known.guards.get().lift(reason="No longer", by=officer, at=NOON)
    assert listed() == [("colleague", works_here.chart_number)]


# --- no reason near -------------------------------------------------------------------------------------------------


def test_a_chart_without_a_visit_near_is_listed():
    one = patient()
    looked(UserFactory(), one)
    looked(UserFactory(role="physician"), one)
    assert listed() == [("no_visit", one.chart_number)] * 2


@pytest.mark.parametrize(("days", "explains"), [(-15, False), (-14, True), (0, True), (14, True), (15, False)])
def test_a_visit_within_two_weeks_explains_it(days, explains):
    one = patient()
    EntryFactory(patient=one, service_on=ON + timedelta(days=days))
    looked(UserFactory(), one)
    assert listed() == ([] if explains else [("no_visit", one.chart_number)])


@pytest.mark.parametrize(("days", "explains"), [(-15, False), (-14, True)])
def test_so_does_a_disclosure(days, explains):
    one = patient()
    DisclosureFactory(patient=one, disclosed_on=ON + timedelta(days=days))
    looked(UserFactory(), one)
    assert (listed() == []) == explains


def test_so_does_an_open_request_and_one_closed_lately_and_registering():
    asked, new, other = patient(), PatientFactory(), patient()
    RequestFactory(patient=asked, received_on=ON - timedelta(days=60))
    for one in (asked, new, other):
        looked(UserFactory(), one)
    assert listed() == [("no_visit", other.chart_number)]


# --- when, and how much ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "is_listed"),
    [
        (datetime(2026, 11, 24, 13, 0, tzinfo=UTC), False),  # 8:00
        (datetime(2026, 11, 24, 12, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 24, 22, 59, tzinfo=UTC), False),  # 17:59
        (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 17, 0, tzinfo=UTC), False),  # Saturday noon
        (datetime(2026, 11, 22, 17, 0, tzinfo=UTC), True),  # Sunday noon
        (datetime(2026, 11, 25, 3, 0, tzinfo=UTC), True),  # ten at night is still Tuesday
    ],
)
def test_outside_the_office_s_hours_is_listed(at, is_listed):
    one = seen(patient())
    looked(UserFactory(), one, at)
    assert listed() == ([("after_hours", one.chart_number)] if is_listed else [])


def test_the_office_says_what_its_hours_are():
    office = Office.current()
    office.opens_at, office.closes_at, office.working_days = time(12), time(20), "1"
    office.save()
    assert office.hours(ON) == (NOON, NOON + timedelta(hours=8))
    assert office.hours(ON + timedelta(days=1)) is None
    office.closes_at = time(11)
    with pytest.raises(ValidationError, match="after it opens"):
        office.full_clean()
    form = OfficeForm(instance=Office.current())
    assert form.initial["working_days"] == ["1"]


def many(number: int, minutes: float, who=None, action: str = "view"):
    who = who or UserFactory()
    for step in range(number):
        looked(who, seen(patient()), NOON + timedelta(minutes=minutes * step), action)
    return who


def test_more_than_thirty_charts_in_any_hour_are_listed_once():
    many(30, 1)
    assert listed() == []
    slow = many(31, 2.1)  # 31 in 63 minutes
    assert listed() == []
    many(31, 1.9)
    [one] = unusual.findings(ON, ON, Office.current())
    assert (one.rule, one.chart, one.looks) == ("charts", "", 31)
    assert one.about != slow


def test_more_than_a_hundred_charts_in_a_day_are_listed_however_slowly():
    who = many(100, 2.2)
    assert listed() == []
    looked(who, seen(patient()), NOON + timedelta(minutes=2.2 * 100))
    [one] = unusual.findings(ON, ON, Office.current())
    assert (one.rule, one.about, one.looks) == ("charts", who, 101)


def test_the_same_chart_thirty_one_times_is_one_chart():
    who, one = UserFactory(), seen(patient())
    for step in range(31):
        looked(who, one, NOON + timedelta(minutes=step))
    assert listed() == []


def test_more_than_ten_prints_and_downloads_in_a_day_are_listed():
    one, few, much = seen(patient()), UserFactory(), UserFactory()
    for step in range(11):
        looked(much, one, NOON + timedelta(minutes=step), ("print", "download", "export")[step % 3])
        if step < 10:
            looked(few, one, NOON + timedelta(minutes=step), "print")
    [found] = unusual.findings(ON, ON, Office.current())
    assert (found.rule, found.about, found.looks) == ("exports", much, 11)


def test_what_nobody_looked_at_is_not_listed():
    one = patient()
    for action in ("refused", "login", "sent", "command"):
        looked(UserFactory(), one, action=action)
    AccessEvent.objects.create(at=NOON, user=None, action="export", subject="record", chart_number=one.chart_number)
    AccessEvent.objects.create(at=NOON, user=UserFactory(), action="search", subject="patients")
    looked(UserFactory(), one, NOON - timedelta(days=7))
    assert listed() == []
    assert listed(since=ON - timedelta(days=7)) == [("no_visit", one.chart_number)]


# --- signing off ----------------------------------------------------------------------------------------------------


def keys() -> list[str]:
    return [one.key for one in unusual.findings(ON - timedelta(days=6), ON, Office.current())]


@pytest.fixture
def officer(signed_in):
    return signed_in("privacy_officer", first_name="Nora", last_name="Lind")


def test_a_line_says_who_which_chart_when_and_why_and_is_signed_off(client, officer):
    one, desk = patient(), UserFactory(first_name="Robin", last_name="Keel")
    looked(desk, one)
    looked(desk, one, NOON + timedelta(minutes=5))
    page = client.get("/audit/review/").content.decode()
    why = "No visit, request or release near that day"
    for told in ("Robin Keel", one.chart_number, "Nov 24, 2026", "12:00 PM", "12:05 PM", why):
        assert told in page
    assert one.last_name not in page
    done = client.post("/audit/review/", {"line": keys(), "outcome": "explained", "note": "Called about a bill"})
    assert (done.status_code, keys()) == (302, [])
    review = AccessReview.objects.get()
    assert (review.about, review.chart_number, review.looks, review.signed_as) == (desk, one.chart_number, 2, "Nora Lind")
    event = AccessEvent.objects.order_by("-pk")[0]
    assert (event.action, event.subject, event.chart_number) == ("create", f"review {review.pk}", one.chart_number)
    shown = client.get("/audit/review/done/").content.decode()
    assert "Called about a bill" in shown
    assert seals.verify().breaks == []


def test_another_look_on_the_same_day_brings_it_back(client, officer):
    one, desk = patient(), UserFactory()
    looked(desk, one)
    client.post("/audit/review/", {"line": keys(), "outcome": "explained"})
    assert keys() == []
    looked(desk, one)
    assert len(keys()) == 1


def test_the_form_says_what_is_missing_and_keeps_what_was_ticked(client, officer):
    looked(UserFactory(), patient())
    nothing = client.post("/audit/review/", {"outcome": "explained"}).content.decode()
    assert "Tick at least one line." in nothing
    unsaid = client.post("/audit/review/", {"line": keys(), "outcome": "follow_up", "note": ""}).content.decode()
    assert "Say what is to be done, and by whom." in unsaid
    assert f'value="{keys()[0]}" checked' in unsaid
    assert AccessReview.objects.count() == 0
    forged = client.post("/audit/review/", {"line": ["no_visit.1.2026-11-24.1.10023"], "outcome": "explained"})
    assert "Tick at least one line." in forged.content.decode()


def test_nobody_signs_off_their_own_looks_while_another_officer_could(client, officer):
    looked(officer, patient())
    alone = {"line": keys(), "outcome": "explained"}
    other = UserFactory(role="privacy_officer")
    assert "Another privacy officer must sign off your own looks." in client.post("/audit/review/", alone).content.decode()
    other.is_active = False
    other.save()
    assert client.post("/audit/review/", alone).status_code == 302
    assert "their own look" in client.get("/audit/review/done/").content.decode()


def test_a_line_is_signed_off_once_and_for_ever():
    who = {"about": UserFactory(), "by": UserFactory()}
    facts = {"rule": "own", "day": ON, "looks": 1, "outcome": "explained", "at": NOON, **who}
    review = AccessReview.objects.create(**facts)
    with pytest.raises(AppendOnlyError):
        review.delete()
    with pytest.raises(IntegrityError):
        AccessReview.objects.create(**facts)


@pytest.mark.parametrize("role", ["front_desk", "physician", "office_admin"])
def test_nobody_else_sees_the_queue(client, signed_in, role):
    signed_in(role)
    assert client.get("/audit/review/").status_code == 403
    assert client.get("/audit/review/done/").status_code == 403
    assert "unusual" not in client.get("/").content.decode()


def test_the_dashboard_says_how_many_and_links_there(client, officer):
    looked(UserFactory(), patient())
    looked(UserFactory(), patient())
    page = client.get("/").content.decode()
    assert "Look through 2 unusual looks" in page
    assert "2 lines to look through" in page
    client.post("/audit/review/", {"line": keys()[:1], "outcome": "explained"})
    assert "Look through 1 unusual look" in client.get("/").content.decode()


def test_the_queue_costs_the_same_queries_however_many_looks(client, officer, queries_for):
    def one_more() -> None:
        looked(UserFactory(), patient())

    one_more()
    queries_for("/audit/review/")  # the office's profile is made on its first use
    few = len(queries_for("/audit/review/"))
    for _ in range(8):
        one_more()
    assert len(queries_for("/audit/review/")) == few


def test_the_events_of_the_span_are_found_by_an_index():
    looked(UserFactory(), patient())
    events = unusual._events(ON, ON)
    plan = events.explain()
    if connection.vendor == "sqlite":
        assert "SEARCH" in plan
        assert "SCAN meso_accessevent" not in plan
    else:
        call_command("check")
        assert plan  # a table of one row is read whole, whatever its indexes
