"""Many at once: thirty-two writers on one chart, two officers who decide the same request."""

import argparse
import random
import threading
import time

from tests.faults.house import an_office, need
from tests.faults.writers import DONE, Person, answers, check_nothing_is_lost, staff, writing

MANY = 32
REQUESTS = 50
ANSWERS = ("granted", "no_records")
TOO_LATE = "This request has been decided."


def at_once(kind: str, asked: argparse.Namespace) -> str:
    """Thirty-two writers on one chart for a minute."""
    with an_office(kind) as house:
        house.start()
        people = staff(house, ["physician"] * MANY)
        with writing(people) as writers:
            time.sleep(asked.seconds)
        house.stop()
        found = check_nothing_is_lost(house, [write for writer in writers for write in writer.writes])
    each, said = [writer.told for writer in writers], answers(writers)
    need(said.keys() == {str(DONE)}, f"some writes were answered otherwise than with the chart: {dict(said)}")
    need(min(each) > 0, "one of the writers never got their turn")
    return (
        f"{MANY} writers, {sum(each)} entries with a file each in {asked.seconds} s ({sum(each) / asked.seconds:.1f} a second, "
        f"{min(each)} to {max(each)} a writer): none refused, none lost, none twice, {found['links']} seals in whole chains"
    )


def two_deciders(kind: str, asked: argparse.Namespace) -> str:
    """Two officers send another decision of the same request at the same instant, fifty times."""
    with an_office(kind) as house:
        house.start()
        officers = staff(house, ["privacy_officer"] * 2)
        numbers = house.act("requests", count=REQUESTS)
        told = [_decide(officers, number) for number in numbers]
        house.stop()
        decided = house.act("decided")
        house.manage("verify_records")
    for number, (first, second) in zip(numbers, told, strict=True):
        need(first is None or second is None, f"{number}: both were told that theirs is the decision")
        need(first or second, f"{number}: nobody decided it")
        by = officers[0 if first else 1].username
        need(
            decided[number] == [by, first or second, 1, 1],
            f"{number} was decided so: {decided[number]}; told were {first} and {second}",
        )
    firsts = sum(first is not None for first, _ in told)
    return (
        f"{REQUESTS} requests, two contrary decisions each at the same instant: one decision, one event on the timeline and in "
        f"the audit, by whoever was told so ({firsts} the first, {REQUESTS - firsts} the second); the other was told in words"
    )


def _decide(officers: list[Person], number: str) -> list[str | None]:
    """Both open the page, then both send. What each was told is decided by them; None for whoever was told otherwise."""
    path, gate = f"/requests/{number}/decide/", threading.Barrier(len(officers))
    told: list[str | None] = [None] * len(officers)
    chosen = random.sample(ANSWERS, len(officers))

    def act(place: int) -> None:
        officer = officers[place]
        need(officer.ask(path)[0] == 200, f"{path} did not open")
        gate.wait(30)
        status, page = officer.ask(path, {"outcome": chosen[place]})
        if status == DONE:  # to the request's page, which says what was done, or that it was too late
            page = officer.ask(f"/requests/{number}/")[1]
        if TOO_LATE not in page.decode():
            told[place] = chosen[place] if status == DONE and b"The decision is recorded" in page else f"{status}"

    threads = [threading.Thread(target=act, args=(place,)) for place in range(len(officers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return told
