"""Seals: tampering shows (design.md, "Append-only", 3).

Each sealed row is one link of a chain, one chain per patient. A link holds the SHA-256 over the seal before it and the
row's canonical JSON. The chain's head is a row that writers lock, so two writers at once never fork a chain; the
database itself refuses a second link at one place or behind one seal. `verify` recomputes everything.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby, islice
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from meso.append_only import AppendOnly
from meso.encrypted import Encrypted, encrypted_fields
from meso.keys import Altered, KeyMissing, Purpose

START = "0" * 64  # what the first link of every chain stands on
_DIGEST = re.compile("sha256:[0-9a-f]{64}")


class ChainHead(models.Model):
    """Where a chain ends now: the row that a writer locks, and the witness that the last links have not been cut off."""

    chain = models.CharField(max_length=64, primary_key=True)
    length = models.PositiveBigIntegerField(default=0)
    seal = models.CharField(max_length=64, default=START)

    class Meta:
        app_label = "meso"

    def __str__(self) -> str:
        return f"{self.chain}: {self.length} links"


class Seal(AppendOnly):
    """One link: the place of one row in its chain."""

    chain = models.CharField(max_length=64)
    place = models.PositiveBigIntegerField()
    table = models.CharField(max_length=64)
    row = models.PositiveBigIntegerField()
    previous = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    class Meta:
        app_label = "meso"
        constraints = [
            models.UniqueConstraint(fields=["chain", "place"], name="seal_one_link_per_place"),
            models.UniqueConstraint(fields=["chain", "previous"], name="seal_chain_never_forks"),
            models.UniqueConstraint(fields=["table", "row"], name="seal_each_row_once"),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.place}: {self.table} {self.row}"


def _plain(field: models.Field, value: Any) -> Any:
    """A column's value in the one form in which both databases and every Python give it back.

    Raises ValueError for an instant without its zone and TypeError for what JSON columns give back in other words:
    either would be read differently from what was sealed.
    """
    if isinstance(field, models.JSONField) or isinstance(value, list | dict):
        return _plain_json(value)
    value = value if isinstance(field, Encrypted) else field.to_python(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{field} is sealed: its instant needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value + 0, f".{field.decimal_places}f")  # type: ignore[attr-defined]  # + 0: there is no minus nothing
    if isinstance(value, bytes | bytearray | memoryview):
        return "sha256:" + hashlib.sha256(value).hexdigest()
    return value


def _plain_json(value: Any) -> Any:
    """JSON as every JSON column gives it back: keys are text, and no fraction, which has more than one spelling."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_json(part) for part in value]
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"{value!r} in sealed JSON would not read back as it was written: write it as text")


def _value(field: models.Field, instance: models.Model, words_open: bool) -> Any:
    """What is sealed of a column: its value; of an encrypted one its locked bytes, so that no key is needed to verify."""
    locked = isinstance(field, Encrypted) and not (words_open and field.purpose == Purpose.WORDS)
    return field.stored_value(instance) if locked else getattr(instance, field.attname)  # type: ignore[attr-defined]


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def canonical_json(instance: models.Model, *, words_open: bool = False) -> str:
    """The row as text that never varies: its table, and each column that holds something, keys sorted.

    Empty text, null, false and empty lists are left out, so a column that a later version adds leaves old seals whole.
    An encrypted column stands there by the digest of its locked bytes; with `words_open` one of words by its words, as it
    did when those were not encrypted yet. Raises meso.keys.KeyMissing where they don't open.
    """
    columns = {
        field.attname: plain
        for field in instance._meta.concrete_fields
        if not _is_empty(plain := _plain(field, _value(field, instance, words_open)))
    }
    whole = {"table": instance._meta.label_lower, "row": columns}
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def seal_over(previous: str, instance: models.Model, *, words_open: bool = False) -> str:
    """The seal of `instance` behind `previous`: 64 hexadecimal digits of SHA-256."""
    return hashlib.sha256(f"{previous}\n{canonical_json(instance, words_open=words_open)}".encode()).hexdigest()


class Sealed(AppendOnly):
    """Base of append-only rows that are links of a chain. `chain_key()` names the chain; `save()` stores row and link as one."""

    class Meta:
        abstract = True

    def chain_key(self) -> str:
        """The chain this row belongs to. Rows with a patient belong to the patient's."""
        return patient_chain(self.patient_id)  # type: ignore[attr-defined]

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            head = locked_head(self.chain_key())
            super().save(*args, **kwargs)
            _store(_link(head, self))


def patient_chain(patient_id: int) -> str:
    """The name of a patient's chain."""
    return f"patient/{patient_id}"


def locked_head(chain: str) -> ChainHead:
    """The chain's head, locked until the transaction ends (PostgreSQL by row; SQLite has one writer at a time)."""
    lock = "FOR UPDATE" if connection.features.has_select_for_update else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT length, seal FROM meso_chainhead WHERE chain = %s {lock}", [chain])  # noqa: S608
        found = cursor.fetchone()
    if found:
        return ChainHead(chain=chain, length=found[0], seal=found[1])
    ChainHead.objects.bulk_create([ChainHead(chain=chain)], ignore_conflicts=True)
    return ChainHead.objects.select_for_update().get(chain=chain)


def _link(head: ChainHead, instance: models.Model) -> Seal:
    """The next link behind `head`, which moves on to it. Stores nothing."""
    seal = seal_over(head.seal, instance)
    link = Seal(
        chain=head.chain,
        place=head.length + 1,
        table=instance._meta.label_lower,
        row=instance.pk,
        previous=head.seal,
        seal=seal,
    )
    head.length, head.seal = link.place, seal
    return link


def _store(link: Seal) -> None:
    """Write the link and move the head to it. In plain SQL: the ORM's own work on these two would double what a write costs."""
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO meso_seal (chain, place, "table", "row", previous, seal) VALUES (%s, %s, %s, %s, %s, %s)',
            [link.chain, link.place, link.table, link.row, link.previous, link.seal],
        )
        cursor.execute("UPDATE meso_chainhead SET length = %s, seal = %s WHERE chain = %s", [link.place, link.seal, link.chain])


@transaction.atomic
def bulk_seal(rows: list[Sealed]) -> None:
    """Store and link many new rows, in their order, each kind in one statement. For importers and the benchmark."""
    by_model: dict[type[Sealed], list[Sealed]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    for model, of_model in by_model.items():
        model._base_manager.bulk_create(of_model, batch_size=500)  # type: ignore[attr-defined]
    heads = _locked_heads({row.chain_key() for row in rows})
    links = [_link(heads[row.chain_key()], row) for row in rows]
    Seal.objects.bulk_create(links, batch_size=500)
    # An upsert of rows that are there and locked: one short statement where bulk_update writes a CASE for each row.
    ChainHead.objects.bulk_create(
        heads.values(), batch_size=300, update_conflicts=True, unique_fields=["chain"], update_fields=["length", "seal"]
    )


def _locked_heads(chains: set[str]) -> dict[str, ChainHead]:
    """The heads of many chains, made where missing, locked in one order so that two imports can't wait on each other."""
    names = sorted(chains)
    found: dict[str, ChainHead] = {}
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        ChainHead.objects.bulk_create([ChainHead(chain=name) for name in some], ignore_conflicts=True)
        found |= ChainHead.objects.select_for_update().order_by("chain").in_bulk(some)
    return found


@dataclass(frozen=True)
class Break:
    """A place where a seal does not hold: which chain, which link, and what is wrong in plain words."""

    chain: str
    place: int
    table: str
    row: int | None
    problem: str

    def __str__(self) -> str:
        where = f"{self.chain}, link {self.place}" if self.place else self.chain
        return f"{where} ({self.table} {self.row}): {self.problem}"


class DoesNotHold(Exception):
    """A chain is broken; the text names where."""


@dataclass
class Report:
    """What `verify` saw: how many chains and links hold, and every break."""

    chains: int
    links: int
    breaks: list[Break]


def sealed_models() -> list[type[Sealed]]:
    """Every kind of row that is sealed."""
    return [model for model in apps.get_models() if issubclass(model, Sealed)]


def verify(advance: Callable[[int], None] = lambda by: None) -> Report:
    """Recompute every seal of every chain. Breaks come chain by chain and link by link, unsealed rows last.

    Finds a changed byte, a removed row, a swapped order, an inserted row, a cut tail, and a row without a link. A whole
    chain rewritten with all its seals shows only against a copy kept outside the database. Reads a few hundred chains
    at a time; `advance` is told how many links were recomputed. Writers may go on writing.
    """
    connection.do_last_acts()  # type: ignore[attr-defined]  # what the caller's own transaction has not yet linked
    report = Report(0, 0, [])
    for names in _names_of_chains():
        for checked in _checked(names):
            _chain, links, breaks = _checked_again(checked[0]) if checked[2] else checked
            report.chains += links > 0
            report.links += links
            report.breaks += breaks
            advance(links)
    report.breaks += _links_without_head()
    report.breaks += _unsealed_rows()
    return report


def _names_of_chains() -> Iterator[list[str]]:
    """The names of all chains, by the hundred, in the database's own order."""
    last = ""
    while names := list(ChainHead.objects.filter(chain__gt=last).order_by("chain").values_list("chain", flat=True)[:300]):
        yield names
        last = names[-1]


def _checked_again(chain: str) -> tuple[str, int, list[Break]]:
    """A chain that seemed broken, checked under its lock: a writer may have added a link after its head was read."""
    with transaction.atomic():
        locked_head(chain)
        return next(_checked([chain]))


def _checked(names: list[str]) -> Iterator[tuple[str, int, list[Break]]]:
    """Each of these chains with the number of its links and its breaks."""
    heads = ChainHead.objects.in_bulk(names)
    links_of = groupby(_links_with_rows(names), key=lambda pair: pair[0].chain)
    counted: dict[str, tuple[int, list[Break]]] = {}
    for chain, pairs in links_of:
        counted[chain] = _check_chain(heads[chain], pairs)
    for chain in names:
        yield chain, *(counted.get(chain) or _check_chain(heads[chain], iter(())))


def _check_chain(head: ChainHead, pairs: Iterator[tuple[Seal, models.Model | None]]) -> tuple[int, list[Break]]:
    """How many links this chain has, and its breaks."""
    breaks: list[Break] = []
    count, place, seal = 0, 0, START
    for link, row in pairs:
        problem = _problem_of(link, row, place, seal)
        if problem:
            breaks.append(Break(link.chain, link.place, link.table, link.row, problem))
        count, place, seal = count + 1, link.place, link.seal
    if (head.length, head.seal) != (place, seal):
        problem = (
            f"the chain ends at link {place}, its head says {head.length}"
            if head.length != place
            else "its head holds another seal"
        )
        breaks.append(Break(head.chain, place, "chain", None, problem))
    return count, breaks


def _links_with_rows(names: list[str]) -> Iterator[tuple[Seal, models.Model | None]]:
    """Every link of these chains in order, each with the row it seals (None where that is gone)."""
    links = Seal.objects.filter(chain__in=names).order_by("chain", "place").iterator(chunk_size=500)
    while some := list(islice(links, 500)):
        rows = _rows_of(some)
        yield from ((link, rows.get((link.table, link.row))) for link in some)


def _rows_of(links: list[Seal]) -> dict[tuple[str, int], models.Model]:
    """The rows that these links seal, fetched a table at a time."""
    wanted: dict[str, list[int]] = {}
    for link in links:
        wanted.setdefault(link.table, []).append(link.row)
    found: dict[tuple[str, int], models.Model] = {}
    tables = {model._meta.label_lower: model for model in sealed_models()}
    for table, keys in wanted.items():
        if table not in tables:
            continue
        for start in range(0, len(keys), 500):
            for row in tables[table]._base_manager.filter(pk__in=keys[start : start + 500]):
                found[table, row.pk] = row
    return found


def _problem_of(link: Seal, row: models.Model | None, place_before: int, seal_before: str) -> str:
    """What is wrong with this link, in words, or "" when it holds."""
    if link.place != place_before + 1:
        return f"link {place_before + 1} is missing before it"
    if link.previous != seal_before:
        return "does not stand on the link before it: order changed, or a link put in or taken out"
    if row is None:
        return "the row it sealed is gone"
    if row.chain_key() != link.chain:  # type: ignore[attr-defined]
        return "the row it sealed now belongs to another chart"
    return "" if seal_over(link.previous, row) == link.seal else _problem_of_old(link, row)


def _problem_of_old(link: Seal, row: models.Model) -> str:
    """The same for a row whose locked bytes were not sealed: its words were, if it is older than their encryption.

    Words that look like a digest are not taken for sealed ones: they would stand for the locked bytes of a newer row.
    """
    try:
        words = [str(getattr(row, field.attname)) for field in encrypted_fields(type(row)) if field.purpose == Purpose.WORDS]
        if seal_over(link.previous, row, words_open=True) == link.seal and not any(map(_DIGEST.fullmatch, words)):
            return ""
    except KeyMissing as missing:
        if not isinstance(missing, Altered):
            return f"the row was changed, or is older than encryption and its words don't open to be compared: {missing}"
    return "the row is not what was sealed: it has been changed"


def headless() -> list[str]:
    """Chains whose head somebody took away: nothing more can be written in them."""
    without = ~models.Exists(ChainHead.objects.filter(chain=models.OuterRef("chain")))
    return list(Seal.objects.filter(without).values_list("chain", flat=True).distinct().order_by("chain"))


def _links_without_head() -> Iterator[Break]:
    for chain in headless():
        yield Break(chain, 0, "chain", None, "the chain's head is gone")


def rebuild_head(chain: str) -> ChainHead:
    """Give a chain that has lost its head, and nothing else, its head again: that of its last link.

    Raises DoesNotHold, naming the first break, where a link does not hold or a row of the chain has none. Links that were cut
    off its end together with their rows it can't miss: an anchor does (meso/anchors.py).
    """
    with transaction.atomic():
        last = Seal.objects.filter(chain=chain).latest("place")
        head = ChainHead.objects.create(chain=chain, length=last.place, seal=last.seal)
        breaks = _check_chain(head, _links_with_rows([chain]))[1]
        breaks += [unsealed for unsealed in _unsealed_rows() if unsealed.chain == chain]
        if breaks:
            raise DoesNotHold(str(breaks[0]))
    return head


def _unsealed_rows() -> Iterator[Break]:
    """Rows that nobody sealed: put in by a hand that went round the software."""
    for model in sealed_models():
        label = model._meta.label_lower
        sealed = Seal.objects.filter(table=label, row=models.OuterRef("pk"))
        for row in model._base_manager.filter(~models.Exists(sealed)).order_by("pk").iterator(chunk_size=500):
            yield Break(row.chain_key(), 0, label, row.pk, "this row has no seal: it was not written by Meso")
