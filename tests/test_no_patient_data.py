"""A walk through the whole house: no address, title, file name, log line or mail holds a patient's name, birth date or words."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import time_machine
from django.core import mail, signing
from django.core.management import call_command
from django.db import models
from django.test import Client
from django.urls import Resolver404, resolve

from meso import paging
from meso.roles import Role
from records.models import Entry, Patient
from requests_app.demo import load, people
from requests_app.models import PatientRequest
from tests.factories import AT
from tests.test_house import URLS

ADDRESS = re.compile(r'\s(?:href|src|action|formaction|hx-get|hx-post|hx-push-url|data-worker|data-save)="([^"]*)"')
EACH = 2  # pages of one kind for one role: what they hold comes out of the same template
SHORT = 6  # a shorter word may stand in an address by itself; so may a number shorter than a day or a telephone's
# Fields that an address of ours may carry; names, words and days of birth are none of them.
_CARRIED = "after again back chart delivery end entry from kind language next pages patient postage row scope show since start"
CARRIED = {
    *_CARRIED.split(),
    "state",
    "step",
    "tick",
    "to",
    "until",
    "days",
    "reason",
}  # the reason for a shorter list is one of a few


def private_words() -> set[str]:
    """Whatever somebody typed about a patient: every name, day of birth, way to reach them, and the first words of every text."""
    found: set[str] = set()
    for model in (Patient, Entry, PatientRequest):
        text = [
            f.name for f in model._meta.concrete_fields if isinstance(f, models.CharField | models.TextField) and not f.choices
        ]
        kept = [
            name for name in text if name not in {"chart_number", "code_digest", "once", "channel", "state", "language", "status"}
        ]
        for row in model.objects.all():
            values = [getattr(row, name) for name in kept]
            found |= {value.strip()[:40] for value in values if value and not re.fullmatch("[a-z_]+", value)}  # no codes of ours
    for born in Patient.objects.values_list("date_of_birth", flat=True):
        found |= {born.isoformat(), f"{born:%m/%d/%Y}", f"{born:%B} {born.day}, {born.year}"}
    ours = " ".join(route for route, _ in URLS)  # a letter filed as "Statement" makes no address of ours private
    found = {word for word in found if word.casefold() not in ours}
    return {word.casefold() for word in found if len(word) >= (SHORT if re.search("[^0-9-]", word) else 10)}


def tells(text: str, words: set[str]) -> list[str]:
    plain = unquote(unescape(text)).replace("+", " ").casefold()
    return [word for word in words if word in plain]


def opened(address: str) -> str:
    """An address with its signed parts laid open: where the next page of a list begins is written in one."""
    told = address
    for _name, value in parse_qsl(urlsplit(address).query):
        try:
            told += f" {signing.loads(value, salt=paging._SALT)}"
        except signing.BadSignature:
            continue
    return told


def route_of(path: str) -> str:
    try:
        return resolve(path).route
    except Resolver404:
        return ""


class Walk:
    """Goes from page to page as one person, and keeps what it meets."""

    def __init__(self, client: Client):
        self.client = client
        self.addresses: set[str] = set()
        self.titles: set[str] = set()
        self.files: set[str] = set()
        self.by_get: set[str] = set()
        self.seen: Counter[str] = Counter()

    def go(self, *starts: str) -> None:
        """Follow every link from these pages, a few of each kind."""
        todo = deque(starts)
        met: set[str] = set()
        while todo:
            address = todo.popleft()
            path = urlsplit(address).path
            kind = route_of(path)
            if address in met or not path.startswith("/") or self.seen[kind] >= EACH or "logout" in path:
                continue
            met.add(address)
            self.seen[kind] += 1
            todo.extend(self._look(self.client.get(address)))

    def _look(self, response) -> Iterator[str]:
        if response.has_header("Location"):
            self.addresses.add(response["Location"])
            yield response["Location"]
        if response.has_header("Content-Disposition"):
            self.files.add(response["Content-Disposition"])
        if not response["Content-Type"].startswith("text/html"):
            return
        html = response.text
        self.titles |= set(re.findall(r"<title>(.*?)</title>", html, re.S))
        for form in re.findall(r"<form\b.*?</form>", html, re.S):
            if not re.match(r'<form\b[^>]*method="post"', form):
                self.by_get |= set(re.findall(r'<(?:input|select|textarea)\b[^>]*\bname="([^"]*)"', form))
        for address in map(unescape, ADDRESS.findall(html)):
            self.addresses.add(address)
            yield address


@pytest.fixture
def office(db, signed_in):
    """The invented office, on its day."""
    with time_machine.travel(AT, tick=False):
        load.load(on=AT.date(), at=AT)
        yield


@pytest.mark.parametrize("role", [Role.PRIVACY_OFFICER, Role.PHYSICIAN])
def test_no_address_title_file_name_or_log_line_holds_what_is_private(client, signed_in, office, written, role):
    words = private_words()
    assert len(words) > 100
    signed_in(role)
    walk = Walk(client)
    charts = list(Patient.objects.order_by("pk").values_list("chart_number", flat=True)[:3])
    walk.go(
        "/",
        "/privacy/",
        *(f"/patients/{chart}/" for chart in charts),
        *(f"/requests/{r.number}/" for r in PatientRequest.objects.all()[:9]),
    )
    assert len([kind for kind in walk.seen if kind]) > (90 if role == Role.PRIVACY_OFFICER else 40)
    assert [(address, told) for address in walk.addresses if (told := tells(opened(address), words))] == []
    assert [(title, told) for title in walk.titles if (told := tells(title, words))] == []
    assert [(name, told) for name in walk.files if (told := tells(name, words))] == []
    assert tells(written(), words) == []
    assert {name for address in walk.addresses for name, _ in parse_qsl(urlsplit(address).query)} - CARRIED == set()
    assert walk.by_get - CARRIED == set()


def test_a_search_for_a_name_stays_out_of_every_address(client, signed_in, office):
    """Found or not, in whatever list: what was looked for goes along in the body."""
    patient = Patient.objects.order_by("pk")[0]
    signed_in("privacy_officer")
    words = private_words() | {patient.last_name.casefold(), patient.first_name.casefold()}
    for path in ("/patients/", "/patients/pick/", "/requests/", "/disclosures/", "/audit/", "/retention/", "/authorizations/"):
        for sought in (patient.last_name, patient.name):
            response = client.post(path, {"q": sought, "patient": sought, "name": sought})
            walk = Walk(client)
            list(walk._look(response))
            assert [(address, told) for address in walk.addresses if (told := tells(opened(address), words))] == [], path


def test_no_mail_holds_what_is_private(office):
    words = private_words()
    call_command("send_reminders")
    assert mail.outbox
    for sent in mail.outbox:
        assert tells(f"{sent.subject} {sent.body} {getattr(sent, 'alternatives', '')}", words) == []


def test_the_search_finds_what_it_looks_for():
    """Were it blind, every walk above would pass."""
    words = {"maria alvarez", "1984-07-02"}
    token = signing.dumps(["Maria Alvarez", 7], salt=paging._SALT, compress=True)
    for address in ("/x/?q=Maria+Alvarez", "/x/Maria%20Alvarez/", "/x/?born=1984-07-02", f"/x/?after={token}"):
        assert tells(opened(address), words), address
    assert not tells(opened("/patients/10023/"), words)
    walk = Walk(Client())

    class Answer(dict):
        text = '<title>Maria Alvarez</title><form action="/a/"><input name="q"></form><a class="x" href="/b/?q=1">'
        has_header = dict.__contains__

    assert list(walk._look(Answer({"Content-Type": "text/html"}))) == ["/a/", "/b/?q=1"]
    assert (walk.titles, walk.by_get) == ({"Maria Alvarez"}, {"q"})
    assert len(URLS) > 100
    assert people.PATIENTS
