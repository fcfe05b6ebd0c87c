"""The whole run: an office, its people, every form, every address, every importer."""

import re
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.test.utils import setup_test_environment
from django.urls import get_resolver
from factory.django import DjangoModelFactory

from meso.models import User
from tests import factories
from tests.fuzz import attack, forms, importers

TAKES = re.compile(r'(?:GET|POST)\.(?:get|getlist)\("(\w+)"')
ROOMS = ("meso", "records", "disclosures", "requests_app")
QUICK = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "STORAGES": {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
}


def everything(folder: Path, *, inputs: int, seed: int, only: str = "") -> attack.Report:
    """Load the invented office and attack it with at least `inputs` bad inputs. Returns what came of it."""
    setup_test_environment(debug=False)
    with override_settings(**QUICK):
        call_command("demo", no_serve=True, stdout=sys.stderr)
        furnish()
        return against_the_office(folder, inputs=inputs, seed=seed, only=only)


def furnish() -> None:
    """One of everything that the tests can make, on a chart of its own: what the invented office has none of."""
    patient = factories.PatientFactory()
    for factory in vars(factories).values():
        if isinstance(factory, type) and issubclass(factory, DjangoModelFactory) and factory is not DjangoModelFactory:
            names = {field.name for field in factory._meta.model._meta.fields} if factory._meta.model else set()
            try:
                with transaction.atomic():
                    factory(**({"patient": patient} if "patient" in names else {}))
            except Exception as error:  # noqa: BLE001  (one that needs more than it can make up is told and left out)
                sys.stderr.write(f"not made: {factory.__name__} ({type(error).__name__})\n")


def against_the_office(folder: Path, *, inputs: int, seed: int, only: str = "") -> attack.Report:
    """The attack on the office that is in the database now: half of it into forms, the rest into addresses and importers."""
    report, visitors, found = attack.Report(), people(), Found()
    attacker = attack.Attacker(attack.Office(), seed, report)
    for role, client in visitors.items():
        found.add(role, *forms.walk(client, role))
    blind = found.by_trying(visitors)
    report.unreached = sorted(set(views()) - found.reached - {kind for _, kind, _ in blind})
    names = sorted({one.name for form in found.forms for one in form.fields} | set(taken()))
    a_form, a_page, a_file = (
        max(1, round(inputs * share)) for share in (0.55 / (len(found.forms) + len(blind)), 0.2 / len(found.pages), 0.25 / 4.6)
    )
    for form in (form for form in found.forms if only in form.kind):
        attacker.form(visitors[form.role], form, a_form)
        say(report)
    for role, page in (pair for pair in found.pages if only in f"{pair[0]} query {forms.kind_of(pair[1])}"):
        attacker.query(visitors[role], role, page, names, a_page)
        say(report)
    for role, kind, paths in (row for row in blind if only in row[1]):
        attacker.blind(visitors[role], f"{role} post {kind}", paths, names, a_form)
        say(report)
    if not only or "import" in only:
        importers.attack(attacker, folder, a_file)
    return report


class Found:
    """The forms and pages that were found, and the views behind them."""

    def __init__(self) -> None:
        self.forms: list[forms.Form] = []
        self.pages: list[tuple[str, str]] = []

    def add(self, role: str, pages: list[str], of_role: list[forms.Form]) -> None:
        """What one role can reach."""
        self.pages += [(role, page) for page in pages]
        self.forms += of_role

    @property
    def reached(self) -> set[str]:
        """The views behind all of them."""
        return {forms.kind_of(form.action) for form in self.forms} | {forms.kind_of(page) for _, page in self.pages}

    def by_trying(self, visitors: dict[str, attack.Sender]) -> list[tuple[str, str, list[str]]]:
        """Asks for what no link led to by its address. Returns (role, view, addresses) of views that only take a POST."""
        blind = []
        missed = {name: list(forms.addresses_of(name, words)) for name, words in views().items() if name not in self.reached}
        for name, paths in missed.items():
            for role, client in visitors.items():
                answers = first_answers(client, paths)
                opened = [path for path, answer in answers.items() if answer.status_code == 200]
                if opened:
                    self.add(role, opened[:1], self._new_forms(role, opened, answers))
                elif answers:
                    blind.append((role, name, list(answers)))
        return blind

    def _new_forms(self, role: str, opened: list[str], answers: dict) -> list[forms.Form]:
        known = {form.kind for form in self.forms}
        fresh: dict[str, forms.Form] = {}
        for path in opened:
            if "text/html" in answers[path].headers.get("Content-Type", ""):
                for form in forms.read(role, path, answers[path].text)[1]:
                    if forms.kind_of(form.action) not in forms.NEVER and form.kind not in known:
                        fresh.setdefault(form.kind, form)
        return list(fresh.values())


def first_answers(client: attack.Sender, paths: list[str], enough: int = 4) -> dict[str, Any]:
    """The first few answers that are a page or say that a POST is wanted; none where the role may not enter."""
    found: dict[str, Any] = {}
    for path in paths:
        answer = client.get(path)
        if answer.status_code == 403 or len(found) == enough:
            break
        if answer.status_code in (200, 405):
            found[path] = answer
    return found


def taken() -> list[str]:
    """The names of parameters that the code asks for."""
    files = [file for room in ROOMS for file in (settings.BASE_DIR / room).rglob("*.py")]
    return sorted({name for file in files for name in TAKES.findall(file.read_text())})


def views() -> dict[str, list[str]]:
    """The name of every view and of the parameters in its address."""
    table = get_resolver().reverse_dict
    return {
        name: list(table[name][0][0][1])
        for name in sorted(name for name in table if isinstance(name, str))
        if name not in forms.NEVER
    }


def people() -> dict[str, attack.Sender]:
    """A visitor for a stranger and for each role."""
    visitors = {"": attack.Sender()}
    for user in User.objects.filter(is_active=True).order_by("pk"):
        if user.role not in visitors:
            visitors[user.role] = attack.Sender()
            visitors[user.role].force_login(user)
    return visitors


def say(report: attack.Report) -> None:
    """How far it is, on stderr."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{report.total} inputs, {len(report.findings)} findings ")
        sys.stderr.flush()


def tell(report: attack.Report, seconds: float) -> int:
    """Print the figures and each finding. Returns the exit code."""
    print(f"\n{report.total} bad inputs in {seconds:.0f} s into {len(report.inputs)} targets; answers: {dict(report.answers)}")
    print(f"Views that were not reached: {', '.join(report.unreached) or 'none'}")
    for finding in report.findings:
        print(f"- {finding}")
    print(f"{len(report.findings)} findings")
    return 1 if report.findings else 0
