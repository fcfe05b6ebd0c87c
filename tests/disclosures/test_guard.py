"""The guard: the registry, each check against law.md §5, §6, §8, §9, and what may be overridden."""

from dataclasses import replace
from datetime import date

import pytest

from disclosures import guard, on_hand, purposes
from disclosures.guard import Means, Plan, State
from records.models import EntryFlag, Representative, Restriction
from tests.factories import (
    AT,
    AttachmentFactory,
    ContactPreferenceFactory,
    EntryFactory,
    PatientFactory,
    RepresentativeFactory,
    RestrictionFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db]
ON = date(2026, 11, 24)
WAYS = {"patient": "photo_id", "representative": "photo_id", "official": "badge", "court": "badge", "family": "known"}


def plan_for(patient, code: str, branch: str = "", **changes) -> Plan:
    """A plan that everything is on hand for, with one entry where pages may go."""
    way = on_hand.branch(code, branch)
    facts = {
        "recipient": patient.name if code == "individual" else "Dr. Okafor",
        "purpose": "Asked for",
        "address": "1 Main Street\nAlbany, NY 12207",
        "confirmed": frozenset(need.code for need in way.needs),
        "basis": "The paper of November 20, in the folder.",
        "minimum_confirmed": True,
        "verified_ways": (WAYS.get(way.asker, "known"),),
        "verified_on": ON,
    }
    if way.asker == "representative":
        facts["representative"] = acting(RepresentativeFactory(patient=patient))
    if way.pages == "any":
        entries = patient.entries.of_record().with_marks().oldest_first()
        facts["entries"] = tuple(entries[:1]) if patient.entries.exists() else (marked(EntryFactory(patient=patient)),)
    elif way.pages == "eight items":
        facts |= {"items": ("looks",), "said": "A scar on the left hand."}
    else:
        facts["said"] = "A data set of twelve rows."
    return Plan(**{"patient": patient, "on": ON, "purpose_code": code, "branch": branch} | facts | changes)


def acting(representative):
    return Representative.objects.with_state().get(pk=representative.pk)


def marked(entry):
    return type(entry).objects.with_marks().get(pk=entry.pk)


def check(plan: Plan, name: str):
    return {one.name: one for one in guard.checks(plan)}[name]


@pytest.fixture
def patient(db):
    return PatientFactory()


BRANCHES = [(code, way.code) for code, one in purposes.PURPOSES.items() if one.plannable for way in on_hand.branches(code)]


@pytest.mark.parametrize(("code", "branch"), [pair for pair in BRANCHES if pair[0] != "authorization"])
def test_with_everything_on_hand_each_branch_is_clear_and_without_its_papers_not(patient, code, branch):
    plan = plan_for(patient, code, branch)
    found = guard.checks(plan)
    assert guard.is_clear(found, {}), guard.standing(found, {})
    assert [one.name for one in found] == list(dict.fromkeys(one.name for one in found))
    for need in on_hand.needs(code, branch):
        without = guard.checks(replace(plan, confirmed=plan.confirmed - {need.code}))
        stopped = guard.standing(without, {})
        assert [one.name for one in stopped] == ["documents"]
        assert need.citation in stopped[0].citation
        assert guard.is_clear(without, {"documents": "Told orally: it could not be written in time."}) is need.overridable
    if on_hand.needs(code, branch):
        assert check(replace(plan, basis=" "), "documents").is_refused
    if plan.minimum_confirmed and on_hand.minimum(code, branch).applies:
        assert check(replace(plan, minimum_confirmed=False), "minimum").is_refused
    else:
        assert check(replace(plan, minimum_confirmed=False), "minimum").state == State.NOT_CONCERNED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"purpose_code": "impermissible"}, "can’t be planned"),
        ({"purpose_code": "tpo"}, "Choose why"),
        ({"purpose_code": "subpoena", "branch": "warrant"}, "on which ground"),
        ({"recipient": " "}, "to whom"),
        ({"purpose": ""}, "why in a few words"),
    ],
)
def test_a_plan_without_purpose_or_recipient_is_stopped_at_once_and_not_overridden(patient, changes, words):
    plan = replace(plan_for(patient, "court_order"), **changes)
    found = guard.checks(plan)
    assert found[0].is_refused
    assert words in str(found[0].reason)
    assert not found[0].overridable
    assert not guard.is_clear(found, {"purpose": "The officer says so."})


@pytest.mark.parametrize(
    ("code", "branch", "changes", "words"),
    [
        ("treatment", "", {"verified_ways": ()}, "at least one way"),
        ("treatment", "", {"verified_ways": ("good_faith",)}, "does not do for this asker"),
        ("individual", "patient", {"verified_ways": ("match",), "identifiers": ("born",)}, "at least two facts"),
        ("individual", "patient", {"verified_on": date(2026, 11, 25)}, "after the day of this release"),
        ("individual", "patient", {"verified_on": None}, "Give the day"),
        ("individual", "patient", {"verified_ways": ("match",), "identifiers": ("born", "address")}, ""),
        ("individual", "patient", {"verified_ways": ("wrote_back",)}, ""),
        ("law_enforcement", "warrant", {"verified_ways": ("known",)}, "does not do for this asker"),
        ("law_enforcement", "warrant", {"verified_ways": ("letterhead",)}, ""),
        ("involved_in_care", "agreed", {"verified_ways": ("judgment",)}, ""),
        ("serious_threat", "prevent", {"verified_ways": ("good_faith",)}, ""),
    ],
)
def test_identity_is_checked_in_a_way_that_does_for_the_asker(patient, code, branch, changes, words):
    found = check(plan_for(patient, code, branch, **changes), "identity")
    assert words in str(found.reason)
    assert found.is_refused is bool(words)
    assert not found.overridable
    assert "164.514(h)" in found.citation


@pytest.mark.parametrize(("code", "branch"), BRANCHES)
def test_psychotherapy_notes_go_only_where_the_list_lets_them(patient, code, branch):
    """law.md §6: treatment by others, payment, subpoena and the police are refused."""
    entry = EntryFactory(patient=patient)
    EntryFlag.lay(entry, "psychotherapy_notes", reason="Kept apart", by=UserFactory(role="physician"), at=AT)
    found = check(plan_for(patient, code, branch, entries=(marked(entry),)), "notes")
    if code == "authorization":
        assert found.state == State.NOT_CONCERNED
    elif (code, branch) in {
        ("required_by_law", "statute"), ("required_by_law", "hhs"), ("serious_threat", "prevent"), ("decedent", "coroner"),
    }:  # fmt: skip
        assert found.state == State.OK
    else:
        assert found.is_refused
        assert "164.508(a)(2)" in found.citation
        judged = {("treatment", ""), ("operations", "associate"), ("health_oversight", "")}
        assert found.overridable is ((code, branch) in judged)


def test_only_whoever_may_act_that_day_gets_the_record_for_the_patient(patient):
    plan = plan_for(patient, "individual", "representative")
    assert "Rosa Alvarez" in str(check(plan, "representative").reason)
    assert check(replace(plan, representative=None), "representative").is_refused
    other = acting(RepresentativeFactory())
    assert check(replace(plan, representative=other), "representative").is_refused
    finances = acting(RepresentativeFactory(patient=patient, paper="finance_power", scope="finances"))
    found = check(replace(plan, representative=finances), "representative")
    assert (found.is_refused, found.overridable) == (True, False)
    assert "finances only" in str(found.reason)


@pytest.mark.parametrize(("on", "stops"), [(date(2026, 11, 23), False), (date(2026, 11, 24), True)])
def test_a_parent_gets_nothing_from_the_18th_birthday(on, stops):
    """law.md §9: born 2008-11-24."""
    patient = PatientFactory(date_of_birth=date(2008, 11, 24))
    parent = acting(RepresentativeFactory(patient=patient, basis="parent", paper="birth"))
    plan = plan_for(patient, "individual", "representative", representative=parent, on=on, verified_on=on)
    assert check(plan, "representative").is_refused is stops


def test_what_was_put_together_for_a_case_goes_only_with_the_officers_reason(patient):
    entry = EntryFactory(patient=patient)
    EntryFlag.lay(entry, "litigation", reason="For the case", by=UserFactory(), at=AT)
    found = guard.checks(plan_for(patient, "individual", "patient", entries=(marked(entry),)))
    assert [one.name for one in guard.standing(found, {})] == ["excluded"]
    assert guard.is_clear(found, {"excluded": "The case is over."})


@pytest.mark.parametrize(
    ("code", "branch", "state", "overridable"),
    [
        ("individual", "patient", State.OK, False),
        ("authorization", "", State.REFUSED, True),
        ("court_order", "", State.REFUSED, True),
        ("subpoena", "notice", State.REFUSED, False),
        ("law_enforcement", "locate", State.NOT_CONCERNED, False),
        ("law_enforcement", "premises", State.REFUSED, False),
    ],
)
def test_part_2_records_go_to_others_only_with_consent_or_order(patient, code, branch, state, overridable):
    entry = EntryFactory(patient=patient)
    EntryFlag.lay(entry, "part2", reason="From the program", by=UserFactory(), at=AT)
    entries = (marked(entry),) if on_hand.branch(code, branch).pages == "any" else ()
    plan = plan_for(patient, code, branch, entries=entries)
    found = check(plan, "part2")
    assert (found.state, found.overridable) == (state, overridable)
    told = any("42 CFR part 2 prohibits" in words for words in guard.notices(plan))
    assert told is (bool(entries) and code != "individual")


@pytest.mark.parametrize(("code", "branch"), BRANCHES)
def test_a_restriction_never_stops_what_the_law_the_court_or_a_threat_demands(patient, code, branch):
    """law.md §5: it does not stop HHS nor any 512 release."""
    RestrictionFactory(patient=patient)
    found = check(plan_for(patient, code, branch), "restrictions")
    if code in {"treatment", "payment", "operations", "family_emergency", "involved_in_care"}:
        assert found.is_refused
    else:
        assert found.state in {State.WARNING, State.NOT_CONCERNED}


def test_in_an_emergency_the_restriction_gives_way_and_the_letter_says_so(patient):
    RestrictionFactory(patient=patient)
    plan = plan_for(patient, "treatment", emergency=True)
    assert guard.is_clear(guard.checks(plan), {})
    assert any("do not further use or disclose it" in words for words in guard.notices(plan))
    assert guard.notices(replace(plan, emergency=False)) == []


def test_the_officer_may_judge_words_but_never_what_was_paid_in_full_or_told_by_entries(patient):
    """law.md §5: paid in full on 05-01, the claim of 05-03 refused; treatment and a subpoena pass."""
    entry = EntryFactory(patient=patient, service_on=date(2026, 5, 1))
    other = EntryFactory(patient=patient, service_on=date(2026, 6, 1))
    facts = {"what": "The visit of May 1", "begins_on": date(2026, 5, 1), "by": UserFactory(), "at": AT}
    Restriction.agree(patient, **facts, kept_from=["health_plan"], entries=[entry])
    claim = plan_for(patient, "payment", entries=(marked(entry),))
    refused = check(claim, "restrictions")
    assert (refused.is_refused, refused.overridable) == (True, False)
    assert check(replace(claim, entries=(marked(other),)), "restrictions").state == State.NOT_CONCERNED
    assert check(plan_for(patient, "treatment", entries=(marked(entry),)), "restrictions").state == State.NOT_CONCERNED
    assert check(plan_for(patient, "subpoena", "notice", entries=(marked(entry),)), "restrictions").state == State.WARNING


def test_the_patients_wish_binds_what_goes_to_the_patient_and_nothing_else(patient):
    ContactPreferenceFactory(patient=patient, means="mail", where="PO Box 12")
    by_mail = check(plan_for(patient, "individual", "patient", means=Means.MAIL), "contact")
    assert by_mail.state == State.OK
    refused = check(plan_for(patient, "individual", "patient", means=Means.ELECTRONIC), "contact")
    assert refused.is_refused
    assert "PO Box 12" in str(refused.reason)
    assert check(plan_for(patient, "court_order"), "contact").state == State.NOT_CONCERNED


def test_who_acts_for_the_patient_gets_it_where_they_are_but_not_at_the_home_that_the_patient_left(patient):
    ContactPreferenceFactory(patient=patient, means="mail", where="PO Box 12")
    plan = plan_for(patient, "individual", "representative", means=Means.MAIL)
    assert check(plan, "contact").state == State.NOT_CONCERNED
    home = replace(plan, address="Rosa Alvarez\n12 Elm Street\nAlbany, NY 12207")
    assert "asked not to be reached there" in str(check(home, "contact").reason)
    assert (check(home, "contact").is_refused, check(home, "contact").overridable) == (True, True)
    assert not check(replace(home, request_number="R-1001"), "contact").overridable
    assert not check(replace(home, means=Means.PICK_UP), "contact").is_refused


@pytest.mark.parametrize(
    ("code", "branch", "changes", "words"),
    [
        ("law_enforcement", "locate", {"items": ("looks", "dental")}, "not: dental"),
        ("law_enforcement", "locate", {"said": "DNA is on file"}, "Never for this purpose: dna"),
        ("court_order", "", {"entries": ()}, "Nothing is chosen"),
        ("court_order", "", {"entries": (), "said": "The photographs on film."}, ""),
        ("court_order", "", {"means": Means.INSPECT}, "Only the patient"),
    ],
)
def test_what_goes_is_something_and_no_more_than_the_branch_allows(patient, code, branch, changes, words):
    found = check(plan_for(patient, code, branch, **changes), "pages")
    assert words in str(found.reason)
    assert found.is_refused is bool(words)


@pytest.mark.parametrize(
    ("code", "branch"), [("law_enforcement", "locate"), ("limited_data_set", ""), ("research", "preparatory")]
)
def test_no_page_of_the_record_goes_where_the_rule_lets_none_go(patient, code, branch):
    entry = marked(EntryFactory(patient=patient))
    loose = AttachmentFactory(patient=patient)
    for changes in ({"entries": (entry,)}, {"loose": (loose,)}, {"paper_pages": 1}):
        assert check(plan_for(patient, code, branch, **changes), "pages").is_refused


def test_another_patients_entry_and_one_in_the_wrong_chart_are_refused(patient):
    other = marked(EntryFactory())
    wrong = EntryFactory(patient=patient)
    wrong.mark_misfiled(by=UserFactory(), at=AT, reason="Another's")
    for entry in (other, marked(wrong)):
        found = check(plan_for(patient, "court_order", entries=(entry,)), "pages")
        assert found.is_refused
        assert not found.overridable


def test_a_room_above_registers_a_check_of_its_own(patient, monkeypatch):
    monkeypatch.setattr(guard, "_rules", dict(guard._rules))
    guard.check("amendments", "Amendments", order=95)(lambda plan: guard.refused("A statement must go along.", "164.526(d)(5)"))
    found = guard.checks(plan_for(patient, "court_order"))
    assert found[-1].name == "amendments"
    assert not guard.is_clear(found, {"amendments": "Never mind."})
    assert not guard.is_clear([], {})
