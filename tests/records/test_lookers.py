"""Who has looked at a chart: what the patient is told, what nobody tells them, and the list kept as it was given."""

import io
from datetime import date, timedelta

import pytest
import time_machine
from django.utils import translation
from pypdf import PdfReader

from meso import audit
from meso.models import AccessEvent, Office
from meso.roles import Role
from records import lookers
from records.models import LookersGiven
from scripts import messages
from tests.factories import AT, PatientFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nov_24")]
PAGE = "/patients/10023/lookers/"
TODAY = date(2026, 11, 24)


@pytest.fixture
def patient():
    return PatientFactory(chart_number="10023")


@pytest.fixture
def desk():
    return UserFactory(role="front_desk", first_name="Ann", last_name="Ames")


def note(action, subject, user, chart="10023", minutes=0) -> None:
    with time_machine.travel(AT + timedelta(minutes=minutes), tick=False):
        audit.record(action, subject, user=user, chart=chart)


def lines(patient, start=TODAY, end=TODAY) -> list[tuple[str, str, str, int]]:
    return [(one.who, str(one.role), str(one.what), one.times) for one in lookers.looks(patient, start, end)]


def words_of(document: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(bytes(document))).pages)


def test_it_says_who_did_what_and_how_often_on_a_day(patient, desk):
    doctor = UserFactory(role="physician", first_name="Ada", last_name="Vance", credentials="MD")
    for minutes, action, subject, user in (
        (0, "view", "chart", desk),
        (5, "view", "chart", desk),
        (6, "view", "entry 12", doctor),
        (7, "download", "attachment 3", desk),
        (24 * 60, "view", "chart", desk),
    ):
        note(action, subject, user, minutes=minutes)
    note("view", "chart", desk, chart="999")
    assert lines(patient) == [
        ("Ann Ames", "front desk", "Opened the record", 2),
        ("Ada Vance, MD", "physician", "Looked at an entry", 1),
        ("Ann Ames", "front desk", "Opened a file of the record", 1),
    ]
    assert len(lines(patient, end=TODAY + timedelta(days=1))) == 4
    assert lines(patient, start=TODAY - timedelta(days=9), end=TODAY - timedelta(days=1)) == []


def test_the_day_is_the_offices(patient, desk):
    with time_machine.travel("2026-11-25T03:30:00Z", tick=False):  # half past ten in the evening of the 24th in Albany
        audit.record("view", "chart", user=desk, chart="10023")
    assert len(lines(patient)) == 1


NEVER = [
    ("view", "suspension 3"), ("view", "suspension form"), ("create", "suspension 3"), ("change", "suspension 3"),
    ("download", "suspension 3"), ("view", "complaint C-1001"), ("create", "complaint C-1001"), ("change", "complaint C-1001"),
    ("create", "legal hold 2"), ("change", "legal hold 2"), ("view", "refusal of representative 4"), ("view", "representatives"),
    ("change", "representative refused"), ("create", "breach 2"), ("create", "breach letter 5"), ("download", "breach letter 5"),
    ("view", "disclosure 9"), ("create", "disclosure 9"), ("change", "disclosure 9"), ("view", "release 9"),
    ("create", "release 9"), ("download", "copy of release 9"), ("view", "release desk"), ("check", "release"),
    ("view", "releases of a chart"), ("download", "written request 4"), ("refused", "patient.view"),
    ("refused", "guarded chart"), ("view", "emergency access 2"), ("change", "emergency access 2"), ("view", "guard"),
    ("change", "guard"), ("view", "who has looked"), ("create", "price 2"), ("view", "disclosure form"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "subject"), NEVER)
def test_what_an_agency_suspended_a_complaint_a_hold_or_a_judgment_is_not_told(patient, desk, action, subject):
    note(action, subject, desk)
    assert lines(patient) == []


def test_an_event_that_the_table_does_not_know_is_not_told(patient, desk):
    note("view", "something new", desk)
    assert lines(patient) == []


def test_suspended_rows_leave_no_trace_in_the_list_or_in_its_length(client, patient, desk):
    """The log's pages of a suspended disclosure are looked at like any other's: neither is told, so neither is missed."""
    from tests.factories import DisclosureFactory, SuspensionFactory

    row = DisclosureFactory(patient=patient, purpose_code="law_enforcement", recipient="State Police")
    officer = UserFactory(role="privacy_officer")
    client.force_login(officer)
    client.get(f"/disclosures/{row.pk}/")
    before = lines(patient)
    suspension = SuspensionFactory(patient=patient)
    client.get(f"/suspensions/{suspension.pk}/")
    client.get(f"/disclosures/{row.pk}/")
    assert lines(patient) == before == []


def test_every_role_has_its_words():
    assert set(lookers.ROLES) == set(Role.values)


def test_every_event_of_the_table_is_written_somewhere():
    """A subject that no view writes any more is a line that can't fail."""
    from pathlib import Path

    from django.conf import settings

    rooms = [Path(settings.BASE_DIR) / room for room in ("records", "disclosures", "requests_app")]
    text = "\n".join(path.read_text() for room in rooms for path in room.rglob("*.py") if path.name != "lookers.py")
    missing = [subject for _action, subject in lookers.TOLD if f'"{subject.split(" #")[0]}' not in text]
    assert missing == []


# --- the list given -------------------------------------------------------------------------------------------------


def test_the_officer_makes_the_list_and_it_is_kept_as_it_was_given(client, signed_in, patient, desk):
    note("view", "chart", desk)
    signed_in("privacy_officer")
    assert "Ann Ames, front desk" in client.get(PAGE).content.decode()
    sent = {"start": "2026-11-01", "end": "2026-11-24", "step": "give"}
    assert client.post(PAGE, sent)["Location"] == PAGE
    given = LookersGiven.objects.defer(None).get()
    assert (given.start, given.end, given.lines) == (date(2026, 11, 1), TODAY, 1)
    client.post(PAGE, sent)
    assert LookersGiven.objects.count() == 1  # the button pressed twice
    answer = client.get(f"{PAGE}{given.pk}/list.pdf")
    assert answer.content == bytes(given.document)
    said = words_of(given.document)
    for words in (
        "Who has looked at your record",
        "Ann Ames, front desk",
        "Opened the record",
        "10:00 AM",
        "the law does not require it",
    ):
        assert words in said, words
    done = AccessEvent.objects.filter(subject=f"list {given.pk} of who looked").values_list("action", "chart_number")
    assert list(done) == [("create", "10023"), ("create", "10023"), ("download", "10023")]


@pytest.mark.parametrize(("start", "end"), [("2026-11-24", "2026-11-20"), ("2026-11-01", "2026-11-25"), ("", "2026-11-24")])
def test_a_period_that_can_t_be_is_refused_at_its_field(client, signed_in, patient, start, end):
    signed_in("privacy_officer")
    answer = client.post(PAGE, {"start": start, "end": end, "step": "give"})
    assert answer.context["form"].errors
    assert not LookersGiven.objects.exists()


def test_nobody_else_makes_it(client, signed_in, patient):
    for role in ("front_desk", "physician", "office_admin"):
        signed_in(role)
        assert client.post(PAGE, {"step": "give"}).status_code == 403


def test_it_is_in_the_patients_language_and_nothing_is_left_in_english(patient, desk):
    for action, subject in lookers.TOLD:
        note(action, subject.replace("#", "7"), desk)
    patient.language = "es"
    said = words_of(lookers.as_pdf(patient, TODAY, TODAY, lookers.looks(patient, TODAY, TODAY), Office.current(), TODAY).content)
    assert "Quién ha mirado su expediente" in said
    with translation.override("es"):
        words = {str(what) for what in (*lookers.TOLD.values(), *lookers.ROLES.values())}
    with translation.override("en"):
        english = {str(what) for what in (*lookers.TOLD.values(), *lookers.ROLES.values())}
    assert not words & english
    assert not [word for word in english if word in said and len(word) > 12]
    assert messages.PO.exists()


def test_the_page_costs_the_same_however_much_was_done(client, signed_in, patient, desk, queries_for):
    signed_in("privacy_officer")
    client.get(PAGE)
    few = len(queries_for(PAGE))
    for number in range(30):
        note("view", f"entry {number}", UserFactory(role="physician"))
    assert len(queries_for(PAGE)) == few


TOLD = """
view chart|view new entry|view entry #|view attachments|view patient details|view restrictions and contact
view requests of a chart
view request #|view entries for #|view entry # for #|view identity for #|view copies for #|view authorizations of a chart
view authorization #|view disclosures of a chart|view accounting|view notice given|print record|export record|export accounting
download attachment #|download authorization #|download copy # of #|download letter # of #|download paper # of #|create patient
change patient|create entry #|change entry #|create attachment #|create authorization #|create request #|change request #
create accounting #|create notice given|create emergency access #
"""


def test_what_is_told_is_this_list_and_nothing_else():
    """A row more may betray what must stay silent, a row less keeps from the patient who looked: both are decisions."""
    expected = {told.strip() for line in TOLD.split("\n") for told in line.split("|") if told.strip()}
    assert {f"{action} {subject}" for action, subject in lookers.TOLD} == expected
    for told in expected:
        action, _, subject = told.partition(" ")
        event = AccessEvent(action=action, subject=subject.replace("#", "R-1042"))
        assert lookers.told(event) == lookers.TOLD[action, subject]
