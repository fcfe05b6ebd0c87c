"""Letters: which parts answer which request, that none lacks what the law demands, what they say, and to whom they go."""

import itertools
from datetime import date

import pytest

from requests_app import answers, grounds, letters
from requests_app.deadlines import NotAllowedNow
from requests_app.grounds import GROUNDS
from requests_app.kinds import ANSWERED_BY_THE_THING_ITSELF, Kind, Outcome
from requests_app.letters import LetterIncomplete
from requests_app.models import Letter, RequestEvent
from requests_app.models.timeline import Verb
from tests.factories import ContactPreferenceFactory, PatientFactory, RequestFactory, UserFactory
from tests.requests_app.answering import (
    DETAILS,
    KINDS,
    ON,
    RECEIVED,
    a_doctor,
    an_office,
    now,
    verified,
    words_of,
    words_of_draft,
)

pytestmark = [pytest.mark.django_db]

DENIALS = [
    (kind, outcome, ground.code)
    for kind in KINDS
    for outcome in (Outcome.DENIED, Outcome.GRANTED_IN_PART)
    for ground in GROUNDS[kind]
]
TO_US = "You may complain to us: write to or call Nora Lindqvist, Privacy Officer, telephone (518) 555-0142"
TO_HHS = "the Secretary of Health and Human Services, Office for Civil Rights"
REVIEW = "You can have this decision reviewed"
WHY = "We looked at it with the physician."


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


def draft_of(request, outcome, by, ground="", **facts):
    facts = {"text": WHY, "dated": ON, "by": by, "office": an_office()} | facts
    return letters.decision(request, outcome, ground=ground, **facts)


# --- which parts -----------------------------------------------------------------------------------------------------


def test_every_answer_that_needs_a_letter_has_its_parts_and_no_other():
    needed = {
        (kind, outcome)
        for kind, outcome in itertools.product(KINDS, (Outcome.GRANTED, Outcome.GRANTED_IN_PART, Outcome.DENIED))
        if (outcome == Outcome.GRANTED and kind not in ANSWERED_BY_THE_THING_ITSELF)
        or (outcome != Outcome.GRANTED and GROUNDS[kind])
    } | {(Kind.ACCESS, Outcome.NO_RECORDS)}
    by_another = {(Kind.ACCOUNTING, Outcome.DENIED)}  # the one ground for it is that who asks may not act for the patient
    assert set(letters.DECISIONS) == needed | by_another


@pytest.mark.parametrize(("kind", "outcome", "code"), DENIALS)
def test_a_letter_that_holds_something_back_says_why_and_where_to_complain(officer, kind, outcome, code):
    ground = grounds.ground(kind, code)
    request = RequestFactory(kind=kind, details=DETAILS[kind], received_on=RECEIVED, on=RECEIVED)
    said = words_of_draft(draft_of(request, outcome, officer, code))
    assert str(ground.words) in said
    assert WHY in said
    assert ground.citation in said
    assert TO_US in said
    assert TO_HHS in said
    assert (REVIEW in said) == ground.reviewable
    assert ("A licensed health care professional who had no part in this decision" in said) == ground.reviewable
    assert ("You may give us a written statement that says that you disagree, and why." in said) == (kind == "amendment")
    assert ("you may ask us to send your request and this letter along" in said) == (kind == "amendment")


@pytest.mark.parametrize("code", ["U1", "U2", "U3", "U4", "U5"])
def test_no_letter_on_an_unreviewable_ground_speaks_of_review(officer, code):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    assert "review" not in words_of_draft(draft_of(request, Outcome.DENIED, officer, code)).lower()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("amendment", ["We agree to correct your record", "Nothing in a record is erased", "Tell us who should know"]),
        (
            "restriction",
            ["The visit of May 1", "We keep it from: My health plan.", "from November 24, 2026 on"],
        ),
        (
            "confidential_communication",
            [
                "From November 24, 2026 on we reach you this way:",
                "By mail: PO Box 12 Albany, NY 12201",
                "not use: Home telephone",
            ],
        ),
    ],
)
def test_a_grant_says_what_is_agreed(officer, kind, words):
    request = RequestFactory(kind=kind, details=DETAILS[kind], received_on=RECEIVED, on=RECEIVED)
    said = words_of_draft(draft_of(request, Outcome.GRANTED, officer))
    assert [part for part in words if part not in said] == []
    assert "complain" not in said
    assert "Why" not in said


def test_a_restriction_refused_tells_of_the_one_that_must_be_agreed_to(officer):
    request = RequestFactory(kind="restriction", received_on=RECEIVED, on=RECEIVED)
    said = words_of_draft(draft_of(request, Outcome.DENIED, officer, "N1"))
    assert "paid in full for a treatment and you ask us to keep it from your health plan, we must agree" in said


def test_who_holds_what_we_do_not_is_told_when_known(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    known = words_of_draft(draft_of(request, Outcome.DENIED, officer, "U1", held_by="Albany Memorial Hospital"))
    assert "this is where to ask for it: Albany Memorial Hospital" in known
    assert "where to ask" not in words_of_draft(draft_of(request, Outcome.DENIED, officer, "U1", held_by=" "))


def test_who_judged_is_named_only_where_the_ground_rests_on_it(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    judge = a_doctor(first_name="Ada", last_name="Vance")
    line = "The licensed professional who judged this is Ada Vance, MD."
    assert line in words_of_draft(draft_of(request, Outcome.DENIED, officer, "R1", judged_by=judge))
    assert "Ada Vance" not in words_of_draft(draft_of(request, Outcome.DENIED, officer, "U1", judged_by=judge))


def test_no_word_in_a_letter_asks_why_the_patient_wishes_to_be_reached_another_way(officer):
    request = RequestFactory(kind="confidential_communication", details=DETAILS["confidential_communication"])
    said = words_of_draft(draft_of(request, Outcome.GRANTED, officer)).lower()
    assert "why" not in said
    assert "reason" not in said


# --- a letter that lacks a part --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("officer_name", "the privacy officer's name"),
        ("officer_title", "the privacy officer's title"),
        ("officer_phone", "the privacy officer's telephone"),
    ],
)
@pytest.mark.parametrize(("kind", "code"), [("access", "U1"), ("access", "R1"), ("amendment", "A4"), ("restriction", "N1")])
def test_a_denial_without_the_officer_to_complain_to_can_not_be_made(officer, kind, code, field, words):
    office = an_office(**{field: ""})
    request = RequestFactory(kind=kind, received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(LetterIncomplete, match=words):
        answers.decide_with_letter(
            request, Outcome.DENIED, ground=code, text=WHY, judged_by=a_doctor(), office=office, **now(officer)
        )
    assert request.outcome == ""
    request.refresh_from_db()
    assert (request.outcome, request.letters.count(), request.events.filter(verb=Verb.DECIDED).count()) == ("", 0, 0)


def test_an_office_without_an_address_can_not_say_where_to_write(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(LetterIncomplete, match="the address of the office"):
        draft_of(request, Outcome.DENIED, officer, "U1", office=an_office(address_1="", city="", state="", zip=""))


def test_what_only_the_officer_part_needs_does_not_stop_other_letters(officer):
    office = an_office(officer_name="", officer_phone="")
    request = verified("restriction", officer)
    letter = answers.decide_with_letter(request, Outcome.GRANTED, ground="", text="", office=office, **now(officer))
    assert letter is not None


# --- the act and its letter ------------------------------------------------------------------------------------------


def test_a_denial_and_its_letter_are_one_act(officer):
    judge, request = a_doctor(first_name="Ada", last_name="Vance"), RequestFactory(received_on=RECEIVED, on=RECEIVED)
    letter = answers.decide_with_letter(
        request, Outcome.DENIED, ground="R1", text=WHY, judged_by=judge, office=an_office(), **now(officer)
    )
    assert letter is not None
    assert (request.outcome, request.is_open, request.steps_left()) == ("denied", True, ["to_send"])
    assert (letter.kind, letter.made_on, letter.made_by) == (Letter.Kind.DECISION, ON, officer)
    made = request.events.get(verb=Verb.LETTER_MADE)
    assert made.sentence == "Letter made: Our decision."
    assert made.data["judged_by"] == "Ada Vance, MD"
    said = words_of(letter.document)
    for words in (
        "Lark Street Mesotherapy 218 Lark Street · Albany, NY 12210",
        f"{request.patient.name} 12 Elm Street Albany, NY 12207",
        "November 24, 2026",
        f"Our decision: request {request.number}",
        "On November 2, 2026 we received this request",
        WHY,
        REVIEW,
        TO_US,
        TO_HHS,
        "Sincerely, Nora Lindqvist",
        f"Request {request.number} · made Nov 24, 2026 by Nora Lindqvist",
    ):
        assert words in said, words


@pytest.mark.parametrize("kind", sorted(ANSWERED_BY_THE_THING_ITSELF))
def test_a_full_grant_that_is_its_own_answer_makes_no_letter(officer, kind):
    request = verified(kind, officer)
    assert answers.decide_with_letter(request, "granted", ground="", text="", office=an_office(), **now(officer)) is None
    assert request.outcome == "granted"
    assert request.letters.count() == 0


def test_a_ground_that_needs_judgment_is_refused_without_it_and_nothing_is_stored(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    unlicensed = UserFactory(role="physician")
    for judge in (None, unlicensed):
        with pytest.raises(NotAllowedNow, match="licensed professional"):
            answers.decide_with_letter(
                request, "denied", ground="R1", text=WHY, judged_by=judge, office=an_office(), **now(officer)
            )
        assert request.outcome == ""
    assert not RequestEvent.objects.filter(verb=Verb.DECIDED).exists()


def test_what_the_model_refuses_makes_no_letter(officer):
    request = RequestFactory(kind="restriction", patient=None, received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow, match="chart must be found"):
        answers.decide_with_letter(request, "granted", ground="", text="", office=an_office(), **now(officer))
    assert Letter.objects.count() == 0


def test_an_extension_its_letter_and_its_sending_are_one_act(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    letter = answers.extend_with_letter(
        request,
        until=date(2026, 12, 20),
        reason="Part of your record is in our archive.",
        told_on=date(2026, 11, 23),
        how="by mail",
        office=an_office(),
        **now(officer),
    )
    assert request.due_on == date(2026, 12, 20)
    assert [event.verb for event in request.events.all()][-3:] == [Verb.EXTENDED, Verb.LETTER_MADE, Verb.LETTER_SENT]
    assert request.letter_sent_on is None
    said = words_of(letter.document)
    for words in (
        "November 23, 2026",
        "We need more time to answer you.",
        "Part of your record is in our archive.",
        "You get our answer by Sunday, December 20, 2026.",
        "it would have been December 2, 2026",
        "Our telephone number is (518) 555-0142.",
        "made Nov 24, 2026",
    ):
        assert words in said, words


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"until": date(2027, 1, 2)}, "until"),
        ({"until": date(2026, 12, 2)}, "until"),
        ({"reason": " "}, "reason"),
        ({"told_on": date(2026, 11, 25)}, "told_on"),
    ],
)
def test_an_extension_that_the_law_refuses_leaves_no_letter_behind(officer, change, field):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    facts = {"until": date(2026, 12, 20), "reason": "Archive", "told_on": ON, "how": "by mail"} | change
    with pytest.raises(NotAllowedNow) as refusal:
        answers.extend_with_letter(request, **facts, office=an_office(), **now(officer))
    assert refusal.value.field == field
    assert (Letter.objects.count(), request.extended_to) == (0, None)


def test_a_withdrawal_is_confirmed_without_the_staffs_note(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    letter = answers.withdraw_with_letter(request, reason="She shouted that we keep it", office=an_office(), **now(officer))
    said = words_of(letter.document)
    assert "You told us that you take your request back. We have closed it." in said
    assert "shouted" not in said
    assert request.closed_on == ON


def test_a_letter_stays_as_it_was_made_when_the_office_changes(officer):
    request = verified("restriction", officer)
    letter = answers.decide_with_letter(request, "granted", ground="", text="", office=an_office(), **now(officer))
    an_office(name="Another Name")
    assert "Lark Street Mesotherapy" in words_of(Letter.objects.defer(None).get(pk=letter.pk).document)


# --- sending it ------------------------------------------------------------------------------------------------------


def test_sending_a_denial_closes_the_request_and_is_recorded_once(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    letter = answers.decide_with_letter(request, "denied", ground="U1", text=WHY, office=an_office(), **now(officer))
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    request.refresh_from_db()
    assert (request.letter_sent_on, request.closed_on) == (ON, ON)
    with pytest.raises(NotAllowedNow, match=r"It was sent on Nov 24, 2026\."):
        answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    assert request.events.filter(verb=Verb.LETTER_SENT).count() == 1


# --- to whom ---------------------------------------------------------------------------------------------------------


def test_a_patient_is_written_to_at_the_address_of_the_chart():
    patient = PatientFactory()
    request = RequestFactory(patient=patient, asker_address="1 Somewhere Else\nTroy, NY")
    assert letters.addressee(request, ON) == [patient.name, "12 Elm Street", "Albany, NY 12207"]


def test_a_patient_who_wishes_it_is_written_to_where_they_wish():
    patient = PatientFactory()
    ContactPreferenceFactory(patient=patient)
    assert letters.addressee(RequestFactory(patient=patient), ON) == [patient.name, "PO Box 12", "Albany, NY 12201"]


def test_whose_chart_is_not_found_is_written_to_where_they_said():
    request = RequestFactory(patient=None, asker_name="Maria Alvarez", asker_address="9 Oak Street\nTroy, NY 12180")
    assert letters.addressee(request, ON) == ["Maria Alvarez", "9 Oak Street", "Troy, NY 12180"]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"asker_email": "m@example.org", "asker_phone": "555-010-1111"}, "By e-mail: m@example.org"),
        ({"asker_phone": "555-010-1111"}, "By telephone: 555-010-1111"),
    ],
)
def test_without_an_address_the_letter_says_how_to_reach_them(given, line):
    assert letters.addressee(RequestFactory(patient=None, asker_name="Maria", **given), ON) == ["Maria", line]


def test_who_gave_nothing_gets_the_letter_handed_over():
    assert letters.addressee(RequestFactory(patient=None, asker_name="Maria"), ON) == ["Maria"]


def test_a_representative_is_written_to_at_their_own_address_and_never_at_the_patients():
    patient = PatientFactory()
    request = RequestFactory(patient=patient, on_behalf="Rosa Alvarez, mother", asker_address="4 Hill Road\nTroy, NY 12180")
    assert letters.addressee(request, ON) == ["Rosa Alvarez", f"for {patient.name}", "4 Hill Road", "Troy, NY 12180"]
    unknown = RequestFactory(patient=patient, on_behalf="Rosa Alvarez, mother")
    assert "12 Elm Street" not in letters.addressee(unknown, ON)


@pytest.mark.parametrize(
    ("details", "lines"),
    [
        (DETAILS["confidential_communication"], ["PO Box 12", "Albany, NY 12201"]),
        ({"means": "phone", "where": "555-010-9999"}, ["By telephone: 555-010-9999"]),
        ({"means": "email", "where": "m@example.org"}, ["By e-mail: m@example.org"]),
    ],
)
def test_who_asks_to_be_reached_another_way_is_answered_that_way_and_not_at_home(details, lines):
    patient = PatientFactory()
    request = RequestFactory(kind=Kind.CONFIDENTIAL_COMMUNICATION, patient=patient, details=details)
    assert letters.addressee(request, ON) == [patient.name, *lines]


def test_the_chart_number_stands_only_in_a_letter_to_somebody_whose_identity_was_checked(officer):
    request = RequestFactory(patient=PatientFactory(chart_number="10023"), received_on=RECEIVED, on=RECEIVED)
    assert "10023" not in words_of_draft(draft_of(request, Outcome.DENIED, officer, "U1"))
    request.verify_identity("photo ID seen", **now(officer))
    assert "chart 10023" in words_of_draft(draft_of(request, Outcome.DENIED, officer, "U1"))


def test_what_is_typed_stands_in_a_letter_as_text_and_not_as_markup(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    letter = answers.decide_with_letter(
        request, "denied", ground="U1", text="It says <b>5 < 6</b> & {{ office }}", office=an_office(), **now(officer)
    )
    assert "It says <b>5 < 6</b> & {{ office }}" in words_of(letter.document)
