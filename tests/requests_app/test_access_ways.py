"""Access by another way than was asked for or than a copy: another form, an appointment, a summary; and nothing found."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest
import time_machine

from meso.models import Office
from meso.roles import Role
from requests_app import access, answers, carrying_out, copies
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Delivery, Kind, Outcome, Step
from requests_app.models import CopyBill, Letter, SummaryAgreement
from requests_app.models.timeline import Verb
from tests.factories import EntryFactory, RequestFactory, UserFactory
from tests.requests_app.answering import ON, RECEIVED, an_office, granted, now, priced, verified, words_of
from tests.requests_app.test_copies import made, order_of

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def charted(by, form="mail"):
    request = granted("access", by, details={"form": form} if form else {})
    EntryFactory(patient=request.patient)
    return request


def path(request, rest: str = "") -> str:
    return f"/requests/{request.number}/{rest}"


# --- the form asked for ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["mail", "pick_up", "electronic", "inspect", ""])
@pytest.mark.parametrize("given", Delivery.values)
def test_another_form_than_was_asked_for_needs_a_reason_and_the_patients_agreement(officer, asked, given):
    request = charted(officer, asked)
    priced(request, officer)
    other = bool(asked) and asked != given
    for why, agreed_on, field in (("", None, "other_form"), ("Too large", None, "other_form_agreed_on"), ("Too large", ON, "")):
        refused = field if other else ""
        order = copies.Order(**{**order_of(request, given).__dict__, "other_form": why, "other_form_agreed_on": agreed_on})
        seen = copies.quote(request.patient, order, by=officer, on=ON, office=Office.current()).seen
        if refused:
            with pytest.raises(NotAllowedNow) as refusal:
                copies.make(request, order, seen=seen, office=Office.current(), **now(officer))
            assert refusal.value.field == refused
        else:
            bill = copies.make(request, order, seen=seen, office=Office.current(), **now(officer))
    assert (bill.delivery, bill.other_form, bill.other_form_agreed_on) == (given, bill.other_form, bill.other_form_agreed_on)
    if other:
        assert (bill.other_form, bill.other_form_agreed_on) == ("Too large", ON)


@pytest.mark.parametrize("day", [RECEIVED - timedelta(days=1), ON + timedelta(days=1)])
def test_the_agreement_lies_between_the_request_and_today(officer, day):
    with pytest.raises(NotAllowedNow, match="the day on which the patient agreed"):
        copies.check_form(charted(officer), Delivery.PICK_UP, "Picks it up", day, ON)


def test_the_page_asks_why_and_keeps_what_was_typed(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer)
    entry = request.patient.entries.get().pk
    sent = {"entry": [entry], "delivery": "pick_up", "paper_pages": "", "postage": "", "step": "bill"}
    page = client.post(path(request, "copies/"), sent)
    assert "The patient asked for: On paper, by mail." in str(page.context["form"].errors["other_form"])
    page = client.post(path(request, "copies/"), sent | {"other_form": "Passes by", "other_form_agreed_on": "2026-11-24"})
    assert page.context["quote"].bill.total == Decimal("0.15")


# --- several copies --------------------------------------------------------------------------------------------------


def two_copies(officer):
    """43 pages asked for in two copies: the record, and later its outside papers."""
    request = charted(officer)
    first, second = made(request, officer, postage="1.85"), made(request, officer, postage="2.10")
    return request, first, second


def give(bill, officer, day=ON):
    return carrying_out.give_copies(bill, given_on=day, how="by mail", **now(officer))


def test_a_request_with_two_copies_is_open_until_both_are_given(officer):
    request, first, second = two_copies(officer)
    give(first, officer)
    request.refresh_from_db()
    assert (request.is_open, request.steps_left()) == (True, [Step.CARRY_OUT])
    with pytest.raises(NotAllowedNow, match=r"They were given on"):
        give(first, officer)
    give(second, officer)
    request.refresh_from_db()
    assert (request.closed_on, request.carried_out_on) == (ON, ON)


def test_a_copy_that_is_not_given_after_all_is_set_aside_with_a_reason(officer):
    request, first, second = two_copies(officer)
    give(first, officer)
    with pytest.raises(NotAllowedNow, match="Say why"):
        carrying_out.set_aside(second, " ", **now(officer))
    carrying_out.set_aside(second, "Made twice", **now(officer))
    request.refresh_from_db()
    assert request.closed_on == ON
    assert request.events.get(verb=Verb.SET_ASIDE).note == "Made twice"


@pytest.mark.parametrize("first_is", ["given", "set aside"])
@pytest.mark.parametrize("then", ["give", "set aside"])
def test_a_copy_is_given_or_set_aside_once(officer, first_is, then):
    _request, first, _second = two_copies(officer)
    if first_is == "given":
        give(first, officer)
    else:
        carrying_out.set_aside(first, "Made twice", **now(officer))
    with pytest.raises(NotAllowedNow):
        if then == "give":
            give(first, officer)
        else:
            carrying_out.set_aside(first, "Again", **now(officer))


def test_set_aside_alone_answers_nothing(officer):
    request, first, second = two_copies(officer)
    for bill in (first, second):
        carrying_out.set_aside(bill, "The patient wants to look instead", **now(officer))
    request.refresh_from_db()
    assert request.is_open
    carrying_out.looked_at(request, seen_on=ON, **now(officer))
    request.refresh_from_db()
    assert request.closed_on == ON


def test_looking_does_not_close_what_a_made_copy_still_waits_for(officer):
    request = charted(officer)
    bill = made(request, officer)
    carrying_out.looked_at(request, seen_on=ON, **now(officer))
    request.refresh_from_db()
    assert request.is_open
    with pytest.raises(NotAllowedNow, match="can't be withdrawn"):
        request.withdraw(reason="Called", **now(officer))
    give(bill, officer)
    request.refresh_from_db()
    assert request.closed_on == ON


def test_in_a_partial_grant_a_later_copy_keeps_it_open_though_letter_and_first_copy_are_out(officer):
    request = verified("access", officer, details={})
    EntryFactory(patient=request.patient)
    letter = answers.decide_with_letter(
        request, "granted_in_part", ground="U5", text="Two pages", office=an_office(), **now(officer)
    )
    give(made(request, officer), officer)
    later = made(request, officer, paper_pages=2)
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    request.refresh_from_db()
    assert (request.is_open, request.steps_left()) == (True, [Step.CARRY_OUT])
    give(later, officer)
    request.refresh_from_db()
    assert request.closed_on == ON


def test_41_of_43_pages_sent_without_the_letter_are_open_and_late_the_next_day(officer):
    """law.md §13a: 43 pages asked, 2 withheld: 41 sent on the due date without a letter: still open."""
    request = verified("access", officer, details={})
    letter = answers.decide_with_letter(
        request, "granted_in_part", ground="U1", text="Two pages", office=an_office(), **now(officer)
    )
    with time_machine.travel("2026-12-02T15:00:00Z", tick=False):
        bill = made(request, officer, on=request.due_on, paper_pages=41)
        assert bill.pages + bill.paper_pages == 41
        carrying_out.give_copies(bill, given_on=request.due_on, how="by mail", **now(officer, request.due_on))
    request.refresh_from_db()
    assert (request.is_open, request.steps_left()) == (True, [Step.SEND])
    assert request.days_left(request.due_on + timedelta(days=1)) == -1
    answers.send_letter(letter, sent_on=request.due_on, how="by mail", **now(officer, request.due_on))
    request.refresh_from_db()
    assert request.closed_on == request.due_on


def test_the_page_sets_a_copy_aside(client, signed_in, officer):
    request, first, second = two_copies(officer)
    give(first, officer)
    signed_in("front_desk")
    assert "Set aside" in client.get(path(request)).text
    assert client.post(path(request, f"copies/{second.pk}/aside/"), {"reason": "Made twice"}).status_code == 302
    assert "Made twice" in client.get(path(request)).text


# --- looking, by appointment -----------------------------------------------------------------------------------------


def test_an_appointment_has_its_letter_with_day_time_place_and_no_fee(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer, "inspect")
    sent = {"day": "2026-11-30", "time": "14:30", "place": "218 Lark Street, Albany"}
    assert client.post(path(request, "appointment/"), sent).status_code == 302
    said = words_of(Letter.objects.defer(None).get(request=request, kind="appointment").document)
    for words in ("Monday, November 30, 2026, 2:30 PM", "218 Lark Street, Albany", "Looking costs nothing."):
        assert words in said, words
    assert "Nov 30, 2026, 2:30 PM, 218 Lark Street, Albany" in client.get(path(request, "carry-out/")).text
    request.refresh_from_db()
    assert request.is_open, "an appointment answers nothing until it is kept"
    assert CopyBill.objects.count() == 0


@pytest.mark.parametrize(("facts", "field"), [({"day": ON - timedelta(days=1)}, "day"), ({"place": " "}, "place")])
def test_an_appointment_lies_ahead_and_has_a_place(officer, facts, field):
    facts = {"day": ON, "at_time": time(9), "place": "Here"} | facts
    with pytest.raises(NotAllowedNow) as refusal:
        access.appoint(charted(officer), **facts, office=an_office(), **now(officer))
    assert refusal.value.field == field


# --- a summary -------------------------------------------------------------------------------------------------------


def test_no_summary_goes_out_without_agreement_to_it_and_to_its_fee(officer):
    request = charted(officer)
    with pytest.raises(NotAllowedNow, match="agreed to it and to its fee"):
        access.give_summary(request, given_on=ON, how="by mail", **now(officer))
    assert request.is_open
    access.agree_summary(request, agreed_on=ON, fee=Decimal("15.00"), fee_agreed_on=ON, **now(officer))
    access.give_summary(request, given_on=ON, how="by mail", **now(officer))
    request.refresh_from_db()
    assert request.closed_on == ON
    assert request.events.get(verb=Verb.SUMMARY_GIVEN).sentence == "Summary given on Nov 24, 2026 (by mail)."


@pytest.mark.parametrize("name", ["agreed_on", "fee_agreed_on"])
def test_the_agreement_comes_before_the_summary(officer, name):
    request = charted(officer)
    request.decided_on = RECEIVED
    request.save(update_fields=["decided_on"])
    days = {"agreed_on": RECEIVED, "fee_agreed_on": RECEIVED} | {name: ON}
    access.agree_summary(request, fee=Decimal("15.00"), **days, **now(officer))
    with pytest.raises(NotAllowedNow, match="agreed to it and to its fee"):
        access.give_summary(request, given_on=ON - timedelta(days=1), how="by mail", **now(officer))


@pytest.mark.parametrize("day", [RECEIVED - timedelta(days=1), ON + timedelta(days=1)])
def test_nobody_agrees_before_the_request_or_in_the_future(officer, day):
    request = charted(officer)
    with pytest.raises(NotAllowedNow, match="between the request and today"):
        access.agree_summary(request, agreed_on=day, fee=Decimal(0), fee_agreed_on=ON, **now(officer))
    assert not SummaryAgreement.objects.exists()


def test_agreement_and_summary_on_the_pages(client, signed_in, officer):
    signed_in("front_desk")
    request = charted(officer)
    wrong = client.post(path(request, "summary/given/"), {"given_on": "2026-11-24", "how": "by mail"})
    assert "agreed to it and to its fee" in str(wrong.context["form"].errors["given_on"])
    agreed = {"agreed_on": "2026-11-24", "fee": "15", "fee_agreed_on": "2026-11-24"}
    assert client.post(path(request, "summary/"), agreed).status_code == 302
    assert "to a summary for $15.00" in client.get(path(request, "carry-out/")).text
    assert client.post(path(request, "summary/given/"), {"given_on": "2026-11-24", "how": "by mail"}).status_code == 302


@pytest.mark.parametrize("role", Role.values)
def test_the_desk_gives_access(client, signed_in, officer, role):
    request = charted(officer)
    signed_in(role)
    for rest in ("appointment/", "summary/", "summary/given/"):
        assert (client.get(path(request, rest)).status_code == 200) == (role in {"front_desk", "privacy_officer"}), rest


# --- nothing found ---------------------------------------------------------------------------------------------------


def test_no_records_found_is_an_answer_with_a_letter_and_no_ground(officer):
    request = RequestFactory(patient=None, received_on=RECEIVED, on=RECEIVED)
    letter = answers.decide_with_letter(
        request, Outcome.NO_RECORDS, ground="", text="", held_by="Albany Memorial Hospital", office=an_office(), **now(officer)
    )
    said = words_of(Letter.objects.defer(None).get(pk=letter.pk).document)
    for words in (
        "found no records",
        "We searched all that we hold",
        "Albany Memorial Hospital",
        "it costs nothing".capitalize(),
    ):
        assert words in said, words
    assert "review" not in said
    assert (request.ground, request.steps_left()) == ("", [Step.SEND])
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    request.refresh_from_db()
    assert request.closed_on == ON


def test_nothing_is_found_only_where_the_chart_has_nothing_of_it(officer):
    request = verified("access", officer, details={"since": "2026-01-01", "until": "2026-12-31"})
    entry = EntryFactory(patient=request.patient, service_on=date(2025, 12, 31))
    EntryFactory(patient=request.patient, service_on=date(2026, 6, 1))
    facts = {"ground": "", "text": "", "office": an_office(), **now(officer)}
    with pytest.raises(NotAllowedNow, match="The chart has entries of what is asked for"):
        answers.decide_with_letter(request, Outcome.NO_RECORDS, **facts)
    other = verified(
        "access", officer, details={"since": "2026-01-01"}, patient=EntryFactory(service_on=entry.service_on).patient
    )
    assert answers.decide_with_letter(other, Outcome.NO_RECORDS, **facts)


@pytest.mark.parametrize("kind", [kind for kind in Kind.values if kind != Kind.ACCESS])
def test_only_access_is_answered_so(officer, kind):
    with pytest.raises(NotAllowedNow, match="Only a request to see the record"):
        verified(kind, officer).decide(Outcome.NO_RECORDS, **now(officer))


def test_the_page_offers_it_for_access(client, signed_in, officer):
    signed_in("privacy_officer")
    request = verified("access", officer)
    assert "Say that no records were found" in client.get(path(request, "decide/")).text
    sent = {"outcome": "no_records", "held_by": "Albany Memorial Hospital", "ground": "U1", "text": "left over"}
    assert client.post(path(request, "decide/"), sent).status_code == 302
    request.refresh_from_db()
    assert (request.outcome, request.ground, request.decision_text) == ("no_records", "", "")
