"""The invented office: it loads, its seals hold, and each state that the pages know is in it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from meso import seals
from meso.models import Office
from records.models import EmergencyAccess, EntryFlag, Patient, WayOut
from requests_app import reviews, unusual
from requests_app.demo.load import load
from requests_app.models import InboundAmendment, LetterDelivery, Recipient, ReviewOutcome
from requests_app.models.looks import Rule

ON = date(2026, 11, 24)

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_the_invented_office_has_somebody_told_of_an_amendment_a_review_and_a_notice_of_another_provider():
    load(on=ON, at=AT)
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


@pytest.mark.django_db
def test_the_invented_office_has_a_guarded_chart_a_broken_glass_a_note_apart_and_looks_to_go_through():
    load(on=ON, at=AT)
    guarded = Patient.objects.guarded().get()
    reviewed, open_one = guarded.emergency_accesses.order_by("at")
    assert reviewed.review.finding == "justified"
    assert [one.pk for one in EmergencyAccess.objects.unreviewed()] == [open_one.pk]
    assert EntryFlag.objects.filter(kind="psychotherapy_notes", ending=None).count() == 1
    found = unusual.findings(ON - timedelta(days=7), ON, Office.current())
    assert {one.rule for one in found} == {Rule.GUARDED, Rule.STREET, Rule.AFTER_HOURS}
