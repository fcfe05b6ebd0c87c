"""The privacy officer's pages about guarded charts: laying a guard, changing and lifting it, reviewing who broke the glass."""

from datetime import timedelta

import pytest
import time_machine

from meso import audit
from meso.models import AccessEvent
from records.models import ChartGuard, EmergencyAccess, EmergencyReview
from tests.factories import AT, EntryFactory, PatientFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
GUARD = "/patients/10023/guard/"


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023", last_name="Quennell")


@pytest.fixture
def doctor():
    return UserFactory(role="physician", last_name="Vance")


@pytest.fixture
def officer(signed_in):
    return signed_in("privacy_officer")


def page(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_officer_guards_a_chart_with_those_who_wrote_in_it_proposed(client, officer, patient, doctor):
    EntryFactory(patient=patient, author=doctor)
    other = UserFactory(role="front_desk")
    assert "It is not guarded" in page(client, GUARD)
    form = client.get(GUARD + "new/").context["form"]
    assert form["team"].initial == [str(doctor.pk)]
    offered = {key for key, _name in form.fields["team"].choices}
    assert offered == {str(doctor.pk), str(other.pk)}  # no officer, whom no guard binds, and no admin, who opens no chart
    sent = {"kind": "vip", "team": [doctor.pk, other.pk]}
    assert client.post(GUARD + "new/", sent)["Location"] == GUARD
    guard = ChartGuard.objects.get()
    assert ({one.user for one in guard.team.all()}, guard.by) == ({doctor, other}, officer)
    assert AccessEvent.objects.filter(subject="guard", detail="laid", chart_number="10023").exists()
    assert "Guarded chart" in page(client, "/patients/10023/")


def test_a_guard_without_anybody_or_a_reason_is_refused_at_its_field(client, officer, patient, doctor):
    answer = client.post(GUARD + "new/", {"kind": "other", "reason": "", "team": [doctor.pk]})
    assert list(answer.context["form"].errors) == ["reason"]
    answer = client.post(GUARD + "new/", {"kind": "vip"})
    assert list(answer.context["form"].errors) == ["team"]
    assert not ChartGuard.objects.exists()


def test_the_team_is_changed_and_the_guard_lifted(client, officer, patient, doctor):
    ChartGuard.lay(patient, kind="asked", reason="", team=[doctor], by=officer, at=AT)
    form = client.get(GUARD + "new/").context["form"]
    assert (form["kind"].initial, form["team"].initial) == ("asked", [str(doctor.pk)])
    other = UserFactory(role="physician")
    client.post(GUARD + "new/", {"kind": "asked", "team": [other.pk]})
    assert [one.user for one in ChartGuard.objects.in_force().get().team.all()] == [other]
    client.post(GUARD + "lift/", {"reason": "Moved away"})
    assert not ChartGuard.objects.in_force().exists()
    assert "Moved away" in page(client, GUARD)
    answer = client.post(GUARD + "lift/", {"reason": "Again"})
    assert "This chart is not guarded." in answer.content.decode()


# --- the review -----------------------------------------------------------------------------------------------------


@pytest.fixture
def access(patient, doctor, rf):
    """The desk broke the glass, looked at the chart and at its files, and at another chart; and came back when it was over."""
    lay = UserFactory(role="privacy_officer")
    ChartGuard.lay(patient, kind="vip", reason="", team=[doctor], by=lay, at=AT)
    desk = UserFactory(role="front_desk", last_name="Ames")
    access = EmergencyAccess.begin(patient, kind="urgent", reason="Her daughter is on the telephone", by=desk, at=AT)
    for minutes, subject, chart in (
        (5, "chart", "10023"),
        (6, "attachments", "10023"),
        (7, "other chart", "999"),
        (60, "late", "10023"),
    ):
        with time_machine.travel(AT + timedelta(minutes=minutes), tick=False):
            audit.record("view", subject, user=desk, chart=chart)
            audit.record("view", f"{subject} by another", user=doctor, chart=chart)
    return access


def test_the_page_shows_why_and_what_was_looked_at_in_that_time_alone(client, access, officer):
    assert "To review" in page(client, "/emergency/")
    text = page(client, f"/emergency/{access.pk}/")
    assert "Her daughter is on the telephone" in text
    assert [event.subject for event in client.get(f"/emergency/{access.pk}/").context["page"]] == ["chart", "attachments"]
    assert "Quennell" not in text


def test_it_is_signed_off_and_leaves_the_order_of_the_day(client, access, officer):
    task = f"Review emergency access {access.pk}"
    assert task in page(client, "/")
    assert client.post(f"/emergency/{access.pk}/", {"finding": "justified"}).status_code == 302
    review = EmergencyReview.objects.get()
    assert (review.finding, review.by, review.signed_as) == ("justified", officer, officer.signature)
    assert task not in page(client, "/")
    event = AccessEvent.objects.filter(subject=f"emergency access {access.pk}", action="change").get()
    assert (event.detail, event.chart_number) == ("justified", "10023")
    assert client.get(f"/emergency/{access.pk}/").context["may_review"] is False


def test_what_was_not_justified_leads_to_a_sanction_and_a_breach(client, access, officer):
    answer = client.post(f"/emergency/{access.pk}/", {"finding": "not_justified"})
    assert list(answer.context["form"].errors) == ["words"]
    client.post(f"/emergency/{access.pk}/", {"finding": "not_justified", "words": "Curiosity"})
    text = page(client, f"/emergency/{access.pk}/")
    assert '"/program/sanctions/new/"' in text
    assert '"/breaches/new/"' in text


def test_an_officer_who_broke_the_glass_before_does_not_sign_it_off(client, access):
    access.by.role = "privacy_officer"
    access.by.save()
    client.force_login(access.by)
    assert "Another person must review this" in page(client, f"/emergency/{access.pk}/")
    answer = client.post(f"/emergency/{access.pk}/", {"finding": "justified"})
    assert "Another person must review this" in answer.content.decode()
    assert not EmergencyReview.objects.exists()


def test_a_physician_sees_none_but_those_of_the_only_officer(client, access, signed_in):
    signed_in("physician")
    assert client.get(f"/emergency/{access.pk}/").status_code == 404
    assert access.signed_as not in page(client, "/emergency/")
    assert "Review emergency access" not in page(client, "/")


def test_the_pages_cost_the_same_however_many_there_are(client, access, officer, queries_for):
    page(client, "/")  # the office is made
    few = len(queries_for("/emergency/")), len(queries_for("/"))
    for _ in range(5):
        EmergencyAccess.begin(access.patient, kind="here", reason="Why", by=UserFactory(role="front_desk"), at=AT)
    assert (len(queries_for("/emergency/")), len(queries_for("/"))) == few


def test_the_auditor_is_shown_each_of_a_period_with_its_review_and_no_reason(access, officer):
    from records import auditor_sections

    access.review_by(officer, finding="not_justified", words="Curiosity", at=AT)
    day = AT.date()
    (row,) = auditor_sections._emergencies(day, day)
    assert row[:5] == (access.pk, "10023", "guarded chart", access.signed_as, "A request that can’t wait")
    assert row[7:9] == ("Not justified", officer.signature)
    assert not any("daughter" in str(cell) or "Curiosity" in str(cell) for cell in row)
    assert list(auditor_sections._emergencies(day + timedelta(days=1), day + timedelta(days=9))) == []
