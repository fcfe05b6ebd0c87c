"""`python -m tests.faults [--only NAME] [--database KIND] [--kills N] [--seconds N]`: every fault on both databases, and a table.

Exit 0 when everything held, 1 when something did not. What can't be brought about here is told as not run.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable

from tests.faults import crowding, killing, losing, spoiling
from tests.faults.house import KEPT, CannotBeTriedError, FaultError

KINDS = ("sqlite", "postgresql")
FAULTS: dict[str, Callable[[str, argparse.Namespace], str]] = {
    "kill -9": killing.killed,
    "full disk": losing.full_disk,
    "database gone": losing.database_gone,
    "clock set back": losing.clock_back,
    "two deciders": crowding.two_deciders,
    "32 writers": crowding.at_once,
    "import killed": killing.import_killed,
    "backup spoiled": spoiling.restore_spoiled,
}
HEAD = "| fault | database | what happened | held | seconds |\n| --- | --- | --- | --- | ---: |"


def main() -> int:
    """Run what was asked for, saying so on stderr; the last lines are the table, as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(FAULTS), help="this fault (may be given again)")
    parser.add_argument("--database", choices=KINDS, help="one database only")
    parser.add_argument("--kills", type=int, default=200, help="times the server is killed (default: 200)")
    parser.add_argument("--seconds", type=int, default=60, help="seconds that the writers write at once (default: 60)")
    asked = parser.parse_args()
    rows = []
    for name, fault in FAULTS.items():
        for kind in (asked.database,) if asked.database else KINDS:
            if not asked.only or name in asked.only:
                print(f"{time.strftime('%H:%M:%S')} {name}, {kind}", file=sys.stderr, flush=True)
                rows.append(_row(name, fault, kind, asked))
    print("\n".join([HEAD, *(row for row, _ in rows)]))
    return 0 if all(held for _, held in rows) else 1


def _row(name: str, fault: Callable[..., str], kind: str, asked: argparse.Namespace) -> tuple[str, bool]:
    """The fault's line of the table, and whether it is none of what did not hold."""
    begun = time.monotonic()
    try:
        words, held = fault(kind, asked), "yes"
    except CannotBeTriedError as error:
        words, held = str(error), "not run"
    except FaultError as error:
        words, held = str(error), "**no**"
    except Exception as error:  # noqa: BLE001  (the other faults are tried all the same)
        traceback.print_exc()
        words, held = f"the harness itself failed: {type(error).__name__}: {error}", "**no**"
    words = " ".join(words.replace("|", "/").split())
    row = f"| {name} | {kind} | {words} | {held} | {time.monotonic() - begun:.0f} |"
    print(row, file=sys.stderr, flush=True)
    return row, held != "**no**"


if __name__ == "__main__":
    with KEPT:
        code = main()
    sys.exit(code)
