"""The review of a denial: who may review, every step from every state, and what an overturned denial opens."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from meso.append_only import AppendOnlyError
from meso.models import Office
from meso.roles import Role
from requests_app import answers, carrying_out, copies, package, reviews
from requests_app.deadlines import NotAllowedNow
from requests_app.grounds import GROUNDS
from requests_app.kinds import Delivery, Outcome
from requests_app.letters import LetterIncomplete
from requests_app.models import DenialReview, Letter, ReviewGiven, ReviewOutcome
from requests_app.models.timeline import Verb
from tests.factories import EntryFactory, UserFactory
from tests.requests_app.answering import a_doctor, an_office, now, priced, verified, words_of

pytestmark = [pytest.mark.django_db]
RECEIVED, DENIED, ASKED, TODAY = date(2026, 3, 5), date(2026, 3, 20), date(2026, 3, 25), date(2026, 3, 30)
WHY = "A licensed professional has judged this."


@pytest.fixture(autouse=True)
def _office():
    with time_machine.travel(datetime(2026, 3, 30, 15, 0, tzinfo=UTC), tick=False):
        yield an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


@pytest.fixture
def dr_a(db):
    return a_doctor(first_name="Ada", last_name="Vance", licence_number="NY 204417")


@pytest.fixture
def dr_b(db):
    return a_doctor(first_name="Ben", last_name="Okafor", licence_number="NY 311902")


def denied(officer, dr_a, outcome=Outcome.DENIED, ground="R1", sent=True):
    """law.md §2: a request of 2026-03-05, denied on R1 by Dr A on 03-20."""
    request = verified("access", officer, RECEIVED, received_on=RECEIVED)
    EntryFactory(patient=request.patient, service_on=date(2026, 1, 5))
    judge = dr_a if ground.startswith("R") else None
    facts = {"ground": ground, "text": WHY, "judged_by": judge, "office": Office.current()}
    letter = answers.decide_with_letter(request, outcome, **facts, **now(officer, DENIED))
    if sent:
        answers.send_letter(letter, sent_on=DENIED, how="by mail", **now(officer, DENIED))
    request.refresh_from_db()
    return request


def asked(request, officer, day=ASKED) -> DenialReview:
    return reviews.ask(request, asked_on=day, **now(officer, TODAY))


def decided(review, officer, dr_b, result="overturned") -> ReviewOutcome:
    reviews.refer(review, reviewer=dr_b, referred_on=ASKED, **now(officer, TODAY))
    facts = {"reasons": "Nothing in it endangers anybody.", "decided_on": TODAY, "office": Office.current()}
    return reviews.decide(review, result, **facts, **now(officer, TODAY))


def path(request, rest: str = "") -> str:
    return f"/requests/{request.number}/{rest}"


# --- where a review is due -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ground", [ground.code for ground in GROUNDS["access"]])
@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.GRANTED_IN_PART])
def test_a_review_is_due_on_the_reviewable_grounds_and_no_other(officer, dr_a, ground, outcome):
    request = denied(officer, dr_a, outcome, ground)
    if ground.startswith("R"):
        assert asked(request, officer).denial == request.letters.get()
    else:
        with pytest.raises(NotAllowedNow, match="not one that can be reviewed"):
            asked(request, officer)


@pytest.mark.parametrize("day", [DENIED - timedelta(days=1), TODAY + timedelta(days=1)])
def test_it_is_asked_for_between_the_denial_and_today(officer, dr_a, day):
    with pytest.raises(NotAllowedNow, match="between the decision and today"):
        asked(denied(officer, dr_a), officer, day)


# --- who reviews -----------------------------------------------------------------------------------------------------


def test_dr_a_who_judged_is_refused_and_dr_b_accepted(officer, dr_a, dr_b):
    """law.md §2: asked 2026-03-25: Dr A refused as reviewer; Dr B accepted."""
    review = asked(denied(officer, dr_a), officer)
    with pytest.raises(NotAllowedNow, match="Ada Vance, MD took part in the denial") as refusal:
        reviews.refer(review, reviewer=dr_a, referred_on=ASKED, **now(officer, TODAY))
    assert refusal.value.field == "reviewer"
    referral = reviews.refer(review, reviewer=dr_b, referred_on=ASKED, **now(officer, TODAY))
    assert (referral.name, referral.licence) == ("Ben Okafor, MD", "NY 311902")


@pytest.mark.parametrize(
    ("name", "licence", "refused"),
    [
        ("Ada Vance", "NY 999999", "took part"),
        ("ada vance, MD", "", "licensed"),
        ("A. V.", "ny-204417", "took part"),
        ("Nora Lindqvist, RN", "NY 1", "took part"),
        ("Carla Diaz, MD", " ", "licensed"),
        ("", "NJ 55", "licensed"),
        ("Carla Diaz, MD", "NJ 55", ""),
    ],
)
def test_somebody_from_outside_is_named_with_a_licence_and_took_no_part(officer, dr_a, name, licence, refused):
    review = asked(denied(officer, dr_a), officer)
    facts = {"name": name, "licence": licence, "referred_on": ASKED}
    if refused:
        with pytest.raises(NotAllowedNow, match=refused):
            reviews.refer(review, **facts, **now(officer, TODAY))
    else:
        assert reviews.refer(review, **facts, **now(officer, TODAY)).reviewer is None


def test_staff_without_a_licence_can_not_review(officer, dr_a):
    review = asked(denied(officer, dr_a), officer)
    with pytest.raises(NotAllowedNow, match="licensed"):
        reviews.refer(review, reviewer=UserFactory(role="physician"), referred_on=ASKED, **now(officer, TODAY))


# --- every step from every state -------------------------------------------------------------------------------------


def acts(request, officer, dr_b) -> dict[str, Callable[[], Any]]:
    def review() -> DenialReview:
        found = request.reviews.first()
        if found is None:
            raise NotAllowedNow("No review has been asked for.")
        return found

    def give() -> Any:
        return carrying_out.looked_at(request, seen_on=TODAY, **now(officer, TODAY))

    facts = {"reasons": "Looked at again.", "decided_on": TODAY, "office": Office.current()}
    return {
        "ask": lambda: asked(request, officer),
        "refer": lambda: reviews.refer(review(), reviewer=dr_b, referred_on=ASKED, **now(officer, TODAY)),
        "uphold": lambda: reviews.decide(review(), "upheld", **facts, **now(officer, TODAY)),
        "overturn": lambda: reviews.decide(review(), "overturned", **facts, **now(officer, TODAY)),
        "give": give,
    }


STATES: dict[str, tuple[list[str], set[str]]] = {
    "denied": ([], {"ask"}),
    "asked": (["ask"], {"refer"}),
    "referred": (["ask", "refer"], {"refer", "uphold", "overturn"}),
    "referred again": (["ask", "refer", "refer"], {"refer", "uphold", "overturn"}),
    "upheld": (["ask", "refer", "uphold"], set()),
    "overturned": (["ask", "refer", "overturn"], {"give"}),
    "given": (["ask", "refer", "overturn", "give"], set()),
}


@pytest.mark.parametrize("act", ["ask", "refer", "uphold", "overturn", "give"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("sent", [True, False])
def test_each_step_from_each_state_works_or_is_refused_with_a_reason(officer, dr_a, dr_b, state, act, sent):
    way, allowed = STATES[state]
    request = denied(officer, dr_a, sent=sent)
    doing = acts(request, officer, dr_b)
    for step in way:
        doing[step]()
    before = (request.events.count(), request.closed_on, request.due_on, request.outcome)
    if act in allowed:
        doing[act]()
        assert request.events.count() > before[0]
    else:
        with pytest.raises(NotAllowedNow) as refusal:
            doing[act]()
        assert len(str(refusal.value)) > 10
        assert request.events.count() == before[0]
    request.refresh_from_db()
    assert (request.closed_on, request.due_on, request.outcome) == before[1:], "a review leaves the answer and its clock alone"


# --- what comes of it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "there", "not_there"),
    [
        ("upheld", ["the decision stands", "You may complain to us", "Office for Civil Rights"], ["How you get it"]),
        ("overturned", ["you can have it", "How you get it"], ["complain"]),
    ],
)
def test_the_letter_says_what_was_decided_and_by_whom(officer, dr_a, dr_b, result, there, not_there):
    request = denied(officer, dr_a)
    outcome = decided(asked(request, officer), officer, dr_b, result)
    said = words_of(Letter.objects.defer(None).get(pk=outcome.letter_id).document)
    for words in [*there, "Ben Okafor, MD had no part in the first decision.", "Nothing in it endangers anybody."]:
        assert words in said, words
    assert [words for words in not_there if words in said] == []
    assert request.events.get(verb=Verb.REVIEWED).sentence.startswith("Ben Okafor, MD reviewed the denial on Mar 30, 2026:")


def test_an_upheld_denial_is_not_told_without_where_to_complain(officer, dr_a, dr_b):
    review = asked(denied(officer, dr_a), officer)
    an_office(officer_phone="")
    with pytest.raises(LetterIncomplete, match="telephone"):
        decided(review, officer, dr_b, "upheld")
    assert not ReviewOutcome.objects.exists()


def test_what_was_withheld_is_copied_and_given_on_the_same_request_and_ends_it(officer, dr_a, dr_b):
    request = denied(officer, dr_a)
    closed = request.closed_on
    decided(asked(request, officer), officer, dr_b)
    entries = tuple(request.patient.entries.with_marks())
    order = copies.Order(entries, (), Delivery.PICK_UP, 0, 0)
    shown = copies.quote(request.patient, order, by=officer, on=TODAY, office=Office.current())
    priced(request, officer, TODAY)
    bill = copies.make(request, order, seen=shown.seen, office=Office.current(), **now(officer, TODAY))
    with pytest.raises(NotAllowedNow):
        carrying_out.give_copies(bill, given_on=TODAY - timedelta(days=1), how="by mail", **now(officer, TODAY))
    carrying_out.give_copies(bill, given_on=TODAY, how="by mail", **now(officer, TODAY))
    assert ReviewGiven.objects.get().given_on == TODAY
    request.refresh_from_db()
    assert (request.closed_on, request.outcome) == (closed, "denied")
    with pytest.raises(NotAllowedNow, match="closed"):
        carrying_out.looked_at(request, seen_on=TODAY, **now(officer, TODAY))


def test_words_that_were_blacked_out_are_open_once_the_denial_is_overturned(officer, dr_a, dr_b):
    request = verified("access", officer, RECEIVED, received_on=RECEIVED)
    entry = EntryFactory(patient=request.patient, service_on=date(2026, 1, 5))
    hold = {"passage": "No known allergies.", "ground": "R1", "judged_by": dr_a}
    package.withhold(request, entry, **hold, **now(officer, DENIED))
    facts = {"ground": "R1", "text": WHY, "judged_by": dr_a, "office": Office.current()}
    letter = answers.decide_with_letter(request, "granted_in_part", **facts, **now(officer, DENIED))
    answers.send_letter(letter, sent_on=DENIED, how="by mail", **now(officer, DENIED))
    decided(asked(request, officer), officer, dr_b)
    assert list(request.withheld.in_force()) == []


def test_nothing_of_a_review_can_be_changed(officer, dr_a, dr_b):
    outcome = decided(asked(denied(officer, dr_a), officer), officer, dr_b)
    for row in (outcome, outcome.referral, outcome.review):
        with pytest.raises(AppendOnlyError):
            row.delete()


# --- the pages -------------------------------------------------------------------------------------------------------


def test_from_asking_to_giving_on_the_pages(client, signed_in, officer, dr_a, dr_b):
    request = denied(officer, dr_a)
    signed_in("front_desk")
    assert "may have this denial reviewed" in client.get(path(request)).text
    assert client.post(path(request, "review/"), {"asked_on": "2026-03-25"}).status_code == 302
    client.force_login(officer)
    assert "name the reviewer promptly" in client.get("/").text
    review = DenialReview.objects.get()
    refer = path(request, f"review/{review.pk}/refer/")
    wrong = client.post(refer, {"reviewer": dr_a.pk, "referred_on": "2026-03-26"})
    assert "took part in the denial" in str(wrong.context["form"].errors["reviewer"])
    assert list(client.post(refer, {"referred_on": "2026-03-26"}).context["form"].errors) == ["name", "licence"]
    assert client.post(refer, {"reviewer": dr_b.pk, "referred_on": "2026-03-26"}).status_code == 302
    assert "with Ben Okafor, MD since Mar 26, 2026" in client.get("/").text
    sent = {"result": "overturned", "reasons": "Nothing in it endangers anybody.", "decided_on": "2026-03-30"}
    assert client.post(path(request, f"review/{review.pk}/decide/"), sent).status_code == 302
    assert "give what the review has opened" in client.get("/").text
    assert "Access is owed" in client.get(path(request)).text
    carrying_out.looked_at(request, seen_on=TODAY, **now(officer, TODAY))
    page = client.get(path(request)).text
    assert "Access given Mar 30, 2026" in page
    assert "give what the review has opened" not in client.get("/").text


@pytest.mark.parametrize("role", Role.values)
def test_the_clinic_takes_it_in_and_the_officer_carries_it_through(client, signed_in, officer, dr_a, role):
    request = denied(officer, dr_a)
    review = asked(request, officer)
    signed_in(role)
    clinic = {"front_desk", "physician", "privacy_officer"}
    for rest, allowed in (
        ("review/", clinic),
        (f"review/{review.pk}/refer/", {"privacy_officer"}),
        (f"review/{review.pk}/decide/", {"privacy_officer"}),
    ):
        assert (client.get(path(request, rest)).status_code == 200) == (role in allowed), rest


def test_no_page_offers_a_review_where_none_is_due(client, signed_in, officer, dr_a):
    signed_in("privacy_officer")
    request = denied(officer, dr_a, ground="U1")
    assert "Review of the denial" not in client.get(path(request)).text
    assert client.get(path(request, "review/"))["Location"] == path(request)


def test_the_page_costs_the_same_however_often_it_is_referred(client, signed_in, officer, dr_a, dr_b, queries_for):
    signed_in("privacy_officer")
    review = asked(denied(officer, dr_a), officer)
    reviews.refer(review, reviewer=dr_b, referred_on=ASKED, **now(officer, TODAY))
    queries_for("/")  # the count of unusual looks is kept for five minutes
    few, first = len(queries_for(path(review.request))), len(queries_for("/"))
    for _again in range(3):
        reviews.refer(review, reviewer=dr_b, referred_on=ASKED, **now(officer, TODAY))
        asked(denied(officer, dr_a), officer)
    assert len(queries_for(path(review.request))) == few
    assert len(queries_for("/")) == first


def test_the_clock_is_the_same_for_a_review(officer, dr_a):
    request = denied(officer, dr_a)
    assert (request.due_on, request.closed_on) == (date(2026, 4, 4), DENIED)
