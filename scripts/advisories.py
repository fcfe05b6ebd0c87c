"""Reads what pip-audit wrote: exit 1 for a package with a known hole, one line when its advisories can't be reached."""

import json
import sys
from pathlib import Path


def main(lock: str, report: str) -> int:
    """Say what was found for the packages of one lock file. Returns the exit code."""
    path = Path(report)
    packages = json.loads(path.read_text())["dependencies"] if path.exists() and path.stat().st_size else []
    audited = [package for package in packages if "vulns" in package]
    holes = [(package, hole) for package in audited for hole in package["vulns"]]
    for package, hole in holes:
        repaired = ", ".join(hole["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {hole['id']}, repaired in {repaired}")
    if not audited:
        print(f"{lock}: the advisories can't be reached from here; nothing was audited.")
    elif not holes:
        print(f"{lock}: no known hole in {len(audited)} of {len(packages)} packages.")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
