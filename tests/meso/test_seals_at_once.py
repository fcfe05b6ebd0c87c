"""Many writers on one chart at once: no link is lost, no chain forks, nobody waits for ever."""

import threading

import pytest
from django.db import connection

from meso import seals
from meso.models import User
from meso.seals import ChainHead, Seal, patient_chain
from records.models import Entry, Patient
from tests.factories import EntryFactory, PatientFactory, UserFactory
from tests.meso import processes

WRITERS, ROWS = 6, 30


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


def in_processes(patient: int, author: int) -> None:
    processes.run_at_once(write, [(patient, author, f"writer {n}") for n in range(WRITERS)])


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
