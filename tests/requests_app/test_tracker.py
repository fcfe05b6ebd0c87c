"""The tracker, the dashboard's part and the chart's tab: every open request soonest first, its clock in words, at a flat cost."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import signing

from meso.models import AccessEvent
from requests_app.kinds import Outcome, Step
from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, RequestFactory, UserFactory

ON = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


def due_in(days: int, **facts) -> PatientRequest:
    """A request with so many days left."""
    return RequestFactory(received_on=ON + timedelta(days=days - 30), on=ON, **facts)


def shown(response) -> list[PatientRequest]:
    return response.context["page"].rows


@pytest.mark.parametrize(
    ("role", "code"), [("front_desk", 200), ("physician", 200), ("privacy_officer", 200), ("office_admin", 403)]
)
@pytest.mark.parametrize("path", ["/requests/", "/patients/10023/requests/"])
def test_who_sees_requests(client, signed_in, role, code, path):
    PatientFactory(chart_number="10023")
    signed_in(role)
    assert client.get(path).status_code == code


@pytest.mark.parametrize("path", ["/requests/", "/requests/new/", "/patients/10023/requests/", "/requests/R-1001/"])
def test_nobody_sees_requests_without_a_login(client, db, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


def test_open_requests_stand_soonest_first_with_their_clock_in_words(client, signed_in):
    signed_in("front_desk")
    fine, late, today, soon = due_in(20), due_in(-2), due_in(0), due_in(3)
    due_in(1).withdraw(reason="Called", by=UserFactory(), at=AT, on=ON)
    response = client.get("/requests/")
    assert shown(response) == [late, today, soon, fine]
    text = response.content.decode()
    for tint, words in (("late", "2 days late"), ("soon", "due today"), ("soon", "3 days left"), ("fine", "20 days left")):
        row = text[text.index(f"tag-{tint}") :]
        assert words in row


def test_a_row_tells_who_when_what_next_and_with_whom(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(first_name="Ruth", last_name="Stein", chart_number="10023")
    colleague = UserFactory(first_name="Nora", last_name="Lind")
    RequestFactory(kind="amendment", patient=patient, received_on=date(2026, 11, 20), on=ON, assignee=colleague)
    text = client.get("/requests/").content.decode()
    for words in (
        "Ruth Stein", "Chart 10023", "Correct the record", "Nov 20, 2026", "Dec 20, 2026", "26 days left", "Check who is asking",
        "Falls on a Sunday; last office day Fri, Dec 18.", "federal limit Jan 19, 2027", "Nora Lind",
    ):  # fmt: skip
        assert words in text, words


def test_one_whose_chart_is_not_found_says_so(client, signed_in):
    signed_in("front_desk")
    RequestFactory(patient=None, asker_name="Somebody New")
    text = client.get("/requests/").content.decode()
    assert "Somebody New" in text
    assert "not yet matched" in text


def test_no_name_stands_in_the_title_or_the_audit(client, signed_in):
    signed_in("front_desk")
    RequestFactory(patient=PatientFactory(last_name="Unmistakable"))
    response = client.get("/requests/")
    title = response.content.decode().split("<title>")[1].split("</title>")[0]
    assert "Unmistakable" not in title
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject, event.detail) == ("view", "request tracker", "1 rows")


def test_looking_notes_what_has_gone_overdue(client, signed_in):
    signed_in("front_desk")
    late = due_in(-1)
    client.get("/requests/")
    client.get("/requests/")
    assert late.events.filter(verb=Verb.OVERDUE).count() == 1


# --- filters -----------------------------------------------------------------------------------------------------


@pytest.fixture
def every_step(signed_in):
    """One request at each step, and a closed one."""
    officer = signed_in("privacy_officer")
    now = {"by": officer, "at": AT, "on": ON}
    found = {step: RequestFactory(kind="amendment", patient=None if step == Step.MATCH else PatientFactory()) for step in Step}
    for step in (Step.DECIDE, Step.CARRY_OUT, Step.SEND):
        found[step].verify_identity("photo ID seen", **now)
    for step in (Step.CARRY_OUT, Step.SEND):
        found[step].decide(Outcome.GRANTED, **now)
    found[Step.SEND].carried_out(Verb.AMENDED, ON, what="addendum", **now)
    found["closed"] = RequestFactory(patient=None)
    found["closed"].withdraw(reason="Called", **now)
    return found


@pytest.mark.parametrize("state", [*Step.values, "closed"])
def test_each_state_shows_what_is_in_it(client, every_step, state):
    response = client.post("/requests/", {"state": state})
    assert shown(response) == [every_step[state]]
    assert AccessEvent.objects.latest("pk").action == "search"


def test_overdue_and_due_within_a_week_are_told_apart(client, signed_in):
    signed_in("front_desk")
    late, today, week, later = due_in(-1), due_in(0), due_in(7), due_in(8)
    assert shown(client.post("/requests/", {"state": "overdue"})) == [late]
    assert shown(client.post("/requests/", {"state": "due_soon"})) == [today, week]
    assert shown(client.get("/requests/?state=due_soon")) == [today, week]
    assert later not in shown(client.get("/requests/?state=due_soon"))


def test_filters_narrow_together(client, signed_in):
    user = signed_in("front_desk")
    mine = due_in(5, kind="amendment", assignee=user)
    due_in(5, kind="access", assignee=user)
    nobodys = due_in(6, kind="amendment")
    assert shown(client.post("/requests/", {"kind": "amendment"})) == [mine, nobodys]
    assert shown(client.post("/requests/", {"kind": "amendment", "assignee": str(user.pk)})) == [mine]
    assert shown(client.post("/requests/", {"kind": "amendment", "assignee": "nobody"})) == [nobodys]
    first, last = mine.received_on, nobodys.received_on
    assert shown(client.post("/requests/", {"kind": "amendment", "since": last.isoformat()})) == [nobodys]
    assert shown(client.post("/requests/", {"kind": "amendment", "until": first.isoformat()})) == [mine]


@pytest.mark.parametrize("typed", ["{number}", "{digits}", " {number} "])
def test_a_number_finds_its_request_in_any_state(client, signed_in, typed):
    user = signed_in("front_desk")
    request = RequestFactory()
    RequestFactory()
    request.withdraw(reason="Called", by=user, at=AT, on=ON)
    text = typed.format(number=request.number, digits=request.number[2:])
    assert shown(client.post("/requests/", {"number": text})) == [request]


def test_a_number_that_is_none_finds_nothing_and_says_so(client, signed_in):
    signed_in("front_desk")
    RequestFactory()
    response = client.post("/requests/", {"number": "tomorrow"})
    assert shown(response) == []
    assert "No request matches." in response.content.decode()


def test_a_filter_that_is_wrong_says_why_and_keeps_what_was_typed(client, signed_in):
    signed_in("front_desk")
    response = client.post("/requests/", {"since": "2026-11-20", "until": "2026-11-01", "kind": "access"})
    text = response.content.decode()
    assert "This day comes before the first one." in text
    assert 'value="2026-11-20"' in text
    assert response.context["form"]["kind"].value() == "access"


def test_pages_follow_one_another_without_gap_or_repeat(client, signed_in):
    signed_in("front_desk")
    for days in range(60):
        due_in(days % 4 + 1)
    seen, token = [], ""
    while True:
        page = client.post("/requests/", {"after": token}).context["page"]
        seen += page.rows
        token = page.next_token
        if not token:
            break
    assert seen == list(PatientRequest.objects.due_soonest())
    assert len(seen) == 60


def test_a_forged_page_token_starts_from_the_first_page(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory()
    forged = signing.dumps(["2030-01-01", 1], salt="another")
    assert shown(client.post("/requests/", {"after": forged})) == [request]


def test_closed_ones_stand_newest_first(client, signed_in):
    user = signed_in("front_desk")
    first, second = RequestFactory(received_on=date(2026, 11, 1)), RequestFactory(received_on=date(2026, 11, 2))
    second.withdraw(reason="Called", by=user, at=AT, on=date(2026, 11, 10))
    first.withdraw(reason="Called", by=user, at=AT, on=date(2026, 11, 20))
    response = client.post("/requests/", {"state": "closed"})
    assert shown(response) == [first, second]
    assert "Withdrawn by the patient" in response.content.decode()


def test_the_trackers_cost_does_not_grow(client, signed_in, queries_for):
    user = signed_in("front_desk")
    due_in(1, assignee=user)
    few = len(queries_for("/requests/"))
    for days in range(20):
        due_in(days + 1, assignee=UserFactory(), patient=None if days % 2 else PatientFactory())
    assert len(queries_for("/requests/")) == few


# --- the chart's tab ---------------------------------------------------------------------------------------------


def test_a_chart_has_its_own_requests_newest_first_open_and_closed(client, signed_in):
    user = signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    old = RequestFactory(patient=patient, received_on=date(2026, 1, 5), on=ON)
    new = RequestFactory(patient=patient, received_on=date(2026, 11, 5), on=ON)
    RequestFactory()
    old.withdraw(reason="Called", by=user, at=AT, on=ON)
    response = client.get("/patients/10023/requests/")
    assert shown(response) == [new, old]
    event = AccessEvent.objects.latest("pk")
    assert (event.subject, event.chart_number) == ("requests of a chart", "10023")


def test_the_requests_of_a_chart_go_on_to_a_next_page(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    for day in range(1, 31):
        RequestFactory(patient=patient, received_on=date(2026, 10, day), on=ON)
    first = client.get("/patients/10023/requests/").context["page"]
    second = client.post("/patients/10023/requests/", {"after": first.next_token}).context["page"]
    assert [request.received_on.day for request in [*first, *second]] == list(range(30, 0, -1))


def test_a_chart_that_is_not_there_has_no_requests(client, signed_in):
    signed_in("front_desk")
    assert client.get("/patients/99999/requests/").status_code == 404


# --- the dashboard -----------------------------------------------------------------------------------------------


def test_the_dashboard_puts_the_overdue_on_top_and_counts_the_open(client, signed_in):
    signed_in("privacy_officer")
    late, _soon, _fine = due_in(-3), due_in(2), due_in(20, patient=None)
    text = client.get("/").content.decode()
    alert = text[text.index('role="alert"') : text.index("Open requests")]
    assert "1 request is past its due date." in alert
    assert late.number in alert
    assert "3 days late" in alert
    numbers = [part.split("<")[0] for part in text.split('class="number">')[1:]]
    assert numbers[:4] == ["3", "1", "1", "1"]
    assert "Requests by deadline" in text


def test_the_dashboard_without_requests_says_so(client, signed_in):
    signed_in("front_desk")
    text = client.get("/").text.split('<template id="lock-warning"')[0]  # what follows belongs to the lock
    assert "No request is open." in text
    assert 'role="alert"' not in text


def test_the_office_admins_dashboard_has_no_requests(client, signed_in):
    signed_in("office_admin")
    due_in(-3)
    assert "Requests by deadline" not in client.get("/").content.decode()


def test_the_dashboards_cost_does_not_grow(client, signed_in, queries_for):
    signed_in("privacy_officer")
    due_in(-1)
    client.get("/")
    few = len(queries_for("/"))
    for days in range(-5, 20):
        due_in(days, assignee=UserFactory())
    client.get("/")
    assert len(queries_for("/")) == few
