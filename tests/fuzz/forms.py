"""Reads the forms of a page, fills them as people do, and walks the links of a role to find them all."""

import io
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve
from pypdf import PdfWriter

from meso import clock

SAMPLES_OF_A_KIND = 8  # pages of one kind (a chart, a letter) that are opened for each role: their states show other forms
SAMPLES = {"request": 60}  # the states of a request are many
NEVER = ("", "account_logout")  # whoever logs out sees nothing more
FIRST = [
    "/",
    "/accounts/login/",
    "/privacy/",
    "/privacy/request/",
    "/privacy/status/",
    "/accounts/again/go-on/",
    "/accounts/code/",
]
CHART, PASSWORD = "10023", "needles and pins 99"
# What people write into a field whose name ends so, and into one of this type.
NAMED = {"patient": CHART, "patient_picked": CHART, "chart": CHART, "state": "NY", "zip": "12207", "phone": "(518) 555-0100"}
NAMED |= {"postage": "1.85", "fee": "6.50", "charged": "90.00", "amount": "90.00", "pages": "1", "contact": "ann@example.org"}
NAMED |= {
    "password1": PASSWORD,
    "password2": PASSWORD,
    "leave_empty": "",
    "acting_name": "",
    "acting_as": "",
    "balance": "0.00",
    "minutes": "5",
}
DAYS = ("_on", "born", "since", "until", "dated")
TYPED = {"number": "1", "email": "ann@example.org", "tel": "(518) 555-0100", "time": "10:00"}


@cache
def paper() -> tuple[bytes, str]:
    """A PDF of one empty page, as a field of type "file" takes it."""
    data, writer = io.BytesIO(), PdfWriter()
    writer.add_blank_page(612, 792)
    writer.write(data)
    return data.getvalue(), "paper.pdf"


@dataclass
class Field:
    """One control: its type (`text`, `select`, `checkbox` …), what it holds, and what may be chosen."""

    name: str
    type: str
    value: str = ""
    choices: list[str] = field(default_factory=list)
    on: bool = False
    required: bool = False

    def plain(self, sparse: bool = False) -> str | None:
        """What somebody would send who fills in everything, or (`sparse`) nothing that may be left out; None for nothing."""
        wanted = self.required or not sparse
        if self.type in ("checkbox", "radio"):
            return self.value if self.on or wanted else None
        if self.type == "select":
            return self.value or next((choice for choice in self.choices if choice and wanted), "")
        if self.value or self.type in ("hidden", "button") or not wanted:
            return self.value or NAMED.get(self.name, "")
        if self.type == "date" or self.name.endswith(DAYS):
            return clock.today().isoformat()
        return next((words for name, words in NAMED.items() if self.name.endswith(name)), TYPED.get(self.type, "Words"))


@dataclass
class Form:
    """A form of a page, as one role saw it."""

    role: str
    page: str
    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The name of the view that answers it, and the names of its fields: two such forms are the same form."""
        return f"{self.role} {self.method} {kind_of(self.action)} {','.join(sorted({one.name for one in self.fields}))}"

    def plain(self, sparse: bool = False) -> dict[str, Any]:
        """What is sent by somebody who fills in everything, or (`sparse`) nothing that may be left out."""
        sent: dict[str, Any] = {}
        pressed = False  # of several buttons a browser sends the one that was pressed
        for one in self.fields:
            value = one.plain(sparse)
            if one.type == "file":
                sent |= {} if sparse and not one.required else {one.name: paper()}
            elif one.type == "radio":
                sent[one.name] = [one.value] if one.on or sparse else sent.get(one.name, [one.value])  # the last, or the first
            elif one.type == "button":
                sent |= {} if pressed else {one.name: [value]}
                pressed = True
            elif value is not None:
                sent.setdefault(one.name, []).append(value)
        for name in {one.name for one in self.fields if one.type == "checkbox"} - set(sent):
            if len(boxes := self.choices(name)) > 1:
                sent[name] = boxes[:1]
        return sent

    def choices(self, name: str) -> list[str]:
        """What may be chosen in this field; [] where anything may be typed."""
        of_name = [one for one in self.fields if one.name == name]
        boxes = [one.value for one in of_name if one.type in ("checkbox", "radio", "hidden", "button")]
        return [choice for one in of_name for choice in one.choices] + boxes


class _Reader(HTMLParser):
    """Gathers links and forms."""

    def __init__(self, role: str, page: str):
        super().__init__()
        self.role, self.page = role, page
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.elsewhere: list[tuple[int, str]] = []  # a button that sends its form to another address
        self._select: Field | None = None

    def handle_starttag(self, tag: str, attrs: list) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "a" and found.get("href"):
            self.links.append(urljoin(self.page, found["href"]))
        elif tag == "form":
            where = urljoin(self.page, found.get("action") or self.page)
            self.forms.append(Form(self.role, self.page, where, found.get("method", "get").lower()))
        elif self.forms and found.get("formaction"):
            self.elsewhere.append((len(self.forms) - 1, urljoin(self.page, found["formaction"])))
        elif self.forms and tag in ("input", "textarea", "select", "button") and found.get("name"):
            self._control(tag, found)
        elif tag == "option" and self._select is not None:
            self._select.choices.append(found.get("value", ""))
            if "selected" in found:
                self._select.value = found.get("value", "")

    def _control(self, tag: str, found: dict[str, str]) -> None:
        kind = {"textarea": "text", "select": "select", "button": "button"}.get(tag) or found.get("type", "text")
        one = Field(found["name"], kind, found.get("value", ""), on="checked" in found, required="required" in found)
        if one.name != "csrfmiddlewaretoken":
            self.forms[-1].fields.append(one)
        if tag == "select":
            self._select = one

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None


def kind_of(path: str) -> str:
    """The name of the view behind an address, "" for none of ours."""
    try:
        return resolve(urlsplit(path).path).view_name
    except Resolver404:
        return ""


def read(role: str, page: str, html: str) -> tuple[list[str], list[Form]]:
    """The links and the forms of one page."""
    reader = _Reader(role, page)
    reader.feed(html)
    beside = [replace(reader.forms[place], action=action) for place, action in reader.elsewhere]
    return reader.links, reader.forms + beside


@dataclass
class Walked:
    """What links led to: one address of each kind that opened, each kind of form once, and every address by its kind."""

    pages: dict[str, str] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    linked: dict[str, list[str]] = field(default_factory=dict)

    def read(self, role: str, path: str, html: str) -> list[str]:
        """Take in a page. Returns its links."""
        links, found = read(role, path, html)
        self.forms = {form.kind: form for form in found if kind_of(form.action) not in NEVER} | self.forms
        for address in [*links, *(form.action for form in found)]:
            self.linked.setdefault(kind_of(address), []).append(address.partition("#")[0])
        return links


def walk(client: Client, role: str, beginning: Sequence[str] = ()) -> Walked:
    """Every kind of page that links lead this role to."""
    todo, seen, opened, walked = deque([*FIRST, *beginning]), set[str](), Counter[str](), Walked()
    while todo:
        path = todo.popleft().partition("#")[0].removeprefix("http://testserver")
        kind = kind_of(path)
        if path in seen or not path.startswith("/") or kind in NEVER or opened[kind] >= SAMPLES.get(kind, SAMPLES_OF_A_KIND):
            continue
        seen.add(path)
        opened[kind] += 1
        response = client.get(path)
        if response.status_code in (301, 302):
            todo.append(urljoin(path, response.headers["Location"]))
        if response.status_code == 200:
            walked.pages.setdefault(kind, path)
            if "text/html" in response.headers.get("Content-Type", ""):
                todo += walked.read(role, path, response.text)
    return walked
