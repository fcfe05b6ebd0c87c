"""Who may act for a patient: the days and the rules of 164.502(g), without a database."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records import representation
from records.representation import ASK_OFFICER, Basis, Paper, Scope

DAY = timedelta(days=1)
DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


class Rows(list):
    def all(self):
        return self


def somebody(**facts):
    """A representative with what decides whether they may act; by default a health care agent of a living adult."""
    patient = SimpleNamespace(date_of_birth=facts.pop("born", date(1984, 7, 2)), deceased_on=facts.pop("died", None))
    ended = facts.pop("ended", None)
    told = {"basis": "power", "scope": "health_care", "begins_on": date(2026, 1, 1), "expires_on": None, "refusals": Rows()}
    one = SimpleNamespace(patient=patient, **told | facts)
    if ended:
        one.ending = SimpleNamespace(ended_on=ended)
    return one


def refused_from(begin: date, end: date | None = None):
    return Rows([SimpleNamespace(binds=lambda on: begin <= on and (end is None or on < end))])


def may(one, on: date) -> bool:
    return representation.refusal(one, on) is None


@pytest.mark.parametrize(
    ("born", "adult"),
    [
        (date(2008, 11, 24), date(2026, 11, 24)),
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2008, 2, 28), date(2026, 2, 28)),
        (date(2009, 12, 31), date(2027, 12, 31)),
    ],
)
def test_a_parents_access_ends_on_the_18th_birthday(born, adult):
    assert representation.adulthood(born) == adult
    parent = somebody(basis="parent", born=born, begins_on=born)
    assert may(parent, adult - DAY)
    assert not may(parent, adult)
    assert "turned 18" in representation.refusal(parent, adult)
    assert may(somebody(basis="court", born=born, begins_on=born), adult)


@given(born=DAYS, on=DAYS)
def test_the_search_by_birth_date_finds_exactly_those_who_are_18(born, on):
    assert (born <= representation.born_by(on)) == (representation.adulthood(born) <= on)


@pytest.mark.parametrize(
    ("died", "through"),
    [(date(1976, 11, 24), date(2026, 11, 24)), (date(1976, 2, 29), date(2026, 3, 1)), (date(2000, 1, 1), date(2050, 1, 1))],
)
def test_the_record_is_protected_through_the_50th_anniversary_of_death(died, through):
    assert representation.protected_through(died) == through
    assert representation.is_protected(died, through)
    assert not representation.is_protected(died, through + DAY)
    assert representation.is_protected(None, through + DAY)


@pytest.mark.parametrize(
    ("facts", "on", "words"),
    [
        ({"scope": "finances"}, date(2026, 11, 24), "finances only"),
        ({"expires_on": date(2026, 6, 30)}, date(2026, 7, 1), "expired on Jun 30, 2026"),
        ({}, date(2025, 12, 31), "begins on Jan 1, 2026"),
        ({"ended": date(2026, 5, 1)}, date(2026, 5, 1), "ended on May 1, 2026"),
        ({"died": date(2026, 9, 1)}, date(2026, 9, 1), "The patient has died"),
        ({"basis": "court", "died": date(2026, 9, 1)}, date(2026, 9, 2), "The patient has died"),
        ({"basis": "estate"}, date(2026, 11, 24), "No death is recorded"),
        ({"refusals": refused_from(date(2026, 9, 1))}, date(2026, 9, 3), "Ask the privacy officer"),
    ],
)
def test_who_may_not_act_and_why(facts, on, words):
    assert words in representation.refusal(somebody(**facts), on)


@pytest.mark.parametrize(
    ("facts", "on"),
    [
        ({}, date(2026, 1, 1)),
        ({"expires_on": date(2026, 6, 30)}, date(2026, 6, 30)),
        ({"ended": date(2026, 5, 1)}, date(2026, 4, 30)),
        ({"scope": "limited"}, date(2026, 11, 24)),
        ({"died": date(2026, 9, 1)}, date(2026, 8, 31)),
        ({"basis": "estate", "died": date(2026, 9, 1), "begins_on": date(2026, 9, 10)}, date(2026, 11, 24)),
        ({"basis": "other_law", "died": date(2026, 9, 1)}, date(2026, 11, 24)),
        ({"refusals": refused_from(date(2026, 9, 1))}, date(2026, 8, 31)),
        ({"refusals": refused_from(date(2026, 9, 1), date(2026, 10, 1))}, date(2026, 10, 1)),
    ],
)
def test_who_may_act(facts, on):
    assert may(somebody(**facts), on)


@pytest.mark.parametrize("also", [{"expires_on": date(2026, 2, 1)}, {"ended": date(2026, 2, 1)}, {"scope": "finances"}])
def test_a_refusal_is_all_that_is_said_of_somebody_refused(also):
    one = somebody(refusals=refused_from(date(2026, 1, 1)), **also)
    assert representation.refusal(one, date(2026, 11, 24)) == str(ASK_OFFICER)


def test_the_words_of_a_refusal_hint_at_nothing():
    words = str(ASK_OFFICER).lower()
    assert not any(hint in words for hint in ("abuse", "harm", "danger", "violence", "neglect", "suspect", "refus"))


# --- what is put on file ----------------------------------------------------------------------------------------------


def found(basis: str, paper: str, scope: str = "health_care", **facts) -> set[str]:
    told = {"begins_on": date(2026, 11, 1), "expires_on": None, "born": date(1984, 7, 2), "died_on": None}
    return set(representation.problems(basis, paper, scope, **told | facts, on=date(2026, 11, 24)))


@pytest.mark.parametrize("basis", Basis.values)
@pytest.mark.parametrize("paper", Paper.values)
def test_each_basis_is_shown_by_its_own_papers(basis, paper):
    assert ("paper" in found(basis, paper)) == (paper not in representation.RULES[basis].papers)


@pytest.mark.parametrize(
    ("basis", "paper", "facts", "wrong"),
    [
        ("power", "finance_power", {}, {"scope"}),
        ("power", "finance_power", {"scope": "finances"}, set()),
        ("power", "health_care_power", {}, set()),
        ("power", "health_care_power", {"begins_on": date(2026, 11, 25)}, {"begins_on"}),
        ("power", "health_care_power", {"expires_on": date(2026, 10, 31)}, {"expires_on"}),
        ("power", "health_care_power", {"died_on": date(2026, 10, 1)}, {"basis"}),
        ("parent", "birth", {}, {"basis"}),
        ("parent", "birth", {"born": date(2008, 11, 25)}, set()),
        ("parent", "own_word", {"born": date(2012, 1, 1)}, set()),
        ("estate", "letters", {}, {"basis"}),
        ("estate", "letters", {"died_on": date(2026, 10, 1)}, set()),
        ("estate", "birth", {"died_on": date(2026, 10, 1)}, {"paper"}),
        ("other_law", "statute", {"died_on": date(2026, 10, 1)}, set()),
    ],
)
def test_what_is_wrong_with_an_authority_is_said_before_it_is_on_file(basis, paper, facts, wrong):
    scope = facts.pop("scope", Scope.HEALTH_CARE)
    assert found(basis, paper, scope, **facts) == wrong
