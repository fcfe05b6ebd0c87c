"""The log's pages: the filter, corrections, reviews, holds, the spreadsheet, a chart's tab."""

import csv
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from disclosures.models import Correction, DisclosedEntry, Disclosure, DisclosureReview, HoldDecision
from tests.disclosures.log_pages import facts, last_event
from tests.factories import AT, DisclosureFactory, EntryFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]


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


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "at both edges"),
        ({"since": "2020-01-01"}, "long ago"),
        ({"until": "2021-01-01"}, "long ago"),
        ({"since": "2020-01-01", "until": "2026-11-24"}, None),
        ({"since": "2020-01-01", "until": "2026-11-24", "chart_number": "10023"}, "all"),
    ],
)
def test_a_recipient_is_looked_for_in_two_years_or_in_one_chart(client, signed_in, patient, filters, found):
    signed_in("privacy_officer")
    days = {
        "long ago": date(2020, 6, 1),
        "too early": date(2024, 11, 22),
        "first": date(2024, 11, 23),
        "last": date(2026, 11, 24),
    }
    rows = {
        name: DisclosureFactory(patient=patient, recipient="Board", disclosed_on=day).pk for name, day in days.items()
    }  # fmt: skip
    answer = client.post("/disclosures/", {"recipient": "oar", **filters})
    page = answer.content.decode()
    if found is None:
        assert "looks through two years at a time" in page
        return
    wanted = {"at both edges": ["last", "first"], "long ago": ["long ago"], "all": ["last", "first", "too early", "long ago"]}
    assert [row.pk for row in answer.context["page"]] == [rows[name] for name in wanted[found]]
    assert ("is looked for in two years at a time" in page) is (found != "all")


def test_the_log_shows_corrected_rows_only_when_asked(client, signed_in):
    signed_in("privacy_officer")
    row = DisclosureFactory()
    row.correct(by=row.logged_by, at=AT, reason="Never sent", replacement=None)
    assert shown(client) == []
    assert shown(client, show="all") == [row.pk]
    assert "never made" in client.post("/disclosures/", {"show": "all"}).content.decode()


def test_a_corrected_row_of_the_log_leads_to_the_row_in_its_place(client, signed_in):
    signed_in("privacy_officer")
    row = DisclosureFactory(recipient="Wrong board")
    facts_ = {"disclosed_on": row.disclosed_on, "information": "x", "purpose_code": "court_order", "purpose": "Order"}
    new = row.correct(by=row.logged_by, at=AT, reason="Name", replacement={**facts_, "recipient": "Right"}).replacement
    page = client.post("/disclosures/", {"show": "all"}).content.decode()
    assert "<del>Wrong board</del>" in page
    assert f'<a href="/disclosures/{new.pk}/">by disclosure {new.pk}</a>' in page


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


def test_a_row_never_made_needs_its_reason_alone(client, signed_in, patient):
    """An old row may lack what a new one must have, such as the day of the authorization."""
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient, purpose_code="authorization", authorized_on=None)
    old = facts(purpose_code="authorization", never_made="on")
    assert "This field is required" in client.post(f"/disclosures/{row.pk}/correct/", old).content.decode()
    client.post(f"/disclosures/{row.pk}/correct/", old | {"reason": "Another patient's"})
    assert Correction.objects.get().replacement is None


@pytest.mark.parametrize("key", ["9" * 19, "9" * 400, "-" + "9" * 19, "9999", "x", ""])
def test_an_entry_that_is_none_is_refused_at_its_field(client, signed_in, patient, key):
    signed_in("front_desk")
    EntryFactory(patient=patient)
    answer = client.post("/disclosures/new/", facts(entries=[key]))
    assert list(answer.context["form"].errors) == ["entries"]
    assert not Disclosure.objects.exists()


def test_a_correction_keeps_entries_that_are_no_longer_offered(client, signed_in, patient, monkeypatch):
    signed_in("privacy_officer")
    monkeypatch.setattr("disclosures.forms.log.ENTRIES_OFFERED", 1)
    old = EntryFactory(patient=patient, service_on=date(2020, 1, 1), title="Long ago")
    EntryFactory(patient=patient)
    row = DisclosureFactory(patient=patient)
    DisclosedEntry.objects.create(patient=patient, disclosure=row, entry=old)
    assert "Long ago" in client.get(f"/disclosures/{row.pk}/correct/").content.decode()
    client.post(f"/disclosures/{row.pk}/correct/", facts(reason="Name", entries=[old.pk]))
    assert [given.entry for given in Correction.objects.get().replacement.disclosed_entries.all()] == [old]


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
    client.post("/disclosures/review/", {"row": [rows[0].pk, rows[2].pk]})
    assert [review.disclosure for review in DisclosureReview.objects.order_by("id")] == rows  # the first one is not signed twice


def test_the_filter_stays_after_a_review_but_for_what_can_name_somebody(client, signed_in, patient):
    signed_in("privacy_officer")
    row = DisclosureFactory(patient=patient, recipient="Uncle Jo")
    kept = {"show": "unreviewed", "chart_number": "10023", "since": "2026-01-01"}
    response = client.post("/disclosures/review/", {"row": row.pk, "recipient": "Uncle", "purpose_code": "", **kept})
    assert response.url == "/disclosures/?show=unreviewed&chart_number=10023&since=2026-01-01"
    assert shown(client) == [row.pk]


def test_one_row_is_signed_off_with_a_note_and_again_later(client, signed_in):
    signed_in("privacy_officer")
    row = DisclosureFactory()
    for note in ("Address is missing", "Address found"):
        response = client.post("/disclosures/review/", {"row": row.pk, "one": "yes", "note": note})
        assert response.url == f"/disclosures/{row.pk}/"
        assert last_event().subject == "disclosure reviews"
    page = client.get(response.url).content.decode()
    assert "Address is missing" in page
    assert "Address found" in page


def test_a_review_of_nothing_says_so(client, signed_in):
    signed_in("privacy_officer")
    page = client.post("/disclosures/review/", {}, follow=True).content.decode()
    assert "Tick the rows" in page
    assert not DisclosureReview.objects.exists()


def test_a_held_row_is_decided_once(client, signed_in):
    signed_in("privacy_officer")
    row = DisclosureFactory(purpose_code="national_security")
    assert shown(client, show="held") == [row.pk]
    client.post(f"/disclosures/{row.pk}/hold/", {"listed": "no", "reason": "An order forbids it"})
    assert HoldDecision.objects.get().listed is False
    assert client.get(f"/disclosures/{row.pk}/hold/").status_code == 404
    assert shown(client, show="held") == []


def test_two_decisions_at_once_are_one(client, signed_in, monkeypatch):
    signed_in("privacy_officer")
    row = DisclosureFactory(purpose_code="national_security")
    row.decide_hold(by=UserFactory(), at=AT, listed=True, reason="No order forbids")
    monkeypatch.setattr(Disclosure.objects, "held", Disclosure.objects.all)  # as read before the other decided
    page = client.post(f"/disclosures/{row.pk}/hold/", {"listed": "no", "reason": "An order forbids it"}).content.decode()
    assert "Somebody has decided this meanwhile" in page
    assert HoldDecision.objects.get().listed is True


def test_the_spreadsheet_holds_what_is_filtered_and_starts_no_formula(client, signed_in, patient):
    signed_in("privacy_officer")
    DisclosureFactory(patient=patient, recipient="=1+1")
    DisclosureFactory()
    response = client.post("/disclosures/csv/", {"chart_number": "10023"})
    (row,) = csv.DictReader(b"".join(response.streaming_content).decode().splitlines())
    assert (row["recipient"], row["chart_number"], row["reviewed"]) == ("'=1+1", "10023", "no")
    assert last_event().action == "export"


def test_the_spreadsheet_names_the_row_in_place_of_a_corrected_one(client, signed_in):
    signed_in("privacy_officer")
    row, never = DisclosureFactory(), DisclosureFactory()
    facts_ = {"disclosed_on": row.disclosed_on, "information": "x", "purpose_code": "court_order", "purpose": "Order"}
    new = row.correct(by=row.logged_by, at=AT, reason="Name", replacement={**facts_, "recipient": "Right"}).replacement
    never.correct(by=row.logged_by, at=AT, reason="Never", replacement=None)
    response = client.post("/disclosures/csv/", {"show": "all"})
    cells = {row["number"]: row["superseded_by"] for row in csv.DictReader(b"".join(response).decode().splitlines())}
    assert cells == {str(row.pk): str(new.pk), str(never.pk): "none", str(new.pk): ""}


def test_a_wrong_filter_gives_no_spreadsheet_of_the_whole_log(client, signed_in):
    signed_in("privacy_officer")
    DisclosureFactory()
    response = client.post("/disclosures/csv/", {"since": "2026-02-01", "until": "2026-01-01"})
    assert "Content-Disposition" not in response
    assert "comes before the first one" in response.content.decode()
    assert last_event().action == "view"


def more_of(patient, officer):
    """A row with an entry and a review, and one that was never made."""
    row = DisclosureFactory(patient=patient, logged_by=officer)
    DisclosedEntry.objects.create(patient=patient, disclosure=row, entry=EntryFactory(patient=patient))
    row.review(by=officer, at=AT)
    DisclosureFactory(patient=patient).correct(by=officer, at=AT, reason="Never", replacement=None)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/disclosures/new/?chart=10023", None),
        ("/patients/10023/disclosures/", None),
        ("/patients/10023/accounting/", None),
        ("/disclosures/", {"show": "all"}),
    ],
)
def test_a_page_costs_the_same_for_few_rows_and_many(client, signed_in, patient, queries_for, path, data):
    officer = signed_in("privacy_officer")
    more_of(patient, officer)
    queries_for(path, data)  # the office's profile is made on its first use
    few = len(queries_for(path, data))
    for _ in range(12):
        more_of(patient, officer)
    assert len(queries_for(path, data)) == few


def test_the_spreadsheet_costs_the_same_for_few_rows_and_many(client, signed_in, patient, django_assert_num_queries):
    officer = signed_in("privacy_officer")
    more_of(patient, officer)

    def stream():
        return b"".join(client.post("/disclosures/csv/", {"show": "all"}).streaming_content)

    stream()
    with CaptureQueriesContext(connection) as few:
        stream()
    for _ in range(12):
        more_of(patient, officer)
    with django_assert_num_queries(len(few)):
        assert stream().count(b"\n") == 27


PAGES = {
    "/disclosures/": "front_desk privacy_officer physician",
    "/disclosures/new/?chart=10023": "front_desk privacy_officer physician",
    "/disclosures/{pk}/": "front_desk privacy_officer physician",
    "/disclosures/{pk}/correct/": "privacy_officer",
    "/patients/10023/disclosures/": "front_desk privacy_officer physician",
    "/patients/10023/accounting/": "front_desk privacy_officer physician",
}


@pytest.mark.parametrize("path", PAGES)
def test_who_may_open_which_page(client, signed_in, patient, path):
    row = DisclosureFactory(patient=patient)
    for role in ("front_desk", "physician", "privacy_officer", "office_admin"):
        signed_in(role)
        allowed = role in PAGES[path].split()
        assert client.get(path.format(pk=row.pk)).status_code == (200 if allowed else 403), role
        assert last_event().action == ("view" if allowed else "refused")


def test_a_charts_tab_and_its_accounting(client, signed_in, patient):
    signed_in("front_desk")
    DisclosureFactory(patient=patient, recipient="Shown here")
    DisclosureFactory(recipient="Not here")
    for path in ("/patients/10023/disclosures/", "/patients/10023/accounting/"):
        page = client.get(path).content.decode()
        assert "Shown here" in page
        assert "Not here" not in page
        assert last_event().chart_number == "10023"


def test_the_officers_dashboard_shows_what_waits_for_review(client, signed_in):
    signed_in("privacy_officer")
    DisclosureFactory(recipient="Waiting board")
    assert "Waiting board" in client.get("/").content.decode()
