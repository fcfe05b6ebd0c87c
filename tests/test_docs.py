"""What is written about Meso agrees with Meso: commands, settings, dependencies, verbs."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text()
DOCS = "\n".join(path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
OURS = {"meso", "records", "disclosures", "requests_app"}
COMMANDS = sorted(name for name, app in get_commands().items() if app in OURS)


def test_the_commands_that_design_names_exist():
    assert set(COMMANDS) >= {
        "demo",
        "import_patients",
        "import_disclosures",
        "import_requests",
        "accounting",
        "deadlines",
        "copy_fee",
        "export_patient",
        "verify_records",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name, capsys):
    command = load_command_class(get_commands()[name], name)
    assert len(command.help) > 20
    with pytest.raises(SystemExit) as left:
        command.run_from_argv(["manage.py", name, "--help"])
    assert left.value.code == 0
    assert command.help.split()[0] in capsys.readouterr().out
    for action in command.create_parser("manage.py", name)._actions:
        assert action.help, f"{name}: {action.dest} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name):
    assert re.search(rf"`{name}\b", DOCS), f"{name} stands neither in README.md nor in docs/"


def test_every_setting_is_in_the_example_and_every_example_is_a_setting():
    asked = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "meso/settings.py").read_text()))
    composed = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = [match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))]
    assert sorted(shown) == sorted(set(shown))
    assert asked >= composed - {"SITE", "ACME_EMAIL", "JOBS_AT"}
    assert set(shown) == asked | composed


def test_every_setting_of_the_example_has_its_line_of_words():
    lines = (ROOT / ".env.example").read_text().splitlines()
    for before, line in pairwise(lines):
        if re.match(r"#?[A-Z_]+=", line):
            assert before.startswith("# "), f"{line} has no words above it"


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = project["dependencies"] + project["optional-dependencies"]["dev"]
    return {re.match(r"[A-Za-z0-9-]+", line)[0] for line in named}


def test_readme_says_what_each_dependency_is_for():
    table = README.split("## What each dependency is for")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `?([a-z0-9-]+)`? \| (.+) \|$", table, flags=re.MULTILINE)
    told = {name: words for name, words in rows if name not in ("package", "---")}
    assert set(told) == dependencies()
    assert all(len(words) > 3 for words in told.values())


def test_every_dependency_is_locked_with_its_hash():
    for lock, names in (("requirements.txt", "dependencies"), ("requirements-dev.txt", None)):
        text = (ROOT / lock).read_text()
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        wanted = {re.match(r"[a-z0-9-]+", line)[0] for line in project[names]} if names else dependencies()
        locked = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,-]+\])?==(\S+)", text, flags=re.MULTILINE))
        assert wanted - set(locked) == set()
        assert text.count("--hash=sha256:") >= len(locked)
        assert "://" not in text, f"{lock} names an address"


def test_every_verb_of_the_makefile_is_told_by_make():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)[1].split())
    told = set(re.findall(r"^([a-z]+): +## ", makefile, flags=re.MULTILINE))
    assert told == phony


def test_links_inside_the_documents_lead_somewhere():
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
