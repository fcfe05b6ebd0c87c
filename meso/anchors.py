"""One digest a day over every seal, kept outside, so that not even the database's owner can rewrite what lies behind it.

A chain shows a changed row only to whoever trusts the chain's own head. The anchor of a day is SHA-256 over the anchor
before it and every seal laid since, in the order of their numbers. Whoever holds one line of paper can have all seals up to
that day recomputed (`verify_records --anchor`), and a record that was rewritten together with its whole chain shows.
"""

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import segno
from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from meso.append_only import AppendOnly
from meso.seals import START, ChainHead, Seal


class Anchor(AppendOnly):
    """The digest of a day: it stands for every seal up to number `last`, and for all anchors before it."""

    day = models.DateField(_("day"), unique=True)
    made_at = models.DateTimeField()
    last = models.BigIntegerField(_("last seal"))  # its number; 0 before the first
    seals = models.BigIntegerField(_("seals"))  # since the anchor before
    digest = models.CharField(_("digest"), max_length=64)

    class Meta:
        verbose_name = _("anchor")
        ordering = ["-day"]

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """What paper keeps and `verify_records --anchor` takes: the day and the digest."""
        return f"{self.day.isoformat()}:{self.digest}"

    @property
    def spaced(self) -> str:
        """The digest in groups of eight, for eyes and telephones."""
        return " ".join(self.digest[start : start + 8] for start in range(0, 64, 8))

    def qr(self) -> str:
        """The text as a QR code: a data URI of an SVG picture."""
        return segno.make(f"meso-anchor:{self.text}", error="m").svg_data_uri(scale=3, border=2)


def _over(previous: str, after: int, last: int) -> tuple[str, int]:
    """The digest of the anchor before and of the seals numbered from `after` (not counted) to `last`, and how many they are."""
    digest, count = sha256(previous.encode()), 0
    found = Seal.objects.filter(pk__gt=after, pk__lte=last).order_by("pk").values_list("chain", "place", "seal")
    for chain, place, seal in found.iterator(chunk_size=2000):
        digest.update(f"\n{chain} {place} {seal}".encode())
        count += 1
    return digest.hexdigest(), count


def make(on: date, at: datetime) -> Anchor:
    """The anchor of that day, over all that is sealed now; the one that is there already when it was made before.

    Raises ValueError for a day before the last anchor's.
    """
    with transaction.atomic():
        _wait_for_writers()
        before = Anchor.objects.first()
        if before and before.day == on:
            return before
        if before and before.day > on:
            raise ValueError(f"the last anchor is of {before.day}, after {on}")
        last = Seal.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        digest, count = _over(before.digest if before else START, before.last if before else 0, last)
        return Anchor.objects.create(day=on, made_at=at, last=last, seals=count, digest=digest)


def _wait_for_writers() -> None:
    """No seal with a smaller number may come in later: wait for those being laid. SQLite has one writer, and it is us.

    Whoever lays a seal has locked its chain's head before, and EXCLUSIVE waits for such locks and lets readers be. The table
    of heads and not of seals: a lock asks for the right to UPDATE, which the web server's role has on heads alone.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {connection.ops.quote_name(ChainHead._meta.db_table)} IN EXCLUSIVE MODE")


class NotAnAnchor(ValueError):
    """Raised for text that is no anchor."""


def parse(text: str) -> tuple[date, str]:
    """(day, digest) from what paper or a QR code says, however it is spaced. Raises NotAnAnchor."""
    day, _colon, digest = text.strip().removeprefix("meso-anchor:").partition(":")
    digest = "".join(digest.split()).lower()
    try:
        on = date.fromisoformat(day.strip())
    except ValueError:
        raise NotAnAnchor("An anchor is written as 2026-11-24: and 64 letters and digits.") from None
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise NotAnAnchor("An anchor is written as 2026-11-24: and 64 letters and digits.")
    return on, digest


@dataclass(frozen=True)
class Held:
    """What recomputing the anchors up to a day found: whether the paper's digest came out, how many seals it stands for."""

    holds: bool
    seals: int
    words: str


def check(text: str) -> Held:
    """Recompute every anchor up to the paper's day out of the seals and compare with the paper. Raises NotAnAnchor.

    The database is asked for nothing but seals and where each day ended; a false end gives another digest.
    """
    on, paper = parse(text)
    digest, after, seals, last_day = START, 0, 0, None
    for anchor in Anchor.objects.filter(day__lte=on).order_by("day"):
        digest, count = _over(digest, after, anchor.last)
        after, seals, last_day = anchor.last, seals + count, anchor.day
    if last_day != on:
        return Held(False, seals, f"The database no longer knows an anchor of {on}: it was taken out, or made elsewhere.")
    if digest == paper:
        return Held(
            True, seals, f"The {seals:,} seals up to {on} are those that the anchor saw. Nothing before it was rewritten."
        )
    return Held(False, seals, f"The seals up to {on} are not those that the anchor saw: something before it was rewritten.")


def latest(on: date) -> Anchor | None:
    """The last anchor made by that day, or None."""
    return Anchor.objects.filter(day__lte=on).first()
