"""Sends bad input and looks at what came of it: no 500, nothing unescaped, nothing changed by a refusal or a look."""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

import hypothesis
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import NoReverseMatch, reverse
from hypothesis import strategies as st

from tests.fuzz import naughty
from tests.fuzz.forms import Form, kind_of
from tests.fuzz.office import SHOWN_ONCE, Office, would_commit

UNESCAPED = re.compile(rf"<(?:script|img|svg|b|a|!--)[^>]*{naughty.MARK}|<script>{naughty.MARK}|<{naughty.MARK}")
LEADS_AWAY = re.compile(r'(?:href|src|action|formaction)="\s*(?:javascript:|data:text|//|https?://evil)', re.IGNORECASE)
ASKS = {"/accounts/login/": "302 to the login", "/accounts/unlock/": "302 to unlock", "/accounts/again/": "302 to show who it is"}
BY_A_GATE = (401, 403, 404, 405, 429)  # the view did not come to look at the input


class Finding(AssertionError):
    """What must not happen did. The text says what."""


@dataclass
class Report:
    """What was sent and what came of it."""

    inputs: Counter = field(default_factory=Counter)  # what was attacked -> how many inputs
    answers: Counter = field(default_factory=Counter)  # what was answered -> how many
    reached: Counter = field(default_factory=Counter)  # ("GET" or "POST", view) -> answers by the view itself, not by a gate
    asked: Counter = field(default_factory=Counter)  # (view, parameter) -> how often something was sent in it
    findings: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Inputs sent in all."""
        return sum(self.inputs.values())


def refused(response: Any) -> bool:
    """Whether the answer says no: an error, or the form again with a word at a field."""
    if response.status_code >= 400:
        return True
    layers = response.context if isinstance(response.context, list) else []
    forms = [value for layer in layers for part in getattr(layer, "dicts", []) for value in part.values()]
    forms = [value for value in forms if hasattr(value, "is_bound")]
    return any(form.is_bound and form.errors for form in forms)


def in_words(response: Any) -> str:
    """The answer as the report counts it."""
    if response.status_code in (301, 302):
        return ASKS.get(response.headers["Location"].partition("?")[0], str(response.status_code))
    return "200 refused in words" if response.status_code == 200 and refused(response) else str(response.status_code)


def judge(office: Office, response: Any, written: set[str]) -> None:
    """Raises Finding when the answer is not one that a careful house gives."""
    if response.status_code >= 500:
        raise Finding(f"answered {response.status_code}{why(response)}")
    content = b"".join(response.streaming_content) if response.streaming else response.content
    text = content.decode(errors="replace")
    if "Traceback (most recent call last)" in text:
        raise Finding("showed a traceback")
    html = text if "text/html" in response.headers.get("Content-Type", "") else ""
    if found := LEADS_AWAY.search(html) or UNESCAPED.search(without_quotes(html)):
        raise Finding(f"unescaped: {found[0][:80]!r}")
    if naughty.MARK in response.headers.get("Set-Cookie", ""):
        raise Finding("a header was split")
    goal = response.headers.get("Location", "/").strip().replace("\\", "/")  # as browsers read it
    if urlsplit(urljoin("http://testserver/page/", goal)).netloc != "testserver":
        raise Finding(f"sent away to {goal[:80]!r}")
    looked, view = response.wsgi_request.method == "GET", kind_of(response.wsgi_request.path)
    written = {table for table in written if not (looked and (view, table) in SHOWN_ONCE)}
    if (looked or refused(response)) and (changed := office.unchanged(written)):
        raise Finding(f"{'looked at' if looked else 'refused'} with {response.status_code}, but {', '.join(changed)} changed")
    would_commit(written)


def why(response: Any) -> str:
    """What failed and where, of an answer that the test client made out of an exception."""
    kind, error, trace = getattr(response, "exc_info", None) or (None, None, None)
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
    return f": {kind.__name__} in {where}: {str(error)[:200]}" if kind else ""


def without_quotes(html: str) -> str:
    """The page without what stands in quoted attributes: there `<` is a letter, and only a quote could end it."""
    return re.sub(r'="[^"]*"', '=""', html)


def payload(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """The form as an ordinary person sends it, with one to four fields gone mad, a field missing or one that is not there."""
    filled = [form.plain(), form.plain(sparse=True)]
    names = sorted({one.name for one in form.fields}) or ["nothing"]

    def mad(name: str) -> st.SearchStrategy[Any]:
        if any(one.name == name and one.type == "file" for one in form.fields):
            return naughty.files
        choices = form.choices(name)
        return st.sampled_from(choices) | naughty.for_field(name) if choices else naughty.for_field(name)

    changes = st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({name: mad(name) for name in chosen})
    )
    missing = st.sets(st.sampled_from(names), max_size=1)

    def build(plain: dict, change: dict, gone: set) -> dict[str, Any]:
        return {name: value for name, value in (plain | change).items() if name not in gone}

    return st.builds(build, st.sampled_from(filled), changes, missing)


def as_sent(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as the test client takes them: files as uploads, text that no browser could send replaced."""
    sent: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, tuple):
            sent[name] = SimpleUploadedFile(value[1] or "x", value[0])
        else:
            sent[naughty.sendable(name)] = [naughty.sendable(one) for one in (value if isinstance(value, list) else [value])]
    return sent


def shorter(example: Any) -> str:
    """The example in at most 300 characters."""
    if isinstance(example, dict):
        example = {name: value for name, value in example.items() if value not in (["Words"], [""])}
    return repr(example)[:300]


@dataclass
class Attacker:
    """Who attacks what: the office, how the inputs are drawn, and the report of what came of them."""

    office: Office
    seed: int
    report: Report

    def send(self, ask: Callable[[], Any], view: str) -> None:
        """One input: ask, count the answer, judge it, put everything back. Raises Finding."""
        with self.office.undone() as written:
            response = ask()
            answer = in_words(response)
            self.report.answers[answer] += 1
            if response.status_code not in BY_A_GATE and answer not in ASKS.values():
                self.report.reached[response.wsgi_request.method, view] += 1
            judge(self.office, response, written)

    def form(self, client: "Sender", form: Form, many: int) -> None:
        """`many` bad inputs into one form."""
        view = kind_of(form.action)
        one = lambda fields: self.send(lambda: client.send(form, as_sent(fields)), view)  # noqa: E731
        self.throw(form.kind, payload(form), one, many)

    def query(self, client: "Sender", name: str, page: str, names: list[str], many: int) -> None:
        """`many` bad queries behind one address: mostly in the parameters that its view asks for, some in others."""
        view = kind_of(page)
        chosen = st.lists(st.sampled_from(names or ["q"]), min_size=1, max_size=4, unique=True)
        own = chosen.flatmap(lambda found: st.fixed_dictionaries({one: naughty.for_field(one) for one in found}))
        others = st.dictionaries(naughty.words.filter(bool), naughty.mutations, min_size=1, max_size=2)

        def one(query: dict[str, Any]) -> None:
            self.report.asked.update((view, parameter) for parameter in query if parameter in names)
            self.send(lambda: client.get(page, as_sent(query)), view)

        self.throw(name, own | own | own | others, one, many)

    def blind(self, client: "Sender", name: str, paths: list[str], names: list[str], many: int) -> None:
        """`many` posts to a view whose form no page shows in this office, in the fields that it asks for."""
        posts = st.tuples(st.sampled_from(paths), st.dictionaries(st.sampled_from(names or ["q"]), naughty.mutations, max_size=6))
        one = lambda post: self.send(lambda: client.post(post[0], as_sent(post[1])), kind_of(post[0]))  # noqa: E731
        self.throw(name, posts, one, many)

    def addresses(self, client: "Sender", name: str, view: str, parts: dict[str, Any], many: int) -> None:
        """`many` addresses of a view with keys, charts and numbers that are none, asked for and posted to."""
        places = st.fixed_dictionaries({part: st.just(plain) | naughty.part_of_address(part) for part, plain in parts.items()})

        def one(asked: tuple[dict[str, Any], Callable]) -> None:
            with suppress(NoReverseMatch):
                path = reverse(view, kwargs=asked[0])
                self.send(lambda: asked[1](path), view)

        self.throw(name, st.tuples(places, st.sampled_from([client.get, client.post])), one, many)

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
                last[:] = [f"{type(error).__name__}: {str(error)[:300]} on {shorter(example)}"]
                raise

        last: list[str] = []
        try:
            run()
        except Exception as error:  # noqa: BLE001  (whatever came out is what was looked for)
            self.report.findings.append(f"{name}: {last[0] if last else repr(error)[:300]}")


class Sender(Client):
    """A test client that answers a failure with 500 as the server does, and whose cookies no answer changes but a login's."""

    def __init__(self) -> None:
        super().__init__(raise_request_exception=False)
        self.keeps_cookies = False

    def request(self, **asked: Any) -> Any:
        """One request. What it sets as cookies goes with what it wrote, unless `keeps_cookies`."""
        before = SimpleCookie(self.cookies)
        try:
            return super().request(**asked)
        finally:
            if not self.keeps_cookies:
                self.cookies = before

    def send(self, form: Form, fields: dict[str, Any]) -> Any:
        """Send the form by its method."""
        return self.post(form.action, fields) if form.method == "post" else self.get(form.action, fields)
