"""Finds the forms of the house: walks the links of every role and reads the forms out of the pages."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.apps import apps
from django.test import Client
from django.urls import NoReverseMatch, Resolver404, resolve, reverse

from records.models import Patient
from requests_app.models import PatientRequest

SAMPLES_OF_A_KIND = 8  # pages of one kind (a chart, a request) that are opened for each role: their states show other forms
NEVER = ("", "account_logout")  # whoever logs out sees nothing more
FIRST = ["/", "/accounts/login/", "/privacy/", "/privacy/request/", "/privacy/status/", "/nothing-here/"]
FILLED = {"date": "2026-11-02", "number": "1", "email": "ann@example.org", "tel": "(518) 555-0100", "time": "10:00"}


@dataclass
class Field:
    """One control: its type (`text`, `select`, `checkbox` …), what it holds, and what may be chosen."""

    name: str
    type: str
    value: str = ""
    choices: list[str] = field(default_factory=list)
    on: bool = False

    def plain(self) -> str | None:
        """What an ordinary person would send; None for nothing."""
        if self.type in ("checkbox", "radio"):
            return self.value if self.on else None
        if self.type in ("select", "hidden"):
            return self.value or next((choice for choice in self.choices if choice), "")
        return self.value or FILLED.get(self.type, "Words")


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

    def plain(self) -> dict[str, list[str]]:
        """Every field as an ordinary person would send it."""
        sent: dict[str, list[str]] = {}
        for one in self.fields:
            value = one.plain()
            if value is not None and one.type != "file":
                sent.setdefault(one.name, []).append(value)
        return sent


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
        kind = {"textarea": "text", "select": "select", "button": "hidden"}.get(tag) or found.get("type", "text")
        one = Field(found["name"], kind, found.get("value", ""), on="checked" in found)
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


def walk(client: Client, role: str) -> tuple[list[str], list[Form]]:
    """Every kind of page that links lead this role to: one address of each kind, and each kind of form once."""
    todo: list[str] = [*FIRST]
    opened: dict[str, int] = {}
    seen: set[str] = set()
    pages: list[str] = []
    forms: dict[str, Form] = {}
    while todo:
        path = todo.pop(0).partition("#")[0]
        path = path.removeprefix("http://testserver")
        kind = kind_of(path)
        if (
            path in seen
            or not kind
            or not path.startswith("/")
            or kind == "account_logout"
            or opened.get(kind, 0) >= SAMPLES_OF_A_KIND
        ):
            continue
        seen.add(path)
        opened[kind] = opened.get(kind, 0) + 1
        response = client.get(path)
        if opened[kind] == 1:
            pages.append(path)
        if response.status_code in (301, 302):
            todo.append(urljoin(path, response.headers["Location"]))
        if response.status_code != 200 or "text/html" not in response.headers.get("Content-Type", ""):
            continue
        links, found = read(role, path, response.text)
        todo += links
        for form in found:
            if kind_of(form.action) not in NEVER:
                forms.setdefault(form.kind, form)
    return pages, list(forms.values())


def addresses_of(name: str, parameters: list[str], many: int = 300) -> Iterator[str]:
    """Up to so many addresses of a view, with charts, requests and keys of the office that is there."""
    values: dict[str, list] = {"format": ["pdf", "json", "csv", "fhir", "zip"], "pk": list(range(1, many))}
    values["chart"] = list(Patient.objects.values_list("chart_number", flat=True)[:many])
    values["number"] = [request.number for request in PatientRequest.objects.all()[:many]]
    found: Iterable[dict] = [{}]
    if "pk" in parameters and len(parameters) > 1:
        found = ({"pk": pk, "chart": chart, "number": number} for pk, chart, number in _belonging(many))
    elif parameters:
        longest = max(len(values.get(one, "x")) for one in parameters)
        found = ({one: values[one][place % len(values[one])] for one in parameters if one in values} for place in range(longest))
    for kwargs in found:
        try:
            yield reverse(name, kwargs={one: kwargs[one] for one in parameters})
        except (NoReverseMatch, KeyError):
            continue


@cache
def _belonging(many: int) -> list[tuple[int, str, str]]:
    """(key, chart, request) of whatever belongs to a chart or to a request."""
    found = set()
    for model in apps.get_models():
        names = {field.name for field in model._meta.fields}
        if "patient" in names:
            found |= {
                (pk, chart or "", "") for pk, chart in model._default_manager.values_list("pk", "patient__chart_number")[:many]
            }
        if "request" in names:
            for one in model._default_manager.select_related("request__patient")[:many]:
                chart = one.request.patient.chart_number if one.request.patient else ""
                found.add((one.pk, chart, one.request.number))
    return sorted(found)
