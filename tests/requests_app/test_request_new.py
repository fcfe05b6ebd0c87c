"""Taking a request in at the desk: any kind, any way, on the day it was received."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.test import Client

from meso.models import AccessEvent, Draft, Office
from requests_app.kinds import Channel, Kind
from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import PatientFactory, UserFactory
from tests.signing_in import log_in

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
PATH = "/requests/new/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


ASKED: dict[str, dict[str, str]] = {
    Kind.ACCESS: {"access_which": "Visit notes", "access_since": "2026-01-01", "access_form": "mail"},
    Kind.AMENDMENT: {"amendment_change": "I never smoked"},
    Kind.RESTRICTION: {"restriction_what": "The May visit", "restriction_from_whom": "My health plan"},
    Kind.CONFIDENTIAL_COMMUNICATION: {
        "confidential_communication_means": "mail", "confidential_communication_where": "PO Box 12, Albany",
    },
    Kind.ACCOUNTING: {"accounting_since": "2026-01-01", "accounting_until": "2026-06-30"},
}  # fmt: skip


def a_form(kind: str = Kind.ACCESS, **facts: str) -> dict[str, str]:
    return {
        "received_on": "2026-11-24", "channel": "telephone", "kind": kind, "who": "patient", "asker_name": "Maria Alvarez",
        "once": "a-token", **ASKED[kind], **facts,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "code"), [("front_desk", 200), ("physician", 200), ("privacy_officer", 200), ("office_admin", 403)]
)
def test_who_takes_requests_in(client, signed_in, role, code):
    signed_in(role)
    assert client.get(PATH).status_code == code


@pytest.mark.parametrize("kind", Kind.values)
def test_each_kind_is_taken_with_its_own_facts(client, signed_in, kind):
    user = signed_in("front_desk")
    response = client.post(PATH, a_form(kind))
    request = PatientRequest.objects.get()
    assert response.status_code == 302
    assert response.url == f"/requests/{request.number}/"
    assert (request.kind, request.entered_by, request.entered_at) == (kind, user, AT)
    assert request.details == {name.removeprefix(f"{kind}_"): value for name, value in ASKED[kind].items()}
    assert [event.verb for event in request.events.all()] == [Verb.RECEIVED]


@pytest.mark.parametrize("channel", Channel.values)
def test_each_way_counts_alike_and_an_oral_request_needs_no_paper(client, signed_in, channel):
    signed_in("front_desk")
    client.post(PATH, a_form(channel=channel, received_on="2026-05-04"))
    request = PatientRequest.objects.get()
    assert (request.channel, request.due_on) == (channel, date(2026, 6, 3))  # law.md §13a: a phone call of May 4


def test_the_day_of_receipt_is_today_unless_said(client, signed_in):
    signed_in("front_desk")
    assert client.get(PATH).context["form"]["received_on"].value() == date(2026, 11, 24)


def test_a_request_of_friday_typed_in_on_monday_is_due_from_friday(client, signed_in):
    signed_in("front_desk")
    with time_machine.travel(datetime(2026, 11, 2, 15, 0, tzinfo=UTC), tick=False):
        client.post(PATH, a_form(received_on="2026-10-30"))
    assert PatientRequest.objects.get().due_on == date(2026, 11, 29)


def test_late_in_the_evening_it_is_still_the_offices_day(client, signed_in):
    signed_in("front_desk")
    Office.current()
    with time_machine.travel(datetime(2026, 4, 1, 3, 30, tzinfo=UTC), tick=False):  # March 31, 23:30 in New York
        assert client.get(PATH).context["form"]["received_on"].value() == date(2026, 3, 31)
        client.post(PATH, a_form(received_on="2026-03-31", once="evening"))
        refused = client.post(PATH, a_form(received_on="2026-04-01", once="tomorrow"))
    assert "future" in str(refused.context["form"].errors["received_on"])
    assert PatientRequest.objects.get().due_on == date(2026, 4, 30)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"received_on": "2026-11-25"}, "received_on"),
        ({"received_on": ""}, "received_on"),
        ({"received_on": "1926-11-24"}, "received_on"),
        ({"channel": ""}, "channel"),
        ({"channel": "pigeon"}, "channel"),
        ({"kind": ""}, "kind"),
        ({"asker_name": ""}, "asker_name"),
        ({"patient": "99999"}, "patient"),
        ({"access_since": "2026-12-01"}, "access_since"),
        ({"who": "other"}, "acting_name"),
        ({"asker_email": "not-an-address"}, "asker_email"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(client, signed_in, facts, field):
    signed_in("front_desk")
    response = client.post(PATH, a_form(description="All of it, please") | facts)
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert not PatientRequest.objects.exists()
    text = response.content.decode()
    assert "All of it, please" in text
    assert "Visit notes" in text
    assert f'id="id_{field}_error"' in text


def test_the_chart_says_name_and_birth_date(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    client.post(PATH, a_form(patient="10023", asker_name=""))
    request = PatientRequest.objects.get()
    assert (request.patient, request.asker_name, request.asker_born) == (patient, patient.name, patient.date_of_birth)
    assert [event.verb for event in request.events.all()] == [Verb.RECEIVED, Verb.MATCHED]


def test_a_chart_in_the_address_is_filled_in(client, signed_in):
    signed_in("front_desk")
    assert client.get(PATH + "?chart=10023").context["form"]["patient"].value() == "10023"


def test_somebody_who_acts_for_the_patient_is_named(client, signed_in):
    signed_in("front_desk")
    client.post(PATH, a_form(who="other", acting_name="Rosa Alvarez", acting_as="mother"))
    assert PatientRequest.objects.get().on_behalf == "Rosa Alvarez, mother"


def test_a_double_click_takes_one_and_shows_it_twice(client, signed_in):
    signed_in("front_desk")
    once, twice = client.post(PATH, a_form()), client.post(PATH, a_form())
    assert once.url == twice.url
    assert PatientRequest.objects.count() == 1
    assert client.post(PATH, a_form(once="another")).url != once.url


def test_every_page_has_its_own_token(client, signed_in):
    signed_in("front_desk")
    tokens = {client.get(PATH).context["form"]["once"].value() for _ in range(2)}
    assert len(tokens) == 2


def test_behind_it_stands_the_number_and_the_due_date_in_large_words(client, signed_in):
    signed_in("front_desk")
    response = client.post(PATH, a_form(), follow=True)
    request = PatientRequest.objects.get()
    text = response.content.decode()
    assert f"{request.number} is taken in. Due Dec 24, 2026: 30 days left." in text
    assert 'class="clock-words">Due Dec 24, 2026' in text


def test_taking_in_is_audited_by_number_and_chart_only(client, signed_in):
    signed_in("front_desk")
    PatientFactory(chart_number="10023")
    client.post(PATH, a_form(patient="10023"))
    event = AccessEvent.objects.get(action="create")
    assert event.subject == f"request {PatientRequest.objects.get().number}"
    assert (event.chart_number, event.detail) == ("10023", "telephone")


def test_an_expired_login_loses_nothing(db):
    user = UserFactory(role="front_desk")
    client = Client()
    expired = client.post(PATH, a_form(Kind.AMENDMENT, description="It was never so"))
    assert expired.status_code == 401
    log_in(client, user, next=PATH, kept=expired.context["kept"])
    form = client.get(PATH).context["form"]
    assert form["description"].value() == "It was never so"
    assert form["amendment_change"].value() == "I never smoked"
    assert form["kind"].value() == "amendment"
    client.post(PATH, a_form(Kind.AMENDMENT))
    assert not Draft.objects.exists()


def test_the_page_works_without_javascript(client, signed_in):
    """Every kind's fields are in the page; the script only hides what is not needed."""
    signed_in("front_desk")
    text = client.get(PATH).content.decode()
    for facts in ASKED.values():
        for name in facts:
            assert f'name="{name}"' in text
    assert "hidden>" not in text[text.index('class="part"') :].split("</fieldset>")[0]


def test_a_draft_can_be_thrown_away_and_never_mixes_with_another_chart(client, signed_in):
    user = signed_in("front_desk")
    Draft.objects.create(user=user, path=PATH, fields={"patient": ["10001"], "asker_name": ["Ruth Stein"]}, saved_at=AT)
    page = client.get(PATH)
    assert page.context["form"]["asker_name"].value() == "Ruth Stein"
    assert "is back in the form" in page.content.decode()
    other = client.get(PATH + "?chart=10023").context["form"]
    assert (other["patient"].value(), other["asker_name"].value()) == ("10023", None)
    assert client.post(PATH, {"discard": "yes"}).url == PATH
    assert not Draft.objects.exists()


def test_a_patient_picked_from_the_charts_wins_and_survives_an_expired_login(client, signed_in):
    user = signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    Draft.objects.create(user=user, path=PATH, fields={"patient_picked": ["10023"]}, saved_at=AT)
    assert client.get(PATH).context["form"]["patient"].value() == "10023"
    client.post(PATH, a_form(patient="", patient_picked="10023"))
    assert PatientRequest.objects.get().patient == patient
