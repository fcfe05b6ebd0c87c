"""rebuild_head: give chains that have lost their head, and nothing else, their head again (docs/backup.md)."""

from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from meso import anchors, seals
from meso.anchors import NotAnAnchor
from meso.commands import Command as MesoCommand
from meso.commands import Failed


class Command(MesoCommand):
    """All chains or none: exit 1 where one does not hold without its head, or where an anchor from outside does not."""

    help = "Rebuilds the heads of chains whose links all hold; the head of the office's chain gone, no page works."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--anchor", metavar="TEXT", help="an anchor kept outside (a day, a colon, its digest): nothing is rebuilt against it"
        )

    def tell(self) -> None:
        """Not before its work: there is no head behind which an event could be written."""

    def work(self, *, anchor: str | None, **options: Any) -> str:
        try:
            held = anchors.check(anchor) if anchor else None
        except NotAnAnchor as wrong:
            raise CommandError(str(wrong), returncode=2) from wrong
        if held and not held.holds:
            raise Failed(f"Nothing was rebuilt. {held.words}")
        try:
            with transaction.atomic():
                heads = [seals.rebuild_head(chain) for chain in seals.headless()]
                super().tell()
        except seals.DoesNotHold as broken:
            raise Failed(f"Nothing was rebuilt. More is gone than a head: restore a backup. {broken}") from broken
        told = [f"{head.chain}: {head.length:,} links, its head stands again." for head in heads] or ["Every chain has its head."]
        told.append(
            f"{held.words} Links cut off its end since can show only against a later anchor."
            if held
            else "Whether links were cut off the end shows only against an anchor: manage.py verify_records --anchor TEXT"
        )
        return "\n".join(told)
