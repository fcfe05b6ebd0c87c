"""Around the answer of a request: what became of its letters, messages, waiting, opening it again. No clock moves by it."""

from datetime import date, timedelta
from html import unescape

import pytest
import time_machine

from meso.append_only import AppendOnlyError
from meso.models import AccessEvent, Office
from requests_app import answers, mailing, talking
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind, Outcome, Step
from requests_app.models import Letter, LetterDelivery, PatientRequest
from requests_app.models.timeline import Verb
from tests.factories import ContactPreferenceFactory, RequestFactory, UserFactory
from tests.requests_app.answering import AT, DUE, ON, RECEIVED, an_office, now, verified, words_of

pytestmark = [pytest.mark.django_db]
What = LetterDelivery.What
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def denied(by, on=ON, **fields) -> tuple[PatientRequest, Letter]:
    """A request denied on that day, and its letter, not yet sent."""
    request = verified("restriction", by, on, **fields)
    letter = answers.decide_with_letter(request, Outcome.DENIED, ground="N1", text="No", office=Office.current(), **now(by, on))
    return request, letter


def sent(by, on=ON, **fields) -> tuple[PatientRequest, Letter]:
    request, letter = denied(by, on, **fields)
    answers.send_letter(letter, sent_on=on, how="by mail", **now(by, on))
    return request, letter


def became(letter: Letter, what: str, by, done_on=ON, on=ON, **facts) -> LetterDelivery:
    given = {What.RETURNED: {"note": "No such number"}, What.AGAIN: {"how": "by mail", "address": "PO Box 9\nTroy, NY"}}
    return mailing.record(letter, what, done_on=done_on, **{**given.get(what, {}), **facts}, **now(by, on))


# --- what became of a letter -------------------------------------------------------------------------------------------

WAYS = {
    "": [],
    What.SENT: [],
    What.DELIVERED: [What.DELIVERED],
    What.RETURNED: [What.RETURNED],
    What.AGAIN: [What.RETURNED, What.AGAIN],
}


@pytest.mark.parametrize("what", [What.SENT, What.DELIVERED, What.RETURNED, What.AGAIN])
@pytest.mark.parametrize("state", WAYS)
def test_each_thing_that_can_become_of_a_letter_is_recorded_or_refused_with_a_reason(officer, state, what):
    _request, letter = denied(officer) if not state else sent(officer)
    for step in WAYS[state]:
        became(letter, step, officer)
    assert mailing.last_of(letter)[0] == state
    rows = letter.deliveries.count()
    if what in mailing.NEXT[state]:
        became(letter, what, officer)
        assert mailing.last_of(letter)[0] == what
    else:
        with pytest.raises(NotAllowedNow) as refusal:
            became(letter, what, officer, address="Elsewhere 1")
        assert len(str(refusal.value)) > 10
        assert letter.deliveries.count() == rows


def test_a_letter_that_comes_back_was_sent_all_the_same_and_asks_for_another_way(client, signed_in, officer):
    request, letter = sent(officer)
    before = PatientRequest.objects.filter(pk=request.pk).values().get()
    became(letter, What.RETURNED, officer)
    assert PatientRequest.objects.filter(pk=request.pk).values().get() == before
    assert request.closed_on == ON
    signed_in("front_desk")
    assert "It counts as sent; the patient has not got it. Find another way." in client.get(request.get_absolute_url()).text
    today = client.get("/").text
    assert "send the letter another way" in today
    assert f"/requests/{request.number}/letters/{letter.pk}/delivery/" in today
    became(letter, What.AGAIN, officer)
    assert "send the letter another way" not in client.get("/").text
    became(letter, What.RETURNED, officer)
    assert list(LetterDelivery.objects.came_back()) == [letter.deliveries.last()]


def test_a_letter_is_not_sent_again_to_where_it_came_back_from(officer):
    _request, letter = sent(officer)
    became(letter, What.RETURNED, officer)
    with pytest.raises(NotAllowedNow, match="From there it came back") as refusal:
        became(letter, What.AGAIN, officer, address=letter.addressed_to.replace("\n", "  "))
    assert refusal.value.field == "address"
    became(letter, What.AGAIN, officer, how="handed over", address=letter.addressed_to)


@pytest.mark.parametrize("done_on", [ON - DAY, ON + DAY])
def test_what_became_of_a_letter_lies_between_its_sending_and_today(officer, done_on):
    _request, letter = sent(officer)
    with pytest.raises(NotAllowedNow) as refusal:
        became(letter, What.DELIVERED, officer, done_on)
    assert refusal.value.field == "done_on"


def test_a_return_says_what_is_known_of_it(officer):
    _request, letter = sent(officer)
    with pytest.raises(NotAllowedNow) as refusal:
        became(letter, What.RETURNED, officer, note=" ")
    assert refusal.value.field == "note"


def test_a_letter_sent_before_deliveries_were_kept_can_come_back(officer):
    request, letter = denied(officer)
    request.events.record(Verb.LETTER_SENT, **now(officer), sent_on=ON, how="by mail", letter=letter.pk)
    became(letter, What.RETURNED, officer)
    assert mailing.last_of(letter) == (What.RETURNED, ON, "by mail", letter.addressed_to)
    became(letter, What.AGAIN, officer)


def test_the_rows_of_a_delivery_take_no_change(officer):
    _request, letter = sent(officer)
    row = letter.deliveries.get()
    assert (row.what, row.how, row.address) == ("sent", "by mail", letter.addressed_to)
    for act in (row.save, row.delete, letter.deliveries.all().delete):
        with pytest.raises(AppendOnlyError):
            act()


def test_the_page_of_a_delivery_opens_with_where_the_patient_wishes_it(client, signed_in, officer):
    request, letter = sent(officer)
    became(letter, What.RETURNED, officer)
    ContactPreferenceFactory(patient=request.patient, where="PO Box 77\nAlbany, NY 12201")
    signed_in("front_desk")
    where = f"/requests/{request.number}/letters/{letter.pk}/delivery/"
    page = unescape(client.get(where).text)
    assert "PO Box 77\nAlbany, NY 12201" in page
    assert "It counts as sent on the day it left" in page
    wrong = client.post(where, {"what": "again", "done_on": ON.isoformat(), "how": "by mail", "address": ""})
    assert set(wrong.context["form"].errors) == {"address"}
    data = {"what": "again", "done_on": ON.isoformat(), "how": "by mail", "address": f"{request.patient.name}\nPO Box 77"}
    assert client.post(where, data).status_code == 302
    assert "Sent again" in client.get(request.get_absolute_url()).text
    assert client.get(f"/requests/{request.number}/letters/{letter.pk + 1}/delivery/").status_code == 404


def test_a_letter_that_was_not_sent_has_nothing_to_record(client, signed_in, officer):
    request, letter = denied(officer)
    signed_in("front_desk")
    page = client.get(f"/requests/{request.number}/letters/{letter.pk}/delivery/").text
    assert "This letter has not been sent yet." in page
    assert 'name="what"' not in page


def test_the_dashboard_costs_the_same_with_more_letters_that_came_back(client, signed_in, officer, queries_for):
    signed_in("front_desk")
    became(sent(officer)[1], What.RETURNED, officer)
    few = queries_for("/")
    for _ in range(3):
        became(sent(officer)[1], What.RETURNED, officer)
    assert len(queries_for("/")) == len(few)


# --- messages ----------------------------------------------------------------------------------------------------------


def say(request, by, text="Your copy is nearly ready.", way=talking.Way.TELEPHONE, said_on=ON):
    return talking.tell(request, text, way=way, said_on=said_on, office=Office.current(), **now(by))


def test_messages_stand_apart_from_notes_and_can_not_be_removed(client, signed_in, officer):
    request = verified("access", officer)
    event = say(request, officer)
    talking.hear(request, "Please hurry.", way=talking.Way.IN_PERSON, said_on=ON, **now(officer))
    request.add_note("Ask Ada about page 3", **now(officer))
    signed_in("front_desk")
    page = client.get(request.get_absolute_url()).text
    panel = page.split('id="messages"')[1].split("</section>")[0]
    assert "To the patient, Nov 24, 2026, By telephone." in panel
    assert "From the patient, Nov 24, 2026, In person." in panel
    assert "Ask Ada" not in panel
    assert "Internal note" in page
    for act in (event.save, event.delete, request.events.all().delete):
        with pytest.raises(AppendOnlyError):
            act()


def test_no_message_and_no_note_is_told_on_the_patients_status_page(client, officer):
    request = RequestFactory(patient=None, channel="web", received_on=RECEIVED, on=RECEIVED)
    code = request.give_code("token")
    say(request, officer, "About your left knee")
    request.add_note("About the right knee", **now(officer))
    page = client.post("/privacy/status/", {"number": request.number, "code": code}).text
    assert request.number in page
    assert "knee" not in page


def test_a_message_by_letter_makes_the_letter(officer):
    request = verified("access", officer)
    say(request, officer, "Two of the pages are still in our archive.", way=talking.Way.LETTER)
    letter = Letter.objects.defer(None).get(request=request)
    assert letter.kind == Letter.Kind.MESSAGE
    said = words_of(letter.document)
    assert "A message about your request: request " + request.number in said
    assert "Two of the pages are still in our archive." in said
    assert request.letter_sent_on is None
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    assert PatientRequest.objects.get(pk=request.pk).letter_sent_on is None


@pytest.mark.parametrize(
    ("means", "refused"),
    [
        ("mail", {"by telephone", "by e-mail"}),
        ("phone", {"by e-mail"}),
        ("email", {"by telephone"}),
        ("pick_up", {"by telephone", "by e-mail"}),
    ],
)
def test_the_patient_is_told_in_the_way_they_wish(officer, means, refused):
    request = verified("access", officer)
    ContactPreferenceFactory(patient=request.patient, means=means, where="PO Box 12")
    for way in talking.Way:
        if way.value in refused:
            with pytest.raises(NotAllowedNow, match="PO Box 12") as refusal:
                say(request, officer, way=way)
            assert refusal.value.field == "way"
        else:
            say(request, officer, way=way)


@pytest.mark.parametrize("said_on", [RECEIVED - DAY, ON + DAY])
def test_a_message_lies_between_the_receipt_and_today(officer, said_on):
    with pytest.raises(NotAllowedNow) as refusal:
        say(verified("access", officer), officer, said_on=said_on)
    assert refusal.value.field == "said_on"


def test_a_message_has_words_and_its_letter_is_of_today(officer):
    request = verified("access", officer)
    for facts, field in (({"text": " "}, "text"), ({"way": talking.Way.LETTER, "said_on": ON - DAY}, "said_on")):
        with pytest.raises(NotAllowedNow) as refusal:
            say(request, officer, **facts)
        assert refusal.value.field == field
    assert not request.letters.exists()


def test_the_page_records_both_directions_also_of_a_closed_request(client, signed_in, officer):
    request, _letter = sent(officer)
    signed_in("front_desk")
    where = f"/requests/{request.number}/message/"
    for direction in ("to", "from"):
        data = {"direction": direction, "way": "in person", "said_on": ON.isoformat(), "text": f"Said {direction}"}
        assert client.post(where, data).status_code == 302
    assert list(request.events.filter(verb__in=["told", "heard"]).values_list("note", flat=True)) == ["Said to", "Said from"]
    wrong = client.post(where, {"direction": "to", "way": "in person", "said_on": "", "text": "Kept"})
    assert "Kept" in wrong.text
    assert AccessEvent.objects.filter(action="change", detail="message").count() == 2


# --- waiting -----------------------------------------------------------------------------------------------------------


def test_whom_the_office_waits_for_stands_beside_a_clock_that_runs_on(client, signed_in, officer):
    request = verified("access", officer)
    talking.wait(request, "patient", note="A copy of the power of attorney", **now(officer))
    assert (request.due_on, request.is_open) == (DUE, True)
    signed_in("front_desk")
    assert "Waiting for the patient. The clock runs on." in client.get(request.get_absolute_url()).text
    for page in ("/requests/", "/"):
        assert "waiting for the patient" in client.get(page).text
    with pytest.raises(NotAllowedNow, match="recorded so already"):
        talking.wait(request, "patient", **now(officer))
    talking.wait(request, "reviewer", **now(officer))
    assert talking.waits_for(request).data["whom"] == "reviewer"
    talking.wait(request, "", **now(officer))
    assert talking.waits_for(request) is None
    assert "waiting for" not in client.get("/requests/").text
    with pytest.raises(NotAllowedNow):
        talking.wait(request, "", **now(officer))


def test_a_closed_request_waits_for_nobody(officer):
    request = verified("restriction", officer)
    talking.wait(request, "other_office", **now(officer))
    request.withdraw(reason="Called", **now(officer))
    assert talking.waits_for(request) is None
    with pytest.raises(NotAllowedNow):
        talking.wait(request, "patient", **now(officer))


def test_the_page_of_waiting_says_that_nothing_pauses(client, signed_in, officer):
    request = verified("access", officer)
    signed_in("physician")
    where = f"/requests/{request.number}/waiting/"
    assert "pauses nothing" in client.get(where).text
    assert client.post(where, {"whom": "reviewer", "note": "Dr. B looks at it"}).status_code == 302
    assert client.post(where, {"whom": "", "note": ""}).status_code == 302


def test_the_tracker_costs_the_same_with_more_that_wait(client, signed_in, officer, queries_for):
    signed_in("front_desk")
    talking.wait(verified("access", officer), "patient", **now(officer))
    few = queries_for("/requests/")
    for _ in range(3):
        talking.wait(verified("access", officer), "reviewer", **now(officer))
    assert len(queries_for("/requests/")) == len(few)


def test_nothing_but_an_extension_and_a_corrected_receipt_moves_a_due_date(officer):
    """Every act of these rooms, one after the other, on one request; test_request_model walks all others."""
    request, letter = sent(officer)
    answers.reopen_with_letter(request, reason="A page was forgotten", office=Office.current(), **now(officer))
    for act in (
        lambda: became(letter, What.RETURNED, officer),
        lambda: became(letter, What.AGAIN, officer),
        lambda: became(letter, What.DELIVERED, officer),
        lambda: say(request, officer),
        lambda: say(request, officer, way=talking.Way.LETTER),
        lambda: talking.hear(request, "Yes", way=talking.Way.EMAIL, said_on=ON, **now(officer)),
        lambda: talking.wait(request, "patient", **now(officer)),
        lambda: talking.wait(request, "", **now(officer)),
    ):
        act()
        request.refresh_from_db()
        assert request.due_on == DUE


# --- opening it again --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "words", "late"),
    [(DUE, "due today", False), (DUE + DAY, "1 day late", True), (DUE + 40 * DAY, "40 days late", True)],
)
def test_a_reopened_request_keeps_its_due_date_and_shows_late_or_in_time(client, signed_in, officer, on, words, late):
    request, _letter = sent(officer)
    with time_machine.travel(AT + (on - ON), tick=False):
        letter = answers.reopen_with_letter(request, reason="A page was forgotten", office=Office.current(), **now(officer, on))
        assert (request.due_on, request.is_open, request.outcome) == (DUE, True, "")
        assert request.steps_left() == [Step.DECIDE, Step.CARRY_OUT, Step.SEND]
        assert (request in PatientRequest.objects.overdue(on)) == late
        signed_in("privacy_officer")
        page = client.get(request.get_absolute_url()).text
        assert f"<strong>{words}</strong>" in page
        assert "A page was forgotten" in page
    said = words_of(Letter.objects.defer(None).get(pk=letter.pk).document)
    assert "A page was forgotten" in said
    assert "does not change: it is December 2, 2026." in said
    assert ("That day has passed." in said) == late


def test_closing_again_counts_the_days_afresh(officer):
    request, _letter = sent(officer)
    assert request.events.filter(verb=Verb.CLOSED).last().sentence == "Closed: Denied. On time."
    late = DUE + 3 * DAY
    answers.reopen_with_letter(request, reason="Looked at again", office=Office.current(), **now(officer, late))
    new = answers.decide_with_letter(
        request, Outcome.DENIED, ground="N1", text="Still no", office=Office.current(), **now(officer, late)
    )
    answers.send_letter(new, sent_on=late, how="by mail", **now(officer, late))
    assert request.closed_on == late
    assert [event.sentence for event in request.events.filter(verb=Verb.CLOSED)] == [
        "Closed: Denied. On time.",
        "Closed: Denied. 3 days late.",
    ]
    assert request.events.get(verb=Verb.REOPENED).sentence == (
        "Opened again. It was closed on Nov 24, 2026 (Denied). The due date stays Dec 2, 2026."
    )


def test_an_extension_that_was_told_stands_after_reopening_and_there_is_no_second(officer):
    request = verified("restriction", officer)
    until = DUE + 10 * DAY
    answers.extend_with_letter(
        request, until=until, reason="Archive", told_on=ON, how="by mail", office=Office.current(), **now(officer)
    )
    request.withdraw(reason="Called", **now(officer))
    request.reopen(reason="Called again", **now(officer))
    assert request.due_on == until
    with pytest.raises(NotAllowedNow, match="one extension"):
        request.extend(until=until + DAY, reason="More", told_on=ON, **now(officer))


def test_the_letter_of_the_first_decision_does_not_answer_the_second(officer):
    request, old = sent(officer)
    request.reopen(reason="Looked at again", **now(officer))
    assert request.letter_sent_on is None
    answers.decide_with_letter(request, Outcome.DENIED, ground="N1", text="No", office=Office.current(), **now(officer))
    with pytest.raises(NotAllowedNow, match="before the request was opened again"):
        request.letter_sent(old, sent_on=ON, how="by mail", **now(officer))
    assert request.is_open


def test_only_the_officer_opens_a_request_again_and_says_why(client, signed_in, officer):
    request, _letter = sent(officer)
    where = f"/requests/{request.number}/reopen/"
    for role in ("front_desk", "physician", "office_admin"):
        signed_in(role)
        assert client.post(where, {"reason": "x"}).status_code == 403
    signed_in("privacy_officer")
    page = unescape(client.get(where).text)
    assert "The law gives no new time. The due date stays Dec 2, 2026: 8 days left." in page
    assert where in client.get(request.get_absolute_url()).text
    assert set(client.post(where, {"reason": " "}).context["form"].errors) == {"reason"}
    assert client.post(where, {"reason": "A page was forgotten"}).status_code == 302
    assert "This request is open." in client.post(where, {"reason": "Again"}).text
    assert request.letters.filter(kind=Letter.Kind.REOPENING).count() == 1


def test_a_reopened_access_request_is_carried_out_anew(officer):
    request = verified("access", officer)
    request.decide(Outcome.GRANTED, **now(officer))
    request.carried_out(Verb.INSPECTED, ON, given_on=ON, **now(officer))
    assert request.closed_on == ON
    request.reopen(reason="The scan was missing", **now(officer))
    assert request.steps_left() == [Step.DECIDE, Step.CARRY_OUT]
    assert PatientRequest.objects.at_step(Step.DECIDE).get() == request


@pytest.mark.parametrize("kind", Kind.values)
def test_an_imported_request_can_be_opened_again(officer, kind):
    request = RequestFactory(kind=kind, received_on=date(2026, 9, 1), on=date(2026, 9, 1))
    PatientRequest.objects.filter(pk=request.pk).update(closed_on=date(2026, 9, 20), outcome="granted")
    request.refresh_from_db()
    request.reopen(reason="Not complete", **now(officer))
    assert request.steps_left()[0] == Step.VERIFY
