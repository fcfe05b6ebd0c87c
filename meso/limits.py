"""How often something may be done in a while: one table of limits, and how often it was done.

Counted in the database and not in a cache of each process, so that three workers count as one; in a table of its own and not by
the rows of the audit, which nothing can take out again and which a page that is only looked at does not write. A key is a keyed
digest: no address and no name stands here.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac


class Tally(models.Model):
    """How often one thing was done by one somebody since its window began. Rows of windows that are over are taken out."""

    key = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.count} until {self.until:%H:%M}"


@dataclass(frozen=True)
class Limit:
    """At most `most` times in each `window`, which begins with the first. `name` stands in the audit when it is reached."""

    name: str
    most: int
    window: timedelta

    def _key(self, who: tuple[Any, ...]) -> str:
        return salted_hmac("meso.limits", json.dumps([self.name, *who]), algorithm="sha256").hexdigest()

    def count(self, at: datetime, *who: Any) -> int:
        """How often `who` has done it in the window that is running."""
        row = Tally.objects.filter(key=self._key(who), until__gt=at).values_list("count", flat=True).first()
        return row or 0

    def wait(self, at: datetime, *who: Any) -> timedelta | None:
        """How long until `who` may do it again; None: at once."""
        row = Tally.objects.filter(key=self._key(who), until__gt=at, count__gte=self.most).first()
        return row.until - at if row else None

    def add(self, at: datetime, *who: Any) -> None:
        """Count one, as long as it is below the limit. Writers at once are counted one by one."""
        key = self._key(who)
        if not Tally.objects.filter(key=key, until__gt=at, count__lt=self.most).update(count=F("count") + 1):
            self._begin(key, at)

    @transaction.atomic
    def _begin(self, key: str, at: datetime) -> None:
        """The first of a window, or the second, which found none either and waited for the first."""
        ends = at + self.window
        row, made = Tally.objects.select_for_update().get_or_create(key=key, defaults={"until": ends})
        if made:
            old = Tally.objects.filter(until__lte=at).select_for_update(skip_locked=True)
            Tally.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:100])).delete()
        if row.until <= at:
            row.until, row.count = ends, 0
        if row.count < self.most:
            row.count += 1
            row.save(update_fields=["until", "count"])

    def is_first_refusal(self, at: datetime, *who: Any) -> bool:
        """Whether nobody has asked this yet since the limit was reached: what is refused is written down once a window."""
        reached = Tally.objects.filter(key=self._key(who), until__gt=at, count=self.most)
        return bool(reached.update(count=F("count") + 1))

    def forget(self, *who: Any) -> bool:
        """Let `who` begin anew. Whether there was anything to forget."""
        return bool(Tally.objects.filter(key=self._key(who)).delete()[0])


def network_of(address: str | None) -> str:
    """What counts as one place: an IPv4 address; of IPv6 the /64, within which one machine takes any address it likes."""
    if not address:
        return "no address"
    known = ip_address(address)
    if not isinstance(known, IPv6Address):
        return address
    return network_of(str(known.ipv4_mapped)) if known.ipv4_mapped else str(IPv6Address(int(known) >> 64 << 64))
