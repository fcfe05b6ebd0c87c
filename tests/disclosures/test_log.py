"""The log's pages: writing a row, exempt purposes, the filter, corrections, reviews, holds, the spreadsheet."""

import csv
from datetime import date

import pytest
import time_machine

from disclosures.models import Correction, Disclosure, DisclosureReview, HoldDecision
from meso.models import AccessEvent
from tests.factories import AT, DisclosureFactory, EntryFactory, PatientFactory, UserFactory

pytestmark = [pytest.mark.django_db]
ONCE = "0123456789abcdef" * 2


@pytest.fixture(autouse=True)
def _on_november_24():
    with time_machine.travel("2026-11-24T15:00:00Z", tick=False):
        yield


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023")


def facts(**changes):
    return {
        "patient": "10023", "disclosed_on": "2026-11-20", "recipient": "Board of Medicine", "recipient_address": "",
        "information": "Visit note", "purpose_code": "health_oversight", "purpose": "Inspection", "authorized_on": "",
        "once": ONCE,
    } | changes  # fmt: skip


def last_event():
    return AccessEvent.objects.latest("id")


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
        ({"purpose_code": "authorization"}, "Give the day on which the authorization was signed"),
        ({"purpose_code": "authorization", "authorized_on": "2026-11-21"}, "must be signed before"),
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


def shown(client, **filters):
    return [row.pk for row in client.post("/disclosures/", filters).context["page"]]


def test_the_log_is_narrowed_by_each_filter(client, signed_in, patient):
    officer = signed_in("privacy_officer")
    mine = DisclosureFactory(
        patient=patient,
        recipient="Board of Medicine",
        purpose_code="health_oversight",
        disclosed_on=date(2026, 2, 2),
        logged_by=officer,
    )
    other = DisclosureFactory(disclosed_on=date(2026, 6, 15))
    assert shown(client) == [other.pk, mine.pk]
    for filters in (
        {"chart_number": "10023"}, {"purpose_code": "health_oversight"}, {"until": "2026-02-02"}, {"logged_by": officer.pk},
        {"recipient": "board", "since": "2026-01-01"}, {"recipient": "BOARD", "chart_number": "10023"},
    ):  # fmt: skip
        assert shown(client, **filters) == [mine.pk], filters
    assert shown(client, since="2026-06-15") == [other.pk]
    page = client.post("/disclosures/", {"recipient": "board"}).content.decode()
    assert "also give a first day" in page


def test_the_log_shows_corrected_rows_only_when_asked(client, signed_in):
    signed_in("privacy_officer")
    row = DisclosureFactory()
    row.correct(by=row.logged_by, at=AT, reason="Never sent", replacement=None)
    assert shown(client) == []
    assert shown(client, show="all") == [row.pk]


def test_the_log_pages_by_key(client, signed_in):
    signed_in("front_desk")
    rows = [DisclosureFactory(disclosed_on=date(2026, 1, 1)) for _ in range(30)]
    first = client.get("/disclosures/").context["page"]
    second = client.post("/disclosures/", {"after": first.next_token}).context["page"]
    assert [row.pk for row in first] + [row.pk for row in second] == [row.pk for row in reversed(rows)]


def test_the_log_costs_the_same_for_few_rows_and_many(signed_in, queries_for):
    signed_in("privacy_officer")
    DisclosureFactory().review(by=UserFactory(), at=AT)
    queries_for("/disclosures/")  # the office's profile is made on its first use
    few = len(queries_for("/disclosures/"))
    for _ in range(20):
        DisclosureFactory().review(by=UserFactory(), at=AT)
    assert len(queries_for("/disclosures/")) == few


def test_a_correction_takes_the_rows_place_and_the_old_stays(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient, recipient="Wrong board")
    changed = facts(recipient="Right board", reason="Wrong name")
    response = client.post(f"/disclosures/{row.pk}/correct/", changed)
    correction = Correction.objects.get()
    assert (correction.original, correction.reason) == (row, "Wrong name")
    assert correction.replacement.recipient == "Right board"
    assert response.url == f"/disclosures/{correction.replacement_id}/"
    old = client.get(f"/disclosures/{row.pk}/").content.decode()
    assert "This row was corrected." in old
    assert "Wrong board" in old
    assert f"disclosure {row.pk}" in client.get(f"/disclosures/{correction.replacement_id}/").content.decode()


def test_a_row_never_made_is_taken_back(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient)
    client.post(f"/disclosures/{row.pk}/correct/", facts(reason="Never sent", never_made="on"))
    assert Correction.objects.get().replacement is None
    assert Disclosure.objects.count() == 1


def test_a_correction_needs_its_reason_and_no_exempt_purpose(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient)
    assert "This field is required" in client.post(f"/disclosures/{row.pk}/correct/", facts()).content.decode()
    page = client.post(
        f"/disclosures/{row.pk}/correct/", facts(reason="Was treatment", purpose_code="treatment")
    ).content.decode()
    assert "Select a valid choice" in page
    assert not Correction.objects.exists()


def test_a_row_is_corrected_once(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient)
    row.correct(by=row.logged_by, at=AT, reason="Never sent", replacement=None)
    page = client.post(f"/disclosures/{row.pk}/correct/", facts(reason="Again")).content.decode()
    assert "has been corrected meanwhile" in page
    assert Disclosure.objects.count() == 1


def test_ticked_rows_are_signed_off(client, signed_in):
    officer = signed_in("privacy_officer")
    rows = [DisclosureFactory(), DisclosureFactory(), DisclosureFactory()]
    client.post("/disclosures/review/", {"row": [rows[0].pk, rows[1].pk, "x"], "note": "Seen"})
    reviews = DisclosureReview.objects.order_by("disclosure")
    assert [(review.disclosure, review.by, review.note) for review in reviews] == [(row, officer, "Seen") for row in rows[:2]]
    assert shown(client, show="unreviewed") == [rows[2].pk]


def test_a_held_row_is_decided_once(client, signed_in):
    signed_in("privacy_officer")
    row = DisclosureFactory(purpose_code="national_security")
    assert shown(client, show="held") == [row.pk]
    client.post(f"/disclosures/{row.pk}/hold/", {"listed": "no", "reason": "An order forbids it"})
    assert HoldDecision.objects.get().listed is False
    assert client.get(f"/disclosures/{row.pk}/hold/").status_code == 404
    assert shown(client, show="held") == []


def test_the_spreadsheet_holds_what_is_filtered_and_starts_no_formula(client, signed_in, patient):
    signed_in("privacy_officer")
    DisclosureFactory(patient=patient, recipient="=1+1")
    DisclosureFactory()
    response = client.post("/disclosures/csv/", {"chart_number": "10023"})
    (row,) = csv.DictReader(b"".join(response.streaming_content).decode().splitlines())
    assert (row["recipient"], row["chart_number"], row["reviewed"]) == ("'=1+1", "10023", "no")
    assert last_event().action == "export"


def test_a_charts_tab_and_its_accounting(client, signed_in, patient):
    signed_in("front_desk")
    DisclosureFactory(patient=patient, recipient="Shown here")
    DisclosureFactory(recipient="Not here")
    for path in ("/patients/10023/disclosures/", "/patients/10023/accounting/"):
        page = client.get(path).content.decode()
        assert "Shown here" in page
        assert "Not here" not in page
        assert last_event().chart_number == "10023"


@pytest.mark.parametrize(("scope", "shown_"), [("notice", True), ("hipaa", False)])
def test_only_the_officer_may_give_the_shorter_list(client, signed_in, patient, scope, shown_):
    DisclosureFactory(patient=patient, purpose_code="authorization", recipient="Beacon Life")
    address = f"/patients/10023/accounting/?start=2026-01-01&end=2026-11-24&scope={scope}&reason=asked"
    signed_in("privacy_officer")
    assert ("Beacon Life" in client.get(address).content.decode()) is shown_
    signed_in("front_desk")
    assert "Beacon Life" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("start=2020-11-23&end=2026-11-24", "reaches back six years: Nov 24, 2020"),
        ("start=2026-01-01&end=2026-11-25", "last day can&#x27;t lie in the future"),
        ("start=2026-02-01&end=2026-01-01", "comes before the first one"),
        ("start=2026-01-01&end=2026-11-24&scope=hipaa", "Say why the patient gets the shorter list"),
        ("start=x&end=", "This is not a day"),
    ],
)
def test_a_period_that_is_not_right_is_named(client, signed_in, patient, query, words):
    signed_in("privacy_officer")
    assert words in client.get(f"/patients/10023/accounting/?{query}").content.decode()


def test_an_accounting_given_is_downloaded_as_issued(client, signed_in, patient):
    signed_in("front_desk")
    DisclosureFactory(patient=patient)
    client.post("/patients/10023/accounting/give/", {"start": "2026-01-01", "end": "2026-11-24"})
    kept = patient.accountings.defer(None).get()
    assert (kept.start, kept.end, kept.lines) == (date(2026, 1, 1), date(2026, 11, 24), 1)
    response = client.get(f"/patients/10023/accounting/given/{kept.pk}/")
    assert response.content == bytes(kept.document)
    assert patient.last_name not in response["Content-Disposition"]
    assert last_event().action == "download"


@pytest.mark.parametrize(("format_", "kind"), [("json", "application/json"), ("csv", "text/csv"), ("pdf", "application/pdf")])
def test_an_accounting_as_a_file(client, signed_in, patient, format_, kind):
    signed_in("front_desk")
    response = client.get(f"/patients/10023/accounting/file/{format_}/")
    assert response["Content-Type"].startswith(kind)
    assert last_event().action == "export"


def test_the_officers_dashboard_shows_what_waits_for_review(client, signed_in):
    signed_in("privacy_officer")
    DisclosureFactory(recipient="Waiting board")
    assert "Waiting board" in client.get("/").content.decode()
