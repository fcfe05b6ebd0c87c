"""Each purpose code against the table of law.md §8: what an accounting lists in either scope, and on which citation."""

import pytest

from disclosures import purposes
from disclosures.purposes import Scope

# code, listed under hipaa, listed under notice, why hipaa leaves it out
TABLE = [
    ("treatment", False, False, "(i)"),
    ("payment", False, False, "(i)"),
    ("operations", False, False, "(i)"),
    ("individual", False, False, "(ii)"),
    ("authorization", False, True, "(iv)"),
    ("family_emergency", False, True, "(v)"),
    ("involved_in_care", False, True, "(v)"),
    ("required_by_law", True, True, ""),
    ("public_health", True, True, ""),
    ("abuse_neglect", True, True, ""),
    ("health_oversight", True, True, ""),
    ("court_order", True, True, ""),
    ("subpoena", True, True, ""),
    ("law_enforcement", True, True, ""),
    ("decedent", True, True, ""),
    ("organ_donation", True, True, ""),
    ("research", True, True, ""),
    ("serious_threat", True, True, ""),
    ("specialized_government", True, True, ""),
    ("national_security", False, "held", "(vi)"),
    ("correctional", False, True, "(vii)"),
    ("workers_compensation", True, True, ""),
    ("limited_data_set", False, False, "(viii)"),
    ("impermissible", True, True, ""),
]


def test_the_table_has_every_code_of_the_design_and_no_other():
    assert list(purposes.PURPOSES) == [row[0] for row in TABLE]


@pytest.mark.parametrize(("code", "hipaa", "notice", "exclusion"), TABLE)
def test_what_an_accounting_lists(code, hipaa, notice, exclusion):
    assert (code in purposes.codes_listed(Scope.HIPAA)) is hipaa
    assert (code in purposes.codes_listed(Scope.NOTICE)) is (notice is True)
    assert (code in purposes.codes_held(Scope.NOTICE)) is (notice == "held")
    assert purposes.purpose(code).exclusion.endswith(exclusion)
    assert bool(purposes.purpose(code).exclusion) is bool(exclusion)


def test_only_treatment_payment_and_operations_stay_out_of_the_log():
    assert [code for code, purpose in purposes.PURPOSES.items() if purpose.exempt] == ["treatment", "payment", "operations"]


def test_series_are_never_made_of_authorizations_or_of_slips():
    grouping = {code for code, purpose in purposes.PURPOSES.items() if purpose.groups}
    assert not grouping & {
        "authorization",
        "impermissible",
        "individual",
        "family_emergency",
        "involved_in_care",
        *purposes.EXEMPT,
    }
    assert {"required_by_law", "public_health", "health_oversight", "law_enforcement", "workers_compensation"} <= grouping


def test_the_hipaa_list_is_never_longer_than_the_promise():
    assert set(purposes.codes_listed(Scope.HIPAA)) < set(purposes.codes_listed(Scope.NOTICE))


@pytest.mark.parametrize("code", ["", "tpo", "Treatment", "incidental", "other"])
def test_an_unknown_code_is_refused(code):
    with pytest.raises(purposes.UnknownPurpose):
        purposes.purpose(code)


def test_only_a_slip_can_not_be_planned():
    assert [code for code, purpose in purposes.PURPOSES.items() if not purpose.plannable] == ["impermissible"]
