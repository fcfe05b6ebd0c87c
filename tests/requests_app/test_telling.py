"""An amendment carried to the end: who is told of it, by the log and the patient's wish; and what other providers tell us."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from disclosures.models import Disclosure
from meso import seals
from meso.append_only import AppendOnlyError
from meso.models import Office
from meso.roles import Role
from meso.today import Task
from requests_app import answers, carrying_out, inbound, mailing, telling
from requests_app.deadlines import NotAllowedNow
from requests_app.models import InboundAmendment, InboundAnswer, Letter, Recipient, Telling
from requests_app.models.timeline import Verb
from tests.factories import ContactPreferenceFactory, EntryFactory, PatientFactory, RequestFactory, SuspensionFactory, UserFactory
from tests.requests_app.answering import AT, a_doctor, an_office, granted, verified, words_of

pytestmark = [pytest.mark.django_db]
RECEIVED, ACCEPTED, TODAY = date(2026, 6, 1), date(2026, 6, 15), date(2026, 6, 20)
GIVEN = date(2026, 2, 2)


@pytest.fixture(autouse=True)
def _office():
    with time_machine.travel(datetime(2026, 6, 20, 15, 0, tzinfo=UTC), tick=False):
        yield an_office()


@pytest.fixture
def doctor(db):
    return a_doctor(first_name="Ada", last_name="Vance")


def on(day: date, by) -> dict:
    return {"by": by, "at": AT, "on": day}


def logged(patient, entries, recipient="Dr. Specialist", day=GIVEN, code="authorization", **facts) -> Disclosure:
    return Disclosure.log(
        patient=patient, disclosed_on=day, recipient=recipient, information="Visit note", purpose_code=code, purpose="Asked",
        recipient_address="9 Oak Street\nTroy, NY 12180", entries=entries, by=None, at=AT, **facts,
    )  # fmt: skip


def accepted(by):
    """law.md §3: accepted 2026-06-15; the log says that the specialist got the note on 2026-02-02."""
    request = verified("amendment", by, RECEIVED, received_on=RECEIVED)
    entry = EntryFactory(patient=request.patient, title="Visit note", body="The patient smokes.", service_on=date(2026, 1, 15))
    logged(request.patient, [entry])
    answers.decide_with_letter(request, "granted", ground="", text="", office=Office.current(), **on(ACCEPTED, by))
    words = {"passage": "The patient smokes.", "reason": "Not so", "addendum": "The patient never smoked."}
    carrying_out.amend(request, entry, **words, **on(ACCEPTED, by))
    return request, entry


def add(request, by, why="holds", name="Dr. Specialist", day=TODAY, **facts) -> Recipient:
    return telling.add(request, why, name=name, office=Office.current(), **facts, **on(day, by))


def path(request, rest: str) -> str:
    return f"/requests/{request.number}/{rest}/"


# --- who has it ------------------------------------------------------------------------------------------------------


def test_the_log_proposes_who_got_the_disputed_note(doctor):
    request, entry = accepted(doctor)
    other = EntryFactory(patient=request.patient)
    logged(request.patient, [entry], day=date(2026, 3, 2))
    logged(request.patient, [other], "Who got another entry")
    logged(request.patient, [entry], "The patient", code="individual")
    logged(request.patient, [], "Who got something by hand")
    wrong = logged(request.patient, [entry], "Wrong Name")
    wrong.correct(by=doctor, at=AT, reason="Another patient's", replacement=None)
    (proposal,) = telling.proposals(request, doctor, TODAY)
    assert (proposal.name, proposal.address) == ("Dr. Specialist", "9 Oak Street\nTroy, NY 12180")
    assert proposal.days == (GIVEN, date(2026, 3, 2))
    add(request, doctor, address=proposal.address)
    assert telling.proposals(request, doctor, TODAY) == []


def test_who_got_the_entry_after_it_was_amended_is_not_proposed(doctor):
    """Amended on June 15: what went out that day may have gone before the line was drawn, what went later shows it."""
    request, entry = accepted(doctor)
    logged(request.patient, [entry], "On the day itself", day=ACCEPTED)
    logged(request.patient, [entry], "A day later", day=ACCEPTED + timedelta(days=1))
    assert [one.name for one in telling.proposals(request, doctor, TODAY)] == ["Dr. Specialist", "On the day itself"]


def test_a_letter_to_somebody_else_goes_as_the_office_likes_and_to_their_address(client, signed_in, doctor):
    """The patient's wish is about what goes to the patient (164.522(b)(1)(i))."""
    request, _entry = accepted(doctor)
    ContactPreferenceFactory(patient=request.patient, means="phone", where="555-010-9999", begins_on=GIVEN)
    there = "Dr. Specialist\n9 Oak Street\nTroy, NY 12180"
    recipient = add(request, doctor, address="9 Oak Street\nTroy, NY 12180")
    signed_in("front_desk")
    shown = client.get(path(request, f"letters/{recipient.letter_id}/sent")).text
    assert ", ".join(there.splitlines()) in shown
    telling.tell(recipient, "told", day=TODAY, way="by mail", **on(TODAY, doctor))
    assert recipient.letter.deliveries.get().address == there
    mailing.record(recipient.letter, "returned", done_on=TODAY, note="Moved", **on(TODAY, doctor))
    mailing.record(recipient.letter, "again", done_on=TODAY, how="by fax", address=there, **on(TODAY, doctor))


def test_what_an_agency_has_withheld_is_proposed_to_the_officer_alone(doctor):
    request, entry = accepted(doctor)
    logged(request.patient, [entry], "State Police", code="law_enforcement")
    SuspensionFactory(patient=request.patient, stated_on=TODAY)
    officer = UserFactory(role=Role.PRIVACY_OFFICER)
    names = [[one.name for one in telling.proposals(request, by, TODAY)] for by in (doctor, officer)]
    assert names == [["Dr. Specialist"], ["Dr. Specialist", "State Police"]]


@pytest.mark.parametrize("kind", ["amendment", "access"])
def test_nobody_is_told_before_the_record_is_amended(doctor, kind):
    with pytest.raises(NotAllowedNow, match="once the record is amended"):
        add(granted(kind, doctor), doctor, day=date(2026, 11, 24))


def test_a_person_is_named_only_with_the_patients_agreement(doctor):
    request, _entry = accepted(doctor)
    for agreed, words in ((None, "must agree"), (TODAY + timedelta(days=1), "in the future")):
        with pytest.raises(NotAllowedNow, match=words) as refusal:
            add(request, doctor, "named", "My sister", agreed_on=agreed)
        assert refusal.value.field == "agreed_on"
    add(request, doctor, "named", "My sister", agreed_on=TODAY)
    assert Recipient.objects.get().agreed_on == TODAY


def test_each_gets_a_letter_that_says_what_was_corrected_and_is_kept(doctor):
    request, _entry = accepted(doctor)
    recipient = add(request, doctor, address="9 Oak Street\nTroy, NY 12180")
    said = words_of(Letter.objects.defer(None).get(pk=recipient.letter_id).document)
    for words in (
        "Dr. Specialist 9 Oak Street Troy, NY 12180",
        f"We have corrected the medical record of {request.patient.name}, born July 2, 1984.",
        "Visit note, January 15, 2026",
        "Please do not rely on them: “The patient smokes.”",
        "The patient never smoked.",
        "please correct your copy too",
    ):
        assert words in said, words
    with pytest.raises(AppendOnlyError):
        recipient.delete()
    with pytest.raises(NotAllowedNow, match="on the list already"):
        add(request, doctor, address="9 Oak Street\nTroy, NY 12180")
    assert request.letters.filter(kind="correction").count() == 1


# --- told, or not reached --------------------------------------------------------------------------------------------


def test_who_could_not_be_reached_is_tried_again_and_told_once(doctor):
    request, _entry = accepted(doctor)
    recipient = add(request, doctor)
    facts = {"way": "by mail", **on(TODAY, doctor)}
    telling.tell(recipient, "failed", day=TODAY, note="Came back: moved away", **facts)
    telling.tell(recipient, "told", day=TODAY, **facts)
    assert [row.outcome for row in recipient.tellings.all()] == ["failed", "told"]
    assert answers.sent_event(recipient.letter).data["sent_on"] == TODAY.isoformat()
    assert request.events.get(verb=Verb.CORRECTION_TOLD).sentence == (
        "Dr. Specialist was told of the correction on Jun 20, 2026 (by mail)."
    )
    for outcome in Telling.How.values:
        with pytest.raises(NotAllowedNow, match="told already"):
            telling.tell(recipient, outcome, day=TODAY, **facts)
    assert seals.verify().breaks == []


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TODAY + timedelta(days=1)])
def test_nobody_is_told_before_the_letter_is_made_or_in_the_future(doctor, day):
    request, _entry = accepted(doctor)
    recipient = add(request, doctor)
    with pytest.raises(NotAllowedNow, match="the day the letter was made and today"):
        telling.tell(recipient, "told", day=day, way="by mail", **on(TODAY, doctor))


def test_the_desk_goes_from_the_log_to_the_last_letter(client, signed_in, doctor):
    request, _entry = accepted(doctor)
    signed_in("front_desk")
    assert "1 recipient got an amended entry" in client.get(path(request, "").rstrip("/") + "/").text
    proposal = telling.proposals(request, doctor, TODAY)[0].disclosure.pk
    sent = {"proposed": [proposal], "answer": "names", "name": "My sister", "agreed_on": "2026-06-20", "associate": "Bill & Co"}
    assert client.post(path(request, "tell"), sent).status_code == 302
    assert list(request.recipients.values_list("why", flat=True)) == ["holds", "named", "associate"]
    assert request.events.get(verb=Verb.ASKED_WHOM).sentence == "The patient was asked whom to tell: My sister."
    for recipient in request.recipients.all():
        told = {"outcome": "told", "day": "2026-06-20", "way": "by mail"}
        assert client.post(path(request, f"tell/{recipient.pk}"), told).status_code == 302
    page = client.get(path(request, "").rstrip("/") + "/").text
    assert page.count("Told</span> Jun 20, 2026") == 3
    assert "Not told yet" not in page
    assert page.count("Letter “Correction") == 0


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"agreed_on": "2026-06-20"}, "__all__"),
        ({"answer": "names", "agreed_on": "2026-06-20"}, "name"),
        ({"answer": "names", "name": "My sister", "agreed_on": ""}, "agreed_on"),
        ({"name": "My sister"}, "answer"),
        ({"answer": "names", "name": "My sister", "agreed_on": "2026-06-21"}, "agreed_on"),
    ],
)
def test_what_is_wrong_on_the_list_stands_at_its_field_and_nothing_is_stored(client, signed_in, doctor, sent, field):
    request, _entry = accepted(doctor)
    signed_in("front_desk")
    page = client.post(path(request, "tell"), sent)
    assert list(page.context["form"].errors) == [field]
    assert not Recipient.objects.exists()


def test_a_patient_who_names_nobody_was_asked_all_the_same(client, signed_in, doctor):
    request, _entry = accepted(doctor)
    signed_in("front_desk")
    assert any("ask the patient whom to tell" in row.what for row in card(client))
    assert client.post(path(request, "tell"), {"answer": "nobody"}).status_code == 302
    assert request.events.get(verb=Verb.ASKED_WHOM).sentence == "The patient was asked whom to tell: nobody else."
    assert not any("ask the patient whom to tell" in row.what for row in card(client))


def card(client) -> list[Task]:
    """What the first page says is owed after answers."""
    mine = ("ask the patient whom", "tell of the correction", "another provider amended")
    return [task for task, _left, _urgency in client.get("/").context["tasks"] if any(words in task.what for words in mine)]


def test_who_is_not_told_yet_is_on_the_first_page_of_who_tells(client, signed_in, doctor):
    request, _entry = accepted(doctor)
    recipient = add(request, doctor)
    signed_in("front_desk")
    (row,) = [row for row in card(client) if row.url == path(request, f"tell/{recipient.pk}")]
    assert row.why == "Dr. Specialist: Got the entry from this office"
    telling.tell(recipient, "told", day=TODAY, way="by mail", **on(TODAY, doctor))
    assert [row for row in card(client) if row.url == path(request, f"tell/{recipient.pk}")] == []


def test_the_page_costs_the_same_however_many_are_told(client, signed_in, doctor, queries_for):
    request, entry = accepted(doctor)
    add(request, doctor)
    signed_in("front_desk")
    page = f"/requests/{request.number}/"
    few, first = len(queries_for(page)), len(queries_for("/"))
    for number in range(5):
        add(request, doctor, name=f"Dr. {number}")
        logged(request.patient, [entry], f"Clinic {number}")
    assert len(queries_for(page)) == few
    assert len(queries_for("/")) == first


# --- what others tell us ---------------------------------------------------------------------------------------------

TOLD = {"told_by": "Albany Memorial Hospital", "what": "The allergy to latex was taken out."}


def told_us(by, patient=None, day=TODAY) -> InboundAmendment:
    return inbound.take(patient or PatientFactory(), **TOLD, told_on=day, **on(TODAY, by))


@pytest.mark.parametrize(
    ("change", "field"),
    [({"told_by": " "}, "told_by"), ({"what": " "}, "what"), ({"told_on": TODAY + timedelta(days=1)}, "told_on")],
)
def test_a_notice_says_who_told_us_what_and_when(doctor, change, field):
    with pytest.raises(NotAllowedNow) as refusal:
        inbound.take(PatientFactory(), **({**TOLD, "told_on": TODAY} | change), **on(TODAY, doctor))
    assert (refusal.value.field, InboundAmendment.objects.count()) == (field, 0)


def test_another_providers_amendment_waits_for_the_physician_until_ours_is_amended(client, signed_in, doctor):
    patient = PatientFactory(chart_number="10023")
    entry = EntryFactory(patient=patient, body="Allergic to latex.")
    signed_in("front_desk")
    assert client.post("/patients/10023/amendments/new/", {**TOLD, "told_on": "2026-06-19"}).status_code == 302
    told = InboundAmendment.objects.get()
    assert told == told_us(doctor, patient, date(2026, 6, 19))
    assert f"/amendments/{told.pk}/" in client.get("/patients/10023/requests/").text
    assert client.get(f"/amendments/{told.pk}/").context["form"] is None
    client.force_login(doctor)
    assert [row.url for row in card(client)] == [f"/amendments/{told.pk}/"]
    wrong = client.post(f"/amendments/{told.pk}/", {"answer": "amend", "addendum": "Taken out."})
    assert list(wrong.context["form"].errors) == ["entry"]
    sent = {"answer": "amend", "entry": entry.pk, "passage": "Allergic to latex.", "reason": "Told by the hospital"}
    assert client.post(f"/amendments/{told.pk}/", sent | {"addendum": "No such allergy."}).status_code == 302
    assert [strike.passage for strike in entry.strikes.all()] == ["Allergic to latex."]
    assert [addendum.body for addendum in entry.addenda.all()] == ["No such allergy."]
    assert card(client) == []
    assert "First visit, was amended" in client.get(f"/amendments/{told.pk}/").text


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({}, "Draw a line"),
        ({"passage": "Seen"}, "needs its reason"),
        ({"passage": "Not there", "reason": "Told"}, "do not stand in the entry"),
    ],
)
def test_an_answer_that_lacks_something_changes_nothing(doctor, words, match):
    told = told_us(doctor)
    entry = EntryFactory(patient=told.patient)
    with pytest.raises(NotAllowedNow, match=match):
        inbound.amend(told, entry, **words, **on(TODAY, doctor))
    with pytest.raises(NotAllowedNow, match="not in this patient's record"):
        inbound.amend(told, EntryFactory(), addendum="x", **on(TODAY, doctor))
    assert (InboundAnswer.objects.count(), entry.strikes.count()) == (0, 0)


def test_left_as_it_is_needs_a_reason_and_is_answered_once(client, doctor):
    told = told_us(doctor)
    client.force_login(doctor)
    wrong = client.post(f"/amendments/{told.pk}/", {"answer": "leave", "why_not": ""})
    assert list(wrong.context["form"].errors) == ["why_not"]
    assert client.post(f"/amendments/{told.pk}/", {"answer": "leave", "why_not": "We never had that entry."}).status_code == 302
    entry = EntryFactory(patient=told.patient)
    for again in (
        lambda: inbound.leave(told, "Again", **on(TODAY, doctor)),
        lambda: inbound.amend(told, entry, addendum="Again", **on(TODAY, doctor)),
    ):
        with pytest.raises(NotAllowedNow, match="answered already"):
            again()
    assert entry.addenda.count() == 0
    assert seals.verify().breaks == []


@pytest.mark.parametrize("role", Role.values)
def test_who_may_tell_and_take_in(client, signed_in, doctor, role):
    request, _entry = accepted(doctor)
    recipient = add(request, doctor)
    told = told_us(doctor)
    signed_in(role)
    desk, clinic = {"front_desk", "privacy_officer"}, {"front_desk", "physician", "privacy_officer"}
    for page, allowed in (
        (path(request, "tell"), desk),
        (path(request, f"tell/{recipient.pk}"), desk),
        (f"/patients/{told.patient.chart_number}/amendments/new/", clinic),
        (f"/amendments/{told.pk}/", clinic),
    ):
        assert (client.get(page).status_code == 200) == (role in allowed), page


def test_only_an_amendment_that_was_carried_out_has_people_to_tell(client, signed_in):
    signed_in("front_desk")
    request = RequestFactory(kind="amendment")
    assert client.get(path(request, "tell"))["Location"] == f"/requests/{request.number}/"
