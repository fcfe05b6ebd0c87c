"""The rules of the whole house: who may enter where, which way imports run, who reads the clock, what a template may hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.template.base import Lexer, TokenType
from django.urls import URLPattern, URLResolver, get_resolver

from meso import append_only
from meso.models import AccessEvent
from meso.roles import PERMISSIONS, PUBLIC, STAFF, Role, needs
from tests.factories import UserFactory

ROOT = Path(settings.BASE_DIR)
LAYERS = ["meso", "records", "disclosures", "requests_app"]  # each may import those before it
MODULES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py")) if "migrations" not in path.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [path for path in TEMPLATES if "pdf/base.html" not in path.read_text() and path.parent.name != "pdf"]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- who may enter where --------------------------------------------------------------------------------------------

# A value for every parameter that a URL takes. The wall stands before the view, so the thing need not exist.
SAMPLES = {
    "chart": "10023",
    "number": "R-1042",
    "pk": "1",
}


def every_url(patterns=None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every (route, pattern) of the URL tree."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from every_url(pattern.url_patterns, route)
        else:
            yield route, pattern


URLS = list(every_url())


def path_of(route: str) -> str:
    """The route with a sample in place of each parameter."""

    def sample(match: re.Match) -> str:
        name = match[1].split(":")[-1]
        if name not in SAMPLES:
            pytest.fail(f"The URL {route!r} takes {name!r}: give SAMPLES in tests/test_house.py a value for it.")
        return SAMPLES[name]

    return "/" + re.sub(r"<([^>]+)>", sample, route)


@pytest.mark.parametrize(("route", "pattern"), URLS, ids=[route or "/" for route, _ in URLS])
def test_every_view_names_its_permission(route, pattern):
    named = getattr(pattern.callback, "needs", None)
    assert named == PUBLIC or named in PERMISSIONS, f"{route!r} names no permission: mark its view with @needs(...)"


@pytest.mark.parametrize("role", [*Role.values, "anonymous"])
@pytest.mark.parametrize(("route", "pattern"), URLS, ids=[route or "/" for route, _ in URLS])
def test_who_may_enter_is_what_the_table_says(client, db, route, pattern, role):
    permission = pattern.callback.needs
    if role != "anonymous":
        client.force_login(UserFactory(role=role))
    response = client.get(path_of(route))
    sent_to_login = response.status_code == 302 and response["Location"].startswith("/accounts/login/")
    if permission == PUBLIC:
        assert response.status_code < 500
        assert not (sent_to_login and "next=" in response["Location"])
    elif role == "anonymous":
        assert sent_to_login
        assert client.post(path_of(route)).status_code == 401
    elif role in PERMISSIONS[permission]:
        assert response.status_code not in (401, 403)
        assert not sent_to_login
    else:
        assert response.status_code == 403
        refusal = AccessEvent.objects.get(action="refused")
        assert (refusal.subject, refusal.user.role) == (permission, role)


def test_only_these_pages_are_open_to_everybody():
    open_to_all = {route for route, pattern in URLS if pattern.callback.needs == PUBLIC}
    beside_the_patients = {route for route in open_to_all if not route.startswith("privacy/")}
    assert beside_the_patients == {"accounts/login/", "accounts/logout/", "healthz/"}


def test_a_view_without_a_permission_is_refused_to_everybody(client, db, settings, rf):
    from django.core.exceptions import PermissionDenied

    from meso.middleware import PermissionMiddleware

    for role in Role.values:
        request = rf.get("/")
        request.user = UserFactory(role=role)
        with pytest.raises(PermissionDenied):
            PermissionMiddleware(lambda request: None).process_view(request, lambda request: None, (), {})


def test_a_permission_that_is_not_in_the_table_fails_at_import():
    with pytest.raises(LookupError, match=r"patient\.veiw"):
        needs("patient.veiw")


def test_every_permission_is_somebodys_and_is_asked_for():
    asked = {pattern.callback.needs for _, pattern in URLS}
    text = "\n".join(path.read_text() for path in [*MODULES, *TEMPLATES] if path.name != "roles.py")
    unused = {name for name in PERMISSIONS if name not in asked and name not in text and name != STAFF}
    assert unused == set(), "meso/roles.py holds permissions that nothing asks for"
    assert all(PERMISSIONS.values())


# --- which way imports run ------------------------------------------------------------------------------------------


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path):
    layer = path.relative_to(ROOT).parts[0]
    above = set(LAYERS[LAYERS.index(layer) + 1 :])
    assert {name for name in imports_of(path) if name.split(".")[0] in above} == set()


# --- who reads the clock --------------------------------------------------------------------------------------------

# call -> whether it reads the clock even when it is given something
CLOCK_READS = {
    ("datetime", "now"): True,
    ("datetime", "today"): True,
    ("datetime", "utcnow"): True,
    ("date", "today"): True,
    ("timezone", "now"): True,
    ("timezone", "localdate"): False,
    ("timezone", "localtime"): False,
    ("time", "time"): True,
    ("time", "localtime"): False,
    ("time", "gmtime"): False,
}


def clock_reads(source: str) -> list[str]:
    """Where this code asks what time it is."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
        always = CLOCK_READS.get((name, node.func.attr))
        if always or (always is False and not node.args and not node.keywords):
            found.append(f"line {node.lineno}: {name}.{node.func.attr}()")
    return found


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path) != "meso/clock.py"], ids=name_of)
def test_only_the_clock_module_reads_the_clock(path):
    assert clock_reads(path.read_text()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_template_reads_the_clock(path):
    assert re.findall(r"{%\s*now\b|\|timesince(?!:)|\|timeuntil(?!:)", path.read_text()) == []


def test_the_search_for_clock_reads_finds_them():
    reads = ["datetime.now(UTC)", "datetime.datetime.now()", "date.today()", "timezone.localdate()"]
    others = ["timezone.localdate(at)", "clock.now()", "now()"]
    assert len(clock_reads("\n".join(reads + others))) == len(reads)


# --- append-only ----------------------------------------------------------------------------------------------------


def test_every_append_only_table_has_its_guards(db):
    assert append_only.missing_triggers(connection) == set()


def test_the_tables_that_design_names_are_append_only():
    names = {model.__name__ for model in append_only.append_only_models()}
    assert names >= {
        "Entry",
        "Addendum",
        "StrikeThrough",
        "Attachment",
        "Disclosure",
        "Correction",
        "AccountingGiven",
        "RequestEvent",
        "AccessEvent",
        "ContactPreference",
        "Restriction",
        "RestrictionEnding",
    }


# --- templates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_nothing_is_loaded_from_another_host(path):
    tags = re.findall(r"<(?:script|link|img|iframe|source|video|audio|embed|object|use)\b[^>]*>", path.read_text())
    assert [tag for tag in tags if re.search(r"""["'](?:[a-z]+:)?//""", tag)] == []
    assert re.findall(r"""url\(\s*["']?(?:[a-z]+:)?//|@import""", path.read_text()) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_no_page_holds_inline_style_or_script(path):
    """The Content-Security-Policy forbids them: they would not run."""
    text = path.read_text()
    assert re.findall(r"<style\b|<script(?![^>]*\bsrc=)[^>]*>|<[a-z][^>]*\s(?:style|on[a-z]+)=", text) == []


SAME_IN_EVERY_LANGUAGE = {"SHA-256", "PDF", "CSV", "JSON"}


def untranslated(source: str) -> list[str]:
    """The words of a template that stand outside its translate tags, and attributes that people read."""
    text, inside = "", ""
    for token in Lexer(source).tokenize():
        words = token.contents.split() if token.token_type == TokenType.BLOCK else [""]
        if words[0] in ("comment", "blocktranslate") or words in (["block", "style"], ["block", "body_class"]):
            inside = words[0]
        elif words[0] == f"end{inside}":
            inside = ""
        if token.token_type == TokenType.TEXT and not inside:
            text += token.contents
        else:
            text += "\x00"
    text = re.sub(r"<(style|script)\b.*?</\1>|<!--.*?-->", "", text, flags=re.DOTALL)
    read = re.findall(r"""\s(?:placeholder|aria-label|title|alt)=["']([^"'\x00]*[A-Za-z]{2}[^"'\x00]*)["']""", text)
    shown = [part.strip() for part in re.sub(r"<[^>]*>|&#?\w+;", "\x00", text).split("\x00")]
    return read + [part for part in shown if re.search(r"[A-Za-z]{2}", part) and part not in SAME_IN_EVERY_LANGUAGE]


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_visible_text_can_be_translated(path):
    assert untranslated(path.read_text()) == []


def test_the_search_for_untranslated_text_finds_it():
    assert untranslated('<p title="A hint">Hello {% translate "there" %}{# no #}</p>') == ["A hint", "Hello"]
    assert (
        untranslated('<a class="x{% if y %} late{% endif %}" href="/a/">{% blocktranslate %}Fine{% endblocktranslate %}</a>')
        == []
    )


@pytest.mark.parametrize(
    "path", [path for path in PAGES if "{% extends" in path.read_text() and path.stem != "base"], ids=name_of
)
def test_every_page_has_a_title_and_one_heading(path):
    text = path.read_text()
    assert "{% block title %}" in text
    assert len(re.findall(r"<h1\b", text)) == 1, "a page has one <h1> (alternatives go inside it)"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_longer_than_forty_lines(path):
    """From its docstring to its end: a long list of arguments is no long thought."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in functions if node.end_lineno - node.body[0].lineno >= 40] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_longer_than_four_hundred_lines(path):
    assert len(path.read_text().splitlines()) <= 400
