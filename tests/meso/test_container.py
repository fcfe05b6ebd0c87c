"""What runs an office: the container files say what docs/architecture.md promises, and their shell does what it says."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from ruamel.yaml import YAML

from meso import gunicorn_conf
from meso.middleware import LARGEST_FORM, LARGEST_FROM_PATIENTS, LARGEST_WITH_FILES
from records.uploads import MAX_FILES, MAX_SIZE

ROOT = Path(settings.BASE_DIR)
COMPOSE = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_is_read_only_and_without_rights(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert "privileged" not in service
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    if service.get("build"):  # ours: the Dockerfile names the user
        assert re.search(r"^USER 10001$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    else:
        assert not service["user"].startswith(("0", "root"))


def test_each_service_has_its_own_role_and_only_its_own_secrets():
    roles = {"migrate": "owner", "web": "app", "jobs": "jobs"}
    for name, role in roles.items():
        service = SERVICES[name]
        assert service["environment"]["DATABASE_URL_FILE"] == f"/run/secrets/database_{role}"
        assert {one for one in service["secrets"] if one.startswith("database_")} == {f"database_{role}", "database_certificate"}
    assert "secrets" not in SERVICES["proxy"]
    assert [name for name, service in SERVICES.items() if any("meso-key" in str(one) for one in service["volumes"])] == ["jobs"]
    assert SERVICES["migrate"]["command"][-1].endswith("manage.py grant_app_role meso_app meso_jobs")


def test_no_secret_is_in_an_environment_or_has_a_default():
    text = (ROOT / "docker-compose.yml").read_text()
    assert set(COMPOSE["secrets"]) == {path.partition("/")[2] for path in re.findall(r"\./(secrets/\w+)", text)}
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {name for name in given if re.search("(PASSWORD|SECRET|KEY|URL)$", name)} == set()
    assert {"SECRET_KEY_FILE", "DATABASE_URL_FILE", "POSTGRES_PASSWORD_FILE"} <= given


def test_the_database_reaches_nothing_and_the_proxy_alone_is_reached():
    networks = COMPOSE["networks"]
    inner = {name for name, facts in networks.items() if facts and facts.get("internal")}
    assert {name for name, service in SERVICES.items() if set(service["networks"]) <= inner} == {"database", "migrate"}
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert not set(SERVICES["proxy"]["networks"]) & set(SERVICES["database"]["networks"])


def test_the_way_to_the_database_is_tls_with_a_checked_certificate():
    for name in ("migrate", "web", "jobs"):
        given = SERVICES[name]["environment"]
        assert (given["PGSSLMODE"], given["PGSSLROOTCERT"]) == ("verify-full", "/run/secrets/database_certificate")
    script = (ROOT / "scripts/database.sh").read_text()
    rules = [line.split() for line in script.split("pg_hba.conf")[1].splitlines() if line.startswith(("local", "host"))]
    assert [rule[0] for rule in rules] == ["local", "hostssl"]
    assert "postgres" not in rules[1][2]


def test_whoever_is_stopped_has_longer_than_its_requests():
    for name in ("web", "jobs", "database"):
        assert int(SERVICES[name]["stop_grace_period"].rstrip("s")) >= gunicorn_conf.graceful_timeout
    assert int(SERVICES["web"]["stop_grace_period"].rstrip("s")) > gunicorn_conf.graceful_timeout


def test_the_image_is_given_what_it_copies():
    copied = re.findall(r"^COPY (\S+) ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied) == allowed
    assert all((ROOT / name).exists() for name in copied)


# --- the shell --------------------------------------------------------------------------------------------------------


def test_secrets_are_made_once_by_chance_and_shown_to_nobody(tmp_path):
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/secrets.sh", tmp_path / "scripts")

    def run() -> str:
        return subprocess.run(["/bin/sh", "scripts/secrets.sh"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    said, folder = run(), tmp_path / "secrets"
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(made["secret_key"].strip()) == 64
    addresses = [made[f"database_{role}"].strip() for role in ("owner", "app", "jobs")]
    assert all(re.fullmatch(r"postgres://meso_\w+:[0-9a-f]{64}@database:5432/meso", address) for address in addresses)
    assert len({address[-85:] for address in addresses}) == 3
    assert not any(value.strip() in said for name, value in made.items() if name != "email_url")
    run()
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


@pytest.mark.parametrize("fails", ["", "anchor", "backup"])
def test_a_night_goes_on_past_what_fails_and_says_so(tmp_path, fails):
    """`python` is one of ours, which writes down what it was called with."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$2" >> {tmp_path}/calls\n[ "$2" != "{fails}" ]\n')
    python.chmod(0o755)
    backups = tmp_path / "backups"
    backups.mkdir()
    old, young = backups / "meso-2026-01-01.age", backups / "meso-2026-11-23.age"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "BACKUPS": str(backups), "FAILED": str(tmp_path / "failed")}
    done = subprocess.run(["/bin/sh", "scripts/jobs.sh", "now"], cwd=ROOT, env=given, check=False, capture_output=True, text=True)
    assert (tmp_path / "calls").read_text().split() == ["anchor", "backup", "send_reminders", "clearsessions", "verify_records"]
    assert (done.returncode, (tmp_path / "failed").exists()) == ((1, True) if fails else (0, False))
    assert (fails in done.stderr) if fails else not done.stderr
    assert young.exists()
    assert old.exists() == (fails == "backup")  # while none can be made, none is thrown away


MIB = 1024 * 1024
SIZES = {"words": LARGEST_FROM_PATIENTS, "logins": LARGEST_FORM, "files": LARGEST_WITH_FILES}


def test_the_proxy_meso_and_the_page_agree_on_how_much_may_be_sent():
    """What Meso takes the proxy lets through; what is twice as much it refuses by the length that is said."""
    proxy = (ROOT / "scripts" / "Caddyfile").read_text()
    told = dict(re.findall(r"request_body @(\w+) \{\s+max_size (\d+)MiB", proxy))
    assert {name: int(size) * MIB for name, size in told.items()} == SIZES
    for name, most in SIZES.items():
        refused = re.search(rf"@{name}_too_long[^^]*Content-Length (\^\S+\$)", proxy)[1]
        assert [bool(re.match(refused, str(size))) for size in (0, most, 2 * most, 10 * most, 10**12)] == [False] * 2 + [True] * 3
    assert MAX_SIZE * MAX_FILES < LARGEST_WITH_FILES
    words, logins, files = (size // MIB for size in SIZES.values())
    page = (ROOT / "docs" / "security.md").read_text().replace("\n", " ")
    assert f"A whole body: {words} MB under `/privacy/`, {logins} MB elsewhere" in page
    assert (
        f"refuses bodies over {files} MB on the staff's pages and    over {words} MB on `/privacy/` and over {logins} MB" in page
    )


def test_the_proxy_measures_each_path_once():
    """Where two rules fitted one address the larger size could win."""
    proxy = (ROOT / "scripts" / "Caddyfile").read_text()
    small = [re.search(rf"@{name} path (.*)", proxy)[1] for name in ("words", "logins")]
    assert re.search(r"@files not path (.*)", proxy)[1] == " ".join(small)
    for name, paths in zip(("words", "logins"), small, strict=True):
        assert re.search(rf"@{name}_too_long \{{\s+path (.*)", proxy)[1] == paths
