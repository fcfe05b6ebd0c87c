"""Who attacks: a stranger, each role with both factors shown, and whoever is only half inside."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import time_machine

from meso.models import User
from meso.roles import PUBLIC, may
from requests_app.demo import people
from tests import factories, signing_in
from tests.fuzz.attack import Sender


@dataclass
class Visitor:
    """Somebody at the door: what the report calls them, who they are, whether the house is open to them, and their browser."""

    name: str
    user: User | None = None
    whole: bool = True  # False: some gate stands between them and nearly every page
    client: Sender = field(default_factory=Sender)

    def enters(self, view: Any) -> bool:
        """Whether the table of permissions lets them in."""
        needs = getattr(view, "needs", "")
        return needs == PUBLIC or (self.user is not None and bool(needs) and may(self.user, needs))


def everybody(now: datetime) -> list[Visitor]:
    """All of them, logged in as far as they get. The office's people are the invented ones."""
    roles = [logged_in(row[3], User.objects.get(username=row[0])) for row in people.STAFF]
    return [Visitor(""), *roles, *half_inside(now)]


def half_inside(now: datetime) -> Iterator[Visitor]:
    """With a password from the admin; without a factor; between password and code; locked; who must show once more who it is."""
    yield with_a_password("given a password", factories.UserFactory(password_given_at=now))
    yield with_a_password("without a factor", factories.UserFactory())
    enrolled = factories.UserFactory()
    signing_in.give_app(enrolled)
    yield with_a_password("before the code", enrolled)
    with time_machine.travel(now - timedelta(minutes=20), tick=False):
        yield logged_in("locked", factories.UserFactory(role="front_desk"), whole=False)
    stale = logged_in("not fresh", factories.UserFactory(role="office_admin"), whole=False)
    signing_in.grow_stale(stale.client)
    stale.client.post("/staff/new/", {"username": "bea"})  # which waits until they have shown who they are
    yield stale


def logged_in(name: str, user: User, *, whole: bool = True) -> Visitor:
    """Somebody who has shown both factors just now."""
    visitor = Visitor(name, user, whole)
    visitor.client.force_login(user)
    return visitor


def with_a_password(name: str, user: User) -> Visitor:
    """Somebody who has typed their password into the login, and nothing after it."""
    visitor = Visitor(name, user, whole=False)
    visitor.client.keeps_cookies = True
    visitor.client.post(signing_in.LOGIN, {"username": user.username, "password": factories.PASSWORD})
    visitor.client.keeps_cookies = False
    return visitor
