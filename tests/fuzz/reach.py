"""What an attack can reach: every view, for each visitor: by links and forms, and by trying addresses where none leads."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.urls import NoReverseMatch, get_resolver, resolve, reverse

from records.models import Patient
from requests_app.models import PatientRequest
from tests.fuzz.attack import BY_A_GATE, Sender
from tests.fuzz.forms import NEVER, Form, kind_of, read, walk
from tests.fuzz.office import Office, noticing
from tests.fuzz.visitors import Visitor

HIGHEST = 250  # key that is tried where nothing else is known of it
FORMATS = ["pdf", "json", "csv", "fhir", "zip", "copy", "letter", "bill"]
OF_A_KIND = 8  # rows of a model whose keys are tried
ENOUGH = 3  # of them that answer


@dataclass
class Page:
    """An address that answers a visitor, and the parameters that its view asks for."""

    visitor: Visitor
    path: str
    names: list[str]


@dataclass
class Blind:
    """A view whose form no page shows in this office: addresses that take a POST, and the fields that are asked for."""

    visitor: Visitor
    view: str
    paths: list[str]
    names: list[str]


@dataclass
class Reach:
    """Finds it all, changing nothing: `forms`, `pages`, `blind`, and the views of which neither is known (`missed`)."""

    office: Office
    visitors: list[Visitor]
    forms: list[tuple[Visitor, Form]] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    blind: list[Blind] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    linked: dict[str, dict[str, None]] = field(default_factory=dict)  # view -> the addresses of it that stand on pages

    def find(self) -> "Reach":
        """Walk as everybody, then try what nobody was led to. Returns itself."""
        for visitor in self.visitors:
            walked = walk(self._as(visitor), visitor.name, last_charts() if visitor.user else [])
            self.pages += [Page(visitor, path, self._parameters(visitor, path)) for path in walked.pages.values()]
            self.forms += [(visitor, form) for form in walked.forms.values()]
            for kind, paths in walked.linked.items():
                self.linked.setdefault(kind, {}).update(dict.fromkeys(paths))
        for view, parts in views().items():
            self._by_address(view, parts)
        return self

    def _as(self, visitor: Visitor) -> "Undoing":
        return Undoing(self.office, visitor.client)

    def _by_address(self, view: str, parts: list[str]) -> None:
        """Ask and post where no page and no form led, by addresses that stand on pages and by others."""
        paths = [page.path for page in self.pages if kind_of(page.path) == view][:ENOUGH]
        seen = bool(paths)
        paths = paths or [*self.linked.get(view, {}), *addresses_of(view, parts)]
        sent = any(form.method == "post" and kind_of(form.action) == view for _, form in self.forms)
        for visitor in self.visitors:
            if visitor.whole and paths and visitor.enters(resolve(urlsplit(paths[0]).path).func):
                seen = seen or self._look(visitor, paths)
                sent = sent or self._post(visitor, view, paths)
        if not seen and not sent:
            self.missed.append(view)

    def _look(self, visitor: Visitor, paths: list[str]) -> bool:
        """The first address that opens, as a page, with the forms that stand on it."""
        client = self._as(visitor)
        for path in paths:
            answer = client.get(path)
            if answer.status_code == 405:
                return False
            if answer.status_code == 200:
                self.pages.append(Page(visitor, path, self._parameters(visitor, path)))
                if "text/html" in answer.headers.get("Content-Type", ""):
                    new = [form for form in read(visitor.name, path, answer.text)[1] if self._is_new(form)]
                    self.forms += [(visitor, form) for form in new]
                return True
        return False

    def _is_new(self, form: Form) -> bool:
        return kind_of(form.action) not in NEVER and form.kind not in {known.kind for _, known in self.forms}

    def _post(self, visitor: Visitor, view: str, paths: list[str]) -> bool:
        """Addresses that take an empty form, and what they ask for. True also where a POST is nothing but a look."""
        taking: list[str] = []
        names: set[str] = set()
        for path in paths:
            with noticing() as posted:
                status = self._as(visitor).post(path, {}).status_code
            if status == 405:
                return False
            if status not in BY_A_GATE:
                taking.append(path)
                names |= posted
            if len(taking) == ENOUGH:
                break
        looks = next((page for page in self.pages if kind_of(page.path) == view), None)
        if taking and not (looks and names <= set(looks.names)):
            self.blind.append(Blind(visitor, view, taking, sorted(names)))
        return bool(taking)

    def _parameters(self, visitor: Visitor, path: str) -> list[str]:
        """The parameters that the view asks for, those too that it asks for only when others are there."""
        known: set[str] = set()
        while True:
            with noticing() as found:
                self._as(visitor).get(path, dict.fromkeys(known, "1"))
            if found <= known:
                return sorted(known)
            known |= found


@dataclass
class Undoing:
    """A browser after each of whose requests everything is put back."""

    office: Office
    client: Sender

    def get(self, path: str, fields: dict[str, Any] | None = None) -> Any:
        """The answer to a GET."""
        with self.office.undone():
            return self.client.get(path, fields)

    def post(self, path: str, fields: dict[str, Any]) -> Any:
        """The answer to a POST."""
        with self.office.undone():
            return self.client.post(path, fields)


def last_charts() -> list[str]:
    """The charts that were made last, to which no list may lead."""
    return [patient.get_absolute_url() for patient in Patient.objects.order_by("-pk")[:8]]


def views() -> dict[str, list[str]]:
    """The name of every view and of the parts that are missing in its address."""
    table = get_resolver().reverse_dict
    return {
        name: list(table[name][0][0][1]) for name in sorted(name for name in table if isinstance(name, str)) if name not in NEVER
    }


def addresses_of(name: str, parts: list[str]) -> Iterator[str]:
    """Addresses of a view, with charts, requests and keys of the office that is there."""
    values: dict[str, list] = {
        "format": ["pdf", "json", "csv", "fhir", "zip", "copy", "letter", "bill"],
        "pk": list(range(1, HIGHEST)),
    }
    values["chart"] = list(Patient.objects.values_list("chart_number", flat=True))
    values["number"] = [request.number for request in PatientRequest.objects.all()]
    if "pk" in parts and len(parts) > 1:
        found = [{"pk": pk, "chart": chart, "number": number} for pk, chart, number in belonging()]
    else:
        longest = max((len(values[one]) for one in parts), default=1)
        found = [{one: values[one][place % len(values[one])] for one in parts} for place in range(longest)]
    for kwargs in found:
        for format_ in values["format"] if "format" in parts else [""]:
            with suppress(NoReverseMatch):
                yield reverse(name, kwargs={one: (kwargs | {"format": format_})[one] for one in parts})


@cache
def belonging() -> list[tuple[int, str, str]]:
    """(key, chart, request) of what belongs to a chart or to a request: a few of each kind, the rarest first."""
    kinds: list[list[tuple[int, str, str]]] = []
    for model in apps.get_models():
        names, rows = {field.name for field in model._meta.fields}, model._default_manager.order_by("-pk")
        if "patient" in names:
            kinds.append([(pk, chart or "-", "-") for pk, chart in rows.values_list("pk", "patient__chart_number")])
        if "request" in names:
            of_request = [(one.pk, one.request.patient, one.request.number) for one in rows.select_related("request__patient")]
            kinds.append([(pk, patient.chart_number if patient else "-", number) for pk, patient, number in of_request])
    return list(dict.fromkeys(row for rows in sorted(kinds, key=len) for row in rows[:OF_A_KIND]))
