"""What must be on hand: the whole table, code by code and branch by branch, against law.md §8 and §13a."""

import pytest

from disclosures import on_hand, purposes
from disclosures.branches import Asker, Pages
from disclosures.on_hand import NotPlannable, UnknownBranch
from disclosures.purposes import UnknownPurpose

# code -> branch -> (needs in order, minimum necessary applies). Written out by hand from the law, not from the code.
TABLE: dict[str, dict[str, tuple[str, bool]]] = {
    "treatment": {"": ("provider", False)},
    "payment": {"": ("payer", True)},
    "operations": {"associate": ("operation contract", True), "other_entity": ("operation relationship", True)},
    "individual": {"patient": ("", False), "representative": ("", False)},
    "authorization": {"": ("", False)},
    "family_emergency": {"": ("incapacity judgment relevant", True)},
    "involved_in_care": {
        "agreed": ("involved agreed on_file relevant", True),
        "not_objected": ("involved could_object on_file relevant", True),
        "inferred": ("involved inferred on_file relevant", True),
        "deceased": ("involved_before no_contrary_wish on_file relevant", True),
    },
    "required_by_law": {"statute": ("law other_rules", False), "hhs": ("hhs", False)},
    "public_health": {
        "authority": ("mandate authority", True),
        "fda": ("product safety", True),
        "exposed": ("notify_law", True),
        "workplace": ("at_request findings notice", True),
        "school": ("immunization agreement", True),
    },
    "abuse_neglect": {
        "child": ("child_authority", True),
        "adult_required": ("belief law tell_patient", False),
        "adult_agreed": ("belief agreed tell_patient", True),
        "adult_authorized": ("belief allowed necessary tell_patient", True),
    },
    "health_oversight": {"": ("oversight not_the_patient authority", True)},
    "court_order": {"": ("order scope", False)},
    "subpoena": {
        "notice": ("subpoena assurance time_over none_pending", True),
        "protective_order": ("subpoena order_sought order_terms", True),
        "office_notice": ("subpoena own_notice time_over none_pending", True),
        "office_order": ("subpoena own_order", True),
    },
    "law_enforcement": {
        "injury_report": ("law", False),
        "warrant": ("warrant", False),
        "grand_jury": ("grand_jury", False),
        "administrative": ("request material specific identified", True),
        "locate": ("police_asks", True),
        "victim_agreed": ("victim agreed", True),
        "victim_incapacity": ("victim not_against at_once judgment", True),
        "death": ("suspicion", True),
        "premises": ("good_faith", True),
        "emergency": ("alert no_abuse", True),
    },
    "decedent": {"coroner": ("died", True), "funeral": ("funeral", True)},
    "organ_donation": {"": ("procurement", True)},
    "research": {
        "waiver": ("board criteria described", True),
        "preparatory": ("prepare stays necessary", True),
        "decedents": ("only_dead death_shown necessary", True),
    },
    "serious_threat": {
        "prevent": ("threat able", True),
        "confession": ("statement not_in_care", True),
        "escape": ("escape", True),
    },
    "specialized_government": {
        "military": ("command", True),
        "protective": ("protective", True),
        "suitability": ("suitability", True),
        "benefits": ("program", True),
        "background": ("designated", True),
    },
    "national_security": {"": ("federal_official credential", True)},
    "correctional": {"": ("need custody", True)},
    "workers_compensation": {"": ("comp_law", True)},
    "limited_data_set": {"": ("agreement set_purpose identifiers", True)},
}
ROWS = [(code, way, *row) for code, ways in TABLE.items() for way, row in ways.items()]


def test_every_purpose_that_can_be_planned_has_its_branches_and_no_other():
    assert set(TABLE) == {code for code, purpose in purposes.PURPOSES.items() if purpose.plannable}
    for code, ways in TABLE.items():
        assert [branch.code for branch in on_hand.branches(code)] == list(ways), code


@pytest.mark.parametrize(("code", "way", "needs", "minimum"), ROWS)
def test_a_branch_needs_what_the_law_names_and_says_where(code, way, needs, minimum):
    assert [need.code for need in on_hand.needs(code, way)] == needs.split()
    assert on_hand.minimum(code, way).applies is minimum
    branch = on_hand.branch(code, way)
    for citation in (branch.citation, on_hand.minimum(code, way).citation, *(need.citation for need in branch.needs)):
        assert citation.startswith("164."), citation
    assert str(branch.label)
    assert all(str(need.words) for need in branch.needs)


def test_only_what_leaves_the_officer_room_may_be_done_without():
    room = {(code, need.code) for code, way, *_ in ROWS for need in on_hand.needs(code, way) if need.overridable}
    assert room == {
        ("public_health", "authority"),
        ("health_oversight", "authority"),
        ("abuse_neglect", "tell_patient"),
    }


def test_a_mistake_can_not_be_planned_and_nothing_is_guessed():
    with pytest.raises(NotPlannable):
        on_hand.needs("impermissible")
    with pytest.raises(UnknownPurpose):
        on_hand.needs("tpo")
    for code, way in (("subpoena", ""), ("subpoena", "warrant"), ("treatment", "patient")):
        with pytest.raises(UnknownBranch):
            on_hand.branch(code, way)


def test_what_is_missing_is_what_nobody_confirmed():
    branch = on_hand.branch("subpoena", "notice")
    assert [need.code for need in on_hand.missing(branch, ["subpoena", "time_over", "sun"])] == ["assurance", "none_pending"]


def test_family_is_told_on_the_notices_terms_and_law_and_threats_are_not_held_by_them():
    """164.502(i), law.md §13a: an emergency or a document on file; never for a law or an imminent threat."""
    bound = {(code, way) for code, way, *_ in ROWS if any(need.code == "on_file" for need in on_hand.needs(code, way))}
    assert {code for code, _way in bound} == {"involved_in_care"}
    assert len(bound) == len(TABLE["involved_in_care"])


def test_pages_of_the_record_go_by_every_branch_but_these():
    few = {(code, way): on_hand.branch(code, way).pages for code, way, *_ in ROWS if on_hand.branch(code, way).pages != Pages.ANY}
    assert few == {
        ("law_enforcement", "locate"): Pages.EIGHT_ITEMS,
        ("serious_threat", "confession"): Pages.EIGHT_ITEMS,
        ("limited_data_set", ""): Pages.NONE,
        ("research", "preparatory"): Pages.NONE,
        ("specialized_government", "background"): Pages.NONE,
    }
    assert len(on_hand.LOCATE_ITEMS) == 8


@pytest.mark.parametrize(
    ("items", "facts", "words"),
    [
        (["name_address", "looks"], "Brown hair, a scar on the left hand.", ""),
        (list(on_hand.LOCATE_ITEMS), "All eight, as far as known.", ""),
        ([], "Brown hair.", "Tick which"),
        (["looks"], " ", "Write the facts"),
        (["looks", "dental"], "Brown hair.", "not: dental"),
        (["looks"], "A DNA profile is kept at the lab.", "Never for this purpose: dna"),
        (["looks"], "See her dental records.", "dental"),
        (["looks"], "A tissue sample of 2025.", "tissue"),
    ],
)
def test_to_find_somebody_eight_facts_and_never_dna_teeth_or_tissue(items, facts, words):
    said = on_hand.locate_refusal(items, facts)
    assert words in said
    assert bool(words) == bool(said)


def test_who_asks_is_known_for_every_branch():
    askers = {on_hand.branch(code, way).asker for code, way, *_ in ROWS}
    assert askers == set(Asker)
