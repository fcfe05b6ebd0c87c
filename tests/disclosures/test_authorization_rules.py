"""What makes an authorization good (164.508): the elements, the statements, compounds, the dates of law.md §6; and its reach."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclosures import authorization_rules as rules
from disclosures import authorization_scope as scope
from disclosures.authorization_rules import Combined, Conditions, FormFacts, Kind, Notes, Remuneration, State, Use

JUNE_1, JUNE_30, JULY_1 = date(2026, 6, 1), date(2026, 6, 30), date(2026, 7, 1)
WHOLE = FormFacts(
    received_on=JUNE_1,
    says_what=True,
    discloser="Lark Street Mesotherapy",
    recipient="Beacon Life",
    purposes=("Life insurance",),
    expires_on=JUNE_30,
    signed=True,
    signed_on=JUNE_1,
    says_revocable=True,
    says_conditions=True,
    says_redisclosure=True,
)
DIRECTIVE = FormFacts(
    kind=Kind.DIRECTIVE,
    received_on=date(2026, 4, 1),
    says_what=True,
    recipient="Clinic app",
    recipient_address="inbox@clinic.example",
    signed=True,
    electronic_only=True,
)


def codes(facts, on=JUNE_1):
    return [defect.code for defect in rules.defects(facts, on)]


def test_a_whole_form_has_no_defect():
    assert rules.defects(WHOLE, JUNE_1) == []
    assert rules.state_of([]) == State.VALID


@pytest.mark.parametrize(
    ("changes", "code", "paragraph"),
    [
        ({"says_what": False}, "what", "(c)(1)(i)"),
        ({"discloser": " "}, "who_gives", "(c)(1)(ii)"),
        ({"recipient": ""}, "who_gets", "(c)(1)(iii)"),
        ({"purposes": ()}, "purpose", "(c)(1)(iv)"),
        ({"purposes": (" ",)}, "purpose", "(c)(1)(iv)"),
        ({"expires_on": None}, "end", "(c)(1)(v)"),
        ({"expires_on": None, "expiry_event": "None."}, "end_research_only", "(c)(1)(v)"),
        ({"expires_on": None, "expiry_event": "End of the study"}, "end_research_only", "(c)(1)(v)"),
        ({"signed": False, "signed_on": None}, "signature", "(c)(1)(vi)"),
        ({"signed_on": None}, "signed_on", "(c)(1)(vi)"),
        ({"signed_by": "representative"}, "authority", "(c)(1)(vi)"),
        ({"says_revocable": False}, "says_revocable", "(c)(2)(i)"),
        ({"says_conditions": False}, "says_conditions", "(c)(2)(ii)"),
        ({"says_redisclosure": False}, "says_redisclosure", "(c)(2)(iii)"),
        ({"marketing": True}, "says_paid", "(a)(3)(ii)"),
        ({"advertising_photos": True}, "says_paid", "(a)(3)(ii)"),
        ({"sale": True}, "says_paid_sale", "(a)(4)(i)"),
        ({"sale": True, "remuneration": Remuneration.NOBODY}, "says_paid_sale", "(a)(4)(i)"),
        ({"notes": Notes.MIXED}, "notes_mixed", "(b)(3)(ii)"),
        ({"notes": Notes.ONLY, "combined_with": Combined.AUTHORIZATION}, "notes_mixed", "(b)(3)(ii)"),
        ({"notes": Notes.ONLY, "combined_with": Combined.RESEARCH}, "notes_mixed", "(b)(3)(ii)"),
        ({"combined_with": Combined.OTHER}, "other_document", "(b)(3)"),
        ({"combined_with": Combined.RESEARCH}, "research_mixed", "(b)(3)(i)"),
        (
            {"advertising_photos": True, "remuneration": Remuneration.NOBODY, "combined_with": Combined.OTHER},
            "photos",
            "(a)(3)(i), (b)(3)",
        ),
        ({"conditions": Conditions.MIXED}, "conditions_mixed", "(b)(3)(iii)"),
        ({"conditions": Conditions.CARE}, "conditioned", "(b)(4)"),
        ({"conditions": Conditions.RESEARCH}, "conditioned_research", "(b)(4)(i)"),
    ],
)
def test_what_a_form_lacks_is_named_with_its_rule(changes, code, paragraph):
    (defect,) = rules.defects(replace(WHOLE, **changes), JUNE_1)
    assert (defect.code, defect.citation) == (code, f"45 CFR 164.508{paragraph}")
    assert rules.state_of([defect]) == State.DEFECTIVE


@pytest.mark.parametrize(
    "changes",
    [
        {"purposes": (), "at_request": True},
        {"expires_on": None, "expiry_event": "End of the lawsuit"},
        {"expires_on": None, "expiry_event": "none", "research": True},
        {"expires_on": None, "expiry_event": "End of study", "research": True},
        {"signed_by": "representative", "signer_authority": "Health care agent"},
        {"marketing": True, "remuneration": Remuneration.STATED},
        {"marketing": True, "remuneration": Remuneration.NOBODY},
        {"sale": True, "remuneration": Remuneration.STATED},
        {"advertising_photos": True, "remuneration": Remuneration.NOBODY},
        {"notes": Notes.ONLY},
        {"notes": Notes.ONLY, "combined_with": Combined.NOTES},
        {"combined_with": Combined.AUTHORIZATION},
        {"combined_with": Combined.RESEARCH, "research": True},
        {"conditions": Conditions.EXAM},
        {"conditions": Conditions.RESEARCH, "research": True},
        {"conditions": Conditions.RESEARCH_MIXED, "research": True},
    ],
)
def test_what_the_rule_allows_is_no_defect(changes):
    assert codes(replace(WHOLE, **changes)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"says_what": False}, "what"),
        ({"signed": False}, "signature"),
        ({"recipient": ""}, "who_gets"),
        ({"recipient_is_class": True}, "who_gets"),
        ({"recipient_address": ""}, "where"),
        ({"electronic_only": False}, "not_electronic"),
        ({"signed_by": "representative"}, "authority"),
        ({"notes": Notes.ONLY}, "notes_directive"),
    ],
)
def test_a_directive_reaches_an_electronic_copy_to_a_named_person(changes, code):
    assert codes(DIRECTIVE, date(2026, 4, 1)) == []
    assert codes(replace(DIRECTIVE, **changes), date(2026, 4, 1)) == [code]


@pytest.mark.parametrize(
    ("changes", "on", "state"),
    [
        ({}, JUNE_30, State.VALID),  # through the end of its last day
        ({}, JULY_1, State.EXPIRED),
        ({"expires_on": None, "expiry_event": "Trial ends", "event_known_on": JUNE_30}, date(2026, 6, 29), State.VALID),
        ({"expires_on": None, "expiry_event": "Trial ends", "event_known_on": JUNE_30}, JUNE_30, State.EXPIRED),
        ({"revoked_on": date(2026, 6, 15)}, date(2026, 6, 14), State.VALID),
        ({"revoked_on": date(2026, 6, 15)}, date(2026, 6, 15), State.REVOKED),
        ({"revoked_on": date(2026, 6, 15)}, JULY_1, State.REVOKED),
        ({"found_false_on": date(2026, 6, 15)}, date(2026, 6, 14), State.VALID),
        ({"found_false_on": date(2026, 6, 15)}, date(2026, 6, 15), State.DEFECTIVE),
        ({"replaced_on": date(2026, 6, 20)}, JUNE_1, State.DEFECTIVE),
        ({}, date(2026, 5, 31), State.NOT_YET),
        ({"received_on": date(2026, 6, 5)}, date(2026, 6, 4), State.NOT_YET),
        ({"received_on": date(2026, 6, 5)}, date(2026, 6, 5), State.VALID),
        ({"signed_on": date(2026, 6, 5)}, date(2026, 6, 4), State.NOT_YET),
        ({"says_revocable": False}, date(2026, 5, 31), State.DEFECTIVE),
        ({"says_revocable": False}, JULY_1, State.EXPIRED),
    ],
)
def test_how_a_form_stands_on_a_day(changes, on, state):
    assert rules.state_of(rules.defects(replace(WHOLE, **changes), on)) == state


@given(
    last=st.none() | st.dates(date(2026, 6, 1), date(2027, 6, 1)),
    revoked=st.none() | st.dates(date(2026, 6, 1), date(2027, 6, 1)),
    event=st.none() | st.dates(date(2026, 6, 1), date(2027, 6, 1)),
    on=st.dates(date(2026, 6, 1), date(2027, 6, 1)),
)
def test_once_it_may_not_be_used_it_never_may_again_and_its_last_day_is_known(last, revoked, event, on):
    facts = replace(WHOLE, expires_on=last, expiry_event="Trial ends", revoked_on=revoked, event_known_on=event)
    if rules.defects(facts, on):
        assert rules.defects(facts, on + timedelta(days=1))
        ended = rules.last_in_effect(facts, on)
        assert ended <= on
        assert rules.defects(facts, ended + timedelta(days=1))
        assert not rules.defects(facts, ended - timedelta(days=1)) or ended == JUNE_1
    else:
        assert rules.last_in_effect(facts, on) is None


def test_a_form_that_never_held_was_last_in_effect_when_it_came():
    assert rules.last_in_effect(replace(WHOLE, says_revocable=False), JULY_1) == JUNE_1


# --- how far it reaches ---------------------------------------------------------------------------------------------


def entry(pk=1, kind="visit_note", day=date(2026, 5, 1), on_paper=False):
    return SimpleNamespace(pk=pk, kind=kind, service_on=day, on_paper=on_paper, called=f"Entry {pk}")


@pytest.mark.parametrize(
    ("ticked", "reached"),
    [
        (scope.Ticked(), True),
        (scope.Ticked(kinds=frozenset({"visit_note"})), True),
        (scope.Ticked(kinds=frozenset({"lab_result"})), False),
        (scope.Ticked(entries=frozenset({1})), True),
        (scope.Ticked(entries=frozenset({2})), False),
        (scope.Ticked(entries=frozenset({1}), since=date(2026, 6, 1)), True),
        (scope.Ticked(since=date(2026, 5, 1), until=date(2026, 5, 1)), True),
        (scope.Ticked(since=date(2026, 5, 2)), False),
        (scope.Ticked(until=date(2026, 4, 30)), False),
        (scope.Ticked(kinds=frozenset({"visit_note"}), until=date(2026, 4, 30)), False),
        (scope.Ticked(kinds=frozenset({"lab_result"}), entries=frozenset({1})), True),
    ],
)
def test_ticks_reach_kinds_entries_and_days(ticked, reached):
    assert ticked.reaches(entry()) is reached
    found = scope.entries_refusals(WHOLE, ticked, [entry()], frozenset())
    assert [defect.code for defect in found] == ([] if reached else ["entries"])
    assert reached or "Entry 1 (May 1, 2026)" in found[0].words


@pytest.mark.parametrize(
    ("notes", "given", "expected"),
    [
        (Notes.NONE, {1: False}, []),
        (Notes.NONE, {1: True}, ["notes"]),
        (Notes.MIXED, {1: True}, ["notes"]),  # a form that covers "chart and therapy notes" is no good for the notes
        (Notes.ONLY, {1: True}, []),
        (Notes.ONLY, {1: True, 2: False}, ["only_notes"]),
    ],
)
def test_psychotherapy_notes_go_out_on_their_own_form_only(notes, given, expected):
    flagged = frozenset(pk for pk, is_notes in given.items() if is_notes)
    found = scope.entries_refusals(replace(WHOLE, notes=notes), scope.Ticked(), [entry(pk) for pk in given], flagged)
    assert [defect.code for defect in found] == expected


@pytest.mark.parametrize(
    ("named", "given", "allowed"),
    [
        ("Beacon Life", "beacon life.", True),
        ("Beacon Life", "Beacon  Life", True),
        ("Beacon Life", "Harbor Mutual", False),
        ("Beacon Life", "Beacon Life and Harbor Mutual", False),
        ("Beacon Life\nHarbor Mutual", "Harbor Mutual", True),
        ("", "", False),
    ],
)
def test_it_goes_to_whom_the_form_names(named, given, allowed):
    refusal = scope.recipient_refusal(replace(WHOLE, recipient=named), given)
    assert (refusal is None) is allowed
    assert allowed or refusal.code == "recipient"


def test_a_group_is_for_a_person_to_judge():
    assert scope.recipient_refusal(replace(WHOLE, recipient="My surgeons", recipient_is_class=True), "Dr. Ames") is None


@pytest.mark.parametrize(
    ("changes", "purpose", "use", "code"),
    [
        ({}, "life insurance", Use.ORDINARY, None),
        ({}, "", Use.ORDINARY, None),
        ({}, "Job application", Use.ORDINARY, "purpose"),
        ({"at_request": True}, "Job application", Use.ORDINARY, None),
        ({}, "", Use.MARKETING, "use"),
        ({"marketing": True}, "", Use.MARKETING, None),
        ({}, "", Use.SALE, "use"),
        ({"sale": True}, "", Use.SALE, None),
        ({"marketing": True}, "", Use.ADVERTISING, "use"),
        ({"advertising_photos": True}, "", Use.ADVERTISING, None),
    ],
)
def test_it_goes_out_for_what_the_form_says(changes, purpose, use, code):
    refusal = scope.purpose_refusal(replace(WHOLE, **changes), purpose, use)
    assert (refusal.code if refusal else None) == code


def test_a_directive_is_for_electronic_copies_of_electronic_records():
    assert scope.copy_refusal(DIRECTIVE, electronic=True) is None
    assert scope.copy_refusal(DIRECTIVE, electronic=False).code == "paper_copy"
    assert scope.copy_refusal(WHOLE, electronic=False) is None
    (refusal,) = scope.entries_refusals(DIRECTIVE, scope.Ticked(), [entry(on_paper=True)], frozenset())
    assert (refusal.code, refusal.citation) == ("paper", "45 CFR 164.524(c)(3)(ii)")


@pytest.mark.parametrize("code", ["payment", "subpoena", "law_enforcement", "court_order", "individual", "public_health"])
def test_psychotherapy_notes_never_go_out_for_these_without_an_authorization(code):
    assert scope.notes_need(code).code == "notes"
    assert scope.notes_need(code, holds=True).code == "notes"


@pytest.mark.parametrize("code", sorted(scope.NOTES_WITHOUT_AUTHORIZATION))
def test_psychotherapy_notes_go_out_for_these_where_the_condition_holds(code):
    assert scope.notes_need(code).code == "notes_unless"
    assert scope.notes_need(code, holds=True) is None
