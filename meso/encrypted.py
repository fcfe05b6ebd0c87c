"""Columns that are encrypted at rest: a model reads and writes plain values, the database holds locked ones (meso/keys.py).

A value is locked when its row is stored, opened when it is first read, and bound to its table and column. Seals cover the
locked bytes, so that whoever verifies a chain needs no key, and a guess at a short text can't be tried against its seal.
The database can't search, sort or compare what it can't read: any lookup but "is it empty" raises FieldError.
An empty value is stored as it is.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import FieldError
from django.core.management.base import CommandError
from django.db import models
from django.db.models.lookups import Exact, IsNull
from django.db.models.query_utils import DeferredAttribute

from meso import clock, keys
from meso.append_only import guard_lifted
from meso.keys import Purpose

_EMPTY: tuple[Any, ...] = (None, "", b"", [], {})


class Locked:
    """A value as the database holds it: its locked bytes, and what they are once it was asked for."""

    __slots__ = ("_field", "_value", "is_opened", "stored")

    def __init__(self, field: "Encrypted", stored: bytes) -> None:
        self.stored, self.is_opened = stored, False  # once opened, it may have been changed where it is a list
        self._field, self._value = field, None

    def __repr__(self) -> str:
        return f"<{len(self.stored)} locked bytes>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Locked) and self.stored == other.stored

    def __hash__(self) -> int:
        return hash(self.stored)

    @classmethod
    def of(cls, field: "Encrypted", value: Any) -> "Locked":
        """This value, locked for its field. What was just written need not be opened to be read."""
        made = cls(field, keys.lock(field.purpose, field.pack(value), field.place))
        made.is_opened, made._value = True, value
        return made

    def open(self) -> Any:
        """The plain value. Raises meso.keys.KeyMissing."""
        if not self.is_opened:
            self._value = self._field.unpack(keys.unlock(self.stored, self._field.place))
            self.is_opened = True
        return self._value


class _Opening(DeferredAttribute):
    """The attribute of a model: holds what the database gave until somebody reads it, and opens it then."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        held = cast(Encrypted, self.field).held(instance)
        return held.open() if isinstance(held, Locked) else held

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class _IsEmpty(Exact):
    """The one comparison there is: with nothing."""

    def get_prep_lookup(self) -> Any:
        if self.rhs not in _EMPTY:
            raise FieldError(f"{self.lhs.output_field} is encrypted: the database can't compare it with anything.")
        return super().get_prep_lookup()


class Encrypted(models.Field):
    """Base of the fields."""

    purpose: str = Purpose.WORDS
    descriptor_class = _Opening

    @property
    def place(self) -> str:
        """What a locked value is bound to. A table or column that gets another name must go on saying its old one here."""
        return f"{self.model._meta.db_table}.{self.column}"

    def pack(self, value: Any) -> bytes:
        """The plain value as bytes."""
        return str(value).encode()

    def unpack(self, content: bytes) -> Any:
        """The plain value out of its bytes."""
        return content.decode()

    def held(self, instance: models.Model) -> Any:
        """What this row holds: Locked, or the plain value that was assigned. A deferred column is fetched as it is stored."""
        if self.attname not in instance.__dict__:
            rows = type(instance)._base_manager.db_manager(instance._state.db).filter(pk=instance.pk)
            instance.__dict__[self.attname] = rows.values_list(self.attname, flat=True).get()
        return instance.__dict__[self.attname]

    def stored_value(self, instance: models.Model) -> Any:
        """What the database holds of this row: locked bytes, or an empty value. Raises ValueError for what isn't stored."""
        held = self.held(instance)
        if isinstance(held, Locked):
            return held.stored
        if held in _EMPTY:
            return held
        raise ValueError(f"{self} is not as it is stored: read its row anew")

    def get_lookup(self, lookup_name: str) -> Any:
        """Nothing but "is it empty" and "is it null"."""
        if lookup_name in ("exact", "isnull"):
            return _IsEmpty if lookup_name == "exact" else IsNull
        raise FieldError(f"{self} is encrypted: the database can't search it.")

    def get_transform(self, lookup_name: str) -> Any:
        """None: the database can't look inside."""
        raise FieldError(f"{self} is encrypted: the database can't look inside.")

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Lock what was assigned, and have the row hold it as it is stored; what came from the database goes back unchanged."""
        held = model_instance.__dict__.get(self.attname)
        if not isinstance(held, Locked) and held not in _EMPTY:
            held = model_instance.__dict__[self.attname] = Locked.of(self, held)
        return held

    def get_prep_value(self, value: Any) -> Any:
        """The value in the shape of its column."""
        if isinstance(value, Locked) or value in _EMPTY:
            return self.as_column(value)
        return self.as_column(Locked.of(self, value))

    def locked_from_plain(self, text: str) -> Locked | None:
        """What a column of plain words holds, locked; None for what is empty, which stays as it is."""
        return Locked.of(self, text) if text else None

    def as_column(self, held: Any) -> Any:
        """Locked bytes, or an empty value, as this column holds them."""
        return base64.b64encode(held.stored).decode() if isinstance(held, Locked) else held

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """What came out of the column, not yet opened."""
        if value in _EMPTY:
            return value
        try:
            return Locked(self, base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            return Locked(self, str(value).encode())  # plain words in the place of locked ones: said when somebody opens them


class EncryptedBinaryField(Encrypted, models.BinaryField):
    """The bytes of a file."""

    purpose = Purpose.FILES

    def pack(self, value: Any) -> bytes:
        """As they are."""
        return bytes(value)

    def unpack(self, content: bytes) -> Any:
        """As they are."""
        return content

    def as_column(self, held: Any) -> Any:
        """Bytes."""
        return held.stored if isinstance(held, Locked) else held

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """What came out of the column, not yet opened."""
        content = value if value is None else bytes(value)
        return Locked(self, content) if content else content


class EncryptedTextField(Encrypted, models.TextField):
    """Words."""


class EncryptedCharField(Encrypted, models.CharField):
    """Words of one line. `max_length` is what a form takes; the column is as long as it must be."""

    def get_internal_type(self) -> str:
        """As the database sees it."""
        return "TextField"


class EncryptedJSONField(Encrypted):
    """What JSON can hold. A list that was read may have been changed in place, so it is locked anew when its row is saved."""

    def get_internal_type(self) -> str:
        """As the database sees it."""
        return "TextField"

    def pack(self, value: Any) -> bytes:
        """As JSON."""
        return json.dumps(value, ensure_ascii=False).encode()

    def unpack(self, content: bytes) -> Any:
        """Out of JSON."""
        return json.loads(content)

    def locked_from_plain(self, text: str) -> Locked | None:
        """As the base, out of a column of JSON."""
        return super().locked_from_plain(value) if (value := json.loads(text)) not in _EMPTY else None

    def as_column(self, held: Any) -> Any:
        """Locked JSON; an empty list as "[]"."""
        return json.dumps(held) if held in ([], {}) and held is not None else super().as_column(held)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """What came out of the column, not yet opened."""
        return json.loads(value) if value in ("[]", "{}") else super().from_db_value(value, expression, connection)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """As the base, and what was read is locked anew."""
        held = model_instance.__dict__.get(self.attname)
        if isinstance(held, Locked) and held.is_opened:
            model_instance.__dict__[self.attname] = held.open()
        return super().pre_save(model_instance, add)


def refuse_plain_rows(app_label: str) -> Callable[[Any, Any], None]:
    """For a migration that encrypts columns: refuse a database whose rows were written before. They can't be changed any more."""

    def look(apps: Any, schema_editor: Any) -> None:
        for model in apps.get_app_config(app_label).get_models():
            for field in encrypted_fields(model):
                rows = full(model._base_manager.using(schema_editor.connection.alias), field)
                if any(not one.stored.startswith(keys.MAGIC) for one in rows.values_list(field.attname, flat=True)[:1]):
                    raise CommandError(
                        f"{field.place} holds rows from before encryption, which can't be changed. Begin with an empty database "
                        "(the demo's: delete it and run demo again)."
                    )

    return look


def lock_plain_words(app_label: str) -> Callable[[Any, Any], None]:
    """For a migration that encrypts columns of words: lock what was written before it.

    What a row says stays the same, and so does its seal, which was laid over the words themselves (meso/seals.py). The guard
    of append-only tables is off for these statements alone, in the transaction of the migration. Raises KeyMissing.
    """

    def lock(apps: Any, schema_editor: Any) -> None:
        for model in apps.get_app_config(app_label).get_models():
            fields = [field for field in encrypted_fields(model) if field.purpose == Purpose.WORDS]
            with guard_lifted(schema_editor.connection, model):
                for field in fields:
                    _lock_column(schema_editor.connection, model, field)
                schema_editor.connection.check_constraints()  # PostgreSQL changes no table while it still has a key to look up

    return lock


def _lock_column(connection: Any, model: type[models.Model], field: Encrypted) -> None:
    """Lock the plain words of one column, a few hundred rows at a time."""
    table, column, key = map(connection.ops.quote_name, (model._meta.db_table, field.column, model._meta.pk.column))
    some = f"SELECT {key}, {column} FROM {table} WHERE {key} > %s AND {column} <> '' ORDER BY {key} LIMIT 500"  # noqa: S608
    last = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(some, [last])
            if not (rows := cursor.fetchall()):
                return
            keys.make_missing(clock.now())
            locked = [(field.as_column(held), pk) for pk, text in rows if (held := field.locked_from_plain(text)) is not None]
            cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", locked)  # noqa: S608
            last = rows[-1][0]


def full(rows: models.QuerySet, field: Encrypted) -> models.QuerySet:
    """Those of these rows whose encrypted column holds something."""
    empty = b"" if isinstance(field, models.BinaryField) else ""
    return rows.exclude(**{f"{field.name}__isnull": True}).exclude(**{field.name: empty})


def encrypted_fields(model: type[models.Model]) -> list[Encrypted]:
    """The encrypted columns of a model."""
    return [field for field in model._meta.concrete_fields if isinstance(field, Encrypted)]
