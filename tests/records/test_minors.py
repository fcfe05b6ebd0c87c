"""Minors: what a parent does not see, who signs anew at 18; and a death, which is told and never slips in."""

from datetime import date, timedelta
from html import unescape

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from meso import seals, today
from records import dashboard, representation
from records.models import DeathReport, MinorConsent, MinorDecision, RepresentativeEnding, SignedAnew
from tests.factories import AT, EntryFactory, PatientFactory, RepresentativeFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
ON = date(2026, 11, 24)


@pytest.fixture
def minor():
    return PatientFactory(chart_number="10023", first_name="Maria", last_name="Alvarez", date_of_birth=date(2010, 3, 1))


def a_doctor():
    return UserFactory(role="physician", credentials="MD", licence_number="NY 204417")


def words(response) -> str:
    return unescape(response.content.decode())


def errors(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return {field: [str(one) for one in found] for field, found in response.context["form"].errors.items()}


def a_parent(patient, **facts):
    told = {"basis": "parent", "paper": "birth", "relation": "mother", "begins_on": patient.date_of_birth}
    return RepresentativeFactory(patient=patient, **told | facts)


# --- care that the minor consented to alone ---------------------------------------------------------------------------


def test_the_physician_marks_an_entry_and_decides_what_the_parent_sees(client, signed_in, minor, events):
    signed_in("physician", licence_number="NY 204417")
    entry = EntryFactory(patient=minor)
    page = f"/patients/10023/entries/{entry.pk}/minor/"
    assert "Minor consented alone" in words(client.get("/patients/10023/"))
    assert client.post(page, {"ground": "consented"}).url == f"/patients/10023/#entry-{entry.pk}"
    assert "hidden from the parent until a physician decides" in words(client.get("/patients/10023/"))
    told = {"law": "silent", "may_see": "no", "reasoning": "The minor asked me not to."}
    assert client.post(page, told).status_code == 302
    assert "the parent does not see it" in words(client.get("/patients/10023/"))
    assert client.post(page, told | {"may_see": "yes", "reasoning": "The minor agrees now."}).status_code == 302
    assert "the parent may see it" in words(client.get("/patients/10023/"))
    assert [decision.parent_may_see for decision in MinorDecision.objects.all()] == [False, True]
    assert [event for event in events() if event[1] == "decision on a minor's own consent"]
    assert seals.verify().breaks == []


def test_the_entry_is_kept_from_the_parent_alone_until_a_physician_lets_them_see_it(minor):
    alone, plain = EntryFactory(patient=minor), EntryFactory(patient=minor)
    mark = MinorConsent.mark(alone, ground="consented", by=a_doctor(), at=AT)
    parent, guardian = a_parent(minor), RepresentativeFactory(patient=minor, basis="court", paper="order")

    def seen_by(one) -> tuple[bool, bool]:
        entries = list(minor.entries.with_marks().oldest_first())
        told = representation.refusal(one, ON, what=entries) if one else None
        return alone in representation.open_to(entries, one), told is None

    assert plain in representation.open_to([plain], parent)
    assert [seen_by(one) for one in (parent, guardian, None)] == [(False, False), (True, True), (True, True)]
    mark.decide(parent_may_see=False, law="silent", reasoning="The minor asked me not to.", by=a_doctor(), at=AT)
    assert seen_by(parent) == (False, False)
    mark.decide(parent_may_see=True, law="silent", reasoning="The minor agrees now.", by=a_doctor(), at=AT)
    assert seen_by(parent) == (True, True)


@pytest.mark.parametrize(("law", "may_see"), [("forbids", "yes"), ("allows", "no")])
def test_where_state_law_decides_there_is_no_choice(client, signed_in, minor, law, may_see):
    signed_in("physician", licence_number="NY 204417")
    mark = MinorConsent.mark(EntryFactory(patient=minor), ground="lawful_alone", by=a_doctor(), at=AT)
    page = f"/patients/10023/entries/{mark.entry_id}/minor/"
    answer = client.post(page, {"law": law, "may_see": may_see, "reasoning": "PHL 2504"})
    assert list(errors(answer)) == ["may_see"]
    with pytest.raises(IntegrityError), transaction.atomic():
        mark.decide(parent_may_see=may_see == "yes", law=law, reasoning="x", by=a_doctor(), at=AT)


def test_only_a_licensed_professional_decides(client, signed_in, minor):
    signed_in("physician", licence_number="")
    mark = MinorConsent.mark(EntryFactory(patient=minor), ground="consented", by=a_doctor(), at=AT)
    answer = client.post(f"/patients/10023/entries/{mark.entry_id}/minor/", {"law": "silent", "may_see": "yes", "reasoning": "x"})
    assert "licence number is missing" in errors(answer)["__all__"][0]


def test_an_entry_is_marked_once_and_an_adults_never(minor):
    entry = EntryFactory(patient=minor)
    MinorConsent.mark(entry, ground="consented", by=a_doctor(), at=AT)
    with pytest.raises(ValidationError, match="marked already"):
        MinorConsent.mark(entry, ground="consented", by=a_doctor(), at=AT)
    with pytest.raises(ValidationError, match="was 18 on the day"):
        MinorConsent.mark(EntryFactory(), ground="consented", by=a_doctor(), at=AT)


def test_an_adults_chart_offers_no_such_mark(client, signed_in):
    signed_in("physician")
    EntryFactory(patient=PatientFactory(chart_number="10024"))
    assert "Minor consented alone" not in words(client.get("/patients/10024/"))


def test_marks_cost_the_chart_one_query_however_many_there_are(client, signed_in, minor, queries_for):
    signed_in("physician")
    MinorConsent.mark(EntryFactory(patient=minor), ground="consented", by=a_doctor(), at=AT)
    client.get("/patients/10023/")  # the first look sets the session up
    few = len(queries_for("/patients/10023/"))
    for _ in range(8):
        MinorConsent.mark(EntryFactory(patient=minor), ground="consented", by=a_doctor(), at=AT)
    assert len(queries_for("/patients/10023/")) == few


# --- signing anew at 18 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "is_there"),
    [
        (date(2008, 11, 24), True),  # today
        (date(2008, 12, 24), True),  # in 30 days
        (date(2008, 12, 25), False),
        (date(2008, 11, 23), False),  # yesterday, with no parent on file
    ],
)
def test_who_turns_18_within_30_days_is_on_the_dashboard(born, is_there):
    patient = PatientFactory(date_of_birth=born)
    assert (patient in dashboard.turning_adult(ON)) == is_there


@pytest.mark.parametrize(("on", "is_there"), [(date(2026, 1, 29), False), (date(2026, 1, 30), True), (date(2026, 3, 1), True)])
def test_born_on_february_29_they_turn_18_on_march_1(on, is_there):
    patient = PatientFactory(date_of_birth=date(2008, 2, 29))
    assert (patient in dashboard.turning_adult(on)) == is_there


def test_who_is_18_and_still_has_a_parent_on_file_stays_there_until_they_signed():
    patient = PatientFactory(date_of_birth=date(2007, 5, 1))
    assert dashboard.still_with_a_parent(ON) == []
    parent = a_parent(patient)
    a_parent(patient, name="The other parent")
    assert dashboard.still_with_a_parent(ON) == [patient]
    assert dashboard.still_with_a_parent(date(2025, 5, 1)) == []  # the birthday itself is the other list's
    assert dashboard.still_with_a_parent(date(2025, 5, 2)) == [patient]
    told = {"outcome": "signed", "signed_on": ON, "forms": "Notice, consent", "by": a_doctor(), "at": AT, "on": ON}
    SignedAnew.record(patient, **told)
    assert dashboard.still_with_a_parent(ON) == []
    assert [ending.ended_on for ending in RepresentativeEnding.objects.all()] == [date(2025, 5, 1)] * 2
    assert parent.ending.reason == "The patient turned 18."
    with pytest.raises(ValidationError, match="recorded already"):
        SignedAnew.record(patient, **told)


def test_somebody_who_died_or_whose_parents_authority_was_ended_is_not_there():
    a_parent(PatientFactory(date_of_birth=date(2007, 5, 1), deceased_on=date(2020, 1, 1)))
    ended = a_parent(PatientFactory(date_of_birth=date(2007, 5, 1)))
    ended.end(by=a_doctor(), at=AT, on=ON, ended_on=date(2020, 1, 1), reason="Emancipated")
    PatientFactory(date_of_birth=date(2008, 11, 30), deceased_on=date(2020, 1, 1))
    assert dashboard.still_with_a_parent(ON) + dashboard.turning_adult(ON) == []


def test_the_task_leads_to_the_act_and_the_act_takes_it_off(client, signed_in, queries_for):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023", date_of_birth=date(2008, 11, 24))
    PatientFactory(chart_number="10024", date_of_birth=date(2008, 12, 1))
    page = words(client.get("/"))
    assert "/patients/10023/signed-anew/" in page
    assert "/patients/10024/signed-anew/" not in page
    assert "Chart 10024: sign anew at 18" in page
    assert "have the forms ready" in page
    page = "/patients/10023/signed-anew/"
    assert list(errors(client.post(page, {"outcome": "signed", "signed_on": "2026-11-24"}))) == ["signed"]
    assert list(errors(client.post(page, {"outcome": "left", "signed_on": "2026-11-23"}))) == ["signed_on"]
    assert client.post(page, {"outcome": "signed", "signed_on": "2026-11-24", "signed": "Notice, consent"}).status_code == 302
    assert SignedAnew.objects.get().patient == patient
    assert "/patients/10023/signed-anew/" not in words(client.get("/"))
    early = client.post("/patients/10024/signed-anew/", {"outcome": "left", "signed_on": "2026-11-24"})
    assert "before they are 18, on Dec 1, 2026" in errors(early)["__all__"][0]


def test_the_task_costs_the_same_and_reads_no_more_rows_than_it_shows(client, signed_in, queries_for):
    signed_in("front_desk")
    a_parent(PatientFactory(date_of_birth=date(2008, 1, 1)))
    client.get("/")  # the first look sets the session up
    few = len(queries_for("/"))
    for number in range(15):
        PatientFactory(date_of_birth=date(2008, 11, 25) + timedelta(days=number))
        a_parent(PatientFactory(date_of_birth=date(2007, 1, 1) + timedelta(days=number)))
    assert len(queries_for("/")) == few
    assert len(dashboard.turning_adult(ON)) == len(dashboard.still_with_a_parent(ON)) == dashboard.SHOWN + 1
    assert words(client.get("/")).count("sign anew at 18") == today.SHOWN


def test_the_parent_does_not_act_on_the_birthday_itself(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023", date_of_birth=date(2008, 11, 24))
    a_parent(patient)
    assert "The patient turned 18 on Nov 24, 2026" in words(client.get("/patients/10023/representatives/"))
    with time_machine.travel(AT - timedelta(days=1), tick=False):
        assert "through Nov 23, 2026" in words(client.get("/patients/10023/")).split("<h1>")[0]


# --- a death ----------------------------------------------------------------------------------------------------------


def test_a_death_is_told_with_how_it_is_known_and_kept_in_the_history(client, signed_in, minor, events):
    user = signed_in("front_desk")
    page = "/patients/10023/death/"
    assert list(errors(client.post(page, {"how_known": "The hospital called"}))) == ["died_on"]
    for wrong in ("2026-11-25", "2010-02-28"):
        assert list(errors(client.post(page, {"died_on": wrong, "how_known": "The hospital called"}))) == ["died_on"]
    assert client.post(page, {"died_on": "2026-11-20", "how_known": "The hospital called"}).status_code == 302
    minor.refresh_from_db()
    assert minor.deceased_on == date(2026, 11, 20)
    report = DeathReport.objects.get()
    assert (report.by, report.how_known) == (user, "The hospital called")
    assert ("change", "death", "10023") in events()
    assert minor.history.count() == 2
    shown = words(client.get("/patients/10023/representatives/"))
    assert "Died Nov 20, 2026: The hospital called" in shown
    assert "protected through Nov 20, 2076" in shown


def test_a_wrong_report_is_taken_back_and_both_stay(client, signed_in, minor):
    signed_in("front_desk")
    page = "/patients/10023/death/"
    client.post(page, {"died_on": "2026-11-20", "how_known": "A letter"})
    same = client.post(page, {"what": "died", "died_on": "2026-11-20", "how_known": "A letter"})
    assert "says so already" in errors(same)["__all__"][0]
    assert client.post(page, {"what": "lives", "how_known": "She came in herself"}).status_code == 302
    minor.refresh_from_db()
    assert minor.deceased_on is None
    assert DeathReport.objects.count() == 2
    assert "The report of a death was wrong: She came in herself" in words(client.get("/patients/10023/representatives/"))
    assert seals.verify().breaks == []


def test_an_executor_acts_once_the_death_is_recorded(client, signed_in):
    signed_in("front_desk")
    patient = PatientFactory(chart_number="10023")
    agent = RepresentativeFactory(patient=patient)
    DeathReport.record(patient, died_on=date(2026, 11, 20), how_known="Obituary", by=a_doctor(), at=AT, on=ON)
    told = {"name": "Sam Reed", "relation": "executor", "basis": "estate", "paper": "letters", "scope": "health_care"}
    told |= {"begins_on": "2026-11-23", "ways": ["photo_id"]}
    assert client.post("/patients/10023/representatives/new/", told).status_code == 302
    assert [one.name for one in representation.active(patient, ON)] == ["Sam Reed"]
    assert agent not in representation.active(patient, ON)
