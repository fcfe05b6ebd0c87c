"""Lays the office's chain through the events that were written before there was one, in the order of their numbers."""

from itertools import islice

from django.db import migrations

from meso.seals import START, seal_over

OFFICE = "office"


def seal_what_is_there(apps, schema_editor):
    event, seal, head = (apps.get_model("meso", name) for name in ("AccessEvent", "Seal", "ChainHead"))
    place, previous = 0, START
    rows = event.objects.using(schema_editor.connection.alias).order_by("pk").iterator(chunk_size=2000)
    while some := list(islice(rows, 2000)):
        links = []
        for row in some:
            digest, place = seal_over(previous, row), place + 1
            links.append(
                seal(chain=OFFICE, place=place, table="meso.accessevent", row=row.pk, previous=previous, seal=digest)
            )
            previous = digest
        seal.objects.bulk_create(links, batch_size=500)
    head.objects.create(chain=OFFICE, length=place, seal=previous)


class Migration(migrations.Migration):
    dependencies = [("meso", "0005_copy_costs")]
    operations = [migrations.RunPython(seal_what_is_there, migrations.RunPython.noop)]
