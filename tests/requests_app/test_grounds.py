"""The grounds for a denial: the law's own list for each kind, which of them may be reviewed, and whose judgment they need."""

import pytest

from requests_app import grounds
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Kind

# law.md §2, §3, §5: kind -> {code: (citation, reviewable)}
LAW = {
    "access": {
        "U1": ("45 CFR 164.524(a)(2)(i)", False),
        "U2": ("45 CFR 164.524(a)(2)(ii)", False),
        "U3": ("45 CFR 164.524(a)(2)(iii)", False),
        "U4": ("45 CFR 164.524(a)(2)(iv)", False),
        "U5": ("45 CFR 164.524(a)(2)(v)", False),
        "R1": ("45 CFR 164.524(a)(3)(i)", True),
        "R2": ("45 CFR 164.524(a)(3)(ii)", True),
        "R3": ("45 CFR 164.524(a)(3)(iii)", True),
    },
    "amendment": {
        "A1": ("45 CFR 164.526(a)(2)(i)", False),
        "A2": ("45 CFR 164.526(a)(2)(ii)", False),
        "A3": ("45 CFR 164.526(a)(2)(iii)", False),
        "A4": ("45 CFR 164.526(a)(2)(iv)", False),
    },
    "restriction": {"N1": ("45 CFR 164.522(a)(1)(ii)", False)},
    "confidential_communication": {
        "C1": ("45 CFR 164.522(b)(2)(ii)(B)", False),
        "C2": ("45 CFR 164.522(b)(2)(ii)(A)", False),
        "C3": ("45 CFR 164.522(b)(1)(i)", False),
    },
    "accounting": {},
}


@pytest.mark.parametrize("kind", Kind.values)
def test_the_grounds_of_each_kind_are_the_laws(kind):
    assert {ground.code: (ground.citation, ground.reviewable) for ground in grounds.GROUNDS[kind]} == LAW[kind]


@pytest.mark.parametrize("kind", Kind.values)
def test_a_code_of_another_kind_is_no_ground(kind):
    for code in {code for known in LAW.values() for code in known} - set(LAW[kind]):
        with pytest.raises(LookupError):
            grounds.ground(kind, code)


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, known in LAW.items() for code in known])
def test_only_a_reviewable_ground_rests_on_a_licensed_professional(kind, code):
    ground = grounds.ground(kind, code)
    told = grounds.judgment(ground, "Ada Vance, MD", "NY 204417")
    if not ground.reviewable:
        assert told == grounds.judgment(ground, "", "") == {}
        return
    assert told == {"judged_by": "Ada Vance, MD", "licence": "NY 204417"}
    for name, licence in (("", ""), ("Robin Keeler", ""), ("", "NY 204417")):
        with pytest.raises(NotAllowedNow, match="licensed professional") as refusal:
            grounds.judgment(ground, name, licence)
        assert refusal.value.field == "judged_by"


@pytest.mark.parametrize("words", ["unpaid", "bill", "upset", "understand", "inconvenient"])
def test_no_ground_says_what_the_law_does_not(words):
    assert not any(words in str(ground.words).lower() for known in grounds.GROUNDS.values() for ground in known)
