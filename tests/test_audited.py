"""Every look and every write of the staff leaves an event, which holds words of ours only; without one there is no look."""

from collections import Counter

import pytest
from django.apps import apps
from django.db import OperationalError, transaction
from django.test import Client

from meso import audit
from meso.models import AccessEvent, User
from meso.roles import PERMISSIONS, Role
from meso.witness import UNWITNESSED
from records.models import Patient
from requests_app.demo.load import load
from tests.factories import AT, PASSWORD, UserFactory
from tests.test_house import URLS
from tests.walking import Reader, name_of, walk

MARK = "qzxvj"
NEEDING = {pattern.name for _route, pattern in URLS if pattern.callback.needs in PERMISSIONS}  # the pages of the staff
BEGINNING = [
    "/",
    "/patients/",
    "/patients/new/",
    "/patients/pick/?q=a",
    "/disclosures/",
    "/requests/",
    "/staff/",
    "/office/",
    "/audit/",
]


@pytest.fixture
def _office(db, nov_24):
    load(on=AT.date(), at=AT)


def as_role(role: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.filter(role=role).first())
    return client


def beginning() -> list[str]:
    return BEGINNING + [patient.get_absolute_url() for patient in Patient.objects.all()[:6]]


def last() -> int:
    return AccessEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def rows() -> dict[str, int]:
    """How many rows each table holds, but for what keeps a browser logged in."""
    beside = ("meso.session", "meso.accessevent")
    return {
        model._meta.label: model._base_manager.count() for model in apps.get_models() if model._meta.label_lower not in beside
    }


@pytest.mark.usefixtures("_office")
def test_every_page_that_anybody_may_open_leaves_an_event():
    opened, silent = Counter(), []
    for role in Role.values:
        client, before = as_role(role), last()
        for name, path, answer in walk(client, beginning()):
            assert answer.status_code < 500, path
            if answer.status_code == 200:
                opened[name] += 1
                b"".join(answer) if answer.streaming else answer.content
                if last() == before and name in NEEDING - set(UNWITNESSED):
                    silent.append((role, path))
            before = last()
    assert silent == []
    assert len(set(opened) & NEEDING) > 90, sorted(NEEDING - set(opened))


@pytest.mark.usefixtures("_office")
def test_every_form_that_is_sent_leaves_an_event_and_none_of_what_was_typed():
    chart, sent, silent = Patient.objects.first().chart_number, Counter(), []
    for role in Role.values:
        client = as_role(role)
        for _name, path, page in list(walk(client, beginning())):
            if page.status_code != 200 or not page.get("Content-Type", "").startswith("text/html"):
                continue
            for action, data in Reader(path, page.content.decode()).filled(MARK, chart):
                name, before = name_of(action), last()
                if name in ("account_logout", "staff_edit", ""):
                    continue
                done = client.post(action, data)
                assert done.status_code < 500, (action, data)
                if done.status_code < 400:
                    sent[name, done.status_code] += 1
                    if last() == before and name in NEEDING - set(UNWITNESSED):
                        silent.append((role, action))
    told = [
        (e.action, e.subject, e.detail)
        for e in AccessEvent.objects.all()
        if MARK in f"{e.subject}{e.detail}{e.chart_number}".lower()
    ]
    assert silent == []
    assert told == []
    assert len([name for name, status in sent if status == 302]) > 30, sent


def fails(*args, **kwargs):
    raise OperationalError("the disk is full")


@pytest.mark.usefixtures("_office")
def test_without_its_event_no_page_shows_anything_and_no_form_does_anything(monkeypatch):
    chart = Patient.objects.first().chart_number
    names = [word for one in Patient.objects.all() for word in (one.last_name, one.chart_number) if len(word) > 4]
    pages: dict[str, list] = {role: list(walk(as_role(role), beginning())) for role in Role.values}
    clients = {role: as_role(role) for role in Role.values}
    monkeypatch.setattr(AccessEvent, "save", fails)
    before, answered = rows(), Counter()
    for role, found in pages.items():
        for name, path, page in found:
            if page.status_code != 200 or name not in NEEDING - set(UNWITNESSED):
                continue
            again = clients[role].get(path)
            answered[again.status_code] += 1
            assert again.status_code == 500, path
            assert not [word for word in names if word in again.content.decode()], path
            if page.get("Content-Type", "").startswith("text/html"):
                for action, data in Reader(path, page.content.decode()).filled(MARK, chart):
                    if name_of(action) in NEEDING - set(UNWITNESSED):
                        clients[role].post(action, data)
    after = rows()
    assert {name: (count, after[name]) for name, count in before.items() if after[name] != count} == {}
    assert answered[500] > 150


def test_what_is_left_out_is_named_with_its_reason_and_is_a_page_of_the_house():
    assert set(UNWITNESSED) <= NEEDING
    assert all(len(reason) > 40 for reason in UNWITNESSED.values())


def test_no_permission_and_no_setting_touches_the_audit():
    """A look at the audit is a permission; to write it is nobody's to grant or to take."""
    assert [name for name in PERMISSIONS if name.startswith("audit.")] == ["audit.view"]
    from django.conf import settings

    assert settings.MIDDLEWARE[-1] == "meso.witness.WitnessMiddleware"
    assert [name for name in dir(settings) if "AUDIT" in name] == []


# --- the staff ------------------------------------------------------------------------------------------------------


def told_of(person: User) -> list[tuple[str, str]]:
    events = AccessEvent.objects.filter(subject=f"staff {person.pk}").order_by("pk")
    return list(events.values_list("action", "detail"))


def test_a_new_role_is_told_with_the_old_one(client, signed_in):
    admin = signed_in("office_admin")
    person = UserFactory(role="front_desk")
    fields = {"first_name": person.first_name, "last_name": person.last_name, "is_active": "on"}
    client.post(f"/staff/{person.pk}/", fields | {"role": "physician"})
    client.post(f"/staff/{person.pk}/", fields | {"role": "physician", "is_active": "", "email": "a@example.org"})
    assert told_of(person) == [("change", "role front_desk to physician"), ("change", "may not log in, email")]
    assert {event.user for event in AccessEvent.objects.filter(subject=f"staff {person.pk}")} == {admin}


def test_a_role_that_changes_past_every_page_is_told_too(db):
    person = User.objects.create_user("shell", password=PASSWORD, role="front_desk")
    person.role = Role.OFFICE_ADMIN
    person.save()
    person.set_password(PASSWORD + "!")
    person.save()
    person.save()
    assert told_of(person) == [
        ("create", "role front_desk"),
        ("change", "role front_desk to office_admin"),
        ("change", "password"),
    ]


def test_a_role_is_not_changed_where_its_event_can_not_be_written(db, monkeypatch):
    person = UserFactory(role="front_desk")
    monkeypatch.setattr(AccessEvent, "save", fails)
    person.role = Role.OFFICE_ADMIN
    with pytest.raises(OperationalError), transaction.atomic():
        person.save()
    assert User.objects.get(pk=person.pk).role == "front_desk"


def test_logging_in_leaves_no_event_but_its_own(client, db):
    person = UserFactory()
    client.post("/accounts/login/", {"username": person.username, "password": PASSWORD})
    assert list(AccessEvent.objects.values_list("action", "user")) == [("login", person.pk)]
    assert audit.Action.LOGIN == "login"
