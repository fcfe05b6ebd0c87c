"""The page of one request: its clock and how it was worked out, what is left, who asks, and what has happened."""

from datetime import UTC, date, datetime, timedelta

import pytest

from meso.models import AccessEvent, Office
from requests_app import checklist
from requests_app.answers import decide_with_letter
from requests_app.kinds import Kind, Outcome, Step
from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, RequestFactory, RestrictionFactory, UserFactory

ON = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


def page_of(client, request: PatientRequest) -> str:
    response = client.get(f"/requests/{request.number}/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("role", "code"), [("front_desk", 200), ("physician", 200), ("privacy_officer", 200), ("office_admin", 403)]
)
def test_who_sees_a_request(client, signed_in, role, code):
    signed_in(role)
    assert client.get(f"/requests/{RequestFactory().number}/").status_code == code


@pytest.mark.parametrize("number", ["R-9999", "R-1000", "R-0001", "R-999999999999", "1001", "r-1001", "R-", "R-10x1"])
def test_a_number_that_is_none_is_not_found(client, signed_in, number):
    signed_in("front_desk")
    RequestFactory()
    assert client.get(f"/requests/{number}/").status_code == 404


def test_looking_is_audited_with_number_and_chart(client, signed_in):
    user = signed_in("front_desk")
    request = RequestFactory(patient=PatientFactory(chart_number="10023"))
    page_of(client, request)
    event = AccessEvent.objects.latest("pk")
    assert (event.user, event.action, event.subject, event.chart_number) == (user, "view", f"request {request.number}", "10023")


def test_no_name_stands_in_the_title(client, signed_in):
    signed_in("front_desk")
    text = page_of(client, RequestFactory(patient=PatientFactory(last_name="Unmistakable")))
    assert "Unmistakable" in text
    assert "Unmistakable" not in text.split("<title>")[1].split("</title>")[0]


@pytest.mark.parametrize(
    ("received", "words", "tint"),
    [
        (date(2026, 11, 24), "Due Dec 24, 2026 · <strong>30 days left</strong>", "clock-fine"),
        (date(2026, 10, 25), "Due Nov 24, 2026 · <strong>due today</strong>", "clock-soon"),
        (date(2026, 10, 20), "Due Nov 19, 2026 · <strong>5 days late</strong>", "clock-late"),
    ],
)
def test_the_clock_stands_in_large_words(client, signed_in, received, words, tint):
    signed_in("front_desk")
    text = page_of(client, RequestFactory(received_on=received, on=ON))
    assert words in text
    assert tint in text


def test_the_page_says_how_the_date_was_worked_out(client, signed_in):
    signed_in("front_desk")
    text = page_of(client, RequestFactory(kind="amendment", received_on=date(2026, 11, 20), on=ON))
    for words in (
        "Friday, November 20, 2026",
        "The office promises 30 calendar days",
        "Sunday, December 20, 2026",
        "Rule version 2026-11",
        "None used. One is allowed, by a letter sent by December 20, 2026 that names a day up to January 19, 2027.",
        "Falls on a Sunday; last office day Fri, Dec 18.",
        "60 days (45 CFR 164.526(b)(2)): Tuesday, January 19, 2027.",
        "Federal limit: Jan 19, 2027.",
    ):
        assert words in text, words


def test_an_extended_clock_says_from_when_to_when_and_why(client, signed_in):
    officer = signed_in("privacy_officer")
    request = RequestFactory(received_on=date(2026, 10, 26), on=ON)
    request.extend(until=date(2026, 12, 10), reason="Papers are in storage", told_on=ON, by=officer, at=AT, on=ON)
    text = page_of(client, request)
    assert "Due Dec 10, 2026 · <strong>16 days left</strong>" in text
    assert "Extended once; first due Nov 25, 2026." in text
    assert "December 25, 2026 was the latest that could be named." in text
    assert "The patient was told on Nov 24, 2026. Reason: Papers are in storage" in text
    assert "and 30 more by the extension: Friday, December 25, 2026." in text


DIRECTIVE = "/patients/10023/authorizations/new/?kind=directive"


@pytest.mark.parametrize(("role", "shown"), [("front_desk", True), ("privacy_officer", True), ("physician", False)])
def test_an_access_request_leads_to_the_directive_that_sends_the_copy_to_somebody_else(client, signed_in, role, shown):
    """Where the next step is decided: 164.524(c)(3)(ii)."""
    signed_in(role)
    request = RequestFactory(kind="access", patient=PatientFactory(chart_number="10023"))
    assert (DIRECTIVE in page_of(client, request)) is shown
    assert DIRECTIVE not in page_of(client, RequestFactory(kind="accounting", patient=request.patient))
    assert "kind=directive" not in page_of(client, RequestFactory(kind="access", patient=None))


def test_the_decision_shows_it_too_and_the_form_is_one_for_a_directive(client, signed_in):
    signed_in("privacy_officer")
    request = RequestFactory(kind="access", patient=PatientFactory(chart_number="10023"))
    assert DIRECTIVE in client.get(f"/requests/{request.number}/decide/").content.decode()
    assert client.get(DIRECTIVE).context["form"]["kind"].value() == "directive"
    for query in ("", "?kind=", "?kind=subpoena"):
        page = client.get(f"/patients/10023/authorizations/new/{query}")
        assert page.context["form"]["kind"].value() == "authorization"


@pytest.mark.parametrize("kind", ["restriction", "confidential_communication"])
def test_where_the_law_sets_no_limit_the_page_says_so(client, signed_in, kind):
    signed_in("front_desk")
    assert "The law sets none for this kind (45 CFR 164.522" in page_of(client, RequestFactory(kind=kind))


def test_a_closed_request_says_when_and_how_it_ended(client, signed_in):
    user = signed_in("front_desk")
    request = RequestFactory(received_on=date(2026, 10, 1), on=ON)
    request.withdraw(reason="Found it at home", by=user, at=AT, on=ON)
    text = page_of(client, request)
    assert "Closed Nov 24, 2026 · <strong>Withdrawn by the patient</strong>" in text
    assert "It was due Oct 31, 2026." in text
    assert "24 days late." in text
    assert "Found it at home" in text
    assert "Extend the due date" not in text
    assert "Patient withdraws it" not in text


def test_what_was_asked_stands_in_the_labels_of_its_kind(client, signed_in):
    signed_in("front_desk")
    details = {"which": "Visit notes", "since": "2026-01-01", "form": "mail"}
    text = page_of(client, RequestFactory(details=details, description="Please hurry <b>"))
    for words in ("Which records", "Visit notes", "Jan 1, 2026", "On paper, by mail", "Please hurry &lt;b&gt;"):
        assert words in text, words


def test_the_banner_shows_what_binds_the_office_once_the_chart_is_found(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    RestrictionFactory(patient=patient, what="Nothing to the health plan")
    assert "Nothing to the health plan" in page_of(client, RequestFactory(patient=patient))
    assert "Nothing to the health plan" not in page_of(client, RequestFactory(patient=None, asker_name=patient.name))


def test_an_imported_request_without_a_way_it_came_has_its_page(client, signed_in):
    signed_in("front_desk")
    assert "not recorded" in page_of(client, RequestFactory(channel=""))


def test_opening_a_request_notes_that_it_is_overdue(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory(received_on=date(2026, 10, 1), on=ON)
    assert "The due date, Oct 31, 2026, has passed and the request is open." in page_of(client, request)
    assert request.events.filter(verb=Verb.OVERDUE).count() == 1


def test_the_timeline_tells_what_when_and_by_whom_with_notes(client, signed_in):
    user = signed_in("front_desk", first_name="Robin", last_name="Reed")
    request = RequestFactory()
    request.add_note("Called, <i>no</i> answer", by=user, at=AT, on=ON)
    text = page_of(client, request)
    assert "The request came in (By letter). Due Dec 24, 2026." in text
    assert "Called, &lt;i&gt;no&lt;/i&gt; answer" in text
    assert "Nov 24, 2026 10:00 · Robin Reed" in text  # the office's clock
    assert "Nov 24, 2026 10:00 · by itself" in text


def test_the_cost_does_not_grow_with_the_timeline(client, signed_in, queries_for):
    user = signed_in("privacy_officer")
    request = RequestFactory()
    request.add_note("One", by=user, at=AT, on=ON)
    few = len(queries_for(f"/requests/{request.number}/"))
    for _ in range(20):
        request.add_note("Another", by=UserFactory(), at=AT, on=ON)
    assert len(queries_for(f"/requests/{request.number}/")) == few


# --- the checklist -----------------------------------------------------------------------------------------------


def steps(request: PatientRequest, role: str = "privacy_officer") -> list[tuple[str, str]]:
    """(step, where it stands) of each item."""
    items = checklist.of(request, UserFactory(role=role))
    return [(item.step, "done" if item.is_done else "next" if item.is_next else "later") for item in items]


def test_a_new_request_begins_with_its_chart(client):
    request = RequestFactory(kind="amendment", patient=None)
    assert steps(request) == [
        (Step.MATCH, "next"), (Step.VERIFY, "later"), (Step.DECIDE, "later"), (Step.CARRY_OUT, "later"), (Step.SEND, "later"),
    ]  # fmt: skip


def test_a_granted_access_needs_no_letter_and_a_partial_one_does():
    officer, request = UserFactory(role="privacy_officer"), RequestFactory()
    request.verify_identity("photo ID seen", by=officer, at=AT, on=ON)
    assert steps(request)[-1] == (Step.CARRY_OUT, "later")
    request.decide(Outcome.GRANTED_IN_PART, ground="U1", text="Two pages", by=officer, at=AT, on=ON)
    assert steps(request)[-2:] == [(Step.CARRY_OUT, "next"), (Step.SEND, "later")]


def test_a_denied_request_leaves_only_its_letter():
    officer, request = UserFactory(role="privacy_officer"), RequestFactory(kind="amendment", patient=None)
    request.decide(Outcome.DENIED, ground="A4", text="It is accurate", by=officer, at=AT, on=ON)
    assert steps(request) == [(Step.DECIDE, "done"), (Step.SEND, "next")]


@pytest.mark.parametrize("kind", Kind.values)
def test_the_physician_decides_amendments_and_the_officer_the_rest(kind):
    officer, doctor = UserFactory(role="privacy_officer"), UserFactory(role="physician")
    request = RequestFactory(kind=kind)
    request.verify_identity("photo ID seen", by=officer, at=AT, on=ON)
    mine = {user.role: next(i for i in checklist.of(request, user) if i.is_next).is_yours for user in (officer, doctor)}
    assert mine == {"privacy_officer": kind != "amendment", "physician": kind == "amendment"}


def test_one_whose_turn_it_is_not_is_told_whose_it_is(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory(kind="amendment")
    request.verify_identity("photo ID seen", by=UserFactory(), at=AT, on=ON)
    text = page_of(client, request)
    assert "done by: Physician" in text
    assert "/decide" not in text


def test_the_one_next_action_leads_to_its_page(client, signed_in):
    user = signed_in("privacy_officer")
    request = RequestFactory(patient=None)
    assert f'class="btn btn-primary" href="/requests/{request.number}/match/"' in page_of(client, request)
    request.match(PatientFactory(), by=user, at=AT, on=ON)
    assert f'class="btn btn-primary" href="/requests/{request.number}/identity/"' in page_of(client, request)
    request.verify_identity("photo ID seen", by=user, at=AT, on=ON)
    assert f'class="btn btn-primary" href="/requests/{request.number}/decide/"' in page_of(client, request)
    request.decide(Outcome.GRANTED, by=user, at=AT, on=ON)
    assert f'class="btn btn-primary" href="/requests/{request.number}/carry-out/"' in page_of(client, request)


def test_an_amendment_leads_the_physician_to_the_decision_and_then_to_the_entry(client, signed_in):
    doctor = signed_in("physician")
    request = RequestFactory(kind="amendment")
    request.verify_identity("photo ID seen", by=UserFactory(), at=AT, on=ON)
    assert f'class="btn btn-primary" href="/requests/{request.number}/decide-amendment/"' in page_of(client, request)
    request.decide(Outcome.GRANTED, by=doctor, at=AT, on=ON)
    assert f'class="btn btn-primary" href="/requests/{request.number}/amend/"' in page_of(client, request)


def test_what_is_left_of_a_denial_is_among_the_letters_on_the_page_itself(client, signed_in):
    user = signed_in("privacy_officer")
    office = Office.current()
    office.officer_name, office.officer_phone, office.phone = "Nora Lind", "(518) 555-0142", "(518) 555-0140"
    office.address_1, office.city, office.state, office.zip = "218 Lark Street", "Albany", "NY", "12210"
    request = RequestFactory(kind="restriction")
    decide_with_letter(request, Outcome.DENIED, ground="N1", text="We can't", by=user, at=AT, on=ON, office=office)
    text = page_of(client, request)
    assert 'class="btn btn-primary" href="#answer"' in text
    assert 'id="answer"' in text


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("front_desk", {"assign", "match", "withdraw"}),
        ("physician", set()),
        ("privacy_officer", {"assign", "match", "extend", "receipt", "withdraw"}),
    ],
)
def test_each_role_sees_the_acts_that_are_theirs(client, signed_in, role, seen):
    signed_in(role)
    request = RequestFactory(received_on=ON - timedelta(days=3), on=ON)
    text = page_of(client, request)
    offered = {act for act in ("assign", "match", "extend", "receipt", "withdraw") if f"/{request.number}/{act}/" in text}
    assert offered == seen
    assert f"/{request.number}/note/" in text
