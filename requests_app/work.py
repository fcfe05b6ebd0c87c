"""When many requests come in, a little work of the sender's own computer is asked for, or a little patience.

The work: numbers that, hashed with the mark of the page, begin with zero bits. No other company takes part, nobody looks at
pictures. static/work.js does it while the form is filled in; a browser without JavaScript waits instead.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from meso.limits import Limit

PUZZLES, BITS = 8, 14  # 8 times 2 to the 14 hashes on average; many small ones vary less than one large one
PATIENCE = timedelta(minutes=2)  # how old a page must be for whoever can't do the work
_ANSWER = re.compile(r"\d{1,9}(?:,\d{1,9}){7}")

# Taken in within the hour, from which on work is asked for: from one address, and in all.
FROM_ONE = Limit("forms from one address", most=5, window=timedelta(hours=1))
IN_ALL = Limit("forms in all", most=20, window=timedelta(hours=1))
# How often one page's work pays, and how often one address may wait instead.
PAYS = Limit("work of a page", most=3, window=timedelta(days=1))
WAITED = Limit("waiting instead of work", most=3, window=timedelta(hours=1))


def is_done(token: str, answer: str) -> bool:
    """Whether the answer solves all puzzles of this page: number i, hashed as "token.i.number", begins with BITS zero bits."""
    if not _ANSWER.fullmatch(answer):
        return False
    hashes = (hashlib.sha256(f"{token}.{i}.{number}".encode()).digest() for i, number in enumerate(answer.split(",")))
    return all(int.from_bytes(found[:4], "big") >> (32 - BITS) == 0 for found in hashes)


@dataclass(frozen=True)
class Gate:
    """The gate before the public forms, for one place at one instant."""

    at: datetime
    place: str
    puzzles: int = PUZZLES
    bits: int = BITS

    @cached_property
    def is_up(self) -> bool:
        """Whether many have come in, from here or in all."""
        return bool(IN_ALL.wait(self.at, "") or FROM_ONE.wait(self.at, self.place))

    def lets_through(self, token: str, made: datetime, answer: str) -> bool:
        """Whether this page may send now: nothing is asked, its work is done, or it has waited. Counts what is used up."""
        if not self.is_up:
            return True
        if is_done(token, answer) and not PAYS.wait(self.at, token):
            PAYS.add(self.at, token)
            return True
        if self.at - made >= PATIENCE and not WAITED.wait(self.at, self.place):
            WAITED.add(self.at, self.place)
            return True
        return False

    def took(self) -> None:
        """Something was taken in."""
        IN_ALL.add(self.at, "")
        FROM_ONE.add(self.at, self.place)
