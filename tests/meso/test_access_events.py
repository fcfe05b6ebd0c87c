"""The audit trail between two days: what the privacy officer narrows it to."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from meso import clock
from meso.forms import AuditFilterForm
from meso.models import AccessEvent

pytestmark = pytest.mark.django_db
MIDNIGHT = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)  # Nov 24 begins in New York


@pytest.fixture(autouse=True)
def _new_york():
    clock.set_zone("America/New_York")


def looked(at: datetime) -> AccessEvent:
    return AccessEvent.objects.create(at=at, action="view", subject="chart")


def found(since: str, until: str) -> list[AccessEvent]:
    form = AuditFilterForm({"since": since, "until": until})
    return list(form.narrow(AccessEvent.objects.all()).order_by("id"))


def test_a_day_is_the_office_s_and_both_ends_count():
    before, first, last, after = (
        looked(MIDNIGHT + by)
        for by in (timedelta(seconds=-1), timedelta(0), timedelta(hours=23, minutes=59), timedelta(hours=24))
    )
    assert found("2026-11-24", "2026-11-24") == [first, last]
    assert found("2026-11-24", "") == [first, last, after]
    assert found("", "2026-11-24") == [before, first, last]
    assert found("", "") == [before, first, last, after]


def test_the_day_on_which_the_clocks_change_has_25_hours():
    last = looked(datetime(2026, 11, 2, 4, 59, tzinfo=UTC))  # 23:59 on Sunday, Nov 1, 24 hours and 59 minutes after it began
    assert found("2026-11-01", "2026-11-01") == [last]


def test_events_stored_out_of_order_around_midnight_are_found():
    late, early = looked(MIDNIGHT + timedelta(minutes=2)), looked(MIDNIGHT - timedelta(minutes=2))
    assert found("2026-11-24", "") == [late]
    assert found("", "2026-11-23") == [early]


def test_a_day_before_or_behind_every_event():
    event = looked(MIDNIGHT)
    assert found("2027-01-01", "") == []
    assert found("", "2020-01-01") == []
    assert found("2020-01-01", "2027-01-01") == [event]


def test_days_narrow_the_ids_that_are_read():
    first, *_ = [looked(MIDNIGHT + timedelta(days=day)) for day in range(9)]
    with CaptureQueriesContext(connection) as captured:
        found("2026-11-26", "2026-11-26")
    sql = captured.captured_queries[-1]["sql"]
    assert f'"id" > {first.pk + 1}' in sql
    assert f'"id" < {first.pk + 4}' in sql


def test_midnight_is_the_office_s():
    assert clock.midnight(date(2026, 11, 24)) == MIDNIGHT
