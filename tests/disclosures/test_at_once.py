"""Two people do the same act at one moment: one is kept, the other refused in words, and nothing half done stays."""

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from disclosures.models import Correction, Disclosure, HoldDecision, PriceAnswer, PriceTold
from disclosures.tariff import PriceRefused
from meso import seals
from meso.models import User
from records.models import LegalHold, LegalHoldEnding
from tests.factories import AT, DisclosureFactory, PatientFactory, UserFactory

ON = date(2026, 11, 24)


def corrected(by: User) -> Callable[[], object]:
    row = DisclosureFactory()
    facts = {"disclosed_on": row.disclosed_on, "recipient": "Right", "information": "x", "purpose_code": "court_order"}
    return lambda: row.correct(by=by, at=AT, reason="Name", replacement=facts | {"purpose": "Order"})


def decided(by: User) -> Callable[[], object]:
    row = DisclosureFactory(purpose_code="national_security")
    return lambda: row.decide_hold(by=by, at=AT, listed=True, reason="No order forbids it")


def answered(by: User) -> Callable[[], object]:
    told = PriceTold.objects.create(
        patient=PatientFactory(), requested_on=ON, start=ON, end=ON, scope="notice", delivery="pick_up", pages=1,
        rate=Decimal("0.15"), postage=Decimal(0), total=Decimal("0.15"), told_on=ON, by=by, at=AT,
    )  # fmt: skip
    return lambda: told.answer("accept", answered_on=ON, by=by, at=AT)


def lifted(by: User) -> Callable[[], object]:
    hold = LegalHold.place(None, reason="Federal audit", begins_on=ON, by=by, at=AT)
    return lambda: hold.lift(reason="Settled", on=ON, by=by, at=AT)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("made", "kept", "words"),
    [
        (corrected, Correction, "corrected meanwhile"),
        (decided, HoldDecision, "decided this meanwhile"),
        (answered, PriceAnswer, "recorded already"),
        (lifted, LegalHoldEnding, "lifted already"),
    ],
)
def test_of_two_at_one_moment_the_second_is_refused_in_words(made, kept, words):
    act, together, refused = made(UserFactory(role="privacy_officer")), threading.Barrier(2), []

    def one() -> None:
        together.wait(30)
        try:
            act()
        except (ValidationError, PriceRefused) as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    people = [threading.Thread(target=one) for _ in range(2)]
    for person in people:
        person.start()
    for person in people:
        person.join(60)
    assert [words in refusal for refusal in refused] == [True]
    assert kept.objects.count() == 1
    assert Disclosure.objects.count() == {"corrected": 2, "decided": 1}.get(made.__name__, 0)
    assert seals.verify().breaks == []
