"""A backup that was cut or altered: nothing of it is restored, and the whole one is."""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

from tests.faults.house import House, an_office, need, until
from tests.faults.writers import check_nothing_is_lost, staff, writing

CHUNK = 64 * 1024 + 16  # in which an age file is authenticated


def spoiled(whole: bytes) -> Iterator[tuple[str, bytes]]:
    """Ways to damage a backup, each with its name."""
    length = len(whole)
    for kept in (
        0,
        1,
        20,
        200,
        length - CHUNK,
        length - length % CHUNK,
        *(length * part // 20 for part in range(1, 20)),
        length - 1,
    ):
        yield f"cut to {kept} of {length} bytes", whole[:kept]
    for place in (0, 30, 100, *(random.randrange(length) for _ in range(40)), length - 1):
        bit = 1 << random.randrange(8)
        yield f"bit {bit} of byte {place} turned", whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :]
    head = whole.index(b"---") + 61  # the header's last line and the nonce behind it
    first, second = whole[head : head + CHUNK], whole[head + CHUNK : head + 2 * CHUNK]
    yield "two chunks in another order", whole[:head] + second + first + whole[head + 2 * CHUNK :]
    yield "a chunk taken out", whole[:head] + whole[head + CHUNK :]
    yield "a chunk put in twice", whole[:head] + first + whole[head:]
    yield "a byte more at the end", whole + b"x"
    yield "the whole file twice", whole + whole


def restore_spoiled(kind: str, asked: argparse.Namespace) -> str:
    """A backup made while people write, then damaged in every way, restored into an empty office."""
    with an_office(kind) as house:
        house.start()
        with writing(staff(house, ["physician"] * 4)) as writers:
            until(lambda: sum(writer.told for writer in writers) >= 40, 90, "nobody wrote")
            house.manage("backup", str(house.folder / "whole.age"))
        house.stop()
        keys = {
            name: str(house.folder / file)
            for name, file in (("BACKUP_KEY_FILE", "backup.key"), ("MASTER_KEY_FILE", "master.key"))
        }
        with an_office(kind, empty=True, more=keys) as other:
            refused = _refuses_all(other, house.folder / "whole.age")
            words = other.manage("restore", str(house.folder / "whole.age"))
            found = other.act("left")
        written = {write.title: write for writer in writers for write in writer.writes}
        need(len(found["entries"]) >= 40 and not found["breaks"] and not found["stray"], "the whole backup is not whole")
        need(all(entry == written[title].as_found() for title, entry in found["entries"].items()), "an entry came back altered")
        check_nothing_is_lost(house, list(written.values()))
    return f"{refused} cut or altered files refused in words, the database empty after each; then the whole one: {words}"


def _refuses_all(other: House, whole: Path) -> int:
    """Restore every damaged file. How many there were, each refused in words with nothing stored."""
    bad, content, count = other.folder / "bad.age", whole.read_bytes(), 0
    need(len(content) > 4 * CHUNK, "the backup is too small to be damaged in all these ways")
    for what, data in spoiled(content):
        bad.write_bytes(data)
        done, said = other.act("command", words=["restore", str(bad)])
        need(not done, f"a backup with {what} was restored: {said}")
        need("does not open" in said, f"a backup with {what} was refused so: {said}")
        need(other.act("is_empty"), f"a backup with {what} left something in the database")
        count += 1
    return count
