"""The office that the benchmark builds is one that Meso could have written itself."""

from datetime import UTC, date, datetime

import pytest

from bench.build import LOOKS, STAFF, build
from disclosures.models import Disclosure
from meso import seals
from meso.models import AccessEvent, Office
from records.models import Entry, Patient
from requests_app.models import PatientRequest

pytestmark = pytest.mark.django_db
ON, AT = date(2026, 11, 24), datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.fixture
def _thirty():
    build(30, on=ON, at=AT)


@pytest.mark.usefixtures("_thirty")
def test_each_patient_has_5_entries_and_3_disclosures_and_one_in_10_a_request():
    assert Patient.objects.count() == 30
    assert {patient.entries.count() for patient in Patient.objects.all()} == {5}
    assert {patient.disclosures.count() for patient in Patient.objects.all()} == {3}
    assert PatientRequest.objects.count() == 3
    assert AccessEvent.objects.filter(action="view").count() == 30 * LOOKS
    assert AccessEvent.objects.count() == 30 * LOOKS + len(STAFF)  # each of the staff is an event too


@pytest.mark.usefixtures("_thirty")
def test_every_seal_holds_and_the_next_row_goes_on_from_there():
    patient = Patient.objects.order_by("pk").first()
    Entry.objects.create(patient=patient, kind="visit_note", service_on=ON, title="Visit", signed_as="Ada Vance", written_at=AT)
    report = seals.verify()
    assert report.breaks == []
    assert (report.chains, report.links) == (31, 30 * (8 + LOOKS) + len(STAFF) + 1)  # the office's chain holds looks and staff


@pytest.mark.usefixtures("_thirty")
def test_the_charts_are_found_by_search_and_the_next_number_is_free():
    patient = Patient.objects.order_by("pk").last()
    assert patient in Patient.objects.search(patient.name)
    assert patient in Patient.objects.search(patient.phone)
    assert not Patient.objects.filter(chart_number=str(Office.current().next_chart_number)).exists()


@pytest.mark.usefixtures("_thirty")
def test_every_request_tells_its_own_story():
    for request in PatientRequest.objects.all():
        assert request.events.first().sentence.startswith("The request came in")
        assert request.is_open == (request.outcome == "")
    assert PatientRequest.objects.note_overdue(on=ON, at=AT) == 0


def test_one_seed_is_one_office():
    build(10, on=ON, at=AT)
    patient = Patient.objects.order_by("pk").first()
    assert (patient.name, patient.date_of_birth) == ("Jennifer Marford", date(1964, 5, 31))
    assert Disclosure.objects.values("recipient").distinct().count() > 5
