"""The log's tests stand on November 24, 2026, and on chart 10023."""

import pytest
import time_machine

from tests.factories import PatientFactory


@pytest.fixture
def _on_november_24():
    with time_machine.travel("2026-11-24T15:00:00Z", tick=False):
        yield


@pytest.fixture
def patient(db):
    """The patient of chart 10023."""
    return PatientFactory(chart_number="10023")
