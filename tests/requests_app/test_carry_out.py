"""Carrying out what was granted: the record and the request change together, once, and nothing before chart and identity."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from disclosures.models import AccountingGiven, Release
from disclosures.purposes import Scope
from meso.models import AccessEvent
from meso.roles import Role
from records import wishes
from records.models import Addendum, ContactPreference, Restriction, StrikeThrough
from requests_app import answers, carrying_out
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind, Step
from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import (
    ContactPreferenceFactory,
    DisclosureFactory,
    EntryFactory,
    PatientFactory,
    RequestFactory,
    UserFactory,
)
from tests.requests_app.answering import AT, DETAILS, KINDS, ON, RECEIVED, an_office, granted, now, verified, words_of

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


def path(request: PatientRequest) -> str:
    return f"/requests/{request.number}/{'amend' if request.kind == Kind.AMENDMENT else 'carry-out'}/"


def post(client, request, url="", **data) -> PatientRequest:
    response = client.post(url or path(request), data)
    assert (response.status_code, response.headers.get("Location")) == (302, f"/requests/{request.number}/"), response.content
    request.refresh_from_db()
    return request


def errors(client, request, url="", **data) -> dict:
    """The form's errors after a POST that does nothing."""
    response = client.post(url or path(request), data)
    assert response.status_code == 200
    request.refresh_from_db()
    assert request.carried_out_on is None
    return response.context["form"].errors


# --- nothing before chart, identity and grant ------------------------------------------------------------------------

RESTRICT = {"what": "The visit of May 1", "from_whom": "My health plan", "begins_on": ON}
RESTRICT_FORM = RESTRICT | {"extent": "whole", "covers": ["payment", "operations"], "kept_from": ["health_plan"]}
CONTACT = {"means": "mail", "where": "PO Box 12\nAlbany, NY 12201", "avoid": "Home telephone", "begins_on": ON}
PERIOD = {"start": date(2020, 11, 2), "end": RECEIVED, "scope": Scope.NOTICE}


def acts(request: PatientRequest, by) -> dict:
    """What carries out each kind."""
    entry = EntryFactory(patient=request.patient or PatientFactory())
    return {
        Kind.ACCESS: lambda: carrying_out.looked_at(request, seen_on=ON, **now(by)),
        Kind.AMENDMENT: lambda: carrying_out.amend(request, entry, addendum="Never smoked.", **now(by)),
        Kind.RESTRICTION: lambda: carrying_out.restrict(request, **RESTRICT, **now(by)),
        Kind.CONFIDENTIAL_COMMUNICATION: lambda: carrying_out.set_contact(request, **CONTACT, **now(by)),
        Kind.ACCOUNTING: lambda: carrying_out.issue_accounting(request, **PERIOD, **now(by), office=an_office()),
    }


def nothing_is_stored() -> bool:
    tables = (Addendum, StrikeThrough, Restriction, ContactPreference, AccountingGiven)
    return not any(table.objects.exists() for table in tables)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_released_before_the_chart_is_found_and_identity_checked(officer, kind):
    unmatched = RequestFactory(kind=kind, patient=None, received_on=RECEIVED, on=RECEIVED)
    unchecked = RequestFactory(kind=kind, received_on=RECEIVED, on=RECEIVED)
    for request in (unmatched, unchecked):
        with pytest.raises(NotAllowedNow, match="Nothing is released before the chart is found and identity checked"):
            acts(request, officer)[kind]()
    assert nothing_is_stored()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_carried_out_that_is_not_granted_or_is_closed(officer, kind):
    with pytest.raises(NotAllowedNow, match="has not been granted"):
        acts(verified(kind, officer), officer)[kind]()
    closed = granted(kind, officer)
    closed.withdraw(reason="Called", **now(officer))
    with pytest.raises(NotAllowedNow, match="closed"):
        acts(closed, officer)[kind]()
    assert nothing_is_stored()


@pytest.mark.parametrize("kind", KINDS)
def test_an_act_carries_out_its_own_kind_and_no_other(officer, kind):
    request = granted(kind, officer)
    for other in set(KINDS) - {kind}:
        with pytest.raises(NotAllowedNow, match="asks for something else"):
            acts(request, officer)[other]()
    assert nothing_is_stored()


@pytest.mark.parametrize("kind", [Kind.RESTRICTION, Kind.CONFIDENTIAL_COMMUNICATION])
def test_a_second_click_carries_nothing_out_twice(officer, kind):
    request = granted(kind, officer)
    acts(request, officer)[kind]()
    with pytest.raises(NotAllowedNow, match=r"That was done on Nov 24, 2026\."):
        acts(request, officer)[kind]()
    assert Restriction.objects.count() + ContactPreference.objects.count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_clearly_why_nothing_can_be_done_and_offers_no_button(client, signed_in, officer, kind):
    signed_in("physician" if kind == Kind.AMENDMENT else "privacy_officer")
    for request, words in (
        (RequestFactory(kind=kind, received_on=RECEIVED, on=RECEIVED), "Nothing is released before"),
        (verified(kind, officer), "has not been granted"),
    ):
        text = client.get(path(request)).text.split('<template id="lock-warning"')[0]  # what follows belongs to the lock
        assert words in text
        assert 'class="btn btn-primary' not in text


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("kind", KINDS)
def test_amendments_are_the_physicians_and_all_else_the_desks(client, signed_in, officer, kind, role):
    signed_in(role)
    request = granted(kind, officer)
    allowed = {"physician"} if kind == Kind.AMENDMENT else {"front_desk", "privacy_officer"}
    assert (client.get(path(request)).status_code == 200) == (role in allowed)


def test_each_kind_leads_to_its_own_page(client, signed_in, officer):
    amendment, access = granted("amendment", officer), granted("access", officer)
    signed_in("privacy_officer")
    assert client.get(f"/requests/{amendment.number}/carry-out/")["Location"] == path(amendment)
    signed_in("physician")
    assert client.get(f"/requests/{access.number}/amend/")["Location"] == path(access)
    assert f'href="{path(amendment)}"' in client.get(f"/requests/{amendment.number}/").content.decode()


# --- looking ---------------------------------------------------------------------------------------------------------


def test_looking_at_the_record_answers_a_request_for_access_and_costs_nothing(client, signed_in, officer):
    signed_in("front_desk")
    request = granted("access", officer)
    client.post(f"/requests/{request.number}/look/", {"released_on": "2026-11-24", "step": "release"})
    request.refresh_from_db()
    assert (request.carried_out_on, request.closed_on) == (ON, ON)
    assert request.bills.count() == 0
    assert request.events.get(verb=Verb.INSPECTED).sentence == "The patient looked at the record on Nov 24, 2026."
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.detail, event.chart_number) == ("change", "record looked at", request.patient.chart_number)


@pytest.mark.parametrize(
    ("day", "words"), [("2026-11-23", "after the day of this release"), ("2026-11-25", "between the decision and today")]
)
def test_nobody_looked_before_the_decision_or_in_the_future(client, signed_in, officer, day, words):
    signed_in("front_desk")
    request = granted("access", officer)
    page = client.post(f"/requests/{request.number}/look/", {"released_on": day, "step": "release"}).content.decode()
    assert words in page
    assert not Release.objects.exists()


# --- amending --------------------------------------------------------------------------------------------------------


def amendable(by, **fields):
    request = granted("amendment", by, **fields)
    body = "The patient smokes. Doing well after the second session."
    entry = EntryFactory(patient=request.patient, service_on=date(2026, 5, 1), body=body)
    return request, entry, f"/requests/{request.number}/amend/{entry.pk}/"


def test_a_line_and_an_addendum_are_drawn_together_and_name_the_request(client, signed_in, officer):
    doctor = signed_in("physician", credentials="MD")
    request, entry, url = amendable(officer)
    data = {"line": "words", "passage": "The patient smokes.", "reason": "Not so", "addendum": "The patient never smoked."}
    post(client, request, url, **data)
    strike, addendum = StrikeThrough.objects.get(), Addendum.objects.get()
    assert (strike.entry, strike.passage, strike.by, strike.request_number) == (
        entry,
        "The patient smokes.",
        doctor,
        request.number,
    )
    assert (addendum.entry, addendum.body, addendum.author) == (entry, "The patient never smoked.", doctor)
    assert addendum.request_number == request.number
    event = request.events.get(verb=Verb.AMENDED)
    assert event.sentence == "The record was amended: entry of May 1, 2026, line through words and addendum."
    assert event.data["entry"] == str(entry.pk)
    entry.refresh_from_db()
    assert entry.body.startswith("The patient smokes.")


@pytest.mark.parametrize(
    ("data", "lines", "addenda"),
    [
        ({"line": "whole", "reason": "Another patient's visit"}, 1, 0),
        ({"line": "none", "addendum": "The patient never smoked."}, 0, 1),
    ],
)
def test_one_of_the_two_is_enough(client, signed_in, officer, data, lines, addenda):
    signed_in("physician")
    request, _entry, url = amendable(officer)
    post(client, request, url, **data)
    assert (StrikeThrough.objects.count(), Addendum.objects.count()) == (lines, addenda)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"addendum": "Never."}, "line"),
        ({"line": "none"}, "addendum"),
        ({"line": "none", "addendum": "  "}, "addendum"),
        ({"line": "words", "reason": "Not so"}, "passage"),
        ({"line": "words", "passage": "The patient smokes."}, "reason"),
        ({"line": "whole", "addendum": "No"}, "reason"),
        ({"line": "words", "passage": "The patient drinks.", "reason": "Not so", "addendum": "Never."}, "passage"),
    ],
)
def test_an_amendment_that_lacks_something_changes_nothing(client, signed_in, officer, data, field):
    signed_in("physician")
    request, _entry, url = amendable(officer)
    assert list(errors(client, request, url, **data)) == [field]
    assert nothing_is_stored()


def test_several_entries_can_be_amended_before_the_letter_is_sent_which_ends_it(client, signed_in, officer):
    doctor = signed_in("physician")
    request = verified("amendment", officer)
    letter = answers.decide_with_letter(request, "granted", ground="", text="", office=an_office(), **now(doctor))
    for day in (1, 2, 3):
        entry = EntryFactory(patient=request.patient, service_on=date(2026, 5, day))
        post(client, request, f"/requests/{request.number}/amend/{entry.pk}/", line="none", addendum=f"Addition {day}")
    assert request.events.filter(verb=Verb.AMENDED).count() == 3
    assert request.steps_left() == [Step.SEND]
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    request.refresh_from_db()
    assert request.closed_on == ON
    assert client.get(path(request)).status_code == 200
    assert client.post(f"/requests/{request.number}/amend/{entry.pk}/", {"line": "none", "addendum": "Late"}).status_code == 302
    assert Addendum.objects.count() == 3


def test_another_charts_entry_or_one_in_the_wrong_chart_can_not_be_amended(client, signed_in, officer):
    doctor = signed_in("physician")
    request, misfiled, url = amendable(officer)
    misfiled.mark_misfiled(by=doctor, at=AT, reason="Another patient's")
    assert client.get(url).status_code == 404
    stranger = EntryFactory()
    assert client.get(f"/requests/{request.number}/amend/{stranger.pk}/").status_code == 404
    for entry in (stranger, misfiled):
        with pytest.raises(NotAllowedNow, match="not in this patient's record"):
            carrying_out.amend(request, entry, addendum="No", **now(doctor))


def test_the_list_of_entries_pages_and_costs_the_same_however_long(client, signed_in, officer, queries_for):
    signed_in("physician")
    request, _entry, _url = amendable(officer)
    few = len(queries_for(path(request)))
    for day in range(30):
        EntryFactory(patient=request.patient, service_on=date(2026, 1, 1) + timedelta(days=day), title=f"Visit number {day}")
    assert len(queries_for(path(request))) == few
    first = client.get(path(request))
    assert "Visit number 29" in first.content.decode()
    second = client.post(path(request), {"after": first.context["page"].next_token}).content.decode()
    assert "Visit number 0" in second
    assert "Visit number 29" not in second


def test_amending_is_audited_with_the_chart(client, signed_in, officer):
    signed_in("physician")
    request, entry, url = amendable(officer)
    client.get(url)
    looked = AccessEvent.objects.latest("pk")
    assert (looked.action, looked.subject) == ("view", f"entry {entry.pk} for {request.number}")
    post(client, request, url, line="none", addendum="Never smoked.")
    done = AccessEvent.objects.latest("pk")
    assert (done.action, done.detail, done.chart_number) == ("change", "record amended", request.patient.chart_number)


# --- restriction, contact --------------------------------------------------------------------------------------------


def test_a_restriction_goes_onto_the_chart_as_asked(client, signed_in, officer):
    user = signed_in("front_desk")
    request = granted("restriction", officer)  # the officer agrees, the desk writes it down
    text = client.get(path(request)).content.decode()
    assert "The visit of May 1</textarea>" in text
    assert 'value="My health plan"' in text
    assert 'value="2026-11-24"' in text
    post(client, request, **RESTRICT_FORM | {"begins_on": "2026-11-24"})
    (restriction,) = wishes.in_force(request.patient, ON).restrictions
    assert (restriction.what, restriction.from_whom, restriction.agreed_by) == ("The visit of May 1", "My health plan", officer)
    assert restriction.signed_as == officer.signature
    assert request.events.get(verb=Verb.RESTRICTED).by == user
    assert restriction.request_number == request.number
    assert request.steps_left() == [Step.SEND]
    assert request.events.get(verb=Verb.RESTRICTED).sentence == "The restriction is in force since Nov 24, 2026."


def test_how_to_reach_the_patient_goes_onto_the_chart_and_onto_every_envelope(client, signed_in, officer):
    signed_in("front_desk")
    request = granted("confidential_communication", officer)
    post(client, request, **CONTACT | {"begins_on": "2026-11-24"})
    preference = ContactPreference.objects.get()
    assert (preference.means, preference.avoid, preference.request_number) == ("mail", "Home telephone", request.number)
    assert wishes.mailing_lines(request.patient, ON) == [request.patient.name, "PO Box 12", "Albany, NY 12201"]
    assert request.steps_left() == [Step.SEND]


def test_the_form_of_how_to_reach_the_patient_has_no_field_for_why(client, signed_in, officer):
    signed_in("front_desk")
    form = client.get(path(granted("confidential_communication", officer))).context["form"]
    assert list(form.fields) == ["means", "where", "avoid", "begins_on"]


@pytest.mark.parametrize(("kind", "data"), [(Kind.RESTRICTION, RESTRICT_FORM), (Kind.CONFIDENTIAL_COMMUNICATION, CONTACT)])
def test_what_the_letter_promises_from_a_day_on_does_not_begin_later(client, signed_in, officer, kind, data):
    signed_in("front_desk")
    request = granted(kind, officer, on=ON - timedelta(days=2))
    found = errors(client, request, **data | {"begins_on": "2026-11-23"})
    assert found["begins_on"] == ["The letter promises it from Nov 22, 2026 on: it can't begin later."]
    post(client, request, **data | {"begins_on": "2026-11-22"})


@pytest.mark.parametrize(
    ("kind", "data", "missing"), [(Kind.RESTRICTION, RESTRICT_FORM, "what"), (Kind.CONFIDENTIAL_COMMUNICATION, CONTACT, "where")]
)
def test_what_is_left_empty_is_asked_for(client, signed_in, officer, kind, data, missing):
    signed_in("front_desk")
    assert missing in errors(client, granted(kind, officer), **data | {missing: "", "begins_on": "2026-11-24"})


# --- accounting ------------------------------------------------------------------------------------------------------

SIX_YEARS = {"since": "2020-11-02", "until": "2026-11-02"}


def test_an_accounting_is_made_kept_and_then_given_and_only_that_stops_the_clock(client, signed_in, officer):
    user = signed_in("front_desk")
    request = granted("accounting", officer)
    DisclosureFactory(patient=request.patient, recipient="State Department of Health", disclosed_on=date(2020, 11, 2))
    post(client, request, **SIX_YEARS)
    given = AccountingGiven.objects.defer(None).get()
    assert (given.start, given.end, given.scope, given.fee) == (date(2020, 11, 2), RECEIVED, Scope.NOTICE, 0)
    assert (given.request_number, given.issued_by, given.lines) == (request.number, user, 1)
    assert "State Department of Health" in words_of(given.document)
    assert (request.is_open, request.carried_out_on) == (True, None)
    assert f"/accounting/given/{given.pk}/" in client.get(f"/requests/{request.number}/").content.decode()
    post(client, request, given_on="2026-11-24", how="by mail")
    assert request.closed_on == ON
    sentence = "Accounting from Nov 2, 2020 to Nov 2, 2026 given on Nov 24, 2026: 1 entry."
    assert request.events.get(verb=Verb.ACCOUNTING_GIVEN).sentence == sentence


def test_the_period_is_filled_with_the_six_years_before_the_request(client, signed_in, officer):
    signed_in("front_desk")
    request = granted("accounting", officer)
    text = client.get(path(request)).content.decode()
    assert 'value="2020-11-02"' in text
    assert 'value="2026-11-02"' in text
    asked = granted("accounting", officer, details={"since": "2025-01-01", "until": "2025-12-31"})
    text = client.get(path(asked)).content.decode()
    assert 'value="2025-01-01"' in text
    assert 'value="2025-12-31"' in text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"since": "2020-11-01"}, "since"),
        ({"until": "2026-11-25"}, "until"),
        ({"since": "2026-10-01", "until": "2026-09-01"}, "until"),
        ({"since": ""}, "since"),
    ],
)
def test_a_period_outside_the_six_years_or_upside_down_is_refused(client, signed_in, officer, change, field):
    signed_in("front_desk")
    assert list(errors(client, granted("accounting", officer), **SIX_YEARS | change)) == [field]
    assert not AccountingGiven.objects.exists()


@pytest.mark.parametrize(("role", "scope"), [("privacy_officer", "hipaa"), ("front_desk", "notice")])
def test_only_the_officer_can_choose_the_narrower_list(client, signed_in, officer, role, scope):
    signed_in(role)
    post(client, granted("accounting", officer), **SIX_YEARS, scope="hipaa", reason="asked")
    assert AccountingGiven.objects.get().scope == scope


def test_another_period_can_be_made_before_one_is_given(client, signed_in, officer):
    signed_in("privacy_officer")
    request = granted("accounting", officer)
    post(client, request, **SIX_YEARS, scope="notice")
    post(client, request, f"{path(request)}?again=1", since="2026-01-01", until="2026-11-02", scope="notice")
    assert AccountingGiven.objects.count() == 2
    post(client, request, given_on="2026-11-24", how="by mail")
    assert request.events.get(verb=Verb.ACCOUNTING_GIVEN).data["start"] == "2026-01-01"
    assert request.events.get(verb=Verb.ACCOUNTING_GIVEN).data["how"] == "by mail"
    with pytest.raises(NotAllowedNow, match="closed"):
        carrying_out.issue_accounting(request, **PERIOD, **now(officer), office=an_office())


def test_a_second_click_makes_no_second_accounting(officer):
    request = granted("accounting", officer)
    facts = {**PERIOD, **now(officer), "office": an_office()}
    assert carrying_out.issue_accounting(request, **facts) == carrying_out.issue_accounting(request, **facts)
    DisclosureFactory(patient=request.patient)
    assert carrying_out.issue_accounting(request, **facts).lines == 1
    assert AccountingGiven.objects.count() == 2


@pytest.mark.parametrize("day", ["2026-11-23", "2026-11-25"])
def test_an_accounting_is_not_given_before_it_is_made_nor_in_the_future(client, signed_in, officer, day):
    signed_in("front_desk")
    request = granted("accounting", officer)
    post(client, request, **SIX_YEARS)
    assert "given_on" in errors(client, request, given_on=day, how="by mail")


def test_an_accounting_goes_out_as_the_patient_wishes_to_be_reached(client, signed_in, officer):
    signed_in("front_desk")
    request = granted("accounting", officer)
    ContactPreferenceFactory(patient=request.patient, means="pick_up", where="At the desk", begins_on=date(2026, 1, 1))
    post(client, request, **SIX_YEARS)
    assert list(errors(client, request, given_on="2026-11-24", how="by mail")) == ["how"]
    post(client, request, given_on="2026-11-24", how="handed over")
    assert request.events.filter(verb=Verb.ACCOUNTING_GIVEN).exists()


def test_another_requests_accounting_is_not_given_for_this_one(officer):
    mine, other = granted("accounting", officer), granted("accounting", officer)
    given = carrying_out.issue_accounting(other, **PERIOD, **now(officer), office=an_office())
    with pytest.raises(NotAllowedNow, match="not made for this request"):
        carrying_out.give_accounting(mine, given, given_on=ON, how="handed over", **now(officer))


# --- the clock -------------------------------------------------------------------------------------------------------


def test_a_restriction_granted_and_in_force_still_runs_until_its_letter_is_sent(officer):
    request = verified("restriction", officer)
    letter = answers.decide_with_letter(request, "granted", ground="", text="", office=an_office(), **now(officer))
    carrying_out.restrict(request, **RESTRICT, **now(officer))
    assert request.is_open
    later = ON + timedelta(days=20)  # due Dec 2
    answers.send_letter(letter, sent_on=later, how="by mail", **now(officer, later))
    request.refresh_from_db()
    assert request.events.get(verb=Verb.CLOSED).sentence == "Closed: Granted. 12 days late."


def test_approved_on_march_1_and_looked_at_on_march_3_is_one_day_late(client, signed_in):
    """law.md §13a: due 03-02, approved 03-01, provided 03-03."""
    officer = signed_in("privacy_officer")
    request = verified("access", officer, on=date(2026, 2, 1), received_on=date(2026, 1, 31))
    assert request.due_on == date(2026, 3, 2)
    request.decide("granted", **now(officer, date(2026, 3, 1)))
    assert request.is_open
    with time_machine.travel(datetime(2026, 3, 3, 15, tzinfo=UTC), tick=False):
        client.post(f"/requests/{request.number}/look/", {"released_on": "2026-03-03", "step": "release"})
    assert request.events.get(verb=Verb.CLOSED).sentence == "Closed: Granted. 1 day late."


def test_the_details_of_every_kind_are_known_to_these_tests():
    assert set(DETAILS) == set(KINDS)
