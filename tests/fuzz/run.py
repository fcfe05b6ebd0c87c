"""The whole run: an office, its people, every form, every parameter, every address, every importer."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path
from urllib.parse import urlsplit

import time_machine
from django.core.management import call_command
from django.test import override_settings
from django.test.utils import setup_test_environment
from django.urls import resolve

from meso import clock
from tests.fuzz import attack, forms, furnish, importers, reach, visitors
from tests.fuzz.office import Office

QUICK = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
}
SHARES = {"form": 0.5, "query": 0.2, "address": 0.1, "import": 0.2}
# Who sends forms that stand open from before: their login has expired, their session is locked, they must show who they are.
FROM_BEFORE = {"": "front_desk", "locked": "front_desk", "not fresh": "office_admin"}
LEFT_OPEN = 12  # forms of each of them


def everything(folder: Path, *, inputs: int, seed: int, only: str = "") -> tuple[attack.Report, reach.Reach]:
    """Load the invented office and attack it with at least `inputs` bad inputs. Returns what came of it, and what was reached."""
    setup_test_environment(debug=False)
    with override_settings(**QUICK):
        call_command("demo", no_serve=True, stdout=sys.stderr)
        with time_machine.travel(clock.now(), tick=False):
            furnish.by_factories()
            everybody = visitors.everybody(clock.now())
            furnish.by_work([one for one in everybody if one.whole], reach.last_charts())
            furnish.by_hand(clock.now())
            office = Office()
            found = reach.Reach(office, everybody).find()
            attacker = attack.Attacker(office, seed, attack.Report())
            against(attacker, found, folder, inputs, only)
            attacker.report.findings += [f"{one.name} is logged out" for one in everybody if not still_there(one)]
        return attacker.report, found


def still_there(visitor: visitors.Visitor) -> bool:
    """Whether somebody who is logged in still is: what they sent after they were not would have attacked nothing."""
    return not (visitor.user and visitor.whole) or visitor.client.get("/").status_code == 200


@dataclass
class Target:
    """One thing to attack: of which kind, called what, how much of its kind's share it gets, and how."""

    kind: str
    name: str
    attack: Callable[[int], None]  # with so many inputs
    weight: int = 1


def against(attacker: attack.Attacker, found: reach.Reach, folder: Path, inputs: int, only: str) -> None:
    """The attack on the office that is in the database now, its inputs shared out among the targets."""
    every = list(targets(attacker, found, folder))
    weights: Counter = Counter()
    for target in every:
        weights[target.kind] += target.weight
    for target in every:
        if only in target.name:
            target.attack(ceil(inputs * SHARES[target.kind] * target.weight / weights[target.kind]))
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{attacker.report.total} inputs, {len(attacker.report.findings)} findings ")
            sys.stderr.flush()


def targets(attacker: attack.Attacker, found: reach.Reach, folder: Path) -> Iterator[Target]:
    """Everything that was found, and the importers."""
    for visitor, form in [*found.forms, *left_open(found)]:
        yield Target("form", form.kind, partial(attacker.form, visitor.client, form))
    for one in found.blind:
        name = f"{one.visitor.name} post {one.view}"
        yield Target("form", name, partial(attacker.blind, one.visitor.client, name, one.paths, one.names))
    for page in found.pages:
        view = forms.kind_of(page.path)
        name = f"{page.visitor.name} query {view}"
        send = partial(attacker.query, page.visitor.client, name, page.path, page.names)
        yield Target("query", name, send, weight=1 + len(page.names))
        if parts := resolve(urlsplit(page.path).path).kwargs:
            name = f"{page.visitor.name} address {view}"
            yield Target("address", name, partial(attacker.addresses, page.visitor.client, name, view, parts))
    for name, attack_it in importers.targets(attacker, folder):
        yield Target("import", name, attack_it)


def left_open(found: reach.Reach) -> Iterator[tuple[visitors.Visitor, forms.Form]]:
    """Forms that stand open from before, as sent by those whose login, session or proof of who they are has run out."""
    for visitor in found.visitors:
        if role := FROM_BEFORE.get(visitor.name):
            theirs = [form for one, form in found.forms if one.name == role and form.method == "post"]
            yield from ((visitor, replace(form, role=f"{visitor.name} (left open)")) for form in theirs[:LEFT_OPEN])


def tell(report: attack.Report, found: reach.Reach, seconds: float) -> int:
    """Print the figures and each finding. Returns the exit code."""
    print(f"\n{report.total} bad inputs in {seconds:.0f} s into {len(report.inputs)} targets; {len(report.findings)} findings.")
    print("\n| answer | how often |\n|---|---|")
    for answer, times in report.answers.most_common():
        print(f"| {answer} | {times} |")
    views = reach.views()
    looked, sent = ({view for way, view in report.reached if way == method} for method in ("GET", "POST"))
    asked = {(forms.kind_of(page.path), name) for page in found.pages for name in page.names}
    print(f"\nViews in all: {len(views)}; GET answered by {len(looked)}, POST by {len(sent)} of them.")
    said = len(asked & set(report.asked))
    print(f"Parameters of queries: {len(asked)} in {len({view for view, _ in asked})} views; something was sent in {said}.")
    print(f"No address found for: {', '.join(found.missed) or 'none'}")
    print(f"Found and never let through: {', '.join(sorted(set(views) - looked - sent - set(found.missed))) or 'none'}")
    posts = {forms.kind_of(form.action) for _, form in found.forms if form.method == "post"} | {one.view for one in found.blind}
    print(f"Forms never let through: {', '.join(sorted(posts - sent)) or 'none'}")
    for finding in report.findings:
        print(f"- {finding}")
    return 1 if report.findings else 0
