"""The page of a decision: who decides what, the grounds it offers, the letter shown before it is made, what is left to do."""

import re
from datetime import UTC, date, datetime

import pytest
import time_machine

from meso.models import AccessEvent, Draft
from meso.roles import Role
from requests_app import checklist, grounds
from requests_app.kinds import Kind, Step
from requests_app.models import Letter, PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, RequestFactory, UserFactory
from tests.requests_app.answering import (
    DETAILS,
    KINDS,
    ON,
    RECEIVED,
    a_doctor,
    an_office,
    verified,
    words_of,
)
from tests.signing_in import log_in

pytestmark = [pytest.mark.django_db]
WHY = "We looked at it with the physician."


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


def path(request: PatientRequest) -> str:
    page = "decide-amendment" if request.kind == Kind.AMENDMENT else "decide"
    return f"/requests/{request.number}/{page}/"


def decider(signed_in, kind: str, **fields):
    return signed_in("physician" if kind == Kind.AMENDMENT else "privacy_officer", **fields)


def ask(client, request, **data) -> str:
    """The page after a POST that decides nothing."""
    response = client.post(path(request), data)
    assert response.status_code == 200
    request.refresh_from_db()
    assert (request.outcome, Letter.objects.count()) == ("", 0)
    return response.content.decode()


def decide(client, request, **data) -> PatientRequest:
    response = client.post(path(request), data)
    assert (response.status_code, response.headers.get("Location")) == (302, f"/requests/{request.number}/"), response.content
    request.refresh_from_db()
    return request


def denial(kind: str) -> dict[str, str]:
    """A denial on the first ground of its kind, with all that the form asks for."""
    return {"outcome": "denied", "ground": grounds.GROUNDS[kind][0].code, "text": WHY, "not_owed": "on"}


# --- who may decide --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("kind", KINDS)
def test_amendments_are_the_physicians_to_decide_and_all_else_the_officers(client, signed_in, kind, role):
    request = verified(kind, UserFactory(role="privacy_officer"))
    user = signed_in(role)
    whose = "physician" if kind == Kind.AMENDMENT else "privacy_officer"
    for response in (client.get(path(request)), client.post(path(request), {"outcome": "granted"})):
        assert (response.status_code != 403) == (role == whose)
    request.refresh_from_db()
    assert (request.outcome == "granted") == (role == whose)
    if role != whose:
        refusal = AccessEvent.objects.filter(action="refused").latest("pk")
        needed = "request.decide_amendment" if kind == Kind.AMENDMENT else "request.decide"
        assert (refusal.user, refusal.subject) == (user, needed)


def test_each_kind_leads_to_its_own_page(client, signed_in):
    amendment, access = RequestFactory(kind="amendment"), RequestFactory()
    signed_in("privacy_officer")
    answer = client.get(f"/requests/{amendment.number}/decide/")
    assert (answer.status_code, answer["Location"]) == (302, f"/requests/{amendment.number}/decide-amendment/")
    signed_in("physician")
    answer = client.get(f"/requests/{access.number}/decide-amendment/")
    assert (answer.status_code, answer["Location"]) == (302, f"/requests/{access.number}/decide/")


def test_the_steps_of_a_request_lead_to_the_page_where_it_is_decided(client, signed_in):
    officer = UserFactory(role="privacy_officer")
    amendment, access = verified("amendment", officer), verified("access", officer)
    signed_in("physician")
    assert f'href="{path(amendment)}"' in client.get(f"/requests/{amendment.number}/").content.decode()
    signed_in("privacy_officer")
    assert f'href="{path(access)}"' in client.get(f"/requests/{access.number}/").content.decode()


# --- what it offers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_offers_the_grounds_of_its_kind_and_no_other(client, signed_in, kind):
    decider(signed_in, kind)
    text = client.get(path(verified(kind, UserFactory()))).content.decode()
    offered = {code for known in grounds.GROUNDS.values() for code in (g.code for g in known) if f'value="{code}"' in text}
    assert offered == {ground.code for ground in grounds.GROUNDS[kind]}
    assert ('value="denied"' in text) == bool(offered)


def test_an_accounting_can_only_be_granted(client, signed_in):
    signed_in("privacy_officer")
    request = verified("accounting", UserFactory())
    assert "The law knows no ground to deny an accounting." in client.get(path(request)).content.decode()
    assert "Select a valid choice" in ask(client, request, outcome="denied")


def test_nothing_asks_why_the_patient_wishes_to_be_reached_another_way(client, signed_in):
    signed_in("privacy_officer")
    text = client.get(path(verified("confidential_communication", UserFactory()))).content.decode()
    form = text[text.index('name="outcome"') : text.index('<template id="lock-warning"')]
    assert set(re.findall(r'name="(\w+)"', form)) == {"outcome", "ground", "text", "preview"}


def test_only_licensed_staff_can_be_named_as_the_one_who_judged(client, signed_in):
    signed_in("privacy_officer")
    a_doctor(first_name="Ada", last_name="Vance")
    UserFactory(role="physician", last_name="Unlicensed")
    text = client.get(path(verified("access", UserFactory()))).content.decode()
    assert "Ada Vance, MD, NY 204417" in text
    assert "Unlicensed" not in text


def test_before_chart_and_identity_the_page_says_that_only_a_denial_is_possible(client, signed_in):
    signed_in("privacy_officer")
    request = RequestFactory(patient=None, received_on=RECEIVED, on=RECEIVED)
    assert "be granted yet: first the chart must be found" in client.get(path(request)).content.decode()
    assert "chart must be found and identity checked" in ask(client, request, outcome="granted")
    assert decide(client, request, **denial("access")).outcome == "denied"


# --- the preview -----------------------------------------------------------------------------------------------------


def test_the_letter_and_what_is_left_to_do_are_shown_before_anything_is_decided(client, signed_in):
    signed_in("privacy_officer")
    request = verified("restriction", UserFactory())
    text = ask(client, request, outcome="granted", preview="1")
    for words in ("We agree to the limit that you asked for.", "The visit of May 1", "Sincerely,", "12 Elm Street"):
        assert words in text, words
    assert text.index("Put the restriction in force") < text.index("Send the letter")


def test_the_preview_says_what_the_letter_then_says(client, signed_in):
    signed_in("privacy_officer")
    request = verified("access", UserFactory())
    answer = denial("access")
    shown = ask(client, request, **answer, preview="1")
    decide(client, request, **answer)
    made = words_of(request.letters.defer(None).get().document)
    for words in ("We can't give you what you asked for.", WHY, "If you want to complain"):
        assert words in made
        assert words.replace("'", "&#x27;") in shown or words in shown


def test_a_grant_of_access_needs_no_letter_and_says_so(client, signed_in):
    signed_in("privacy_officer")
    request = verified("access", UserFactory())
    text = ask(client, request, outcome="granted", preview="1")
    assert "None is needed: what was asked for is the answer." in text
    assert f"<li>{checklist.CARRY_OUT['access']}</li>" in text


def test_the_fragment_for_htmx_is_the_preview_alone(client, signed_in):
    signed_in("privacy_officer")
    request = verified("access", UserFactory())
    for data, words in (({"outcome": "denied"}, "It is shown here"), (denial("access"), "If you want to complain")):
        response = client.post(path(request), data | {"preview": "1"}, headers={"HX-Request": "true"})
        text = response.content.decode()
        assert words in text
        assert "<html" not in text


def test_a_letter_that_can_not_be_made_says_what_is_lacking_in_preview_and_on_deciding(client, signed_in):
    signed_in("privacy_officer")
    an_office(officer_phone="")
    request = verified("access", UserFactory())
    for more in ({"preview": "1"}, {}):
        text = ask(client, request, **denial("access"), **more)
        assert "The letter would lack the privacy officer" in text
        assert WHY in text


# --- deciding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if grounds.GROUNDS[kind]])
def test_a_denial_writes_its_letter_and_leaves_only_the_sending(client, signed_in, kind):
    user = decider(signed_in, kind)
    request = decide(client, verified(kind, UserFactory()), **denial(kind))
    assert (request.outcome, request.decided_by, request.decision_text) == ("denied", user, WHY)
    assert request.steps_left() == [Step.SEND]
    assert request.letters.count() == 1
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject, event.detail) == ("change", f"request {request.number}", "decided")
    assert event.chart_number == request.patient.chart_number


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("ground", "Choose one of the grounds."),
        ("text", "Write the reason in plain words: the patient reads it."),
        ("not_owed", "Check this first"),
    ],
)
def test_a_denial_that_lacks_something_is_shown_again_as_it_was_typed(client, signed_in, missing, words):
    signed_in("privacy_officer")
    answer = denial("restriction")
    del answer[missing]
    text = ask(client, verified("restriction", UserFactory()), **answer)
    assert words in text
    assert 'value="denied"' in text
    if missing != "text":
        assert WHY in text


def test_a_reviewable_ground_asks_who_judged(client, signed_in):
    signed_in("privacy_officer")
    judge = a_doctor()
    request = verified("access", UserFactory())
    answer = {"outcome": "denied", "ground": "R1", "text": WHY}
    assert "licensed professional: name who judged" in ask(client, request, **answer)
    decide(client, request, **answer, judged_by=judge.pk)
    assert request.events.get(verb=Verb.LETTER_MADE).data["judged_by"] == judge.signature


def test_a_grant_keeps_no_ground_that_was_ticked_before(client, signed_in):
    signed_in("privacy_officer")
    request = decide(client, verified("restriction", UserFactory()), **denial("restriction") | {"outcome": "granted"})
    assert (request.outcome, request.ground, request.decision_text) == ("granted", "", "")


def test_what_was_decided_is_not_decided_again(client, signed_in):
    signed_in("privacy_officer")
    request = decide(client, verified("access", UserFactory()), outcome="granted")
    response = client.post(path(request), denial("access"), follow=True)
    assert "This request has been decided." in response.content.decode()
    request.refresh_from_db()
    assert request.outcome == "granted"


def test_an_expired_login_loses_nothing_of_a_decision(client, signed_in):
    officer = signed_in("privacy_officer")
    request = verified("access", UserFactory())
    client.logout()
    expired = client.post(path(request), denial("access"))
    log_in(client, officer, next=path(request), kept=expired.context["kept"])
    assert WHY in client.get(path(request)).content.decode()
    decide(client, request, **denial("access"))
    assert not Draft.objects.exists()


def test_no_name_stands_in_the_title(client, signed_in):
    signed_in("privacy_officer")
    request = verified("access", UserFactory(), patient=PatientFactory(last_name="Unmistakable"))
    text = client.get(path(request)).content.decode()
    assert "Unmistakable" not in text.split("<title>")[1].split("</title>")[0]


def test_the_cost_of_the_page_does_not_grow(client, signed_in, queries_for):
    signed_in("privacy_officer")
    request = verified("access", UserFactory())
    few = len(queries_for(path(request)))
    for _ in range(10):
        verified("access", UserFactory(), patient=request.patient)
        a_doctor()
    assert len(queries_for(path(request))) == few


# --- letters: opened, and recorded as sent ---------------------------------------------------------------------------


@pytest.fixture
def told(client, signed_in):
    """A denied request, with its letter to be sent."""
    signed_in("privacy_officer")
    request = decide(client, verified("access", UserFactory()), **denial("access"))
    return request, request.letters.get()


def test_a_letter_opens_byte_for_byte_and_the_download_is_audited(client, told):
    request, letter = told
    response = client.get(f"/requests/{request.number}/letters/{letter.pk}/")
    assert response.content == bytes(Letter.objects.defer(None).get(pk=letter.pk).document)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="{request.number}-letter-{letter.pk}.pdf"'
    event = AccessEvent.objects.latest("pk")
    assert (event.action, event.subject) == ("download", f"letter {letter.pk} of {request.number}")
    assert event.chart_number == request.patient.chart_number


def test_a_letter_is_found_only_under_its_own_request(client, told):
    _request, letter = told
    other = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    assert client.get(f"/requests/{other.number}/letters/{letter.pk}/").status_code == 404
    assert client.get(f"/requests/{other.number}/letters/{letter.pk}/sent/").status_code == 404


def test_recording_a_letter_as_sent_closes_the_request(client, told):
    request, letter = told
    answer = client.post(f"/requests/{request.number}/letters/{letter.pk}/sent/", {"sent_on": "2026-11-24", "how": "by mail"})
    assert answer.status_code == 302
    request.refresh_from_db()
    assert (request.letter_sent_on, request.closed_on) == (ON, ON)
    text = client.get(f"/requests/{request.number}/").content.decode()
    assert "Letter sent on Nov 24, 2026 (by mail)." in text
    assert "Record as sent" not in text


@pytest.mark.parametrize("day", ["2026-11-23", "2026-11-25", "soon", ""])
def test_a_letter_is_not_sent_before_it_was_made_nor_in_the_future(client, told, day):
    request, letter = told
    answer = client.post(f"/requests/{request.number}/letters/{letter.pk}/sent/", {"sent_on": day, "how": "by mail"})
    assert "sent_on" in answer.context["form"].errors
    request.refresh_from_db()
    assert (request.letter_sent_on, request.is_open) == (None, True)


@pytest.mark.parametrize(("role", "code"), [("front_desk", 200), ("physician", 403), ("office_admin", 403)])
def test_who_may_record_a_letter_as_sent(client, signed_in, told, role, code):
    request, letter = told
    signed_in(role)
    assert client.get(f"/requests/{request.number}/letters/{letter.pk}/sent/").status_code == code


def test_a_decision_told_after_the_due_date_is_late(client, signed_in):
    request = RequestFactory(received_on=date(2026, 10, 24), on=date(2026, 10, 24), details=DETAILS["access"])  # due Nov 23
    signed_in("privacy_officer")
    with time_machine.travel(datetime(2026, 11, 23, 15, tzinfo=UTC), tick=False):
        decide(client, request, **denial("access"))
    letter = request.letters.get()
    client.post(f"/requests/{request.number}/letters/{letter.pk}/sent/", {"sent_on": "2026-11-24", "how": "by mail"})
    assert request.events.get(verb=Verb.CLOSED).sentence == "Closed: Denied. 1 day late."
