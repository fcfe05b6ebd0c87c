"""verify_records: recompute every seal, name the first that does not hold."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from meso import anchors, seals
from meso.anchors import Held, NotAnAnchor
from meso.commands import Command as MesoCommand
from meso.commands import Failed, progress
from meso.seals import Report, Seal


class Command(MesoCommand):
    """Recomputes every seal of every patient's chain. Exit 0 when all hold, 1 with the first broken link where one does not."""

    help = "Recomputes every seal; exit 1 and the first broken link where one does not hold."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text", help="how to print the result (default: text)")
        parser.add_argument(
            "--anchor", metavar="TEXT", help="an anchor kept outside (a day, a colon, its digest): check against it too"
        )

    def work(self, *, format: str, anchor: str | None, **options: Any) -> str | None:
        try:
            held = anchors.check(anchor) if anchor else None
        except NotAnAnchor as wrong:
            raise CommandError(str(wrong), returncode=2) from wrong
        report = seals.verify(progress(Seal.objects.count(), "Recomputing seals"))
        if format == "json":
            self.stdout.write(as_json(report, held))
        if report.breaks:
            raise Failed(in_words(report))
        if held and not held.holds:
            raise Failed(held.words)
        told = f" {held.words}" if held else ""
        return None if format == "json" else f"All {report.links:,} links of {report.chains:,} chains hold.{told}"


def as_json(report: Report, held: Held | None) -> str:
    """The report as one JSON object."""
    found: dict[str, Any] = {
        "ok": not report.breaks and (held is None or held.holds),
        "chains": report.chains,
        "links": report.links,
        "breaks": [asdict(broken) for broken in report.breaks],
    }
    return json.dumps(found | ({"anchor": asdict(held)} if held else {}), ensure_ascii=False, indent=2)


def in_words(report: Report) -> str:
    """What is broken, the first link of it named, and what to do."""
    first, more = report.breaks[0], len(report.breaks) - 1
    others = f" {more:,} more broken after it; --format json lists them all." if more else ""
    return f"The first broken link: {first}.{others}"
