"""The price of a later list, told and chosen on the request's own page; the officer's look before a representative's list."""

from datetime import date
from decimal import Decimal

import pytest

from disclosures import accounting
from disclosures.models import AccountingGiven, PriceTold
from requests_app import carrying_out
from requests_app.deadlines import NotAllowedNow
from tests.factories import AT, DisclosureFactory, PatientFactory, RepresentativeFactory, UserFactory
from tests.requests_app.answering import ON, an_office, granted, now

pytestmark = pytest.mark.django_db
PERIOD = {"since": "2026-01-01", "until": "2026-11-02"}


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


@pytest.fixture
def asked(officer):
    """Asked for on November 2, 2026, by a patient whose free list of these twelve months was asked for on March 15."""
    patient = PatientFactory()
    first = {"by": officer, "at": AT, "on": date(2026, 3, 15), "office": an_office(), "how": "handed over"}
    accounting.give(patient, date(2025, 1, 1), date(2026, 3, 15), **first)
    return granted("accounting", officer, patient=patient)


@pytest.mark.usefixtures("nov_24")
def test_the_price_is_told_and_chosen_on_the_requests_page(client, signed_in, asked):
    signed_in("front_desk")
    page = f"/requests/{asked.number}/carry-out/"
    assert "was asked for on Mar 15, 2026; the next is free from Mar 15, 2027" in client.get(page).content.decode()
    sent = PERIOD | {"delivery": "mail", "postage": "0.73", "told_on": ""}
    form = client.post(page, sent).context["form"]
    assert "It costs $0.88: 1 page at $0.15, postage $0.73." in str(form.errors["told_on"])
    client.post(page, sent | {"told_on": "2026-11-20"})
    told = PriceTold.objects.get()
    assert (told.requested_on, told.told_on, told.request_number) == (date(2026, 11, 2), date(2026, 11, 20), asked.number)
    assert "Pays this price" in client.get(page).content.decode()
    assert client.post(page, {"choice": "accept", "answered_on": "2026-11-19"}).context["form"].errors
    client.post(page, {"choice": "accept", "answered_on": "2026-11-24"})
    given = AccountingGiven.objects.latest("id")
    assert (given.fee, given.request_number, given.later_one) == (Decimal("0.88"), asked.number, True)
    assert "The accounting is made" in client.get(page).content.decode()


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize("choice", ["narrow", "withdraw"])
def test_nothing_is_made_for_who_narrows_it_or_takes_it_back(client, signed_in, asked, choice):
    signed_in("front_desk")
    page = f"/requests/{asked.number}/carry-out/"
    client.post(page, PERIOD | {"delivery": "pick_up", "postage": "", "told_on": "2026-11-24"})
    client.post(page, {"choice": choice, "answered_on": "2026-11-24"})
    assert AccountingGiven.objects.count() == 1
    assert "How the list goes out" in client.get(page).content.decode()


@pytest.mark.usefixtures("nov_24")
def test_the_first_in_twelve_months_asks_for_no_terms(client, signed_in, officer):
    signed_in("front_desk")
    asked = granted("accounting", officer)
    page = client.get(f"/requests/{asked.number}/carry-out/").content.decode()
    assert "This list is free" in page
    assert "How the list goes out" not in page


@pytest.mark.usefixtures("nov_24")
def test_the_page_shows_the_offices_day_and_the_federal_limit_side_by_side(client, signed_in, officer):
    signed_in("front_desk")
    asked = granted("accounting", officer)
    page = client.get(f"/requests/{asked.number}/carry-out/").content.decode()
    assert "Due Dec 2, 2026" in page
    assert "Federal limit: Jan 1, 2027" in page


@pytest.mark.usefixtures("nov_24")
def test_another_requests_price_is_not_answered_here(asked, officer):
    other = granted("accounting", officer, patient=asked.patient)
    facts = {"start": date(2026, 1, 1), "end": ON, "scope": "notice", "office": an_office(), **now(officer)}
    told = carrying_out.issue_accounting(
        asked, terms=carrying_out.Terms("pick_up", told_on=ON), **facts | {"scope": accounting.Scope.NOTICE}
    )
    answer = {"choice": "accept", "answered_on": ON, "office": an_office(), **now(officer)}
    with pytest.raises(NotAllowedNow, match="not told for this request"):
        carrying_out.answer_price(other, told, **answer)


def asked_by_a_son(officer):
    """A granted request of somebody who acts for the patient, and was verified so."""
    asked = granted("accounting", officer, on_behalf="Paul Alvarez, son")
    asked.representative = RepresentativeFactory(patient=asked.patient, begins_on=date(2026, 1, 1))
    asked.save(update_fields=["representative"])
    return asked


@pytest.mark.usefixtures("nov_24")
@pytest.mark.parametrize(("code", "refused"), [("abuse_neglect", True), ("public_health", False)])
def test_only_the_officer_makes_a_list_that_tells_a_representative_of_a_report_of_abuse(officer, code, refused):
    asked = asked_by_a_son(officer)
    DisclosureFactory(patient=asked.patient, purpose_code=code, disclosed_on=date(2026, 6, 1))
    facts = {"start": date(2026, 1, 1), "end": ON, "scope": accounting.Scope.NOTICE, "office": an_office()}
    assert bool(carrying_out.why_officer(asked, date(2026, 1, 1), ON, accounting.Scope.NOTICE, ON)) is refused
    if refused:
        with pytest.raises(NotAllowedNow, match=r"privacy officer makes this list") as refusal:
            carrying_out.issue_accounting(asked, **facts, **now(UserFactory()))
        assert "abuse" not in str(refusal.value)
        assert not AccountingGiven.objects.exists()
    assert carrying_out.issue_accounting(asked, **facts, **now(officer if refused else UserFactory()))


@pytest.mark.usefixtures("nov_24")
def test_the_officer_is_told_to_look_first(client, signed_in, officer):
    asked = asked_by_a_son(officer)
    DisclosureFactory(patient=asked.patient, purpose_code="abuse_neglect", disclosed_on=date(2026, 6, 1))
    for role, told in (("privacy_officer", True), ("front_desk", False)):
        signed_in(role)
        assert ("Look before you make it" in client.get(f"/requests/{asked.number}/carry-out/").content.decode()) is told
