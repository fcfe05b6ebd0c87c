"""`python -m tests.faults [--only NAME] [--kills N] [--seconds N]`: every fault on both databases, and a table of what happened.

Exit 0 when everything held, 1 when something did not, with its words in the table.
"""

import argparse
import sys
import time
from collections.abc import Callable

from tests.faults import breaking
from tests.faults.house import FaultError

KINDS = ("sqlite", "postgresql")


def main() -> int:
    """Run what was asked for; print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(breaking.FAULTS), help="this fault (may be given again)")
    parser.add_argument("--database", choices=KINDS, help="one database only")
    parser.add_argument("--kills", type=int, default=200, help="times the server is killed (default: 200)")
    parser.add_argument("--seconds", type=int, default=60, help="seconds that the writers write at once (default: 60)")
    asked = parser.parse_args()
    print("| fault | database | what happened | held | seconds |\n| --- | --- | --- | --- | ---: |", flush=True)
    broken = 0
    for name, fault in breaking.FAULTS.items():
        for kind in KINDS:
            if (asked.only and name not in asked.only) or (asked.database and kind != asked.database):
                continue
            broken += not _told(name, fault, kind, asked)
    return 1 if broken else 0


def _told(name: str, fault: Callable[..., str], kind: str, asked: argparse.Namespace) -> bool:
    begun = time.monotonic()
    try:
        words, held = fault(kind, asked), "yes"
    except FaultError as error:
        words, held = str(error), "**no**"
    print(f"| {name} | {kind} | {words} | {held} | {time.monotonic() - begun:.0f} |", flush=True)
    return held == "yes"


if __name__ == "__main__":
    sys.exit(main())
