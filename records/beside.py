"""What the apps above hang on an entry: a registry, so that screen, print, copies and exports show it without importing them.

A disputed entry carries the patient's request, the denial, a statement of disagreement and a rebuttal (164.526(d)(4)). They
live above; here they are words to lay under the entry.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from meso.seals import Sealed
from records.models import Entry


@dataclass(frozen=True)
class Beside:
    """One thing that hangs on an entry: its words, who signed it when, and the sealed row it comes from.

    `travels` says whether it goes along when the entry is given to others than the patient (164.526(d)(5)).
    """

    entry_id: int
    row: Sealed
    title: str
    text: str
    signed: str
    on: date
    travels: bool


Provider = Callable[[Sequence[int], date], list[Beside]]
_providers: list[Provider] = []


def register(provider: Provider) -> Provider:
    """Have `provider(entry keys, day)` asked for what hangs on these entries; called from an app's ready()."""
    if provider not in _providers:
        _providers.append(provider)
    return provider


def lay(entries: Iterable[Entry], on: date, *, to_others: bool = False) -> None:
    """Give each entry its `beside` as of that day. One query and, where something hangs, a fixed number more.

    `to_others` leaves out what does not go along with a release to others.
    """
    by_key = {entry.pk: entry for entry in entries if not entry.is_shut}
    found = [item for provider in _providers for item in provider(list(by_key), on)] if by_key else []
    for entry in by_key.values():
        entry.beside = [item for item in found if item.entry_id == entry.pk and (item.travels or not to_others)]
