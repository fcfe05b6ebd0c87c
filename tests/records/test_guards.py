"""Guarded charts, the glass that is broken to open one, and the review of it: the rules, without pages."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from meso.models import AccessEvent
from records import guarding
from records.models import ChartGuard, ChartGuardEnding, EmergencyAccess, EmergencyReview, Patient
from tests.factories import AT, EntryFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def officer():
    return UserFactory(role="privacy_officer")


@pytest.fixture
def doctor():
    return UserFactory(role="physician", credentials="MD")


@pytest.fixture
def guard(patient, officer, doctor):
    return ChartGuard.lay(patient, kind="vip", reason="", team=[doctor], by=officer, at=AT)


def closed(user, at=AT) -> list[Patient]:
    return list(guarding.closed_to(user, at))


def test_a_guarded_chart_is_closed_to_all_but_its_team_and_the_officer(patient, officer, doctor, guard):
    assert closed(UserFactory(role="front_desk")) == closed(UserFactory(role="physician")) == [patient]
    assert closed(doctor) == closed(officer) == []


def test_a_chart_without_a_guard_is_closed_to_nobody(patient):
    assert closed(UserFactory(role="front_desk")) == []
    assert list(Patient.objects.guarded()) == []


def test_a_lifted_guard_closes_nothing_and_stays_readable(patient, officer, guard):
    guard.lift(reason="The patient moved away", by=officer, at=AT + HOUR)
    assert closed(UserFactory(role="front_desk")) == []
    assert ChartGuard.objects.get().ending.reason == "The patient moved away"
    with pytest.raises(ValidationError, match="already"):
        guard.lift(reason="Once more", by=officer, at=AT + HOUR)


def test_a_guard_laid_anew_takes_the_place_of_the_one_before(patient, officer, doctor, guard):
    nurse = UserFactory(role="front_desk")
    again = ChartGuard.lay(patient, kind="asked", reason="", team=[nurse, nurse], by=officer, at=AT + HOUR)
    assert list(ChartGuard.objects.in_force()) == [again]
    assert [member.user for member in again.team.all()] == [nurse]
    assert closed(nurse) == []
    assert closed(doctor) == [patient]
    assert list(Patient.objects.guarded()) == [patient]  # once, though it was guarded twice


def test_a_guard_names_somebody_and_another_reason_says_which(patient, officer, doctor):
    with pytest.raises(ValidationError) as nobody:
        ChartGuard.lay(patient, kind="vip", reason="", team=[], by=officer, at=AT)
    with pytest.raises(ValidationError) as wordless:
        ChartGuard.lay(patient, kind="other", reason="  ", team=[doctor], by=officer, at=AT)
    assert (list(nobody.value.error_dict), list(wordless.value.error_dict)) == (["team"], ["reason"])
    with pytest.raises(IntegrityError), transaction.atomic():
        ChartGuard.objects.create(patient=patient, kind="other", reason="", by=officer, at=AT)
    assert not ChartGuard.objects.exists()


def test_the_looks_at_guarded_charts_are_found_by_their_number(patient, guard):
    for number in (patient.chart_number, PatientFactory().chart_number, ""):
        AccessEvent.objects.create(at=AT, action="view", subject="chart", chart_number=number)
    found = AccessEvent.objects.filter(chart_number__in=Patient.objects.guarded().numbers())
    assert [event.chart_number for event in found] == [patient.chart_number]


# --- the glass ------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk():
    return UserFactory(role="front_desk")


@pytest.fixture
def access(patient, guard, desk):
    return EmergencyAccess.begin(patient, kind="here", reason="She stands at the desk", by=desk, at=AT)


def test_it_opens_the_chart_for_an_hour_to_whoever_broke_it_and_nobody_else(patient, access, desk):
    assert access.until == AT + HOUR
    assert closed(desk, AT) == closed(desk, AT + HOUR - timedelta(seconds=1)) == []
    assert closed(desk, AT + HOUR) == [patient]
    assert closed(desk, AT - timedelta(seconds=1)) == [patient]
    assert closed(UserFactory(role="front_desk")) == [patient]


def test_the_button_pressed_twice_breaks_it_once(patient, access, desk):
    again = EmergencyAccess.begin(patient, kind="urgent", reason="Again", by=desk, at=AT + HOUR / 2)
    later = EmergencyAccess.begin(patient, kind="urgent", reason="Again", by=desk, at=AT + HOUR)
    assert again == access
    assert later != access


def test_it_needs_words(patient, guard, desk):
    with pytest.raises(ValidationError) as refused:
        EmergencyAccess.begin(patient, kind="here", reason=" ", by=desk, at=AT)
    assert list(refused.value.error_dict) == ["reason"]


def test_it_is_signed_and_a_link_of_the_chain(access, desk):
    from meso.seals import Seal

    assert access.signed_as == desk.signature
    assert Seal.objects.filter(table="records.emergencyaccess", row=access.pk).exists()


@pytest.mark.parametrize(("role", "kind"), [("front_desk", "treatment"), ("privacy_officer", "treatment"), ("physician", "here")])
def test_a_psychotherapy_note_opens_to_a_physician_in_an_emergency_alone(patient, role, kind):
    entry = EntryFactory(patient=patient)
    with pytest.raises(ValidationError) as refused:
        EmergencyAccess.begin(patient, entry=entry, kind=kind, reason="Why", by=UserFactory(role=role), at=AT)
    assert list(refused.value.error_dict) == ["kind"]


def test_a_note_that_is_open_opens_no_guarded_chart(patient, guard):
    other = UserFactory(role="physician")
    EmergencyAccess.begin(patient, entry=EntryFactory(patient=patient), kind="treatment", reason="Why", by=other, at=AT)
    assert closed(other) == [patient]


# --- the review -----------------------------------------------------------------------------------------------------


def test_the_officer_signs_it_off_once(access, officer):
    assert list(EmergencyAccess.objects.unreviewed()) == [access]
    access.review_by(officer, finding="justified", words="", at=AT)
    assert list(EmergencyAccess.objects.unreviewed()) == []
    with pytest.raises(ValidationError, match="already"):
        access.review_by(officer, finding="justified", words="", at=AT)


def test_what_was_not_justified_says_what_follows(access, officer):
    with pytest.raises(ValidationError) as refused:
        access.review_by(officer, finding="not_justified", words="", at=AT)
    assert list(refused.value.error_dict) == ["words"]
    assert access.review_by(officer, finding="not_justified", words="Curiosity: a warning", at=AT).signed_as == officer.signature


def test_nobody_signs_off_an_access_of_their_own(access, desk, officer):
    desk.role = "privacy_officer"
    desk.save()
    with pytest.raises(ValidationError, match="Another person"):
        access.review_by(desk, finding="justified", words="", at=AT)
    assert access.may_be_reviewed_by(officer)


def test_in_an_office_of_one_officer_a_physician_reviews_the_officers(patient, guard, desk):
    """The officer opens every chart, so this is somebody who broke the glass before they became the only officer."""
    access = EmergencyAccess.begin(patient, kind="here", reason="Before the promotion", by=desk, at=AT)
    physician = UserFactory(role="physician")
    assert not access.may_be_reviewed_by(physician)  # an ordinary access: the officer reviews it
    guard.by.is_active = False
    guard.by.save()
    desk.role = "privacy_officer"
    desk.save()
    assert access.may_be_reviewed_by(physician)
    assert not access.may_be_reviewed_by(UserFactory(role="front_desk"))
    UserFactory(role="privacy_officer")
    assert not access.may_be_reviewed_by(physician)


def test_guard_glass_and_review_can_t_be_changed(access, officer, guard):
    from meso.append_only import AppendOnlyError

    review = access.review_by(officer, finding="justified", words="", at=datetime(2026, 11, 24, 20, tzinfo=UTC))
    for row in (guard, access, review):
        with pytest.raises(AppendOnlyError):
            row.save()
    assert ChartGuardEnding.objects.count() == 0
    assert EmergencyReview.objects.count() == 1
