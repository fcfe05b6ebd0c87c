"""What may be purged and when, and nothing earlier; legal holds and open requests keep it back (164.530(j))."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from disclosures import retention, retention_rules
from disclosures.accounting_rules import look_back_start
from disclosures.breach_rules import FACTORS
from disclosures.models import Breach
from meso.models import AccessEvent
from meso.seals import verify
from records.models import LegalHold, NoticeAcknowledgment, RestrictionEnding
from requests_app.models import Complaint, Policy
from tests.factories import (
    AT,
    ContactPreferenceFactory,
    DisclosureFactory,
    PatientFactory,
    RequestFactory,
    RestrictionFactory,
    UserFactory,
)

OLD = date(2020, 11, 23)  # on Nov 24, 2026 its six years are over, the day after
ON = date(2026, 11, 24)
DAYS = st.dates(date(2003, 4, 14), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("created", "last_in_effect", "through"),
    [
        (date(2020, 1, 1), date(2026, 12, 31), date(2032, 12, 31)),
        (date(2026, 2, 28), date(2027, 2, 28), date(2033, 2, 28)),
        (date(2026, 12, 31), None, date(2032, 12, 31)),
        (date(2026, 12, 31), date(2020, 1, 1), date(2032, 12, 31)),  # the later of the two
        (date(2028, 2, 29), None, date(2034, 3, 1)),
    ],
)
def test_six_years_from_the_later_of_made_and_last_in_effect(created, last_in_effect, through):
    assert retention_rules.keep_through(created, last_in_effect) == through
    assert retention_rules.purge_from(created, last_in_effect) == through + timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "free"),
    [
        ([date(2026, 11, 24)], date(2032, 11, 25)),
        ([date(2026, 1, 5), date(2026, 4, 6), date(2026, 2, 2)], date(2032, 4, 7)),  # a series counts from its last day
        ([date(2028, 2, 29)], date(2034, 3, 2)),
        ([date(2022, 2, 28)], date(2028, 3, 1)),  # a request of Feb 29, 2028 looks back to Feb 28, 2022
    ],
)
def test_a_disclosure_is_free_when_no_request_can_reach_it(days, free):
    assert retention_rules.disclosure_purge_from(days) == free


@given(st.lists(DAYS, min_size=1, max_size=5))
def test_no_request_made_from_that_day_on_reaches_the_disclosure(days):
    free = retention_rules.disclosure_purge_from(days)
    assert all(look_back_start(free + timedelta(days=more)) > max(days) for more in range(3))
    assert free >= retention_rules.purge_from(max(days))


@given(DAYS, DAYS)
def test_nothing_is_free_before_six_years_and_a_day(created, last):
    free = retention_rules.purge_from(created, last)
    assert (free.year - max(created, last).year, free > max(created, last)) in ((6, True), (7, True))
    assert (free - max(created, last)).days >= 365 * 6 + 2


@pytest.mark.parametrize(
    ("on", "facts", "words"),
    [
        (date(2032, 11, 24), {}, "kept until the day before 2032-11-25"),
        (date(2032, 11, 25), {}, ""),
        (date(2032, 11, 25), {"is_held": True}, "legal hold"),
        (date(2032, 11, 25), {"has_open_request": True}, "open request"),
    ],
)
def test_a_hold_and_an_open_request_keep_it_back(on, facts, words):
    found = retention_rules.why_not(on, date(2032, 11, 25), **facts)
    assert words in found
    assert bool(found) == bool(words)


# --- the report -----------------------------------------------------------------------------------------------------


def listed(on: date = ON) -> dict[str, list[str]]:
    """What the report lists on that day: the kind, and why each of its documents may not be purged ("" when it may)."""
    rows = {
        str(category.label): [judged.why_not for judged in retention.report(category, on)] for category in retention.categories()
    }
    return {label: found for label, found in rows.items() if found}


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


def test_a_disclosure_is_listed_the_day_after_its_six_years(db):
    DisclosureFactory(disclosed_on=date(2020, 11, 24))
    assert listed(date(2026, 11, 24)) == {}
    assert listed(date(2026, 11, 25)) == {"Disclosures": [""]}


def test_a_series_counts_from_its_last_day(db):
    patient = PatientFactory()
    for day in (OLD, date(2020, 12, 20), date(2021, 3, 1)):
        DisclosureFactory(patient=patient, disclosed_on=day)
    DisclosureFactory(patient=patient, disclosed_on=OLD, recipient="Another agency")
    assert listed(date(2027, 1, 1)) == {"Disclosures": [""]}
    assert listed(date(2027, 3, 2)) == {"Disclosures": [""] * 4}


def test_a_hold_on_the_chart_keeps_its_rows_and_no_others(officer):
    held, free = DisclosureFactory(disclosed_on=OLD), DisclosureFactory(disclosed_on=OLD)
    hold = LegalHold.place(held.patient, reason="Lawsuit", begins_on=date(2026, 1, 1), by=officer, at=AT)
    assert listed()["Disclosures"] == ["A legal hold is in force.", ""]
    hold.lift(reason="Settled", on=ON, by=officer, at=AT)
    assert listed()["Disclosures"] == ["", ""]
    assert listed(ON - timedelta(days=1)) == {}
    assert free.patient != held.patient


def test_a_hold_on_everything_keeps_everything(officer):
    DisclosureFactory(disclosed_on=OLD)
    Complaint.objects.create(received_on=OLD, channel="letter", about="Long ago", taken_at=AT).act(
        "outcome", "Nothing found", done_on=OLD, by=officer, at=AT, on=ON
    )
    assert listed() == {"Disclosures": [""], "Complaints": [""]}
    hold = LegalHold.place(None, reason="Federal audit", begins_on=ON, by=officer, at=AT)
    assert listed() == {"Disclosures": ["A legal hold is in force."], "Complaints": ["A legal hold is in force."]}
    assert hold.chain_key() == "office"
    assert verify().breaks == []


def test_an_open_request_keeps_the_rows_of_its_patient(officer):
    row = DisclosureFactory(disclosed_on=OLD)
    RequestFactory(patient=row.patient)
    assert listed() == {"Disclosures": ["The patient has an open request."]}


def test_each_kind_counts_from_when_it_was_last_in_effect(officer):
    patient = PatientFactory()
    for begins in (date(2015, 1, 1), OLD, date(2026, 1, 1)):
        ContactPreferenceFactory(patient=patient, begins_on=begins)
    restriction = RestrictionFactory(patient=patient, begins_on=date(2015, 1, 1))
    RestrictionEnding.objects.create(
        patient=patient, restriction=restriction, ended_on=OLD, reason="Asked", by=officer, signed_as="N", at=AT
    )
    RestrictionFactory(patient=patient, begins_on=date(2015, 1, 1))  # still in force
    NoticeAcknowledgment.record(patient, given_on=OLD, signed="yes", why_not="", by=officer, at=AT, on=ON)
    asked = RequestFactory(patient=patient, received_on=date(2020, 11, 1))
    asked.withdraw(reason="", by=officer, at=AT, on=OLD)
    assert {label: len(found) for label, found in listed().items()} == {
        "Contact wishes since replaced": 1,
        "Restrictions that have ended": 1,
        "Acknowledgments of the notice": 1,
        "Closed requests with their letters and bills": 1,
    }


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture
def noon():
    with time_machine.travel(datetime(2026, 11, 24, 17, 0, tzinfo=UTC), tick=False):
        yield


def test_the_officer_places_and_lifts_a_hold_and_the_chart_says_so(client, signed_in, noon):
    signed_in("privacy_officer")
    row = DisclosureFactory(disclosed_on=OLD, patient=PatientFactory(chart_number="10023"))
    typed = {"patient": "10023", "reason": "Lawsuit of November", "begins_on": "2026-11-24"}
    wrong = client.post("/retention/", {**typed, "patient": ""})
    assert "Lawsuit of November" in wrong.content.decode()
    assert not LegalHold.objects.exists()
    client.post("/retention/", typed)
    hold = LegalHold.objects.get()
    assert "Lawsuit of November" in client.get("/patients/10023/").content.decode()
    assert "A legal hold is in force." in client.get("/retention/").content.decode()
    text = b"".join(client.get("/retention/list.csv").streaming_content).decode()
    assert f"disclosure,{row.pk},10023,2020-11-23,2020-11-23,2026-11-24,A legal hold is in force." in text
    client.post(f"/retention/holds/{hold.pk}/lift/", {"reason": ""})
    assert not hasattr(LegalHold.objects.get(), "ending")
    client.post(f"/retention/holds/{hold.pk}/lift/", {"reason": "Settled"})
    assert LegalHold.objects.get().ending.reason == "Settled"
    client.post(f"/retention/holds/{hold.pk}/lift/", {"reason": "Again"})
    assert "Lawsuit of November" not in client.get("/patients/10023/").content.decode()
    assert AccessEvent.objects.filter(subject=f"legal hold {hold.pk}", chart_number="10023").count() == 2
    assert AccessEvent.objects.filter(action="export", subject="retention").exists()


def test_the_desk_does_not_see_a_hold(client, signed_in, officer, noon):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    LegalHold.place(patient, reason="Lawsuit of November", begins_on=ON, by=officer, at=AT)
    assert "Lawsuit" not in client.get("/patients/10023/").content.decode()


def test_the_report_asks_no_more_of_the_database_for_many(client, signed_in, queries_for, noon):
    signed_in("privacy_officer")
    DisclosureFactory(disclosed_on=OLD)
    queries_for("/retention/")
    few = len(queries_for("/retention/"))
    for _ in range(15):
        DisclosureFactory(disclosed_on=OLD)
    assert len(queries_for("/retention/")) == few


def test_a_policy_counts_from_the_day_it_was_last_in_force(officer):
    facts = {"created_on": date(2012, 1, 1), "begins_on": date(2012, 1, 1), "document": b"%PDF-", "by": officer, "at": AT}
    for last_on in (None, OLD, date(2020, 11, 24)):
        policy = Policy.objects.create(title="Access", **facts)
        if last_on:
            policy.end(last_on=last_on, reason="Replaced", by=officer, at=AT, on=ON)
    assert listed() == {"Policies no longer in force": [""]}


def test_a_hold_on_one_of_the_patients_keeps_the_whole_breach(officer):
    row = DisclosureFactory(disclosed_on=ON)
    now = {"by": officer, "at": AT, "on": OLD}
    breach = Breach.open_one(what="Wrong fax", discovered_on=OLD, disclosure=row, **now)
    breach.assess(dict.fromkeys(FACTORS, "Sent back unread"), low=True, **now)
    assert listed() == {}
    breach.close("Low probability", **now)
    assert listed() == {"Breaches that are closed": [""]}
    LegalHold.place(row.patient, reason="Lawsuit", begins_on=ON, by=officer, at=AT)
    assert listed() == {"Breaches that are closed": ["A legal hold is in force."]}
