"""The one gate: every page about a patient answers with the glass where the chart is guarded and whoever asks is not named."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import override_settings
from django.urls import reverse

from disclosures.models import Release
from meso import drafts
from meso.models import AccessEvent, Draft
from meso.roles import PERMISSIONS, PUBLIC, Role
from records.models import ChartGuard, EmergencyAccess
from requests_app import inbound
from tests.factories import (
    AT,
    AttachmentFactory,
    AuthorizationFactory,
    DisclosureFactory,
    EntryFactory,
    PatientFactory,
    RequestFactory,
    UserFactory,
)
from tests.test_house import SAMPLES, URLS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]

GLASS = "This chart is guarded"
NAMES = ("Ottilie", "Quennell", "1961", "Minerva Lane")
# Addresses with a key that name no patient, for whoever else than the officer and the admin may enter them.
NO_PATIENT = {
    "notice_pdf": "a version of the office's notice",
    "mfa_remove_webauthn": "a passkey of whoever is logged in",
    "emergency_access": "names chart and staff; a physician is shown only the accesses of the office's one officer",
}
BOUND = [role for role in Role.values if role in PERMISSIONS["glass.break"]]


@pytest.fixture
def patient():
    return PatientFactory(
        chart_number="G-77", first_name="Ottilie", last_name="Quennell", date_of_birth="1961-02-03", address_1="9 Minerva Lane"
    )


@pytest.fixture
def officer():
    return UserFactory(role="privacy_officer", email="officer@example.org")


@pytest.fixture
def guard(patient, officer):
    return ChartGuard.lay(patient, kind="vip", reason="", team=[UserFactory(role="physician")], by=officer, at=AT)


@pytest.fixture
def rows(patient, officer):
    """Something of each kind in the chart: the key for each model whose rows have pages of their own."""
    EntryFactory(patient=patient)
    AttachmentFactory(patient=patient)
    AuthorizationFactory(patient=patient)
    disclosure = DisclosureFactory(patient=patient)
    facts = {"purpose_code": "law_enforcement", "branch": "locate", "purpose": "Own", "information": "All", "means": "mail"}
    nothing = {"checks": [], "manifest": [], "cover_letter": b"", "copy": b"", "bill": b""}
    seen = {"verified_how": "Seen", "verified_on": AT.date(), "released_on": AT.date(), "recipient": "Ottilie Quennell"}
    released = Release.objects.create(patient=patient, disclosure=disclosure, by=officer, at=AT, **facts, **nothing, **seen)
    told = inbound.take(patient, told_by="A hospital", what="Something", told_on=AT.date(), by=officer, at=AT, on=AT.date())
    return {"Disclosure": disclosure.pk, "Release": released.pk, "InboundAmendment": told.pk}


@pytest.fixture
def asked(patient, officer):
    return RequestFactory(patient=patient, by=officer)


def parts(pattern) -> set[str]:
    return set(pattern.pattern.regex.groupindex)


def about_a_chart(pattern) -> bool:
    return bool(parts(pattern) & {"chart", "number"}) or hasattr(pattern.callback, "of_chart")


def is_shut(response) -> bool:
    return response.status_code == 403 and GLASS in response.content.decode()


def test_no_page_with_a_key_slips_past_the_gate():
    """A view whose address holds a key and neither chart nor request says whose chart it is: `@of_chart(Model)`."""
    beyond = {Role.PRIVACY_OFFICER, Role.OFFICE_ADMIN}
    loose = [
        pattern.name
        for _route, pattern in URLS
        if "pk" in parts(pattern)
        and not about_a_chart(pattern)
        and pattern.callback.needs != PUBLIC
        and PERMISSIONS[pattern.callback.needs] - beyond
        and pattern.name not in NO_PATIENT
    ]
    assert loose == []


@pytest.mark.parametrize("role", BOUND)
def test_every_url_about_a_guarded_chart_answers_with_the_glass_and_no_name(client, signed_in, guard, rows, asked, role):
    signed_in(role)
    wrong, walked = [], 0
    for _route, pattern in URLS:
        view = pattern.callback
        if not about_a_chart(pattern) or role not in PERMISSIONS[view.needs] or hasattr(view, "at_the_glass"):
            continue
        model = getattr(view, "of_chart", None)
        known = {"chart": "G-77", "number": asked.number, "pk": rows[model.__name__] if model else 1, "format": "copy"}
        path = reverse(pattern.name, kwargs={name: known[name] for name in parts(pattern)})
        for response in (client.get(path), client.post(path, {"step": "show", "body": "typed"})):
            walked += 1
            if not is_shut(response) or any(name in response.content.decode() for name in NAMES):
                wrong.append((path, response.status_code))
    assert wrong == []
    assert walked > 100


@pytest.mark.parametrize("role", BOUND)
@pytest.mark.parametrize("path", ["/release/new/", "/disclosures/new/", "/requests/new/", "/complaints/new/"])
def test_a_form_that_names_a_guarded_chart_answers_with_the_glass(client, signed_in, guard, role, path):
    user = signed_in(role)
    if path == "/release/new/" and role == "physician":
        return
    tries = [
        client.get(path, {"chart": "G-77"}),
        client.post(path, {"patient": "G-77", "step": "show", "show_entries": "1"}),
        client.post(path, {"patient": "", "patient_picked": "G-77"}),
    ]
    Draft.objects.filter(user=user).delete()
    Draft.objects.create(user=user, path=path, fields={"patient": ["G-77"]}, saved_at=AT)
    assert [is_shut(response) for response in [*tries, client.get(path)]] == [True] * 4


def test_a_request_is_not_linked_past_the_gate(client, signed_in, guard):
    loose = RequestFactory(patient=None, asker_name="Ottilie Quennell", by=None)
    signed_in("front_desk")
    page = client.get(f"/requests/{loose.number}/match/").content.decode()
    assert "The privacy officer links this one." in page
    assert 'value="G-77"' not in page
    assert "Minerva" not in page
    assert is_shut(client.post(f"/requests/{loose.number}/match/", {"chart": "G-77"}))
    loose.refresh_from_db()
    assert loose.patient is None


@pytest.mark.parametrize("who", ["team", "officer"])
def test_the_team_and_the_officer_open_it_as_any_other(client, guard, asked, officer, who):
    client.force_login(officer if who == "officer" else guard.team.get().user)
    for path in ("/patients/G-77/", f"/requests/{asked.number}/", "/patients/G-77/files/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Quennell" in page.content.decode()
    assert "Guarded chart" in client.get("/patients/G-77/").content.decode()


def test_a_chart_without_a_guard_costs_one_query_more_and_the_officer_none(client, signed_in, patient, django_assert_num_queries):
    from records.gate import ChartGate
    from tests.test_house import SimpleNamespace

    view = SimpleNamespace(needs="patient.view")
    gate = ChartGate(lambda request: None)
    for role, count in (("front_desk", 1), ("privacy_officer", 0)):
        request = client.get("/privacy/").wsgi_request
        request.user = UserFactory(role=role)
        with django_assert_num_queries(count):
            assert gate.process_view(request, view, (), {"chart": "G-77"}) is None
    with django_assert_num_queries(0):
        assert gate.process_view(request, view, (), {}) is None


# --- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_shows_name_and_number_of_a_guarded_chart_and_nothing_more(client, signed_in, guard):
    signed_in("front_desk")
    for path in ("/patients/", "/patients/pick/"):
        page = client.post(path, {"q": "Quennell"}).content.decode()
        assert "Quennell" in page
        assert "Guarded chart" in page
        assert not any(told in page for told in ("1961", "Minerva", "Albany", "555-010")), path
    assert 'value="G-77"' not in page  # in the picker it can't be chosen
    client.force_login(guard.by)
    assert "Minerva" in client.post("/patients/", {"q": "Quennell"}).content.decode()


def test_whoever_registers_somebody_alike_learns_no_more(client, signed_in, guard):
    signed_in("front_desk")
    sent = {"first_name": "Ottilie", "last_name": "Quennell", "date_of_birth": "1961-02-04", "sex": "female", "language": "en"}
    page = client.post("/patients/new/", sent).content.decode()
    assert "resembles this person" in page
    assert "Guarded chart" in page
    assert not any(told in page for told in ("Feb 3", "Minerva", "555-010"))


@pytest.mark.parametrize("path", ["/", "/requests/", "/disclosures/", "/authorizations/"])
@pytest.mark.usefixtures("asked", "rows")
def test_no_list_of_the_office_names_a_patient_whose_chart_is_closed(client, signed_in, guard, path):
    AuthorizationFactory(patient=guard.patient, expires_on=AT.date() + timedelta(days=9))
    for role in BOUND:
        signed_in(role)
        assert "Quennell" not in client.get(path).content.decode()
    client.force_login(guard.by)
    assert "Quennell" in client.get(path).content.decode()


# --- the glass ------------------------------------------------------------------------------------------------------

WHY = {"kind": "here", "reason": "She stands at the desk and bleeds"}


def test_breaking_it_opens_the_page_that_was_asked_for_and_is_told_at_once(client, signed_in, guard, officer):
    desk = signed_in("front_desk")
    page = client.get("/patients/G-77/files/")
    assert page.context["form"]["next"].value() == "/patients/G-77/files/"
    done = client.post("/patients/G-77/emergency/", {**WHY, "next": "/patients/G-77/files/"})
    assert (done.status_code, done["Location"]) == (302, "/patients/G-77/files/")
    access = EmergencyAccess.objects.get()
    assert (access.by, access.patient.chart_number, access.kind, access.reason) == (desk, "G-77", "here", WHY["reason"])
    opened = client.get("/patients/G-77/files/")
    assert "Emergency access until 11:00 AM." in opened.content.decode()
    events = AccessEvent.objects.filter(user=desk).order_by("pk").values_list("action", "subject", "chart_number")
    assert list(events)[1:] == [
        ("refused", "guarded chart", "G-77"),
        ("create", f"emergency access {access.pk}", "G-77"),
        ("sent", f"emergency access {access.pk}", ""),
        ("view", "attachments", "G-77"),
    ]
    client.force_login(officer)
    assert f"Review emergency access {access.pk}" in client.get("/").content.decode()


def test_the_mail_says_that_it_was_done_and_nothing_of_whom_or_why(client, signed_in, guard):
    signed_in("front_desk")
    client.post("/patients/G-77/emergency/", WHY)
    (sent,) = mail.outbox
    assert sent.to == ["officer@example.org"]
    for told in (*NAMES, "G-77", WHY["reason"], "bleeds"):
        assert told not in sent.subject + sent.body


@override_settings(EMAIL_BACKEND="tests.test_gate.Broken")
def test_a_mail_server_that_is_down_does_not_hold_up_the_care(client, signed_in, guard):
    signed_in("front_desk")
    assert client.post("/patients/G-77/emergency/", WHY).status_code == 302
    assert client.get("/patients/G-77/").status_code == 200
    assert AccessEvent.objects.filter(detail="no mail went out").exists()


@override_settings(EMAIL_BACKEND="tests.test_gate.Broken")
def test_whoever_broke_it_hears_that_no_mail_went_out(client, signed_in, guard, officer):
    signed_in("front_desk")
    words = "No mail went out to the privacy officer: please tell them yourself. It stands among their tasks"
    page = client.post("/patients/G-77/emergency/", WHY, follow=True).content.decode()
    assert words in page
    assert "was told" not in page
    client.force_login(officer)
    assert f"Review emergency access {EmergencyAccess.objects.get().pk}" in client.get("/").content.decode()


def test_where_the_mail_went_out_they_hear_that(client, signed_in, guard):
    signed_in("front_desk")
    page = client.post("/patients/G-77/emergency/", WHY, follow=True).content.decode()
    assert "The privacy officer was told, and reviews what you look at." in page
    assert "No mail went out" not in page


class Broken:
    """A mail server that can't be reached."""

    def __init__(self, *args, **kwargs):
        pass

    def send_messages(self, messages):
        raise ConnectionRefusedError


def test_it_is_open_for_an_hour_and_to_nobody_else(client, signed_in, guard):
    desk = signed_in("front_desk")
    client.post("/patients/G-77/emergency/", WHY)
    signed_in("front_desk")
    assert is_shut(client.get("/patients/G-77/"))
    with time_machine.travel(AT + timedelta(minutes=59), tick=False):
        client.force_login(desk)
        assert client.get("/patients/G-77/").status_code == 200
    with time_machine.travel(AT + timedelta(minutes=60), tick=False):
        assert is_shut(client.get("/patients/G-77/"))


def test_without_a_reason_it_stays_shut_and_what_was_typed_stands(client, signed_in, guard):
    signed_in("front_desk")
    page = client.post("/patients/G-77/emergency/", {"kind": "urgent", "reason": ""})
    assert page.status_code == 200
    assert page.context["form"]["kind"].value() == "urgent"
    assert "reason" in page.context["form"].errors
    assert not EmergencyAccess.objects.exists()


@pytest.mark.parametrize("onward", ["needles", "https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_it_leads_to_no_other_site(client, signed_in, guard, onward):
    signed_in("front_desk")
    assert client.post("/patients/G-77/emergency/", {**WHY, "next": onward})["Location"] == "/patients/G-77/"


def test_a_chart_that_is_open_to_me_has_no_glass(client, signed_in, guard, officer):
    signed_in("front_desk")
    open_one = PatientFactory()
    assert client.get(f"/patients/{open_one.chart_number}/emergency/").status_code == 404
    client.force_login(guard.team.get().user)
    assert client.get("/patients/G-77/emergency/")["Location"] == "/patients/G-77/"
    client.force_login(officer)
    assert client.get("/patients/G-77/emergency/").status_code == 403  # no guard binds the officer, who breaks none
    signed_in("office_admin")
    assert client.get("/patients/G-77/emergency/").status_code == 403
    assert not is_shut(client.get("/patients/G-77/"))  # the wall, and no way through it


def test_what_was_typed_when_the_guard_came_is_kept(client, signed_in, guard):
    desk = signed_in("front_desk")
    path = "/patients/G-77/entries/new/"
    page = client.post(path, {"title": "Half an hour of typing"})
    assert is_shut(page)
    assert page.context["form"]["next"].value() == path
    client.post("/patients/G-77/emergency/", {**WHY, "next": path})
    assert drafts.find(desk, path).fields == {"title": ["Half an hour of typing"]}
    assert "Half an hour of typing" in client.get(path).content.decode()


def test_a_part_of_a_page_sends_the_whole_page_to_the_glass(client, signed_in, guard):
    signed_in("front_desk")
    answer = client.get("/patients/G-77/", headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/patients/G-77/emergency/?next=%2Fpatients%2FG-77%2F"
    assert GLASS in client.get(answer["HX-Redirect"]).content.decode()


def test_every_sample_of_the_house_is_known():
    assert set(SAMPLES) == {"chart", "number", "pk", "format"}  # a new part of an address may name a chart: tell the gate
