"""How many questions a search asks the database, and that what is typed never becomes a part of one."""

import pytest

from records.models import Patient
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("gar", 1),
        ("maria garcia", 1),
        ("garcia maria", 1),
        ("1984-07-02", 1),
        ("555010", 1),
        ("T0", 1),
        ("zzyzx", 2),
        ("maria jose garcia lopez smith", 3),
        ("07/02/1984 zzyzx", 2),
    ],
)
def test_a_search_asks_a_fixed_number_of_questions(text, most, django_assert_max_num_queries):
    for number in range(30):
        PatientFactory(first_name="Maria", last_name=f"Garcia{number}", chart_number=f"T0{number}")
    with django_assert_max_num_queries(most):
        Patient.objects.search(text)


def test_a_patient_found_in_two_ways_is_told_once_at_the_better_place():
    by_first = PatientFactory(first_name="Garcia", last_name="Zamora")
    both = PatientFactory(first_name="Garcia", last_name="Garcia")
    by_last = PatientFactory(first_name="Ana", last_name="Garcia")
    assert Patient.objects.search("garcia") == [by_last, both, by_first]


def test_a_rare_word_finds_whoever_has_the_common_ones_too():
    for number in range(5):
        PatientFactory(first_name="Maria", last_name=f"Lopez{number}")
    wanted = PatientFactory(first_name="Maria Quintessa", last_name="Del Lopez")
    assert Patient.objects.search("lopez quint maria") == [wanted]


@pytest.mark.parametrize("text", ["'; DROP TABLE records_patient; --", '"', "%s", "%(x)s", "\\", "100%", "_", "o'brien\0"])
def test_what_is_typed_is_a_value_and_never_a_part_of_the_statement(text):
    PatientFactory()
    assert Patient.objects.search(text) == []
    assert Patient.objects.count() == 1
