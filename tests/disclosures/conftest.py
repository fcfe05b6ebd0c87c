"""The log's tests stand on November 24, 2026, and on chart 10023."""

import pytest

from tests.factories import PatientFactory


@pytest.fixture
def patient(db):
    """The patient of chart 10023."""
    return PatientFactory(chart_number="10023")
