"""What a restriction forbids, from the dated examples of the specification (law.md §5)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosures.purposes import PURPOSES
from records.restriction_rules import Covers, Line, Outcome, Recipient, Terms, holds_for, verdict

D = date
VISIT, LAB = Line(1, D(2026, 5, 1), D(2026, 5, 1)), Line(2, D(2026, 5, 1), D(2026, 5, 1))
PAID = Terms(D(2026, 5, 1), mandatory=True, entries=frozenset({1}), service_on=D(2026, 5, 1))
AGREED = Terms(D(2026, 5, 1))
MAY_3 = D(2026, 5, 3)


def told(terms, lines, purpose, recipient="health_plan", on=MAY_3, **more) -> Outcome:
    return verdict(terms, lines, purpose=purpose, recipient=recipient, on=on, **more).outcome


@pytest.mark.parametrize(
    ("lines", "purpose", "recipient", "outcome"),
    [
        ([VISIT], "payment", "health_plan", "blocked"),  # paid $180 on May 1: the claim of May 3 is refused
        ([LAB], "payment", "health_plan", "free"),  # the same day's unpaid lab line may be claimed
        ([LAB, VISIT], "payment", "health_plan", "blocked"),
        ([VISIT], "operations", "health_plan", "blocked"),
        ([VISIT], "treatment", "provider", "free"),
        ([VISIT], "treatment", "health_plan", "free"),
        ([VISIT], "payment", "other", "free"),
        ([VISIT], "required_by_law", "health_plan", "banner"),
        ([VISIT], "subpoena", "other", "banner"),
        ([VISIT], "individual", "other", "free"),
        (None, "payment", "health_plan", "blocked"),  # nobody knows which entries the plan asks for
        ([], "payment", "health_plan", "free"),
    ],
)
def test_what_was_paid_in_full_is_kept_from_the_plan_line_by_line(lines, purpose, recipient, outcome):
    assert told(PAID, lines, purpose, recipient) == outcome


def test_without_entries_a_mandatory_one_takes_in_its_day():
    terms = Terms(D(2026, 5, 1), mandatory=True, service_on=D(2026, 5, 1))
    assert told(terms, [VISIT], "payment") == "blocked"
    assert told(terms, [Line(3, D(2026, 5, 2), D(2026, 5, 2))], "payment") == "free"


@pytest.mark.parametrize(
    ("terms", "purpose", "recipient", "outcome"),
    [
        (AGREED, "treatment", "provider", "blocked"),
        (AGREED, "involved_in_care", "involved", "blocked"),
        (AGREED, "family_emergency", "involved", "blocked"),
        (Terms(D(2026, 5, 1), covers=frozenset({"involved_in_care"})), "involved_in_care", "involved", "blocked"),
        (Terms(D(2026, 5, 1), covers=frozenset({"involved_in_care"})), "treatment", "provider", "free"),
        (Terms(D(2026, 5, 1), kept_from=frozenset({"involved"})), "treatment", "provider", "free"),
        (Terms(D(2026, 5, 1), kept_from=frozenset({"involved"})), "involved_in_care", "involved", "blocked"),
        (Terms(D(2026, 5, 4)), "treatment", "provider", "free"),  # not begun
        (Terms(D(2026, 5, 1), ended_on=D(2026, 5, 3)), "treatment", "provider", "free"),
        (Terms(D(2026, 5, 1), ended_on=D(2026, 5, 4)), "treatment", "provider", "blocked"),
    ],
)
def test_an_agreed_one_binds_for_what_it_covers(terms, purpose, recipient, outcome):
    assert told(terms, [VISIT], purpose, recipient) == outcome


BINDING = set(Covers.values)


@pytest.mark.parametrize("purpose", [code for code in PURPOSES if code not in BINDING | {"individual"}])
@pytest.mark.parametrize("terms", [AGREED, PAID])
def test_no_restriction_stops_what_512_hhs_and_the_patients_own_authorization_let_out(terms, purpose):
    """164.522(a)(1)(v): a banner, never a block. A subpoena with its assurance is allowed."""
    for recipient in Recipient.values:
        found = verdict(terms, [VISIT], purpose=purpose, recipient=recipient, on=D(2026, 5, 3))
        assert (found.outcome, found.blocks) == ("banner", False)
        assert found.citation == "45 CFR 164.522(a)(1)(v)"


def test_the_purposes_that_a_restriction_covers_are_codes_of_the_log():
    assert set(Covers.values) <= set(PURPOSES)


@pytest.mark.parametrize(
    ("purpose", "recipient", "emergency", "outcome"),
    [
        ("treatment", "provider", True, "emergency"),
        ("treatment", "provider", False, "blocked"),
        ("payment", "provider", True, "blocked"),
        ("treatment", "health_plan", True, "blocked"),
        ("family_emergency", "involved", True, "blocked"),
    ],
)
def test_the_emergency_is_for_treatment_by_a_provider_and_for_nothing_else(purpose, recipient, emergency, outcome):
    assert told(AGREED, [VISIT], purpose, recipient, emergency=emergency) == outcome


@pytest.mark.parametrize(
    ("service_on", "made_on", "restricted"),
    [
        (D(2026, 6, 30), D(2026, 6, 30), True),
        (D(2026, 7, 1), D(2026, 7, 1), True),  # the day of the notice itself: after it begins the next day
        (D(2026, 7, 2), D(2026, 7, 2), False),
        (D(2026, 6, 30), D(2026, 7, 2), True),  # written later about what was there before
    ],
)
def test_a_notice_of_july_1_frees_only_what_came_after_it(service_on, made_on, restricted):
    terms, line = Terms(D(2026, 5, 1), told_on=D(2026, 7, 1)), Line(1, service_on, made_on)
    assert holds_for(terms, line, D(2026, 8, 1)) is restricted
    assert holds_for(terms, line, D(2026, 6, 30)) is True  # nobody had been told yet
    mandatory = Terms(D(2026, 5, 1), mandatory=True, entries=frozenset({1}), told_on=D(2026, 7, 1))
    assert holds_for(mandatory, line, D(2026, 8, 1)) is True


DAYS = st.dates(D(2024, 1, 1), D(2028, 12, 31))
TERMS = st.builds(
    Terms,
    DAYS,
    mandatory=st.booleans(),
    covers=st.frozensets(st.sampled_from(Covers.values)),
    kept_from=st.frozensets(st.sampled_from(Recipient.values)),
    entries=st.frozensets(st.integers(1, 4)),
    service_on=DAYS,
    told_on=st.none() | DAYS,
    ended_on=st.none() | DAYS,
)
LINES = st.lists(st.builds(Line, st.integers(1, 4), DAYS, DAYS), max_size=4)


@given(TERMS, LINES, st.sampled_from(list(PURPOSES)), st.sampled_from(Recipient.values), DAYS, st.booleans())
def test_whatever_the_terms(terms, lines, purpose, recipient, on, emergency):
    found = told(terms, lines, purpose, recipient, on, emergency=emergency)
    if found != Outcome.FREE:
        assert terms.begins_on <= on
        assert any(holds_for(terms, line, on) for line in lines)
    if found == Outcome.BLOCKED:
        assert purpose in Covers.values
    if terms.mandatory and found == Outcome.BLOCKED:
        assert (recipient, purpose in ("payment", "operations")) == ("health_plan", True)
    more = told(terms, [*lines, VISIT], purpose, recipient, on, emergency=emergency)
    if found == Outcome.BLOCKED:
        assert more == Outcome.BLOCKED  # more entries never free what is blocked
