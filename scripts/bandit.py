"""make scan: bandit over the code. Exit 1 for a finding that docs/scan.md does not explain, or a row there that finds nothing."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = ROOT / "docs" / "scan.md"
ROOMS = ["meso", "records", "disclosures", "requests_app", "scripts", "bench", "manage.py"]


def found() -> set[tuple[str, str]]:
    """(rule, file) of everything that bandit says."""
    command = [sys.executable, "-m", "bandit", "-q", "-r", *ROOMS, "-x", "*/migrations/*", "-f", "json"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return {(one["test_id"], one["filename"].removeprefix("./")) for one in json.loads(said)["results"]}


def explained() -> set[tuple[str, str]]:
    """(rule, file) of every row of docs/scan.md that is bandit's."""
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in EXPLAINED.read_text().splitlines()]
    return {(row[2], row[3]) for row in rows if len(row) > 3 and row[1] == "bandit"}


def main() -> int:
    """Compare, say what differs. Returns the exit code."""
    said, known = found(), explained()
    for rule, file in sorted(said - known):
        print(f"bandit: {rule} in {file} is not explained in docs/scan.md")
    for rule, file in sorted(known - said):
        print(f"docs/scan.md explains {rule} in {file}, where bandit finds nothing")
    print(f"bandit: {len(said)} kinds of findings, {len(said & known)} explained")
    return 1 if said != known else 0


if __name__ == "__main__":
    sys.exit(main())
