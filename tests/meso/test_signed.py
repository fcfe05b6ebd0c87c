"""Rows that somebody signs: the name under them is the writer's own, as it was that day."""

from datetime import UTC, datetime

from meso.append_only import append_only_models
from meso.signed import Signed
from records.models import Misfiling
from tests.factories import EntryFactory, UserFactory

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def test_a_row_bears_its_writers_own_signature_and_keeps_it(db):
    doctor, entry = UserFactory(first_name="Ada", last_name="Vance", credentials="MD"), EntryFactory()
    row = Misfiling.objects.create(
        patient=entry.patient, entry=entry, reason="Another chart's", by=doctor, at=AT, signed_as="Someone Else"
    )
    doctor.last_name = "Stark"
    doctor.save()
    assert Misfiling.objects.get(pk=row.pk).signed_as == "Ada Vance, MD"


def test_nobody_keeps_the_columns_of_a_signature_by_themselves():
    """A table whose writer is `by` and whose signature is `signed_as` is a Signed one; the timeline's writer may be nobody."""
    columns = {"by", "signed_as", "at"}
    alike = [model for model in append_only_models() if columns <= {field.name for field in model._meta.fields}]
    assert [model.__name__ for model in alike if not issubclass(model, Signed)] == ["RequestEvent"]
