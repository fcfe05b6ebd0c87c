"""Kill -9: of the server in the middle of writes, and of an import half way."""

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.house import ROOT, House, an_office, need, until
from tests.faults.writers import DONE, Write, Writer, check_nothing_is_lost, staff, writing

WRITERS = 4


@dataclass
class Kills:
    """What the kills struck. One with no write on its way does not count."""

    counted: int = 0
    idle: int = 0
    acknowledged: list[int] = field(default_factory=list)  # between a start and its kill
    torn: int = 0
    stored: int = 0  # of those torn off: committed before the kill, and nobody was told
    in_transaction: int = 0  # kills at which a transaction that writes was open
    seconds: float = 0

    def in_words(self) -> str:
        """The figures as a sentence."""
        told, late = self.acknowledged, self.torn - self.stored
        return (
            f"{self.counted} kills in the middle of a write, {self.in_transaction} of them with a writing transaction open "
            f"({self.idle} more struck nobody and do not count); {sum(told)} writes acknowledged, {min(told)} to {max(told)} "
            f"before each kill, all there; {self.torn} torn off: {self.stored} were there whole, {late} not at all, each was "
            f"there once when sent again; {self.seconds:.1f} s a kill"
        )


def killed(kind: str, asked: argparse.Namespace) -> str:
    """The server is killed with all its workers in the middle of writes, again and again; everything is checked after each."""
    with an_office(kind) as house:
        house.start()
        people = staff(house, ["physician"] * WRITERS)
        house.stop()
        return kill_again_and_again(house, people, asked.kills).in_words()


def kill_again_and_again(house: House, people: list, times: int) -> Kills:
    """Start, let them write, kill, look; until that many kills struck a write. Raises FaultError for the first thing lost."""
    kills, writes, begun = Kills(), [], time.monotonic()
    while kills.counted < times:
        house.start(wait=False)
        with writing(people) as writers:
            _aim(house, writers)
            is_open = house.is_writing()
            struck = [write for writer in writers if (write := writer.person.in_flight())]
            house.stop(signal.SIGKILL)
        writes += [write for writer in writers for write in writer.writes]
        _count(kills, house, writers, writes, [write for write in struck if write.answer is None], is_open)
        need(kills.idle <= 20 + times, "most kills struck nobody: the aim is wrong")
    house.start()
    with writing(people) as writers:  # what the last kill tore off is sent again
        until(lambda: all(writer.told for writer in writers), 60, "nobody could write after the last kill")
    house.stop()
    writes += [write for writer in writers for write in writer.writes]
    check_nothing_is_lost(house, writes)
    need(all(write.answer == DONE for write in writes), "something was never acknowledged, however often it was sent")
    kills.seconds = (time.monotonic() - begun) / (kills.counted + kills.idle)
    return kills


def _aim(house: House, writers: list[Writer]) -> None:
    """Wait until the server has acknowledged something, then for an instant within a write, and a little longer by chance."""
    until(lambda: any(writer.told for writer in writers), 60, "nothing was acknowledged after a start")
    time.sleep(random.uniform(0, 0.15))
    until(lambda: any(writer.person.in_flight() for writer in writers) and house.is_writing(), 20, "nobody writes", step=0.001)
    time.sleep(random.uniform(0, 0.03))
    until(lambda: any(writer.person.in_flight() for writer in writers), 20, "nobody writes", step=0.0002)


def _count(kills: Kills, house: House, writers: list[Writer], writes: list[Write], torn: list[Write], is_open: bool) -> None:
    there = check_nothing_is_lost(house, writes)["entries"]
    if not torn:
        kills.idle += 1
        return
    kills.counted += 1
    kills.in_transaction += is_open
    kills.acknowledged.append(sum(writer.told for writer in writers))
    kills.torn += len(torn)
    kills.stored += sum(write.title in there for write in torn)
    if sys.stderr.isatty() or kills.counted % 20 == 0:
        print(f"{kills.counted} kills", file=sys.stderr, flush=True)


# --- an import --------------------------------------------------------------------------------------------------------

ROWS = 4000
PARTS = (0.05, 0.3, 0.55, 0.8, 0.97)


def _files(folder: Path) -> dict[str, Path]:
    """A file for each importer, in the order in which they stand on each other."""
    entries = [
        {
            "resourceType": "DocumentReference",
            "id": f"d{number}",
            "status": "current",
            "subject": {"reference": f"Patient/p{number % 50}"},
            "date": "2024-03-01T10:00:00Z",
            "description": f"Note {number}",
            "content": [{"attachment": {"contentType": "text/plain", "data": "U2Vlbi4="}}],
        }
        for number in range(ROWS)
    ]
    chart = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}
    patients = [
        {
            "resourceType": "Patient",
            "id": f"p{number}",
            "identifier": [{"type": chart, "system": "http://hospital.example", "value": str(30000 + number)}],
            "name": [{"use": "official", "family": f"Vance{number}", "given": ["Ada"]}],
            "birthDate": "1984-07-02",
        }
        for number in range(50)
    ]
    tables = {
        "import_patients": [
            "chart_number,first_name,last_name,date_of_birth",
            *(f"{40000 + number},Ann,Import{number},1980-01-02" for number in range(ROWS)),
        ],
        "import_disclosures": [
            "chart_number,disclosed_on,recipient,recipient_address,information,purpose_code,purpose,authorized_on",
            *(f"{40000 + number},2024-03-01,Health Department,,Note,required_by_law,State law," for number in range(ROWS)),
        ],
        "import_requests": [
            "chart_number,kind,received_on,description,closed_on,outcome",
            *(f"{40000 + number},access,2024-03-01,Copy,," for number in range(ROWS)),
        ],
    }
    found = {"import_patients FHIR": folder / "bundle.json"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in (*patients, *entries)]}
    found["import_patients FHIR"].write_text(json.dumps(bundle))
    for name, lines in tables.items():
        found[name] = folder / f"{name}.csv"
        found[name].write_text("\n".join(lines) + "\n")
    return found


def import_killed(kind: str, asked: argparse.Namespace) -> str:
    """Each importer is killed in its transaction, early, half way and late; then it runs whole, and a second time."""
    killed, lasted = 0, []
    with an_office(kind) as house, an_office(kind) as like:
        house.manage("verify_records")  # the first command makes the office's own row
        for name, file in _files(house.folder).items():
            words = [name.split()[0], str(file)]
            lasted.append(_lasts(like, words))
            before = house.act("held")
            killed += _kill_in_parts(house, name, words, lasted[-1], before)
            whole = house.act("held")
            need(whole["tables"] != before["tables"] and not whole["breaks"], f"{name} is not whole after it was killed")
            house.manage(*words)
            _same(whole, house.act("held"), f"{name}, run again")
        house.manage("verify_records")
    return (
        f"{killed} kills within the transactions of {len(lasted)} imports of {ROWS} rows ({min(lasted):.1f} to {max(lasted):.1f} "
        "s long), early to late: nothing stored by any, each whole when run again, nothing twice when run once more"
    )


def _lasts(house: House, words: list[str]) -> float:
    """Run an import. The seconds for which its transaction was open."""
    with _running(house, words) as running:
        _transaction(house, running)
        begun = last = time.monotonic()
        while running.poll() is None:
            if house.is_writing():
                last = time.monotonic()
            time.sleep(0.005)
    return last - begun


def _kill_in_parts(house: House, name: str, words: list[str], lasts: float, before: dict) -> int:
    """Kill it early, half way and late, then let it run. How often it was killed within its transaction, twice at least."""
    killed, left = 0, before
    for part in PARTS:
        struck = _kill_one(house, words, lasts * part)
        left = house.act("held")
        if left["tables"] != before["tables"]:
            break  # it was done before it was killed: then all of it is there, and what follows adds nothing
        _same(before, left, f"{name}, killed at {part:.0%}")
        killed += struck
    need(killed >= 2, f"{name} was killed in its transaction {killed} times only")
    house.manage(*words)
    if left["tables"] != before["tables"]:
        _same(left, house.act("held"), f"{name}, killed when it was done,")
    return killed


def _same(before: dict, after: dict, what: str) -> None:
    """Nothing but the audit has changed, and every seal holds. Raises FaultError."""
    changed = [name for name, table in after["tables"].items() if table != before["tables"].get(name)]
    need(not changed, f"{what} changed {', '.join(changed)}")
    need(not after["breaks"], f"{what} left a seal that does not hold: {after['breaks'][:1]}")


@contextmanager
def _running(house: House, words: list[str]) -> Iterator[subprocess.Popen]:
    """A command at work."""
    command = [sys.executable, "manage.py", *words]
    running = subprocess.Popen(command, cwd=ROOT, env=house.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def _transaction(house: House, running: subprocess.Popen) -> None:
    """Wait until the import's own transaction is open: it lasts, as the one of the command's event does not."""
    seen = 0
    while seen < 10:
        need(running.poll() is None, f"{running.args[2]} ended before its transaction was seen")
        seen = seen + 1 if house.is_writing() else 0
        time.sleep(0.005)


def _kill_one(house: House, words: list[str], after: float) -> bool:
    """Run the import and kill it so many seconds into its transaction. Whether that was still open."""
    with _running(house, words) as running:
        _transaction(house, running)
        time.sleep(after)
        is_open = house.is_writing() and running.poll() is None
        running.kill()
        return is_open and running.wait() == -signal.SIGKILL
