"""The rules of the whole house: who may enter where, which way imports run, who reads the clock, what a template may hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from django.template.base import Lexer, TokenType
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from meso import append_only
from meso.context import house
from meso.models import AccessEvent
from meso.roles import ENROLL, FACTORS, OWN, PERMISSIONS, PUBLIC, STAFF, WORDS, Role, needs
from tests.factories import UserFactory

ROOT = Path(settings.BASE_DIR)
LAYERS = ["meso", "records", "disclosures", "requests_app"]  # each may import those before it
MODULES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py")) if "migrations" not in path.parts]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PAGES = [path for path in TEMPLATES if "pdf/base.html" not in path.read_text() and path.parent.name != "pdf"]


STYLES = sorted((ROOT / "static").glob("*.css"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def among(paths: list[Path], pattern: str) -> dict[str, list[str]]:
    """What of this pattern stands in which of these files."""
    found = {name_of(path): re.findall(pattern, path.read_text()) for path in paths}
    return {name: places for name, places in found.items() if places}


# --- who may enter where --------------------------------------------------------------------------------------------

# A value for every parameter that a URL takes. The wall stands before the view, so the thing need not exist.
SAMPLES = {
    "chart": "10023",
    "number": "R-1042",
    "pk": "1",
    "format": "json",
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


def path_of(pattern: URLPattern) -> str:
    """The address of the page, with a sample for each parameter it takes."""
    taken = pattern.pattern.regex.groupindex
    if unknown := set(taken) - set(SAMPLES):
        pytest.fail(f"The URL {pattern.name!r} takes {unknown}: give SAMPLES in tests/test_house.py a value for it.")
    return reverse(pattern.name, kwargs={name: SAMPLES[name] for name in taken})


def is_login(response) -> bool:
    return response.status_code == 302 and response["Location"].startswith("/accounts/login/?next=")


def test_every_view_names_its_permission():
    """Mark a view with @needs(...); its URL has a name."""
    nameless = [route for route, pattern in URLS if getattr(pattern.callback, "needs", None) not in {PUBLIC, *PERMISSIONS}]
    assert nameless == []
    assert [route for route, pattern in URLS if not pattern.name] == []


@pytest.mark.parametrize("role", Role.values)
def test_each_role_may_enter_what_the_table_says_and_nothing_else(client, db, role):
    client.force_login(UserFactory(role=role))
    wrong = []
    for route, pattern in URLS:
        permission = pattern.callback.needs
        allowed = permission == PUBLIC or role in PERMISSIONS[permission]
        if route == "accounts/logout/":
            continue  # its POST ends the login; tests/meso/test_login.py
        response = client.get(path_of(pattern))
        entered = response.status_code not in (401, 403) and not is_login(response)
        if entered != allowed or response.status_code >= 500:
            wrong.append((route, permission, response.status_code))
        if not allowed:
            refusal = AccessEvent.objects.order_by("-pk")[0]
            assert (refusal.action, refusal.subject, refusal.user.role) == ("refused", permission, role)
    assert wrong == []


def test_nobody_enters_without_a_login_but_where_it_is_public(client, db):
    wrong = []
    for route, pattern in URLS:
        sent, posted = client.get(path_of(pattern)), client.post(path_of(pattern))
        if pattern.callback.needs == PUBLIC:
            right = not is_login(sent) and sent.status_code < 500 and posted.status_code not in (401, 500)
        else:
            right = is_login(sent) and posted.status_code == 401
        wrong += [] if right else [(route, sent.status_code, posted.status_code)]
    assert wrong == []


def test_only_these_pages_are_open_to_everybody():
    open_to_all = {route for route, pattern in URLS if pattern.callback.needs == PUBLIC}
    beside_the_patients = {route for route in open_to_all if not route.startswith("privacy/")}
    assert beside_the_patients == {"accounts/login/", "accounts/code/", "accounts/logout/", "healthz/"}


def test_a_view_without_a_permission_is_refused_to_everybody(db, rf):
    from meso.middleware import PermissionMiddleware

    for role in Role.values:
        request = rf.get("/")
        request.user = UserFactory(role=role)
        assert PermissionMiddleware(lambda request: None).process_view(request, lambda request: None, (), {}).status_code == 403


def test_a_permission_that_is_not_in_the_table_fails_at_import():
    with pytest.raises(LookupError, match=r"patient\.veiw"):
        needs("patient.veiw")


def test_templates_ask_for_permissions_by_names_that_are_in_the_table(db):
    asked = {name for found in among(TEMPLATES, r"\bmay\.([a-z_.]+)").values() for name in found}
    assert asked
    for role in Role.values:
        user = UserFactory.build(role=role)
        for name in asked:
            answer = house(SimpleNamespace(user=user, path_info="/"))["may"]
            for part in name.split("."):
                answer = answer[part]
            assert answer is (role in PERMISSIONS[name]), name


def test_every_permission_has_its_words():
    assert set(WORDS) == set(PERMISSIONS) - {STAFF, OWN, ENROLL, FACTORS}


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


def test_imports_run_one_way():
    wrong = []
    for path in MODULES:
        above = LAYERS[LAYERS.index(path.relative_to(ROOT).parts[0]) + 1 :]
        wrong += [(name_of(path), name) for name in imports_of(path) if name.split(".")[0] in above]
    assert wrong == []


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


def test_only_the_clock_module_reads_the_clock():
    reads = {name_of(path): clock_reads(path.read_text()) for path in MODULES if name_of(path) != "meso/clock.py"}
    assert {name: found for name, found in reads.items() if found} == {}


def test_no_template_reads_the_clock():
    assert among(TEMPLATES, r"{%\s*now\b|\|timesince(?!:)|\|timeuntil(?!:)") == {}


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


def test_nothing_is_loaded_from_another_host():
    tag = r"<(?:script|link|img|iframe|source|video|audio|embed|object|use)\b[^>]*[\"'](?:[a-z]+:)?//[^>]*>"
    assert among([*TEMPLATES, *STYLES], rf"{tag}|url\(\s*[\"']?(?:[a-z]+:)?//|@import") == {}


def test_no_page_holds_inline_style_or_script():
    """The Content-Security-Policy forbids them: they would not run."""
    assert among(PAGES, r"<style\b|<script(?![^>]*\bsrc=)[^>]*>|<[a-z][^>]*\s(?:style|on[a-z]+)=") == {}


def test_every_script_runs_by_nonce():
    """The policy lets no other run."""
    assert among(TEMPLATES, r"<script\b(?![^>]*nonce=)[^>]*\bsrc=[^>]*>") == {}


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


def test_every_visible_text_can_be_translated():
    found = {name_of(path): untranslated(path.read_text()) for path in TEMPLATES}
    assert {name: words for name, words in found.items() if words} == {}


def test_the_search_for_untranslated_text_finds_it():
    assert untranslated('<p title="A hint">Hello {% translate "there" %}{# no #}</p>') == ["A hint", "Hello"]
    assert (
        untranslated('<a class="x{% if y %} late{% endif %}" href="/a/">{% blocktranslate %}Fine{% endblocktranslate %}</a>')
        == []
    )


def with_parents(path: Path) -> str:
    """A template's text and that of what it extends, the base left out."""
    text = path.read_text()
    parent = re.search(r'{% extends "([^"]+)" %}', text)
    return text if not parent or parent[1] == "base.html" else text + with_parents(ROOT / "templates" / parent[1])


def test_every_page_has_a_title_and_one_heading():
    """Alternatives go inside the one <h1>. A template that others extend is judged with them."""
    extended = set(re.findall(r'{% extends "([^"]+)" %}', "".join(path.read_text() for path in TEMPLATES)))
    whole = [
        path for path in PAGES if "{% extends" in path.read_text() and name_of(path).removeprefix("templates/") not in extended
    ]
    texts = {name_of(path): with_parents(path) for path in whole}
    assert [name for name, text in texts.items() if "{% block title %}" not in text] == []
    assert [name for name, text in texts.items() if len(re.findall(r"<h1\b", text)) != 1] == []


# --- how long things are --------------------------------------------------------------------------------------------


def test_no_function_is_longer_than_forty_lines():
    """From its docstring to its end: a long list of arguments is no long thought."""
    long = [
        (name_of(path), node.name)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.body[0].lineno >= 40
    ]
    assert long == []


def test_no_module_is_longer_than_four_hundred_lines():
    assert [name_of(path) for path in MODULES if len(path.read_text().splitlines()) > 400] == []
