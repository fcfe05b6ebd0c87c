"""The patients' form, from the page to the receipt: nothing typed is lost, nothing is taken twice, nothing is given away."""

import re
from datetime import UTC, date, datetime
from html import unescape

import pytest
import time_machine
from django.apps import apps
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from meso.models import AccessEvent, Office, Session
from meso.roles import PUBLIC, Role
from requests_app import work
from requests_app.forms.public import PublicAskForm
from requests_app.forms.robots import new_token
from requests_app.kinds import Kind
from requests_app.models import PatientRequest
from requests_app.models.timeline import Verb
from requests_app.views import public
from tests.requests_app.public_pages import ASKER, PART, filled_in, number_and_code, send, value_of

NOW = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)  # half past ten in the evening of Nov 24 in the office
ON = date(2026, 11, 24)
FORM, RECEIPT = "/privacy/request/", "/privacy/request/received/"


@pytest.fixture(autouse=True)
def evening(db):
    with time_machine.travel(NOW, tick=False):
        yield


def words_of(html: str) -> str:
    """The visible words of a page."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", html.split("<body", 1)[1], flags=re.S)
    return unescape(re.sub(r"<[^>]+>", " ", body)).lower()


@pytest.mark.parametrize("kind", Kind.values)
def test_a_request_of_every_kind_comes_in(client, kind):
    response = send(client, kind)
    assert (response.status_code, response["Location"]) == (302, RECEIPT)
    request = PatientRequest.objects.get()
    assert (request.kind, request.channel, request.entered_by, request.patient) == (kind, "web", None, None)
    assert (request.received_on, request.due_on, request.entered_at) == (ON, date(2026, 12, 24), NOW)
    assert (request.asker_name, request.asker_born) == (ASKER["asker_name"], date(1984, 7, 2))
    assert (request.asker_phone, request.asker_email) == (ASKER["asker_phone"], ASKER["asker_email"])
    assert request.asker_address.split() == ASKER["asker_address"].split()
    expected = {name.removeprefix(f"{kind}_"): value for name, value in PART[kind].items() if name != "description"}
    assert request.details == expected
    assert request.description == PART[kind].get("description", "")
    event = request.events.get()
    assert (event.verb, event.by, event.signed_as, event.on) == (Verb.RECEIVED, None, "", ON)


def test_the_audit_says_that_a_request_came_and_names_nobody(client):
    send(client)
    created = AccessEvent.objects.get(action="create")
    assert (created.user, created.subject, created.address) == (
        None,
        f"request {PatientRequest.objects.get().number}",
        "127.0.0.1",
    )
    number_and_code(client)
    client.get("/privacy/request/received.pdf")
    told = " ".join(f"{event.subject} {event.detail} {event.chart_number}" for event in AccessEvent.objects.all())
    assert {"view", "download"} <= set(AccessEvent.objects.values_list("action", flat=True))
    assert not {"Björk", "1984", "Elm", "bjork"} & set(re.findall(r"\w+", told))


@pytest.mark.parametrize("name", ["privacy", "privacy_pdf", "privacy_request", "privacy_status"])
@pytest.mark.parametrize("role", [None, *Role.values])
def test_the_pages_are_open_to_everybody(client, signed_in, name, role):
    if role:
        signed_in(role)
    assert client.get(reverse(name)).status_code == 200


def test_every_page_says_that_it_is_public():
    views = (
        public.privacy,
        public.privacy_pdf,
        public.privacy_request,
        public.privacy_receipt,
        public.privacy_receipt_pdf,
        public.privacy_status,
    )
    assert {view.needs for view in views} == {PUBLIC}


@pytest.mark.parametrize("kind", Kind.values)
def test_a_page_shows_the_fields_of_its_kind_and_no_others(client, kind):
    html = client.get(FORM, {"kind": kind}).content.decode()
    parts = {name for name in re.findall(r'name="([a-z_]+)"', html) if name.startswith(tuple(f"{k}_" for k in Kind.values))}
    assert parts == set(PublicAskForm.names_of(kind))
    for name in parts:
        assert f'for="id_{name}"' in html or f'id="id_{name}_0"' in html
    assert html.count("<h1") == 1


def test_the_confidential_form_asks_for_no_why(client):
    html = client.get(FORM, {"kind": "confidential_communication"}).content.decode()
    assert not re.search(r"\b(why|reason\w*|because|explain\w*|purpose|cause)\b", words_of(html))
    assert 'name="description"' not in html
    assert "amendment_reason" not in html


def test_what_was_not_asked_for_is_not_kept_in_a_confidential_request(client):
    send(client, "confidential_communication", description="My husband must not know", amendment_reason="Because")
    request = PatientRequest.objects.get()
    assert (request.description, set(request.details)) == ("", {"means", "where", "avoid"})


def test_the_access_form_names_the_prices_of_the_office(client):
    Office.current()
    Office.objects.update(copy_rate="0.12", electronic_copy_fee="3.00")
    html = client.get(FORM, {"kind": "access"}).content.decode()
    assert "On paper, by mail · $0.12 a page, and the postage" in html
    assert "Electronic copy · $3.00 in all" in html
    assert "Look at it at the office · free" in html
    Office.objects.update(charge_electronic_pages=False, electronic_copy_fee="0.00")
    html = client.get(FORM, {"kind": "access"}).content.decode()
    assert "picked up at the office · at most $0.12 a page" in html
    assert "Electronic copy · free" in html


@pytest.mark.parametrize("kind", Kind.values)
def test_an_error_loses_nothing_and_is_said_at_the_field(client, kind):
    typed = filled_in(client, kind, asker_born="the 2nd of July", asker_email="bjork at example", asker_name="")
    response = client.post(FORM, typed)
    html = unescape(response.content.decode())
    assert (response.status_code, PatientRequest.objects.count()) == (200, 0)
    assert set(response.context["form"].errors) == {"asker_born", "asker_email", "asker_name"}
    for name in ("asker_born", "asker_email", "asker_name"):
        assert f'id="id_{name}_error"' in html
        assert f'href="#id_{name}"' in html
    for name, value in typed.items():
        chosen = re.search(rf'name="{name}" value="{re.escape(value)}"[^>]*checked', html)
        assert chosen or value.replace("\n", "\r\n") in html or value in html, name
    assert client.post(FORM, {**typed, "asker_born": "7/2/1984", "asker_email": "", "asker_name": "Isa"}).status_code == 302


def test_overlong_words_come_back_whole(client):
    story = "long story " * 1000
    html = send(client, "amendment", amendment_change=story).content.decode()
    assert "at most 10000 characters" in html
    assert story.strip() in html
    assert PatientRequest.objects.count() == 0


def test_going_back_to_ask_for_something_else_loses_nothing(client):
    typed = filled_in(client, "access", step="choose")
    page = client.post(FORM, typed)
    html = page.content.decode()
    assert 'method="post"' in html
    assert re.search(r'value="access"[^>]*checked', html)
    carried = dict(page.context["carried"])
    page = client.post(FORM, {**carried, "kind": "accounting", "step": "fill"})
    html = page.content.decode()
    assert value_of(html, "asker_name") == ASKER["asker_name"]
    assert value_of(html, "token") == typed["token"]
    shown = {field.name: str(field.value() or "") for field in page.context["form"]}
    again = {**dict(page.context["carried"]), **shown, "step": "choose"}
    back = client.post(FORM, {**dict(client.post(FORM, again).context["carried"]), "kind": "access", "step": "fill"})
    for name, value in PART["access"].items():
        assert str(back.context["form"][name].value()) == value, name
    assert PatientRequest.objects.count() == 0


def test_continuing_without_a_choice_says_so(client):
    response = client.get(FORM, {"step": "fill"})
    assert response.context["form"].errors == {"kind": ["Choose one of the five."]}


@pytest.mark.parametrize("kind", ["", "everything", "access'--"])
def test_an_unknown_kind_leads_to_the_choice(client, kind):
    response = client.get(FORM, {"kind": kind})
    assert response.status_code == 200
    assert "What would you like to do?" in response.content.decode()


def test_a_name_in_the_address_is_not_put_into_the_page(client):
    html = client.get(FORM, {"kind": "access", "asker_name": "Maria Alvarez"}).content.decode()
    assert "Alvarez" not in html


# --- once -----------------------------------------------------------------------------------------------------------


def test_a_double_click_takes_one_request_and_shows_one_code(client):
    typed = filled_in(client, "access")
    client.post(FORM, typed)
    first = number_and_code(client)
    assert client.post(FORM, typed).status_code == 302
    assert number_and_code(client) == first
    assert PatientRequest.objects.count() == 1
    assert AccessEvent.objects.filter(action="create").count() == 1


def test_changed_words_are_another_request(client):
    """Back, change, send: were the page's token alone to count, the second request would vanish."""
    typed = filled_in(client, "access")
    client.post(FORM, typed)
    first = number_and_code(client)
    client.post(FORM, {**typed, "access_which": "Everything"})
    second = number_and_code(client)
    assert PatientRequest.objects.count() == 2
    assert first[0] != second[0]
    assert first[1] != second[1]


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_instant_take_one_request(at_once):
    office = Office.current()
    data = QueryDict(mutable=True)
    data.update({"kind": "access", "token": new_token(NOW), **ASKER, **PART["access"]})

    def click(_: int) -> tuple[str, str]:
        form = PublicAskForm(data, kind="access", at=NOW, on=ON, place="here", office=office)
        assert form.is_valid(), form.errors
        taken, _ = form.take()
        return taken.number, taken.code_digest

    first, second = at_once(click, [1, 2])
    assert first == second
    assert PatientRequest.objects.count() == 1


# --- robots ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tripped", [{"leave_empty": "http://example.org"}, {"token": ""}, {"token": "made-up:token"}], ids=["field", "none", "forged"]
)
def test_whoever_trips_the_traps_gets_the_form_back_and_can_send_it(client, tripped):
    response = send(client, "access", **tripped)
    html = response.content.decode()
    assert PatientRequest.objects.count() == 0
    assert "send it once more" in html
    assert value_of(html, "leave_empty") == ""
    typed = {**ASKER, **PART["access"], "kind": "access", "token": value_of(html, "token"), "leave_empty": ""}
    assert value_of(html, "asker_name") == ASKER["asker_name"]
    assert client.post(FORM, typed).status_code == 302


def test_a_page_from_the_day_before_yesterday_is_sent_once_more(client):
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False):
        typed = filled_in(client, "access")
    html = client.post(FORM, typed).content.decode()
    assert "send it once more" in html
    assert client.post(FORM, {**typed, "token": value_of(html, "token")}).status_code == 302


def test_the_trap_is_out_of_the_way_of_people(client):
    html = client.get(FORM, {"kind": "access"}).content.decode()
    trap = re.search(r'<div class="not-for-people" aria-hidden="true">.*?</div>\s*</div>', html, re.S).group()
    assert 'tabindex="-1"' in trap
    assert 'autocomplete="off"' in trap


def test_a_form_without_its_protection_comes_back_filled_with_a_fresh_one():
    careful = Client(enforce_csrf_checks=True)
    typed = filled_in(careful, "access")
    careful.cookies.clear()
    response = careful.post(FORM, typed)
    html = response.content.decode()
    assert response.status_code == 403
    assert "Nothing is lost" in html
    assert value_of(html, "asker_name") == ASKER["asker_name"]
    assert PART["access"]["access_which"] in html
    assert PatientRequest.objects.count() == 0
    fresh = value_of(html, "csrfmiddlewaretoken")
    assert careful.post(FORM, {**typed, "csrfmiddlewaretoken": fresh}).status_code == 302
    assert PatientRequest.objects.count() == 1


# --- the receipt ----------------------------------------------------------------------------------------------------


def test_the_receipt_tells_number_code_and_dates_and_nothing_about_the_person(client):
    send(client)
    response = client.get(RECEIPT)
    html = response.content.decode()
    request = PatientRequest.objects.get()
    number, code = number_and_code(client)
    assert number == request.number
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", code)
    assert "Tuesday, November 24, 2026" in html
    assert "Thursday, December 24, 2026" in html
    for secret in ("Björk", "1984", "010-2233", "bjork@", "Elm", "May visit", "Large print"):
        assert secret not in html
    assert "no-store" in response["Cache-Control"]


def test_the_code_is_stored_nowhere_in_clear(client):
    send(client)
    _, code = number_and_code(client)
    stored = [str(Session.objects.get().get_decoded())]
    for model in apps.get_models():
        stored += [str(row) for row in model._base_manager.values()]
    plain = code.replace("-", "")
    assert not [row for row in stored if code in row or plain in row]
    assert PatientRequest.objects.get().code_digest


def test_the_receipt_is_for_this_browser_and_for_half_an_hour(client):
    send(client)
    stranger = Client()
    for path in (RECEIPT, "/privacy/request/received.pdf"):
        assert stranger.get(path).status_code == 302
    with time_machine.travel(datetime(2026, 11, 25, 4, 1, tzinfo=UTC), tick=False):
        response = client.get(RECEIPT, follow=True)
    assert response.redirect_chain == [("/privacy/status/", 302)]
    assert "no longer shown" in response.content.decode()


def test_the_receipt_prints_as_a_tagged_pdf(client):
    from io import BytesIO

    from pypdf import PdfReader

    send(client)
    number, code = number_and_code(client)
    response = client.get("/privacy/request/received.pdf")
    assert response["Content-Type"] == "application/pdf"
    assert f"receipt-{number}.pdf" in response["Content-Disposition"]
    document = PdfReader(BytesIO(response.content))
    text = document.pages[0].extract_text()
    assert number in text
    assert code in text
    assert "December 24, 2026" in text
    assert "Björk" not in text
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]


# --- names ----------------------------------------------------------------------------------------------------------

HARD_NAMES = [
    "毛泽东",
    "O'Brien–Peña y Müller",
    "Nguyễn Thị Minh Khai",
    "عبد الله",
    "Null",
    "X Æ A-12",
    "👩‍⚕️ Ada",
    "<b>Robert'); --</b>",
    "ÿ" * 200,
]


@pytest.mark.parametrize("name", HARD_NAMES)
def test_a_name_is_kept_letter_for_letter(client, name):
    send(client, asker_name=name, acting_name=name, acting_as="guardian", who="other")
    request = PatientRequest.objects.get()
    assert (request.asker_name, request.on_behalf) == (name, f"{name}, guardian")
    html = send(client, asker_name=name, asker_born="x").content.decode()
    assert value_of(html, "asker_name") == name
    assert "<b>Robert" not in html


@pytest.mark.shared
def test_the_names_of_the_real_world_are_kept_letter_for_letter(shared, monkeypatch):
    monkeypatch.setattr(work.Gate, "is_up", False)
    office = Office.current()
    lines = [line for path in (shared / "data/names").iterdir() for line in path.read_text(encoding="utf-8").splitlines()]
    names = {line.strip() for line in lines if line.strip() and not line.startswith("#") and len(line) <= 400}
    assert len(names) > 100
    for name in names:
        data = {
            "kind": "accounting",
            "token": new_token(NOW),
            "who": "patient",
            "asker_name": name,
            "asker_phone": "555-010-2233",
        }
        form = PublicAskForm(data, kind="accounting", at=NOW, on=ON, place="here", office=office)
        assert form.is_valid(), (name, form.errors)
        assert form.take()[0].asker_name == name
    assert set(PatientRequest.objects.values_list("asker_name", flat=True)) == names
