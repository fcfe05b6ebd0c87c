"""The invented office: it loads, its seals hold, and each state that the pages know is in it."""

from datetime import UTC, date, datetime

import pytest

from meso import seals
from records.models import WayOut
from requests_app import reviews
from requests_app.demo.load import load
from requests_app.models import InboundAmendment, LetterDelivery, Recipient, ReviewOutcome

ON = date(2026, 11, 24)


@pytest.mark.django_db
def test_the_invented_office_has_somebody_told_of_an_amendment_a_review_and_a_notice_of_another_provider():
    load(on=ON, at=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    assert seals.verify().breaks == []

    told = {one.name: [row.outcome for row in one.tellings.all()] for one in Recipient.objects.all()}
    assert told == {"New York State Insurance Fund": ["told"], "Dr. Irene Castellan": []}

    review = ReviewOutcome.objects.get()
    assert (review.result, review.referral.reviewer) == ("upheld", None)
    assert review.referral.name not in {name for name, _licence in reviews.took_part(review.review.request)}

    waiting, answered = InboundAmendment.objects.order_by("-told_on")
    assert not hasattr(waiting, "answer")
    assert answered.answer.reason
    assert set(LetterDelivery.objects.values_list("how", flat=True)) <= set(WayOut.values)
