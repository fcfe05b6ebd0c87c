"""Sends bad input and looks at what came of it: no 500, nothing unescaped, nothing changed by what was refused.

Each input runs inside a transaction that is rolled back, so that every one meets the same office. What shows only in a
transaction of the view's own (a lock taken outside of one) is not found here, but by tests of the pages themselves.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from hypothesis import strategies as st

from tests.fuzz import naughty
from tests.fuzz.forms import Form, kind_of

# Written whether or not an input is refused: the audit, how often somebody tried, who is logged in, and what was typed.
NOT_THE_RECORD = re.compile(
    r"(meso_accessevent|meso_draft|django_session|meso_session|mfa_|usersessions_|account_|django_cache|meso_chain|meso_head|_seal|meso_usersession|meso_tally)"
)
WRITES = re.compile(r'^\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
UNESCAPED = re.compile(rf"<(?:script|img|svg|b|a|!--)[^>]*{naughty.MARK}|<script>{naughty.MARK}|<{naughty.MARK}")


class Finding(AssertionError):
    """What must not happen did. The text says what."""


@dataclass
class Report:
    """What was sent and what came of it."""

    inputs: Counter = field(default_factory=Counter)  # what was attacked -> how many inputs
    answers: Counter = field(default_factory=Counter)  # status -> how many
    findings: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)  # views that no form and no link led to

    @property
    def total(self) -> int:
        """Inputs sent in all."""
        return sum(self.inputs.values())


def digest(table: str) -> str:
    """Every row of a table as one digest."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}"')
        rows = sorted(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in cursor.fetchall())
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


class Office:
    """The invented office, as it was before; `undone()` runs one input and puts everything back."""

    def __init__(self) -> None:
        tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
        self.before = {table: digest(table) for table in tables if not NOT_THE_RECORD.search(table)}

    @contextmanager
    def undone(self) -> Iterator[set[str]]:
        """Gives the set of the record's tables that the block wrote to, filled as it goes; all is rolled back after."""
        written: set[str] = set()

        def watch(execute: Callable, sql: Any, params: Any, many: bool, context: Any) -> Any:
            if (found := WRITES.match(str(sql))) and found[1] in self.before:
                written.add(found[1])
            return execute(sql, params, many, context)

        with transaction.atomic():
            with connection.execute_wrapper(watch):
                yield written
            transaction.set_rollback(True)

    def unchanged(self, written: set[str]) -> list[str]:
        """Which of these tables are not as they were."""
        return [table for table in sorted(written) if digest(table) != self.before[table]]


def refused(response: Any) -> bool:
    """Whether the answer says no: an error, or the form again with a word at a field."""
    if response.status_code >= 400:
        return True
    layers = response.context if isinstance(response.context, list) else []
    forms = [value for layer in layers for part in getattr(layer, "dicts", []) for value in part.values()]
    forms = [value for value in forms if hasattr(value, "is_bound")]
    return any(form.is_bound and form.errors for form in forms)


def judge(office: Office, response: Any, written: set[str]) -> None:
    """Raises Finding when the answer is not one that a careful house gives."""
    if response.status_code >= 500:
        raise Finding(f"answered {response.status_code}")
    text = response.content.decode(errors="replace") if not response.streaming else ""
    if "Traceback (most recent call last)" in text:
        raise Finding("showed a traceback")
    html = without_quotes(text) if "text/html" in response.headers.get("Content-Type", "") else ""
    if unescaped := UNESCAPED.search(html):
        raise Finding(f"unescaped: {unescaped[0][:80]!r}")
    if naughty.MARK in response.headers.get("Set-Cookie", ""):
        raise Finding("a header was split")
    if refused(response) and (changed := office.unchanged(written)):
        raise Finding(f"refused with {response.status_code}, but {', '.join(changed)} changed")


def without_quotes(html: str) -> str:
    """The page without what stands in quoted attributes: there `<` is a letter, and only a quote could end it."""
    return re.sub(r'="[^"]*"', '=""', html)


def payload(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """The form as an ordinary person sends it, with one to four fields gone mad, a field missing or one that is not there."""
    plain = form.plain()
    names = sorted({one.name for one in form.fields}) or ["nothing"]
    kinds = {one.name: one for one in form.fields}

    def mad(name: str) -> st.SearchStrategy[Any]:
        one = kinds.get(name)
        if one and one.type == "file":
            return naughty.files
        choices = one.choices if one else []
        return st.sampled_from(choices) | naughty.mutations if choices else naughty.mutations

    changes = st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: mad(name) for name in chosen})
    )
    missing = st.sets(st.sampled_from(names), max_size=1)
    return st.builds(lambda change, gone: {k: v for k, v in (plain | change).items() if k not in gone}, changes, missing)


def as_sent(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as the test client takes them: files as uploads, text that no browser could send replaced."""
    sent: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, tuple):
            sent[name] = SimpleUploadedFile(value[1] or "x", value[0])
        else:
            values = value if isinstance(value, list) else [value]
            sent[name] = [str(one).encode("utf-8", "replace").decode() for one in values]
    return sent


def shorter(example: Any) -> str:
    """The example in at most 300 characters."""
    if isinstance(example, dict):
        example = {name: value for name, value in example.items() if value not in (["Words"], ["2026-11-02"], [""])}
    return repr(example)[:300]


@dataclass
class Attacker:
    """Who attacks what: the office, how the inputs are drawn, and the report of what came of them."""

    office: Office
    seed: int
    report: Report

    def send(self, ask: Callable[[], Any]) -> None:
        """One input: ask, count the answer, judge it, put everything back. Raises Finding."""
        with self.office.undone() as written:
            response = ask()
            self.report.answers[response.status_code] += 1
            judge(self.office, response, written)

    def form(self, client: "Sender", form: Form, many: int) -> None:
        """`many` bad inputs into one form."""
        self.throw(form.kind, payload(form), lambda fields: self.send(lambda: client.send(form, as_sent(fields))), many)

    def query(self, client: "Sender", role: str, page: str, names: list[str], many: int) -> None:
        """`many` bad queries behind one address."""
        query = st.dictionaries(st.sampled_from(names) | naughty.words.filter(bool), naughty.mutations, min_size=1, max_size=4)
        one = lambda fields: self.send(lambda: client.get(page, as_sent(fields)))  # noqa: E731
        self.throw(f"{role} query {kind_of(page)}", query, one, many)

    def blind(self, client: "Sender", name: str, paths: list[str], names: list[str], many: int) -> None:
        """`many` posts to a view whose form no page shows in this office: field names of the whole house, whatever they hold."""
        posts = st.tuples(st.sampled_from(paths), st.dictionaries(st.sampled_from(names), naughty.mutations, max_size=6))
        self.throw(name, posts, lambda post: self.send(lambda: client.post(post[0], as_sent(post[1]))), many)

    def throw(self, name: str, strategy: st.SearchStrategy, one: Callable[[Any], None], many: int) -> None:
        """`many` examples of the strategy through `one`; a Finding is kept with the smallest example of it."""

        @hypothesis.seed(self.seed)
        @hypothesis.settings(
            max_examples=many,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
            verbosity=hypothesis.Verbosity.quiet,
            report_multiple_bugs=False,
        )
        @hypothesis.given(strategy)
        def run(example: Any) -> None:
            self.report.inputs[name] += 1
            try:
                one(example)
            except Exception as error:
                last[:] = [f"{type(error).__name__}: {str(error)[:200]} on {shorter(example)}"]
                raise

        last: list[str] = []
        try:
            run()
        except Exception as error:  # noqa: BLE001  (whatever came out is what was looked for)
            self.report.findings.append(f"{name}: {last[0] if last else repr(error)[:300]}")


class Sender(Client):
    """A test client that answers a failure with 500 as the server does, and sends a form by its method."""

    def __init__(self) -> None:
        super().__init__(raise_request_exception=False)

    def send(self, form: Form, fields: dict[str, Any]) -> Any:
        """Send the form."""
        return self.post(form.action, fields) if form.method == "post" else self.get(form.action, fields)
