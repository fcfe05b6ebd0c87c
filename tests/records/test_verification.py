"""How it is checked who asks: the table of 164.514(h), kind of requester by kind."""

import pytest

from records import verification
from records.verification import REQUESTERS, Authority, Identifier, Way

OFFICIALS = [code for code in REQUESTERS if code.startswith("official")]
# requester -> the ways that do
TABLE = {
    "patient_in_person": {"photo_id", "known", "match", "signature"},
    "patient_by_post": {"signature", "match", "called_back", "wrote_back"},
    "patient_by_web": {"match", "called_back", "wrote_back"},
    "patient_by_phone": {"called_back", "match", "known"},
    "representative": {"photo_id", "known", "called_back", "match", "signature", "wrote_back"},
    "official_in_person": {"badge"},
    "official_in_writing": {"letterhead", "official_email"},
    "official_agent": {"agent_letter", "agent_contract"},
    "family": {"patient_agreed", "known", "judgment"},
    "threat": {"good_faith", "judgment"},
    "other": {"photo_id", "known", "letterhead", "listed_number"},
}


def enough(code: str) -> list[str]:
    return [authority.value for authority in REQUESTERS[code].authority[:1]]


@pytest.mark.parametrize("code", TABLE)
@pytest.mark.parametrize("way", Way.values)
def test_each_way_does_for_the_requesters_of_its_table_and_no_others(code, way):
    wrong = verification.problems(code, [way], [Identifier.NAME, Identifier.BORN], enough(code))
    assert ("ways" in wrong) == (way not in TABLE[code])
    assert set(wrong) <= {"ways"}


def test_the_table_has_no_other_requesters():
    assert set(REQUESTERS) == set(TABLE)


@pytest.mark.parametrize(
    ("identifiers", "is_enough"), [((), False), (("born",), False), (("born", "born"), False), (("born", "address"), True)]
)
def test_a_match_takes_at_least_two_facts(identifiers, is_enough):
    assert ("identifiers" not in verification.problems("patient_by_web", ["match"], identifiers)) == is_enough
    assert verification.problems("patient_by_phone", ["called_back"], identifiers) == {}


@pytest.mark.parametrize("code", [*OFFICIALS, "representative", "other"])
def test_these_must_show_their_authority_too(code):
    way = REQUESTERS[code].ways[0]
    assert set(verification.problems(code, [way])) == {"authority"}
    for authority in Authority.values:
        assert ("authority" in verification.problems(code, [way], (), [authority])) == (
            authority not in REQUESTERS[code].authority
        )


def test_an_official_may_state_the_authority_aloud_only_beside_the_written_ways():
    for code in OFFICIALS:
        assert set(REQUESTERS[code].authority) == {Authority.WRITTEN, Authority.ORAL, Authority.PROCESS}


@pytest.mark.parametrize("code", ["family", "threat"])
def test_family_and_a_threat_take_judgment_and_no_paper(code):
    assert verification.problems(code, [Way.JUDGMENT]) == {}
    assert "164.514(h)(2)(iv)" in REQUESTERS[code].citation


@pytest.mark.parametrize("code", TABLE)
def test_nobody_has_to_come_in_or_bring_a_notary(code):
    assert "notar" not in " ".join(str(way.label) for way in REQUESTERS[code].ways).lower()
    if code.startswith("patient_by"):
        assert Way.PHOTO_ID not in REQUESTERS[code].ways


def test_a_check_with_no_way_is_none():
    assert verification.problems("patient_in_person", []) == {"ways": "Tick at least one way."}


def test_the_check_is_told_in_words():
    assert verification.told(["match", "called_back"], ["born", "address"]) == (
        "facts matched the chart; Called back at the number in the chart (date of birth, address)"
    )
