"""The faults, each a function of the kind of database that says in a sentence what happened, or raises FaultError."""

import argparse
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.faults.house import ROOT, House, an_office, check_nothing_is_lost, need, writing

TOOLS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/nowhere"))
OWN_PORT = 5499


def killed(kind: str, asked: argparse.Namespace) -> str:
    """The server is killed with all its workers in the middle of writes, again and again."""
    writers_all = []
    with an_office(kind) as house:
        for number in range(asked.kills):
            house.start()
            with writing(house, label=f"k{number}-") as writers:
                time.sleep(random.uniform(0.2, 0.6))
                house.stop(signal.SIGKILL)
            writers_all += writers
            if number % 20 == 19:
                check_nothing_is_lost(house, writers_all)
        found = check_nothing_is_lost(house, writers_all)
    torn = sum(len(writer.sent) - len(writer.told) for writer in writers_all)
    return f"{asked.kills} kills, {found['acknowledged']} writes acknowledged, all there; {torn} torn off, none half written"


def at_once(kind: str, asked: argparse.Namespace) -> str:
    """Thirty-two writers on one chart."""
    with an_office(kind, people=32) as house:
        house.start()
        with writing(house, people=32) as writers:
            time.sleep(asked.seconds)
        house.stop()
        found = check_nothing_is_lost(house, writers)
    others = sum(count for writer in writers for status, count in writer.answers.items() if status != 302)
    need(others == 0, f"{others} writes were answered otherwise than with the chart")
    rate = found["acknowledged"] / asked.seconds
    return f"{found['acknowledged']} entries in {asked.seconds} s ({rate:.0f} a second) by 32 writers, chain whole, none lost"


def import_killed(kind: str, asked: argparse.Namespace) -> str:
    """An import of 3,000 patients is killed half way, and then run again."""
    with an_office(kind, people=1) as house:
        lines = ["chart_number,first_name,last_name,date_of_birth,sex,phone,email,address_1,address_2,city,state,zip,language"]
        lines += [f"{20000 + number},Ann,Import{number},1980-01-02,,,,,,,,," for number in range(3000)]
        file = house.folder / "patients.csv"
        file.write_text("\n".join(lines) + "\n")
        command = [sys.executable, "manage.py", "import_patients", str(file)]
        whole = time.monotonic()
        house.python("manage.py", "import_patients", str(file), "--dry-run")
        whole = time.monotonic() - whole
        for part in (0.4, 0.6, 0.8, 0.9):
            running = subprocess.Popen(command, cwd=ROOT, env=house.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(whole * part)
            running.kill()
            running.wait()
            need(_patients(house) in (1, 3001), "part of an import was stored")
        house.python("manage.py", "import_patients", str(file))
        need(_patients(house) == 3001, "the import after the kills is not whole")
        house.python("manage.py", "verify_records")
    return "killed four times on its way: nothing or everything stored; run again it is whole"


def _patients(house: House) -> int:
    count = "import django; django.setup(); from records.models import Patient; print(Patient.objects.count())"
    return int(house.python("-c", count).stdout)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A folder on a file system that is soon full. Needs root."""
    with tempfile.TemporaryDirectory(prefix="meso-small-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def own_cluster(folder: Path) -> Iterator[Callable[[str], None]]:
    """A PostgreSQL of our own in that folder, on its own port: `act("start")`, `act("stop")`. Needs root and its programs."""
    owner, data = pwd.getpwnam("postgres"), folder / "cluster"
    data.mkdir(mode=0o700)
    for place in (folder, data):
        os.chown(place, owner.pw_uid, owner.pw_gid)
    options = f"-p {OWN_PORT} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_wal_size=32MB"

    def act(what: str) -> None:
        more = ["-o", options, "-l", str(folder / "cluster.log")] if what == "start" else ["-m", "immediate"]
        command = [str(TOOLS / "pg_ctl"), "-D", str(data), "-w", *more, what]
        subprocess.run(command, check=what == "start", user="postgres", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    initdb = [str(TOOLS / "initdb"), "-D", str(data), "--auth=trust", "-U", "postgres", "--wal-segsize=4"]
    subprocess.run(initdb, check=True, user="postgres", stdout=subprocess.DEVNULL)
    act("start")
    try:
        yield act
    finally:
        act("stop")


@contextmanager
def on_a_small_disk(kind: str, megabytes: int) -> Iterator[tuple[House, Path]]:
    """An office whose database lies on a small disk, and that disk's folder."""
    with small_disk(megabytes) as disk:
        if kind == "sqlite":
            with an_office(kind, disk=disk) as house:
                yield house, disk
        else:
            with own_cluster(disk), an_office(kind, server=f"postgres://postgres@127.0.0.1:{OWN_PORT}") as house:
                yield house, disk


def full_disk(kind: str, asked: argparse.Namespace) -> str:
    """The disk of the database fills up while people write; then there is room again."""
    with on_a_small_disk(kind, 24 if kind == "sqlite" else 160) as (house, disk):
        house.start()
        ballast = disk / "ballast"
        with writing(house) as writers:
            time.sleep(2)
            free = shutil.disk_usage(disk).free
            with suppress(OSError):
                ballast.write_bytes(b"x" * (free - 64 * 1024))
            time.sleep(6)
            refused = sum(count for writer in writers for status, count in writer.answers.items() if status != 302)
            ballast.unlink()
            before = sum(len(writer.told) for writer in writers)
            if kind == "postgresql":
                _until(lambda: house.asked("/healthz/") == 200, 60)
            time.sleep(6)
            after = sum(len(writer.told) for writer in writers)
        house.stop()
        found = check_nothing_is_lost(house, writers)
    need(after > before, "nothing could be written after there was room again")
    return f"{refused} writes refused while it was full, {found['acknowledged']} acknowledged and all there; it went on by itself"


def _until(holds: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.2)


def database_gone(kind: str, asked: argparse.Namespace) -> str:
    """PostgreSQL is stopped without warning while people write, and started again."""
    if kind == "sqlite":
        return "does not apply: there is no server to lose"
    server, place = f"postgres://postgres@127.0.0.1:{OWN_PORT}", tempfile.TemporaryDirectory(prefix="meso-cluster-")
    with place as folder, own_cluster(Path(folder)) as act, an_office(kind, server=server) as house:
        house.start()
        with writing(house) as writers:
            time.sleep(2)
            act("stop")
            said = {house.asked("/healthz/") for _ in range(5)}
            need(said == {503}, f"/healthz/ said {said} without a database")
            time.sleep(2)
            act("start")
            _until(lambda: house.asked("/healthz/") == 200, 30)
            before = sum(len(writer.told) for writer in writers)
            time.sleep(4)
        house.stop()
        found = check_nothing_is_lost(house, writers)
        need(found["acknowledged"] > before, "nobody could write after the database was back")
    return (
        f"/healthz/ said 503 meanwhile; {found['acknowledged']} writes acknowledged and all there; it went on without a restart"
    )


def clock_back(kind: str, asked: argparse.Namespace) -> str:
    """The machine's clock is set back by a year between two writes: chains go by their own order."""
    write = (
        "import django, time_machine; django.setup()\nfrom datetime import datetime, UTC\n"
        "from tests.factories import EntryFactory\nfrom records.models import Patient\n"
        "patient = Patient.objects.get()\n"
        "for year in (2026, 2025, 2027):\n"
        "    with time_machine.travel(datetime(year, 6, 1, tzinfo=UTC)):\n"
        "        EntryFactory(patient=patient, written_at=datetime(year, 6, 1, tzinfo=UTC))\n"
    )
    with an_office(kind, people=1) as house:
        house.python("-c", write)
        found = house.left()
        need(not found["breaks"] and len(found["titles"]) == 3, f"seals do not hold: {found['breaks'][:2]}")
    return "three entries written in 2026, 2025 and 2027: the chain holds in the order in which they were laid"


def two_deciders(kind: str, asked: argparse.Namespace) -> str:
    """Two officers decide the same request at the same instant, fifty times."""
    decide = """
import django, json, sys, threading; django.setup()
from datetime import date, datetime, UTC
from django.db import connection
from requests_app.deadlines import NotAllowedNow
from requests_app.kinds import Outcome
from requests_app.models import PatientRequest
from tests.factories import RequestFactory, UserFactory
on, at = date(2026, 11, 24), datetime(2026, 11, 24, 15, tzinfo=UTC)
officers = [UserFactory(role="privacy_officer") for _ in range(2)]
done = {"decided": 0, "refused": 0}
for _ in range(50):
    request = RequestFactory(received_on=on, on=on)
    request.verify_identity("photo ID seen", by=officers[0], at=at, on=on)
    gate = threading.Barrier(2)
    def act(by):
        gate.wait()
        try:
            PatientRequest.objects.get(pk=request.pk).decide(Outcome.GRANTED, by=by, at=at, on=on); done["decided"] += 1
        except NotAllowedNow: done["refused"] += 1
        finally: connection.close()
    threads = [threading.Thread(target=act, args=(by,)) for by in officers]
    [thread.start() for thread in threads]; [thread.join() for thread in threads]
    assert request.events.filter(verb="decided").count() == 1
print(json.dumps(done))
"""
    with an_office(kind, people=1) as house:
        said = house.python("-c", decide).stdout.strip().splitlines()[-1]
        need(said == '{"decided": 50, "refused": 50}', f"fifty requests were decided so: {said}")
    return "50 requests, each decided once, the other told in words that it was decided"


FAULTS: dict[str, Callable[[str, argparse.Namespace], str]] = {
    "kill -9": killed,
    "32 writers": at_once,
    "import killed": import_killed,
    "full disk": full_disk,
    "database gone": database_gone,
    "clock set back": clock_back,
    "two deciders": two_deciders,
}
