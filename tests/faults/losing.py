"""What Meso stands on goes and comes back: room on the disk, the database, the right time."""

import argparse
import time
from collections import Counter
from contextlib import suppress

import psycopg

from tests.faults.house import Cluster, House, an_office, an_office_elsewhere, need, until
from tests.faults.writers import DONE, ERROR, FORM, SECRET, Person, Writer, answers, check_nothing_is_lost, staff, writing

PAGES = ("/", "/patients/10023/", FORM, "/privacy/", "/accounts/login/")
OWN_PAGE = "the house's own page of errors"
BACK = 4  # seconds of work to be seen afterwards, in which nobody may be refused


def _told(writers: list[Writer]) -> int:
    return sum(writer.told for writer in writers)


def _all_clean(person: Person) -> int:
    """Ask for pages of staff and patients, which must all be the house's own page of errors. How many were asked for."""
    for path in PAGES:
        status, page = person.ask(path)
        said = page.decode(errors="replace")
        need(
            status >= 500 and ERROR in said and "Traceback" not in said,
            f"without a database {path} answered {status}: {said[:200]!r}",
        )
    return len(PAGES)


def _works_again(house: House, writers: list[Writer]) -> float:
    """Wait until the office is well by itself and all its writers write, then see that nobody is refused. The seconds waited."""
    before = {writer: writer.told for writer in writers}

    def all_write() -> bool:
        return house.asked("/healthz/") == 200 and all(writer.told > before[writer] for writer in writers)

    seconds = until(all_write, 90, "it did not go on by itself", step=0.1)
    was, told = answers(writers), _told(writers)
    time.sleep(BACK)
    refused = answers(writers) - was
    del refused[str(DONE)]
    need(not refused, f"after it was well again: {dict(refused)}")
    need(_told(writers) > told, "nobody wrote after it was well again")
    return seconds


def _only_clean(writers: list[Writer]) -> Counter[str]:
    """How the writers were answered: the chart, or the house's own page. Raises FaultError for any other answer."""
    said = answers(writers)
    need(said.keys() <= {str(DONE), OWN_PAGE}, f"not all requests failed clean: {dict(said)}")
    need(said[OWN_PAGE], "nobody was refused: nothing was tried")
    return said


def full_disk(kind: str, asked: argparse.Namespace) -> str:
    """The disk of the database fills up while people write; then there is room again."""
    with an_office_elsewhere(kind, 40 if kind == "sqlite" else 200) as (house, folder, cluster):
        house.start()
        with writing(staff(house, ["physician"] * 4)) as writers:
            until(lambda: _told(writers) >= 20, 60, "nobody wrote before")
            ballast = folder.parent / "ballast"
            with suppress(OSError), ballast.open("wb") as filler:
                while filler.write(b"x" * 65536):
                    filler.flush()
            until(lambda: all(writer.answers[OWN_PAGE] for writer in writers), 60, "the disk is full and nobody is refused")
            time.sleep(3)
            refused, fell = answers(writers)[OWN_PAGE], bool(cluster and not cluster.is_running())
            ballast.unlink()
            if cluster and fell:
                cluster.start()
            seconds = _works_again(house, writers)
        said = _only_clean(writers)
        house.stop()
        check_nothing_is_lost(house, [write for writer in writers for write in writer.writes])
    more = " and PostgreSQL, which had ended itself, was started" if fell else ""
    return (
        f"{refused} requests refused while it was full, all with the house's own page; {seconds:.1f} s after there was "
        f"room{more} all four wrote again, without a restart of Meso, nobody refused any more; {said[str(DONE)]} writes "
        "acknowledged, all there"
    )


def database_gone(kind: str, asked: argparse.Namespace) -> str:
    """The database goes without warning while people write, and comes back: PostgreSQL crashes, SQLite's folder is moved."""
    more = {"CONN_MAX_AGE": "0"} if kind == "sqlite" else {}  # else SQLite would go on writing into the folder that was moved
    rounds, pages, waited = 3, 0, []
    with an_office_elsewhere(kind, more=more) as (house, folder, cluster):
        house.start()
        people = staff(house, ["physician"] * 5)
        with writing(people[:4]) as writers:
            for _ in range(rounds):
                until(lambda: _told(writers) >= 5, 60, "nobody wrote before")
                _take_away(folder, cluster)
                need(house.asked("/healthz/") == 503, "/healthz/ is not 503 without a database")
                pages += _all_clean(people[4])
                time.sleep(2)
                _put_back(folder, cluster)
                waited.append(_works_again(house, writers))
        said = _only_clean(writers)
        house.stop()
        check_nothing_is_lost(house, [write for writer in writers for write in writer.writes])
    return (
        f"{rounds} times gone for 2 s and more: /healthz/ 503, {pages} pages and {said[OWN_PAGE]} requests of writers all "
        f"answered with the house's own page; at work by itself at most {max(waited):.1f} s after it was back, nobody refused "
        f"any more; {said[str(DONE)]} writes acknowledged, all there"
    )


def _take_away(folder, cluster: Cluster | None) -> None:
    if cluster:
        cluster.stop()
    else:
        folder.rename(folder.with_name("away"))


def _put_back(folder, cluster: Cluster | None) -> None:
    if cluster:
        cluster.start()
        psycopg.connect(f"{cluster.url}/postgres").close()
    else:
        need(not folder.exists(), "somebody made an empty database in the place of the one that was gone")
        folder.with_name("away").rename(folder)


HOUR, YEAR = 3600, 365 * 24 * 3600


def clock_back(kind: str, asked: argparse.Namespace) -> str:
    """The machine's clock is an hour slow, a year slow, and right again; people write and log in at each."""
    anchors, told = [], []
    with an_office(kind) as house:
        house.start()
        people, writes = staff(house, ["physician"] * 2), []
        for shift in (0, -HOUR, -YEAR, 0):
            house.stop()
            house.start(shift=shift)
            fresh = [Person(house, *one).sign_in(shift) for one in house.act("people", roles=["physician"], secret=SECRET)]
            with writing(people + fresh) as writers:
                until(lambda: all(writer.told >= 5 for writer in writers), 60, "somebody can't write")
            said = answers(writers)
            need(said.keys() == {str(DONE)}, f"with a clock {shift} s slow: {dict(said)}")
            writes += [write for writer in writers for write in writer.writes]
            told.append(_told(writers))
            anchors.append(house.act("command", words=["anchor"], shift=shift))
        house.stop()
        check_nothing_is_lost(house, writes)
        for made, words in anchors:
            need(not made or "hold" in house.manage("verify_records", "--anchor", words), "an anchor does not hold")
    refused = [words for made, words in anchors if not made]
    return (
        f"clock right, an hour slow, a year slow, right again: {', '.join(map(str, told))} entries, somebody new logged in each "
        f"time, nobody refused; the chains hold in the order in which they were laid, and the anchors but the one that a clock a "
        f"year slow would not make: “{' '.join(refused)}”"
    )
