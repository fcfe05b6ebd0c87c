"""What may be done to a request, from every state it can be in; and that nothing but two acts moves its clock."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.forms.models import model_to_dict
from hypothesis import given, settings
from hypothesis import strategies as st

from requests_app import grounds
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind, Outcome, Step
from requests_app.models import Letter, PatientRequest
from requests_app.models.selection import parse_number
from requests_app.models.timeline import SENTENCES, Verb
from tests.factories import PatientFactory, RequestFactory, UserFactory

RECEIVED = date(2026, 11, 2)
DUE = date(2026, 12, 2)
ON = date(2026, 11, 10)
AT = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)
TOLD = {"reason": "The records are in storage", "until": date(2026, 12, 20), "told_on": ON}


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


@pytest.fixture
def others(officer):
    """The other things that acts speak of: charts and a colleague."""
    return {"chart": PatientFactory(), "other chart": PatientFactory(), "colleague": UserFactory()}


def a_letter(request: PatientRequest, by: Any, kind: str = Letter.Kind.DECISION, on: date = ON) -> Letter:
    return Letter.objects.create(
        request=request, kind=kind, addressed_to="Maria", document=b"%PDF-1.7", made_on=on, made_at=AT, made_by=by
    )


def acts_on(request: PatientRequest, by: Any, others: dict) -> dict[str, Callable[[], Any]]:
    """Every act, by name, ready to be done on ON."""
    now = {"by": by, "at": AT, "on": ON}
    no = {"ground": (grounds.GROUNDS[request.kind] or [grounds.GROUNDS["access"][0]])[0].code, "text": "Because of the rule"}
    return {
        "match": lambda: request.match(others["chart"], **now),
        "match another": lambda: request.match(others["other chart"], **now),
        "verify": lambda: request.verify_identity("photo ID seen", **now),
        "assign": lambda: request.assign(others["colleague"], **now),
        "correct receipt": lambda: request.correct_receipt(
            request.received_on - timedelta(days=1), reason="It lay in the box", **now
        ),
        "extend": lambda: request.extend(**TOLD, **now),
        "grant": lambda: request.decide(Outcome.GRANTED, **now),
        "grant in part": lambda: request.decide(Outcome.GRANTED_IN_PART, **no, **now),
        "deny": lambda: request.decide(Outcome.DENIED, **no, **now),
        "withdraw": lambda: request.withdraw(reason="The patient called", **now),
        "carry out": lambda: request.carried_out(Verb.COPIES_GIVEN, ON, given_on=ON, how="mail", **now),
        "send": lambda: request.letter_sent(a_letter(request, by), sent_on=ON, how="mail", **now),
        "note": lambda: request.add_note("Called, no answer", **now),
        "reopen": lambda: request.reopen(reason="A page was forgotten", **now),
    }


OPEN = {"note", "assign", "correct receipt", "extend"}
DECIDED = OPEN | {"send"}
CLOSED = {"note", "send", "reopen"}
# state -> (the acts that lead there, the acts allowed there) for a kind that needs a letter
STATES: dict[str, tuple[list[str], set[str]]] = {
    "new": ([], OPEN | {"match", "match another", "deny", "withdraw"}),
    "matched": (["match"], OPEN | {"match another", "verify", "deny", "withdraw"}),
    "verified": (["match", "verify"], OPEN | {"match another", "grant", "grant in part", "deny", "withdraw"}),
    "granted": (["match", "verify", "grant"], DECIDED | {"carry out", "withdraw"}),
    "granted in part": (["match", "verify", "grant in part"], DECIDED | {"carry out", "withdraw"}),
    "carried out": (["match", "verify", "grant", "carry out"], DECIDED | {"carry out"}),
    "told": (["match", "verify", "grant", "send"], DECIDED | {"carry out"}),
    "denied unseen": (["deny"], DECIDED | {"match", "match another"}),
    "denied": (["match", "verify", "deny"], DECIDED),
    "closed, granted": (["match", "verify", "grant", "carry out", "send"], CLOSED),
    "closed, in part": (["match", "verify", "grant in part", "send", "carry out"], CLOSED),
    "closed, denied": (["deny", "send"], CLOSED | {"match", "match another"}),
    "withdrawn": (["withdraw"], CLOSED),
    "reopened, unseen": (["deny", "send", "reopen"], OPEN | {"match", "match another", "deny", "withdraw"}),
    "reopened, verified": (
        ["match", "verify", "grant", "carry out", "send", "reopen"],
        OPEN | {"match another", "grant", "grant in part", "deny", "withdraw"},
    ),
    "reopened, granted": (["match", "verify", "withdraw", "reopen", "grant"], DECIDED | {"carry out", "withdraw"}),
    "closed again": (["deny", "send", "reopen", "deny", "send"], CLOSED | {"match", "match another"}),
    "reopened again": (
        ["deny", "send", "reopen", "deny", "send", "reopen"],
        OPEN | {"match", "match another", "deny", "withdraw"},
    ),
}
ALL_ACTS = sorted({act for _, allowed in STATES.values() for act in allowed} | {"grant", "grant in part", "carry out"})


@pytest.mark.parametrize("act", ALL_ACTS)
@pytest.mark.parametrize("state", STATES)
def test_each_act_from_each_state_works_or_is_refused_with_a_reason(officer, others, state, act):
    way, allowed = STATES[state]
    request = RequestFactory(kind="amendment", patient=None, received_on=RECEIVED, on=ON)
    acts = acts_on(request, officer, others)
    for step in way:
        acts[step]()
    before, events = model_to_dict(request), request.events.count()
    if act in allowed:
        acts[act]()
        assert request.events.count() > events
    else:
        with pytest.raises(NotAllowedNow) as refusal:
            acts[act]()
        assert len(str(refusal.value)) > 10
        assert model_to_dict(PatientRequest.objects.get(pk=request.pk)) == before
        assert request.events.count() == events


def signature(request: PatientRequest) -> tuple:
    return (
        request.patient_id is not None, request.identity_checked_on is not None, request.outcome, request.extended,
        request.carried_out_on is not None, request.letter_sent_on is not None, request.is_open, request.received_on == RECEIVED,
    )  # fmt: skip


def check_invariants(request: PatientRequest) -> None:
    """What must hold in any state that acts can lead to."""
    fresh = PatientRequest.objects.get(pk=request.pk)
    assert fresh.due_on == (fresh.extended_to or fresh.first_due_on)
    assert fresh.is_open == bool(fresh.steps_left())
    for step in Step:
        is_next = fresh.steps_left()[:1] == [step]
        assert PatientRequest.objects.at_step(step).filter(pk=fresh.pk).exists() == is_next
    if fresh.outcome in (Outcome.GRANTED, Outcome.GRANTED_IN_PART) or fresh.carried_out_on:
        assert fresh.patient_id
        assert fresh.identity_checked_on
    if fresh.closed_on:
        assert fresh.outcome
        assert fresh.events.filter(verb=Verb.CLOSED).count() == 1 + fresh.events.filter(verb=Verb.REOPENED).count()
        if fresh.outcome != Outcome.WITHDRAWN:
            assert fresh.letter_sent_on or fresh.kind in ("access", "accounting")
            assert fresh.carried_out_on or fresh.outcome == Outcome.DENIED


class _Undo(Exception):
    pass


def walk(request: PatientRequest, by: Any, others: dict, seen: set) -> None:
    """Do every act from this state, undo it, and go on from each state not seen before."""
    for name in acts_on(request, by, others):
        try:
            with transaction.atomic():
                mine = PatientRequest.objects.get(pk=request.pk)
                due = mine.due_on
                try:
                    acts_on(mine, by, others)[name]()
                except NotAllowedNow as refusal:
                    raise _Undo from refusal
                mine.refresh_from_db()
                assert mine.due_on == due or name in ("extend", "correct receipt")
                check_invariants(mine)
                if signature(mine) not in seen:
                    seen.add(signature(mine))
                    walk(mine, by, others, seen)
                raise _Undo
        except _Undo:
            continue


@pytest.mark.parametrize("kind", Kind.values)
def test_in_every_state_that_acts_can_lead_to_the_rules_of_the_clock_hold(officer, others, kind):
    request = RequestFactory(kind=kind, patient=None, received_on=RECEIVED, on=ON)
    seen = {signature(request)}
    check_invariants(request)
    walk(request, officer, others, seen)
    assert len(seen) > 30


def test_approving_does_not_stop_the_clock_and_giving_the_copies_does(officer, others):
    request = RequestFactory(received_on=date(2026, 1, 31), on=date(2026, 1, 31))  # due 2026-03-02
    now = {"by": officer, "at": AT}
    request.verify_identity("photo ID seen", on=date(2026, 2, 1), **now)
    request.decide(Outcome.GRANTED, on=date(2026, 3, 1), **now)
    assert request.is_open
    request.carried_out(Verb.COPIES_GIVEN, date(2026, 3, 3), on=date(2026, 3, 3), given_on="2026-03-03", how="mail", **now)
    assert request.closed_on == date(2026, 3, 3)
    verbs = list(request.events.values_list("verb", flat=True))
    assert verbs[-2:] == [Verb.OVERDUE, Verb.CLOSED] or Verb.OVERDUE in verbs[-3:]
    assert request.events.get(verb=Verb.CLOSED).sentence == "Closed: Granted. 1 day late."


def test_a_partial_grant_needs_the_copies_and_the_letter_by_the_same_day(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    now = {"by": officer, "at": AT, "on": DUE}
    request.verify_identity("photo ID seen", **now)
    request.decide(Outcome.GRANTED_IN_PART, ground="U1", text="Two pages are psychotherapy notes", **now)
    request.carried_out(Verb.COPIES_GIVEN, DUE, given_on=DUE, how="mail", **now)
    assert request.steps_left() == [Step.SEND]
    assert list(PatientRequest.objects.overdue(DUE)) == []
    assert list(PatientRequest.objects.overdue(DUE + timedelta(days=1))) == [request]
    request.letter_sent(a_letter(request, officer, on=DUE), sent_on=DUE, how="mail", **now)
    assert request.closed_on == DUE
    assert request.events.get(verb=Verb.CLOSED).sentence == "Closed: Granted in part. On time."


@pytest.mark.parametrize("kind", ["amendment", "restriction", "confidential_communication"])
def test_a_grant_of_these_kinds_is_told_in_a_letter_before_the_clock_stops(officer, kind):
    request = RequestFactory(kind=kind, received_on=RECEIVED, on=RECEIVED)
    now = {"by": officer, "at": AT, "on": ON}
    assert Step.SEND in request.steps_left()
    request.verify_identity("photo ID seen", **now)
    request.decide(Outcome.GRANTED, **now)
    request.carried_out(Verb.AMENDED, ON, what="addendum", **now)
    assert request.steps_left() == [Step.SEND]


def test_an_accounting_can_not_be_denied(officer):
    request = RequestFactory(kind="accounting", received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow, match="grounds that the law knows"):
        request.decide(Outcome.DENIED, ground="U1", text="No", by=officer, at=AT, on=ON)


@pytest.mark.parametrize("kind", Kind.values)
def test_a_denial_takes_only_a_ground_of_its_kind_and_needs_its_reason(officer, kind):
    request = RequestFactory(kind=kind, received_on=RECEIVED, on=RECEIVED)
    own = {ground.code for ground in grounds.GROUNDS[kind]}
    for code in {ground.code for known in grounds.GROUNDS.values() for ground in known} - own | {"", "X9"}:
        with pytest.raises(NotAllowedNow) as refusal:
            request.decide(Outcome.DENIED, ground=code, text="No", by=officer, at=AT, on=ON)
        assert refusal.value.field == "ground"
    for code in own:
        with pytest.raises(NotAllowedNow) as refusal:
            request.decide(Outcome.DENIED, ground=code, text=" ", by=officer, at=AT, on=ON)
        assert refusal.value.field == "text"


@pytest.mark.parametrize("outcome", ["withdrawn", "", "perhaps"])
def test_a_decision_is_one_of_the_three_answers(officer, outcome):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow):
        request.decide(outcome, ground="U1", text="No", by=officer, at=AT, on=ON)


# --- letters -----------------------------------------------------------------------------------------------------


def test_a_letter_made_when_all_is_over_can_still_be_marked_sent(officer):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    now = {"by": officer, "at": AT, "on": ON}
    request.withdraw(reason="Called", **now)
    request.letter_sent(a_letter(request, officer, Letter.Kind.WITHDRAWAL), sent_on=ON, how="mail", **now)
    assert request.letter_sent_on is None
    assert request.events.last().verb == Verb.LETTER_SENT


@pytest.mark.parametrize("sent_on", [ON - timedelta(days=1), ON + timedelta(days=1)])
def test_a_letter_is_sent_between_the_day_it_was_made_and_today(officer, sent_on):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow):
        request.letter_sent(
            a_letter(request, officer, Letter.Kind.EXTENSION), sent_on=sent_on, how="mail", by=officer, at=AT, on=ON
        )


def test_another_requests_letter_does_not_stop_this_clock(officer):
    request, other = RequestFactory(received_on=RECEIVED, on=RECEIVED), RequestFactory(received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow, match="another request"):
        request.letter_sent(a_letter(other, officer), sent_on=ON, how="mail", by=officer, at=AT, on=ON)


# --- the chart and identity --------------------------------------------------------------------------------------


def test_another_chart_means_that_identity_is_checked_anew(officer, others):
    request = RequestFactory(received_on=RECEIVED, on=RECEIVED)
    now = {"by": officer, "at": AT, "on": ON}
    request.verify_identity("photo ID seen", **now)
    request.match(others["chart"], **now)
    assert (request.identity_checked_on, request.identity_how) == (None, "")
    assert request.steps_left()[0] == Step.VERIFY


def test_nothing_is_carried_out_before_chart_identity_and_grant(officer):
    request = RequestFactory(patient=None, received_on=RECEIVED, on=RECEIVED)
    with pytest.raises(NotAllowedNow, match="Nothing is released"):
        request.carried_out(Verb.COPIES_GIVEN, ON, given_on=ON, how="mail", by=officer, at=AT, on=ON)


# --- taking in ---------------------------------------------------------------------------------------------------


def test_a_request_is_not_received_in_the_future(officer):
    with pytest.raises(NotAllowedNow) as refusal:
        RequestFactory(received_on=ON + timedelta(days=1), on=ON)
    assert refusal.value.field == "received_on"


def test_the_same_form_sent_twice_takes_one_request(officer):
    one = RequestFactory(once="a1b2", patient=None)
    assert RequestFactory(once="a1b2", patient=None).pk == one.pk
    assert PatientRequest.objects.count() == 1
    assert one.events.count() == 1


def test_requests_without_a_token_are_each_their_own(officer):
    assert RequestFactory(patient=None).pk != RequestFactory(patient=None).pk


@pytest.mark.parametrize("days", [0, 31])
def test_the_database_refuses_a_promise_outside_one_to_thirty_days(officer, days):
    request = RequestFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        PatientRequest.objects.filter(pk=request.pk).update(promised_days=days)


def test_the_database_refuses_a_due_date_on_the_day_of_receipt(officer):
    request = RequestFactory()
    with pytest.raises(IntegrityError), transaction.atomic():
        PatientRequest.objects.filter(pk=request.pk).update(due_on=request.received_on)


@pytest.mark.parametrize("text", ["R-1001", "r-1001", "R1001", "1001", " R-1001 "])
def test_a_number_is_read_however_it_is_typed(text):
    assert parse_number(text) == 1


@pytest.mark.parametrize("text", ["", "R-", "R-1000", "R-12", "one", "R-1001x", "\u0661001", "R-" + "9" * 13, "-1001-"])
def test_text_that_is_no_number_finds_nothing(db, text):
    assert parse_number(text) is None
    assert not PatientRequest.objects.by_number(text).exists()


@given(pk=st.integers(1, 10**11))
@settings(max_examples=50)
def test_a_number_leads_back_to_its_request(pk):
    assert parse_number(PatientRequest(pk=pk).number) == pk


def test_every_verb_has_a_sentence():
    assert set(SENTENCES) == set(Verb)
    told = [str(sentence % defaultdict(int, timeliness="On time.")) for sentence in SENTENCES.values()]
    assert all(sentence.endswith(".") for sentence in told)


def test_figures_count_the_open_ones_only(officer):
    for received in (date(2026, 10, 1), date(2026, 11, 2), date(2026, 11, 24)):
        RequestFactory(received_on=received, on=received, patient=None)
    RequestFactory(received_on=date(2026, 10, 1), on=date(2026, 10, 1)).withdraw(reason="", by=officer, at=AT, on=ON)
    figures = PatientRequest.objects.figures(date(2026, 11, 26))
    assert figures == {"open": 3, "overdue": 1, "due_soon": 1, "to_match": 3}
    assert [r.received_on for r in PatientRequest.objects.due_soon(date(2026, 11, 26))] == [date(2026, 11, 2)]
