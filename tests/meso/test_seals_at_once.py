"""Many writers on one chart at once: no link is lost, no chain forks, nobody waits for ever."""

import os
import subprocess
import sys
import threading
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from meso import seals
from meso.models import User
from meso.seals import ChainHead, Seal, patient_chain
from records.models import Entry, Patient
from tests.factories import EntryFactory, PatientFactory, UserFactory

WRITERS, ROWS = 6, 30

WRITER = """
import sys, django
django.setup()
from tests.meso.test_seals_at_once import write
write(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
"""


def write(patient: int, author: int, name: str) -> None:
    """What one writer does: ROWS entries, one after the other."""
    who = {"patient": Patient.objects.get(pk=patient), "author": User.objects.get(pk=author)}
    for number in range(ROWS):
        EntryFactory(title=f"{name}, {number}", **who)


def in_threads(patient: int, author: int) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            write(patient, author, name)
        except BaseException as failure:  # noqa: BLE001  (told to the test's own thread)
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"writer {n}",)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []


def url_of(database: dict) -> str:
    """The address of this test database, for a process of its own."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    login = f"{database['USER']}:{quote(database['PASSWORD'])}@" if database["PASSWORD"] else f"{database['USER']}@"
    return f"postgres://{login}{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def in_processes(patient: int, author: int) -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "meso.settings", "DATABASE_URL": url_of(connection.settings_dict)}
    connection.close()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(patient), str(author), f"writer {n}"],
            cwd=settings.BASE_DIR,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(WRITERS)
    ]
    for writer in writers:
        _, complaint = writer.communicate(timeout=120)
        assert writer.returncode == 0, complaint


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("together", [in_threads, in_processes])
def test_writers_at_once_never_fork_or_lose_a_link(together):
    patient, author = PatientFactory(), UserFactory(role="physician")
    together(patient.pk, author.pk)
    links = Seal.objects.filter(chain=patient_chain(patient.pk)).order_by("place")
    assert Entry.objects.filter(patient=patient).count() == WRITERS * ROWS
    assert list(links.values_list("place", flat=True)) == list(range(1, WRITERS * ROWS + 1))
    assert ChainHead.objects.get(chain=patient_chain(patient.pk)).length == WRITERS * ROWS
    report = seals.verify()
    assert (report.breaks, report.links) == ([], WRITERS * ROWS)


@pytest.mark.django_db(transaction=True)
def test_verifying_beside_a_writer_raises_no_false_alarm():
    """A link written between the reading of a head and of its links is no break."""
    patient, author = PatientFactory(), UserFactory(role="physician")
    writer = threading.Thread(target=in_threads, args=(patient.pk, author.pk))
    writer.start()
    reports = []
    while writer.is_alive():
        reports.append(seals.verify())
    writer.join()
    assert reports
    assert [report.breaks for report in reports if report.breaks] == []
    assert seals.verify().links == WRITERS * ROWS
