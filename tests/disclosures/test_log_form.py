"""Logging a disclosure: the form, the exempt purposes, and that nothing typed is lost and nothing is logged twice."""

from datetime import date

import pytest
from django.db import IntegrityError

from disclosures.forms.log import DisclosureForm
from disclosures.models import Disclosure
from meso.models import Draft
from tests.disclosures.log_pages import facts, last_event
from tests.factories import AT, DisclosureFactory, EntryFactory, PatientFactory, SuspensionFactory
from tests.signing_in import log_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


def test_a_disclosure_is_logged_with_its_entries(client, signed_in, patient):
    desk = signed_in("front_desk")
    entry = EntryFactory(patient=patient, title="First visit")
    response = client.post("/disclosures/new/", facts(information="", entries=[entry.pk]))
    row = Disclosure.objects.get()
    assert response.url == f"/disclosures/{row.pk}/"
    assert (row.patient, row.disclosed_on, row.logged_by) == (patient, date(2026, 11, 20), desk)
    assert row.information == "First visit (May 1, 2026)"
    assert [given.entry for given in row.disclosed_entries.all()] == [entry]
    event = last_event()
    assert (event.action, event.chart_number, event.detail) == ("create", "10023", "health_oversight")


def test_the_same_form_sent_twice_logs_once(client, signed_in, patient):
    signed_in("front_desk")
    first, second = (client.post("/disclosures/new/", facts()) for _ in range(2))
    assert first.url == second.url
    assert Disclosure.objects.count() == 1


def test_a_picked_patient_wins_over_a_typed_number(client, signed_in, patient):
    signed_in("front_desk")
    client.post("/disclosures/new/", facts(patient="1002", patient_picked="10023"))
    assert Disclosure.objects.get().patient == patient


@pytest.mark.parametrize("code", ["treatment", "payment", "operations"])
def test_an_exempt_purpose_writes_no_row_and_says_why(client, signed_in, patient, code):
    signed_in("front_desk")
    page = client.post("/disclosures/new/", facts(purpose_code=code, recipient="", purpose="")).content.decode()
    assert "No log entry needed" in page
    assert "45 CFR 164.506(c)" in page
    assert "45 CFR 164.528(a)(1)(i)" in page
    assert not Disclosure.objects.exists()
    event = last_event()
    assert (event.action, event.detail, event.chart_number) == ("check", code, "10023")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"patient": "99"}, "There is no chart with this number"),
        ({"disclosed_on": "2026-11-25"}, "lie in the future"),
        ({"disclosed_on": "soon"}, "This is not a day"),
        ({"disclosed_on": "1026-11-20"}, "check the year"),
        ({"recipient": ""}, "This field is required"),
        ({"information": " "}, "Say what was given, or tick entries"),
        ({"purpose": ""}, "Say why, in a few words"),
        ({"purpose_code": "tpo"}, "Select a valid choice"),
        ({"purpose_code": "authorization"}, "Choose the signed form that it went out on"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(client, signed_in, patient, changes, words):
    signed_in("front_desk")
    page = client.post("/disclosures/new/", facts(recipient_address="9 Kept Street") | changes).content.decode()
    assert words in page
    assert "9 Kept Street" in page
    assert not Disclosure.objects.exists()


def test_the_form_comes_with_the_chart_and_its_entries(client, signed_in, patient):
    signed_in("front_desk")
    EntryFactory(patient=patient, title="Seen in May")
    page = client.get("/disclosures/new/?chart=10023").content.decode()
    assert patient.name in page
    assert "Seen in May" in page


def test_entries_can_be_shown_before_the_form_is_sent(client, signed_in, patient):
    signed_in("front_desk")
    EntryFactory(patient=patient, title="Seen in May")
    page = client.post("/disclosures/new/", facts(recipient="", show_entries="yes")).content.decode()
    assert "Seen in May" in page
    assert "This field is required" not in page
    assert not Disclosure.objects.exists()


def test_earlier_recipients_are_offered_with_their_address(client, signed_in, patient):
    signed_in("front_desk")
    DisclosureFactory(recipient="Beacon Life", recipient_address="400 Harbor Road")
    assert '<option value="Beacon Life" data-address="400 Harbor Road">' in client.get("/disclosures/new/").content.decode()


def test_the_picker_finds_by_name(client, signed_in, patient):
    signed_in("front_desk")
    page = client.post("/patients/pick/", {"q": patient.last_name}).content.decode()
    assert 'name="patient_picked" value="10023"' in page
    assert last_event().action == "search"
    assert patient.last_name not in last_event().detail


def test_the_same_page_sent_again_with_other_facts_is_another_disclosure(client, signed_in, patient):
    """Back to the form, another recipient typed, sent: the second one must not vanish."""
    signed_in("front_desk")
    client.post("/disclosures/new/", facts())
    client.post("/disclosures/new/", facts(recipient="Another board"))
    assert set(Disclosure.objects.values_list("recipient", flat=True)) == {"Board of Medicine", "Another board"}


def test_a_row_that_the_database_refuses_is_not_taken_for_a_second_click(patient, monkeypatch):
    form = DisclosureForm(facts(), on=date(2026, 11, 24))
    assert form.is_valid()

    def refuse(**facts):
        raise IntegrityError("another rule")

    monkeypatch.setattr(Disclosure, "log", refuse)
    with pytest.raises(IntegrityError, match="another rule"):
        form.log(by=None, at=AT)


def test_what_is_exempt_and_what_went_wrong_is_explained_beside_the_choice(client, signed_in):
    signed_in("front_desk")
    page = client.get("/disclosures/new/").content.decode()
    assert 'data-show-when="purpose_code=treatment,payment,operations">For treatment' in page
    assert "no log entry is made: 45 CFR 164.528(a)(1)(i)" in page
    assert 'data-show-when="purpose_code=impermissible">What went out by mistake' in page
    assert "Payment: billing, a health plan, a collection · 45 CFR 164.506(c)" in page


def test_a_slip_is_recorded_after_the_fact(client, signed_in, patient):
    signed_in("front_desk")
    client.post("/disclosures/new/", facts(purpose_code="impermissible", disclosed_on="2026-11-25"))
    assert not Disclosure.objects.exists()
    client.post("/disclosures/new/", facts(purpose_code="impermissible", disclosed_on="2026-11-24"))
    assert Disclosure.objects.get().purpose_code == "impermissible"


def test_ticking_entries_fills_nothing_in_beside_what_is_typed(client, signed_in, patient):
    signed_in("front_desk")
    entry = EntryFactory(patient=patient)
    client.post("/disclosures/new/", facts(information="The first page only", entries=[entry.pk]))
    row = Disclosure.objects.get()
    assert row.information == "The first page only"
    assert row.disclosed_entries.count() == 1


def test_entries_of_another_chart_cant_be_ticked(client, signed_in, patient):
    signed_in("front_desk")
    page = client.post("/disclosures/new/", facts(entries=[EntryFactory().pk])).content.decode()
    assert "is not one of the available choices" in page
    assert not Disclosure.objects.exists()


def test_whose_entries_are_shown_is_in_the_audit(client, signed_in, patient):
    signed_in("front_desk")
    client.get("/disclosures/new/?chart=10023")
    assert (last_event().action, last_event().subject, last_event().chart_number) == ("view", "disclosure form", "10023")
    client.get("/disclosures/new/")
    assert last_event().chart_number == ""


def test_a_number_that_no_chart_has_is_said_before_the_form_is_sent(client, signed_in):
    signed_in("front_desk")
    assert "No chart has this number" in client.post("/disclosures/new/", facts(show_entries="yes")).content.decode()


def test_a_recipient_that_was_corrected_is_no_longer_offered(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(recipient="Mistyped Lief")
    row.correct(by=row.logged_by, at=AT, reason="Name", replacement=None)
    assert "Mistyped Lief" not in client.get("/disclosures/new/").content.decode()


@pytest.mark.parametrize(("role", "offered"), [("privacy_officer", True), ("front_desk", False)])
@pytest.mark.parametrize("path", ["/disclosures/new/", "/release/new/?chart=10023"])
def test_an_agency_that_asked_for_silence_is_offered_to_the_officer_alone(client, signed_in, patient, role, offered, path):
    """Nobody else may learn that it got anything: 164.528(a)(2)."""
    DisclosureFactory(patient=patient, recipient="Beacon Life")
    row = DisclosureFactory(patient=patient, recipient="State Police, Troop G", purpose_code="law_enforcement")
    SuspensionFactory(patient=patient, agency=row.recipient, stated_on=date(2026, 11, 20))
    signed_in(role)
    shown = client.get(path).content.decode()
    assert 'value="Beacon Life"' in shown
    assert ('value="State Police, Troop G"' in shown) is offered


def expired(client, desk, path, data):
    """Send a form without a login, then log in."""
    client.logout()
    kept = client.post(path, data).context
    return log_in(client, desk, next=kept["next"], kept=kept["kept"])


def test_an_expired_login_loses_nothing(client, signed_in, patient):
    desk = signed_in("front_desk")
    entry = EntryFactory(patient=patient)
    sent = facts(recipient="Kept Board", patient="", patient_picked="10023", entries=[entry.pk])
    response = expired(client, desk, "/disclosures/new/?chart=10023", sent)
    page = client.get(response.url).content.decode()
    assert 'value="Kept Board"' in page
    assert patient.name in page
    assert f'value="{entry.pk}" class="form-check-input" id="id_entries_0" checked' in page
    client.post("/disclosures/new/", facts())
    assert not Draft.objects.exists()


def test_a_draft_is_never_mixed_with_another_chart(client, signed_in, patient):
    desk = signed_in("front_desk")
    expired(client, desk, "/disclosures/new/", facts(recipient="Kept Board"))
    PatientFactory(chart_number="20001")
    assert "Kept Board" not in client.get("/disclosures/new/?chart=20001").content.decode()
    client.post("/disclosures/new/?chart=20001", facts(patient="20001"))
    assert "Kept Board" in client.get("/disclosures/new/").content.decode()  # still there for its own chart


def test_a_draft_can_be_discarded(client, signed_in, patient):
    desk = signed_in("front_desk")
    expired(client, desk, "/disclosures/new/", facts())
    client.post("/disclosures/new/", {"discard": "yes"})
    assert not Draft.objects.exists()
