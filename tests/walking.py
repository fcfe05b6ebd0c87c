"""Walks an office as each of its people would: every page that a link leads to, and every form on it, filled in."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import Resolver404, resolve

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF"
MOST = 2  # pages of one URL name that one person opens


@dataclass
class Sheet:
    """A form as its page shows it: where it goes, and what each field takes."""

    action: str
    fields: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """The links and the forms of a page."""

    def __init__(self, page: str, html: str):
        super().__init__()
        self.page, self.links, self.sheets = page, [], []
        self._sheet: Sheet | None = None
        self._select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "a" and facts.get("href", "").startswith("/"):
            self.links.append(facts["href"].partition("#")[0])
        elif tag == "form":
            self._sheet = Sheet(facts.get("action") or self.page) if facts.get("method", "").lower() == "post" else None
            self.sheets += [self._sheet] if self._sheet else []
        elif self._sheet is not None:
            self._field(tag, facts)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._sheet = None
        elif tag == "select":
            self._select = None

    def _field(self, tag: str, facts: dict[str, str]) -> None:
        fields, name, kind = self._sheet.fields, facts.get("name", ""), facts.get("type", "text")
        if tag == "option" and self._select and facts.get("value"):
            fields.setdefault(self._select, facts["value"])
        elif tag == "select":
            self._select = name
        elif tag == "textarea" or (tag == "input" and kind in ("text", "search", "tel", "url", "password")):
            if name not in fields:
                fields[name] = facts.get("value", "")
                self._sheet.texts.append(name)
        elif tag == "input" and name:
            fixed = {"date": "2026-11-20", "number": "1", "email": "", "file": None, "time": "10:00"}
            fields.setdefault(name, facts.get("value") or fixed.get(kind, "on"))
            if kind == "email":
                self._sheet.texts.append(name)

    def filled(self, word: str, chart: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each form's address, and its fields with the word in whatever takes text."""
        for sheet in self.sheets:
            data = {name: value for name, value in sheet.fields.items() if name and name != "csrfmiddlewaretoken"}
            for name in sheet.texts:
                data[name] = f"{word}@example.org" if "email" in name else f"Words {word}"
            for name, value in data.items():
                if name in ("patient", "patient_picked", "chart", "chart_number"):
                    data[name] = chart
                elif value is None:
                    data[name] = SimpleUploadedFile(f"{word}.pdf", PDF, "application/pdf")
            yield sheet.action, data


def name_of(path: str) -> str:
    """The name of the URL, or "" where the address is none of ours."""
    try:
        return resolve(path.partition("?")[0]).url_name or ""
    except Resolver404:
        return ""


def walk(client: Client, beginning: list[str]) -> Iterator[tuple[str, str, Any]]:
    """Every page that links lead to from these, as (URL name, address, answer); a few of each name."""
    seen, opened, waiting = set(beginning), Counter(), list(beginning)
    while waiting:
        path = waiting.pop(0)
        name = name_of(path)
        if not name or name == "logout" or opened[name] >= MOST:
            continue
        opened[name] += 1
        answer = client.get(path)
        yield name, path, answer
        if answer.status_code == 200 and answer.get("Content-Type", "").startswith("text/html"):
            found = [link for link in Reader(path, answer.content.decode()).links if link not in seen]
            seen.update(found)
            waiting += found
