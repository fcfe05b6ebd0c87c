"""The harness sees what is lost or half written, and a short run of it finds nothing (the long one: `python -m tests.faults`)."""

from copy import deepcopy

import pytest
from django.conf import settings
from django.db import connection, connections

from tests.faults import killing, spoiling
from tests.faults.house import FaultError, House
from tests.faults.writers import DONE, Write, check_nothing_is_lost, staff

KILLS = 2


@pytest.fixture
def house(transactional_db, tmp_path):
    """The office of this test's own database, behind the production server."""
    name = connection.settings_dict["NAME"]
    facts = connection.settings_dict
    server = f"postgres://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}"
    address = f"sqlite:///{name}" if connection.vendor == "sqlite" else f"{server}/{name}"
    connections.close_all()
    office = House(tmp_path, address, {"MASTER_KEY_FILE": str(settings.MASTER_KEY_FILE)})
    yield office
    office.close()


def test_a_server_that_is_killed_in_the_middle_of_writes_loses_nothing(house):
    house.start(wait=False)
    people = staff(house, ["physician"] * 2)
    house.stop()
    kills = killing.kill_again_and_again(house, people, KILLS)
    assert (kills.counted, len(kills.acknowledged)) == (KILLS, KILLS)
    assert min(kills.acknowledged) > 0
    assert kills.torn >= KILLS


class Found(House):
    """An office whose database holds what the test says."""

    def __init__(self, found: dict):
        self.found = found

    def act(self, name: str, **facts):
        return self.found


TOLD, TORN = Write("told", "t", answer=DONE), Write("torn", "t")
WHOLE = {
    "entries": {"told": TOLD.as_found(), "torn": TORN.as_found()}, "count": 2, "breaks": [], "stray": [], "sound": True
}  # fmt: skip


def test_what_is_whole_passes_whether_the_torn_write_is_there_or_not():
    without = deepcopy(WHOLE)
    del without["entries"]["torn"]
    for found in (WHOLE, without | {"count": 1}):
        assert check_nothing_is_lost(Found(found), [TOLD, TORN]) == found


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda found: found["entries"].pop("told"), "1 acknowledged entries are gone"),
        (lambda found: found["entries"]["torn"].update(files=[]), "half written"),
        (lambda found: found["entries"]["torn"].update(events=0), "half written"),
        (lambda found: found["entries"]["told"].update(body="other"), "half written"),
        (lambda found: found["entries"].update(strange=TOLD.as_found()) or found.update(count=3), "nobody sent"),
        (lambda found: found.update(count=3), "twice"),
        (lambda found: found.update(breaks=["office, link 3"]), "seals do not hold"),
        (lambda found: found.update(stray=["event of entry 7"]), "half a write"),
        (lambda found: found.update(sound=False), "own check"),
    ],
)
def test_what_is_lost_or_half_written_is_seen(spoil, said):
    found = deepcopy(WHOLE)
    spoil(found)
    with pytest.raises(FaultError, match=said):
        check_nothing_is_lost(Found(found), [TOLD, TORN])


def test_a_backup_is_spoiled_in_many_ways_none_of_which_is_the_backup():
    whole = b"age-encryption.org/v1\n-> X25519 x\ny\n--- " + b"m" * 43 + b"\n" + bytes(16) + bytes(range(256)) * 1024 * 2
    ways = dict(spoiling.spoiled(whole))
    assert len(ways) > 60
    assert whole not in ways.values()
