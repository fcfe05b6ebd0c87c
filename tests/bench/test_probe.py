"""Reading a large table from end to end does not go unnoticed; the floor is nobody's page but the benchmark's."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

from bench.probe import whole_reads
from records.models import Patient


def queries_of(queryset) -> list[dict[str, str]]:
    with CaptureQueriesContext(connection) as captured:
        list(queryset)
    return captured.captured_queries


@pytest.fixture
def _no_choice_by_size(db):
    """PostgreSQL reads a table of no rows whole, as it should; here it is to show which index it has."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")


@pytest.mark.usefixtures("_no_choice_by_size")
def test_a_query_without_an_index_is_named_and_one_with_an_index_is_not():
    large = {"records_patient": 100_000}
    assert whole_reads(queries_of(Patient.objects.filter(city="Albany")), large) == {"records_patient"}
    assert whole_reads(queries_of(Patient.objects.filter(last_key="o'brien%")), large) == set()


@pytest.mark.usefixtures("_no_choice_by_size")
def test_a_small_table_may_be_read_whole():
    assert whole_reads(queries_of(Patient.objects.filter(city="Albany")), {"records_patient": 50}) == set()


def test_the_floor_is_not_among_meso_s_pages():
    for path in ("/floor/read/", "/floor/write/", "/floor/inside/"):
        with pytest.raises(Resolver404):
            resolve(path)
