"""The page of each act on a request: who may, what it does, and how it refuses without losing what was typed."""

from datetime import UTC, date, datetime
from html import unescape

import pytest
from django.test import Client

from meso.models import AccessEvent
from records.verification import REQUESTERS, Identifier
from requests_app.kinds import Outcome
from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, RepresentativeFactory, RequestFactory, UserFactory
from tests.signing_in import log_in

ON = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


def path(request: PatientRequest, act: str) -> str:
    return f"/requests/{request.number}/{act}/"


WHO: dict[str, set[str]] = {
    "match": {"front_desk", "privacy_officer"},
    "identity": {"front_desk", "privacy_officer"},
    "assign": {"front_desk", "privacy_officer"},
    "receipt": {"privacy_officer"},
    "extend": {"privacy_officer"},
    "withdraw": {"front_desk", "privacy_officer"},
    "note": {"front_desk", "physician", "privacy_officer"},
}


@pytest.mark.parametrize("role", ["front_desk", "physician", "privacy_officer", "office_admin"])
@pytest.mark.parametrize("act", WHO)
def test_who_may_do_what(client, signed_in, act, role):
    signed_in(role)
    request = RequestFactory()
    for response in (client.get(path(request, act)), client.post(path(request, act), {})):
        assert response.status_code == (200 if role in WHO[act] else 403)
    if role not in WHO[act]:
        assert AccessEvent.objects.latest("pk").action == "refused"


@pytest.mark.parametrize("act", WHO)
def test_an_act_on_no_request_is_not_found(client, signed_in, act):
    signed_in("privacy_officer")
    assert client.get(f"/requests/R-9999/{act}/").status_code == 404


@pytest.mark.parametrize("act", WHO)
def test_the_page_of_an_act_has_one_heading_a_title_without_a_name_and_a_way_back(client, signed_in, act):
    signed_in("privacy_officer")
    request = RequestFactory(patient=PatientFactory(last_name="Unmistakable"))
    text = client.get(path(request, act)).content.decode()
    assert text.count("<h1") == 1
    title = text.split("<title>")[1].split("</title>")[0]
    assert request.number in title
    assert "Unmistakable" not in title
    assert f'href="/requests/{request.number}/"' in text


def done(client, request: PatientRequest, act: str, **data: object) -> PatientRequest:
    """Send the form; it must lead to the request's page. Returns the request as it is then."""
    response = client.post(path(request, act), data)
    assert response.status_code == 302, unescape(response.content.decode())
    assert response.url == f"/requests/{request.number}/"
    return PatientRequest.objects.get(pk=request.pk)


def refused(client, request: PatientRequest, act: str, **data: object) -> dict[str, list[str]]:
    """Send the form; it must be shown again with what was typed, and nothing have changed. Returns the errors."""
    before = PatientRequest.objects.filter(pk=request.pk).values().get()
    events = request.events.count()
    response = client.post(path(request, act), data)
    assert response.status_code == 200
    text = unescape(response.content.decode())
    for typed in data.values():
        for value in typed if isinstance(typed, list) else [typed]:
            assert str(value) in text, value
    assert PatientRequest.objects.filter(pk=request.pk).values().get() == before
    assert request.events.count() == events
    errors = {field: [str(error) for error in found] for field, found in response.context["form"].errors.items()}
    assert all(error in text for found in errors.values() for error in found)
    return errors


# --- finding the chart -------------------------------------------------------------------------------------------


def asked_by(name: str, **facts) -> PatientRequest:
    return RequestFactory(patient=None, asker_name=name, **facts)


def test_likely_charts_are_suggested_with_the_reason(client, signed_in):
    signed_in("front_desk")
    same = PatientFactory(first_name="Ruth", last_name="Stein", date_of_birth=date(1946, 4, 4), phone="(518) 555-0199")
    slip = PatientFactory(first_name="Ruth", last_name="Stein", date_of_birth=date(1964, 4, 4), phone="")
    other = PatientFactory(first_name="Hannah", last_name="Gold", phone="518-555-0199", date_of_birth=date(1990, 1, 1))
    PatientFactory(first_name="Luis", last_name="Ortega", phone="555-0000")
    request = asked_by("Ruth Stein", asker_born=date(1946, 4, 4), asker_phone="+1 518 555 0199")
    response = client.get(path(request, "match"))
    suggested = response.context["suggested"]
    assert [candidate.patient for candidate in suggested] == [same, slip, other]
    assert suggested[0].shares == ["same name", "same birth date", "same telephone"]
    assert suggested[1].differs == ["another birth date: Apr 4, 1964"]
    assert suggested[2].shares == ["same telephone"]
    assert suggested[2].differs == ["another name", "another birth date: Jan 1, 1990"]
    text = response.content.decode()
    assert "same birth date" in text
    assert "another birth date: Apr 4, 1964" in text
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject, event.detail) == ("search", f"charts for {request.number}", "3 rows")


@pytest.mark.parametrize(
    "name", ["Carreño Quiñones, María-José", "maria-jose carreno quinones", "María-José Carreño Quiñones", "Majo Carreño"]
)
def test_a_chart_is_suggested_however_the_name_is_written(client, signed_in, name):
    signed_in("front_desk")
    patient = PatientFactory(
        first_name="María-José", last_name="Carreño Quiñones", preferred_name="Majo", date_of_birth=date(1979, 1, 14)
    )
    request = asked_by(name, asker_born=date(1979, 1, 14))
    assert [c.patient for c in client.get(path(request, "match")).context["suggested"]] == [patient]


def test_of_two_namesakes_born_on_one_day_the_one_who_shares_more_of_the_name_comes_first(client, signed_in):
    signed_in("front_desk")
    PatientFactory(first_name="Maria", last_name="Alvarez")
    patient = PatientFactory(first_name="María-José", last_name="Carreño Quiñones")
    request = asked_by("Maria Jose Carreno", asker_born=patient.date_of_birth)
    suggested = client.get(path(request, "match")).context["suggested"]
    assert [candidate.patient.last_name for candidate in suggested] == ["Carreño Quiñones", "Alvarez"]


def test_nobody_like_that_is_said_and_another_chart_can_be_searched(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(first_name="Ngoc", last_name="Tran", chart_number="10023")
    request = asked_by("Somebody New")
    assert "No chart resembles this person." in client.get(path(request, "match")).content.decode()
    response = client.post(path(request, "match"), {"q": "tran ngoc"})
    assert [candidate.patient for candidate in response.context["found"]] == [patient]
    assert 'value="tran ngoc"' in response.content.decode()
    assert "Nothing found." in client.post(path(request, "match"), {"q": "zzz"}).content.decode()
    assert request.events.count() == 1


def test_linking_a_chart_writes_the_timeline_and_the_audit(client, signed_in):
    user = signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    request = done(client, asked_by("Maria"), "match", chart="10023")
    assert request.patient == patient
    event = request.events.last()
    assert (event.verb, event.by, event.sentence) == (Verb.MATCHED, user, "Linked to chart 10023.")
    audit = AccessEvent.objects.latest("pk")
    assert (audit.action, audit.subject, audit.chart_number, audit.detail) == (
        "change", f"request {request.number}", "10023", "matched",
    )  # fmt: skip


@pytest.mark.parametrize(("chart", "says"), [("99999", "There is no chart"), ("10023", "linked to that chart already")])
def test_a_chart_that_can_not_be_linked_is_refused_in_words(client, signed_in, chart, says):
    signed_in("front_desk")
    request = RequestFactory(patient=PatientFactory(chart_number="10023"))
    response = client.post(path(request, "match"), {"chart": chart})
    assert response.status_code == 200
    assert says in unescape(response.content.decode())


def test_the_cost_of_matching_does_not_grow_with_the_rack(client, signed_in, queries_for):
    signed_in("front_desk")
    PatientFactory(first_name="Ruth", last_name="Stein")
    request = asked_by("Ruth Stein", asker_born=date(1946, 4, 4), asker_phone="518 555 0199")
    few = len(queries_for(path(request, "match")))
    for _ in range(30):
        PatientFactory(first_name="Ruth", last_name="Stein", date_of_birth=date(1946, 4, 4))
    assert len(queries_for(path(request, "match"))) <= few


# --- identity ----------------------------------------------------------------------------------------------------


def test_identity_is_recorded_with_how_by_whom_and_when(client, signed_in):
    user = signed_in("front_desk")
    told = {"who": "patient", "came": "patient_in_person", "ways": ["photo_id", "known"], "words": "New York driver's license."}
    request = done(client, RequestFactory(), "identity", **told)
    assert request.identity_how == "Photo ID seen; Known to the staff in person. New York driver's license"
    assert (request.identity_checked_on, request.identity_checked_by) == (ON, user)
    assert request.events.last().sentence == f"Identity checked: {request.identity_how}."


def test_identity_needs_at_least_one_way(client, signed_in):
    signed_in("front_desk")
    errors = refused(client, RequestFactory(), "identity", who="patient", words="Looked fine")
    assert errors == {"ways": ["Tick at least one way."]}


def test_the_way_must_do_for_how_the_patient_came(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory(channel="web")
    errors = refused(client, request, "identity", who="patient", ways=["photo_id"])
    assert "“Photo ID seen” does not do for this asker" in errors["ways"][0]
    assert list(refused(client, request, "identity", who="patient", ways=["match"], identifiers=["born"])) == ["identifiers"]
    request = done(client, request, "identity", who="patient", ways=["match"], identifiers=["born", "address"])
    assert request.identity_how == "facts matched the chart (date of birth, address)"


def test_identity_before_the_chart_is_refused(client, signed_in):
    signed_in("front_desk")
    told = {"who": "patient", "came": "patient_in_person", "ways": ["known"], "words": "Comes every week"}
    errors = refused(client, RequestFactory(patient=None), "identity", **told)
    assert errors == {"__all__": ["Find the chart first: identity is checked against it."]}


def test_the_longest_account_of_a_check_fits_its_column(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory()
    RepresentativeFactory(patient=request.patient, name="n" * 300)
    ways = list(REQUESTERS["representative"].ways)
    everything = {"ways": ways, "words": "w" * 70, "identifiers": Identifier.values}
    who = str(request.patient.representatives.get().pk)
    assert len(done(client, request, "identity", who=who, **everything).identity_how) <= 300


def test_the_charts_facts_stand_beside_the_askers_and_the_look_is_audited(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023", phone="(518) 555-0142")
    request = RequestFactory(patient=patient, asker_phone="(518) 555-9999")
    text = client.get(path(request, "identity")).content.decode()
    assert "(518) 555-0142" in text
    assert "(518) 555-9999" in text
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject, event.chart_number) == ("view", f"identity for {request.number}", "10023")


# --- assigning, notes, withdrawing -------------------------------------------------------------------------------


def test_a_request_is_put_on_a_desk(client, signed_in):
    signed_in("front_desk")
    colleague = UserFactory(first_name="Nora", last_name="Lind")
    request = done(client, RequestFactory(), "assign", to=colleague.pk)
    assert request.assignee == colleague
    assert request.events.last().sentence == "Assigned to Nora Lind."


def test_it_is_put_only_on_the_desks_of_people_who_work_with_requests(client, signed_in):
    user = signed_in("front_desk")
    UserFactory(role="office_admin")
    UserFactory(is_active=False)
    request = RequestFactory(assignee=user)
    assert list(client.get(path(request, "assign")).context["form"].fields["to"].queryset) == [user]
    response = client.post(path(request, "assign"), {"to": user.pk})
    assert "has it already" in unescape(response.content.decode())


def test_a_note_is_added_also_to_a_closed_request(client, signed_in):
    user = signed_in("physician")
    request = RequestFactory()
    request.withdraw(reason="Called", by=user, at=AT, on=ON)
    done(client, request, "note", text="Sent the paper back")
    assert request.events.last().note == "Sent the paper back"
    assert list(refused(client, request, "note", text="")) == ["text"]


def test_a_withdrawal_closes_and_needs_what_the_patient_said(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory()
    assert list(refused(client, request, "withdraw", reason="")) == ["reason"]
    request = done(client, request, "withdraw", reason="Called: has it from the hospital")
    assert (request.closed_on, request.outcome) == (ON, Outcome.WITHDRAWN)
    assert refused(client, request, "withdraw", reason="Once more") == {"__all__": ["This request is closed."]}


def test_a_denied_request_can_not_be_withdrawn_past_its_letter(client, signed_in):
    user = signed_in("privacy_officer")
    request = RequestFactory(kind="amendment")
    request.decide(Outcome.DENIED, ground="A4", text="It is accurate", by=user, at=AT, on=ON)
    assert refused(client, request, "withdraw", reason="Never mind") == {
        "__all__": ["It was denied: the patient must get the letter."]
    }


# --- the clock ---------------------------------------------------------------------------------------------------


def test_the_day_of_receipt_is_corrected_with_its_reason(client, signed_in):
    signed_in("privacy_officer")
    request = RequestFactory(received_on=date(2026, 11, 23), on=ON)
    request = done(client, request, "receipt", received_on="2026-11-20", reason="Handed over on Friday")
    assert (request.received_on, request.due_on) == (date(2026, 11, 20), date(2026, 12, 20))
    event = request.events.last()
    assert (event.verb, event.note) == (Verb.RECEIPT_CORRECTED, "Handed over on Friday")


@pytest.mark.parametrize(
    ("day", "reason", "field"),
    [
        ("2026-11-20", "", "reason"),
        ("2026-11-25", "Tomorrow", "received_on"),
        ("2026-11-23", "The same day", "received_on"),
        ("1926-11-20", "A slip", "received_on"),
        ("soon", "No day", "received_on"),
    ],
)
def test_a_wrong_correction_is_refused_at_its_field(client, signed_in, day, reason, field):
    signed_in("privacy_officer")
    request = RequestFactory(received_on=date(2026, 11, 23), on=ON)
    assert list(refused(client, request, "receipt", received_on=day, reason=reason)) == [field]


LETTER = {"until": "2026-12-20", "reason": "The papers are in storage", "told_on": "2026-11-24", "how": "by mail"}


def test_an_extension_moves_the_due_date_and_makes_its_letter(client, signed_in):
    signed_in("privacy_officer")
    request = done(client, RequestFactory(received_on=date(2026, 10, 26), on=ON), "extend", **LETTER)
    assert (request.due_on, request.extended_to) == (date(2026, 12, 20), date(2026, 12, 20))
    letter = request.letters.get()
    assert letter.kind == letter.Kind.EXTENSION
    event = request.events.get(verb=Verb.EXTENDED)
    assert event.note == "The papers are in storage"


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"until": "2026-12-26"}, "until", "Dec 25, 2026 at the latest"),
        ({"until": "2026-11-25"}, "until", "after the present due date, Nov 25, 2026"),
        ({"reason": " "}, "reason", "required"),
        ({"told_on": "2026-11-25"}, "told_on", "future"),
        ({"told_on": "2026-10-25"}, "told_on", "before the request was received"),
        ({"until": "whenever"}, "until", "not a day"),
    ],
)
def test_an_extension_outside_the_rule_is_refused_at_its_field(client, signed_in, change, field, says):
    signed_in("privacy_officer")
    request = RequestFactory(received_on=date(2026, 10, 26), on=ON)  # due 2026-11-25
    errors = refused(client, request, "extend", **LETTER | change)
    assert list(errors) == [field]
    assert says in errors[field][0]
    assert not request.letters.exists()


def test_an_extension_told_after_the_due_date_is_refused(client, signed_in):
    signed_in("privacy_officer")
    request = RequestFactory(received_on=date(2026, 10, 24), on=ON)  # due 2026-11-23
    errors = refused(client, request, "extend", **LETTER)
    assert errors == {"told_on": ["An extension must be sent on or before the due date, Nov 23, 2026."]}
    request = done(client, request, "extend", **LETTER | {"told_on": "2026-11-23"})
    assert request.due_on == date(2026, 12, 20)


def test_a_second_extension_is_refused(client, signed_in):
    signed_in("privacy_officer")
    request = done(client, RequestFactory(received_on=date(2026, 10, 26), on=ON), "extend", **LETTER)
    errors = refused(client, request, "extend", **LETTER | {"until": "2026-12-22"})
    assert errors == {"__all__": ["This request has had its one extension."]}
    assert request.letters.count() == 1


def test_the_form_says_the_latest_day_that_may_be_named(client, signed_in):
    signed_in("privacy_officer")
    request = RequestFactory(received_on=date(2026, 10, 26), on=ON)
    text = client.get(path(request, "extend")).content.decode()
    assert "After Nov 25, 2026, and Dec 25, 2026 at the latest." in text


def test_an_expired_login_loses_nothing_of_an_extension(db):
    officer = UserFactory(role="privacy_officer")
    request, client = RequestFactory(received_on=date(2026, 10, 26), on=ON), Client()
    expired = client.post(path(request, "extend"), LETTER)
    assert expired.status_code == 401
    page = log_in(client, officer, next=path(request, "extend"), kept=expired.context["kept"])["Location"]
    form = client.get(page).context["form"]
    assert form["reason"].value() == "The papers are in storage"
    assert form["until"].value() == "2026-12-20"
