"""Complaints are the privacy officer's: those who book visits and write bills, physicians and the admin read none anywhere."""

from datetime import date

import pytest
from django.urls import reverse

from meso.models import AccessEvent
from meso.roles import PERMISSIONS, PUBLIC
from requests_app.models import Complaint
from tests.factories import AT, PatientFactory, RequestFactory, UserFactory
from tests.test_house import URLS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
SECRET, WHO = "loitering in the corridor", "Zenobia Pratt"
OTHERS = ["front_desk", "physician", "office_admin"]


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023")


@pytest.fixture
def complaint(patient):
    facts = {"about": SECRET, "complainant": WHO, "reach": "zenobia@example.org", "channel": "in_person", "patient": patient}
    return Complaint.take(**facts, received_on=date(2026, 11, 20), taken_by=UserFactory(), taken_at=AT, on=AT.date())


def walked(role: str, chart: str, number: str) -> list[str]:
    """Every page that the role may enter, with the chart and a request of the patient in its address."""
    known = {"chart": chart, "number": number, "pk": 1, "format": "copy"}
    return [
        reverse(pattern.name, kwargs={name: known[name] for name in pattern.pattern.regex.groupindex})
        for route, pattern in URLS
        if route != "accounts/logout/" and (pattern.callback.needs == PUBLIC or role in PERMISSIONS[pattern.callback.needs])
    ]


@pytest.mark.parametrize("role", OTHERS)
def test_no_page_of_anybody_else_holds_its_words_its_number_or_who_complained(client, signed_in, complaint, role):
    asked = RequestFactory(patient=complaint.patient)
    signed_in(role)
    told = {}
    for path in walked(role, "10023", asked.number):
        answer = client.get(path)
        text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(errors="replace")
        if found := [word for word in (SECRET, WHO, complaint.number) if word in text]:
            told[path] = found
    assert told == {}


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("name", ["complaints", "complaint", "audit", "auditor"])
def test_list_page_audit_and_the_auditors_export_are_refused(client, signed_in, complaint, role, name):
    signed_in(role)
    path = reverse(name, args=[complaint.pk] if name == "complaint" else [])
    assert [client.get(path).status_code, client.post(path, {"start": "2026-01-01", "end": "2026-11-24"}).status_code] == [
        403,
        403,
    ]


@pytest.mark.parametrize("role", ["front_desk", "physician"])
@pytest.mark.parametrize("word", [WHO, "Pratt", "loitering"])
def test_no_search_finds_it(client, signed_in, complaint, role, word):
    signed_in(role)
    assert client.post("/patients/", {"q": word}).context["patients"] == []
    for path, name in (("/requests/", "q"), ("/disclosures/", "recipient")):
        assert SECRET not in client.post(path, {name: word}).content.decode()


def test_the_officer_finds_it_everywhere(client, signed_in, complaint):
    """Else the walk above could not fail."""
    signed_in("privacy_officer")
    assert complaint.number in client.get("/").content.decode()
    assert complaint.number in client.get("/complaints/").content.decode()
    assert SECRET in client.get(complaint.get_absolute_url()).content.decode()


def test_the_audit_holds_its_number_and_no_word_of_it(client, signed_in, complaint):
    signed_in("privacy_officer")
    client.get(complaint.get_absolute_url())
    events = " ".join(f"{event.subject} {event.detail}" for event in AccessEvent.objects.all())
    assert complaint.number in events
    assert not any(word in events for word in (SECRET, WHO))
