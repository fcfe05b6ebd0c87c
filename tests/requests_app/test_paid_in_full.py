"""A request to keep from the health plan what was paid for in full: it must be granted (law.md §5)."""

from datetime import date
from decimal import Decimal

import pytest

from records import wishes
from records.models import Restriction
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Outcome
from requests_app.models.timeline import Verb
from tests.factories import EntryFactory, UserFactory
from tests.requests_app.answering import DETAILS, an_office, granted, now, verified

pytestmark = [pytest.mark.django_db]
ASKED = DETAILS["restriction"] | {"paid_in_full": "yes"}
DENIAL = {"outcome": "denied", "ground": "N1", "text": "We would rather bill the plan.", "not_owed": "on"}
PAID = {
    "service": "Session of May 1", "service_on": "2026-05-01", "plan": "Empire Health", "charged": "180", "amount": "180",
    "paid_on": "2026-05-01", "begins_on": "2026-11-24",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer")


def test_a_denial_is_refused_unless_a_balance_is_open(officer):
    request = verified("restriction", officer, details=ASKED)
    for balance in (None, Decimal(0), Decimal("-1")):
        with pytest.raises(NotAllowedNow, match="law makes us agree") as refusal:
            request.decide(Outcome.DENIED, ground="N1", text="No", open_balance=balance, **now(officer))
        assert refusal.value.field == "open_balance"
    request.refresh_from_db()
    assert request.outcome == ""
    request.decide(Outcome.DENIED, ground="N1", text="$80 is open", open_balance=Decimal("80.00"), **now(officer))
    assert request.events.get(verb=Verb.DECIDED).data["open_balance"] == "80.00"


@pytest.mark.parametrize("details", [DETAILS["restriction"], DETAILS["restriction"] | {"paid_in_full": "no"}])
def test_any_other_restriction_may_be_refused_as_before(officer, details):
    request = verified("restriction", officer, details=details)
    assert not request.must_be_granted
    request.decide(Outcome.DENIED, ground="N1", text="For your safety.", **now(officer))


def test_the_decision_says_so_and_asks_for_the_open_balance(client, signed_in, officer):
    signed_in("privacy_officer")
    request = verified("restriction", officer, details=ASKED)
    path = f"/requests/{request.number}/decide/"
    page = client.get(path).content.decode()
    assert "the law makes us agree (45 CFR 164.522(a)(1)(vi))" in page
    answer = client.post(path, DENIAL).content.decode()
    assert "Nothing is open? Then the law makes us agree: grant it." in answer
    assert "0.01" in client.post(path, DENIAL | {"open_balance": "0"}).content.decode()
    request.refresh_from_db()
    assert request.outcome == ""
    client.post(path, DENIAL | {"open_balance": "80"})
    request.refresh_from_db()
    assert request.outcome == "denied"
    assert "open_balance" not in client.get(f"/requests/{verified('restriction', officer).number}/decide/").content.decode()


def test_carried_out_it_is_kept_from_the_plan_line_by_line(client, signed_in, officer):
    signed_in("front_desk")
    request = granted("restriction", officer, details=ASKED)
    visit = EntryFactory(patient=request.patient, kind="treatment", service_on=date(2026, 5, 1))
    lab = EntryFactory(patient=request.patient, kind="lab_result", service_on=date(2026, 5, 1))
    path = f"/requests/{request.number}/carry-out/"
    page = client.get(path).content.decode()
    assert "Keep what was paid in full from the health plan" in page
    assert 'value="My health plan"' in page
    answer = client.post(path, PAID | {"amount": "100", "entries": [visit.pk]})
    assert "the law asks for payment in full" in answer.content.decode()
    assert not Restriction.objects.exists()
    client.post(path, PAID | {"entries": [visit.pk]})
    restriction = Restriction.objects.get()
    assert (restriction.request_number, restriction.agreed_by, restriction.is_mandatory) == (request.number, officer, True)
    on = date(2026, 11, 24)
    facts = {"purpose": "payment", "recipient": "health_plan", "on": on}
    assert [verdict.blocks for _restriction, verdict in wishes.verdicts(request.patient, [visit], **facts)] == [True]
    assert wishes.verdicts(request.patient, [lab], **facts) == []


def test_a_line_that_is_kept_already_is_refused_at_the_form(client, signed_in, officer):
    signed_in("front_desk")
    first, second = (granted("restriction", officer, details=ASKED) for _ in range(2))
    second.patient = first.patient
    second.save(update_fields=["patient"])
    client.post(f"/requests/{first.number}/carry-out/", PAID)
    answer = client.post(f"/requests/{second.number}/carry-out/", PAID)
    assert "kept from the health plan already" in answer.content.decode()
    assert Restriction.objects.count() == 1
