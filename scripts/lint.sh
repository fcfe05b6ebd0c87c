#!/bin/sh
# lint.sh: everything that can be said about the code without running it. Goes on after a failure; the last line counts them.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
failed=""

check() {  # check NAME COMMAND...: run it, quiet when it holds
    name="$1"; shift
    if output="$("$@" 2>&1)"; then
        echo "ok      $name"
    else
        echo "FAILED  $name"; echo "$output"; failed="$failed $name"
    fi
}
templates() { find templates -name '*.html' -exec djade --check --target-version 5.2 {} +; }
local_office() { env -u DATABASE_URL MESO_ENV=local MESO_DATA="$scratch" "$@"; }
production() {
    env MESO_ENV=production SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
        ALLOWED_HOSTS=office.example DATABASE_URL=postgres://meso@127.0.0.1:5432/meso MESO_DATA="$scratch" "$@"
}
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

check "style (ruff)"              ruff check .
check "layout (ruff format)"      ruff format --check .
check "types (mypy)"              local_office mypy
check "templates (djade)"         templates
check "imports run one way"       lint-imports
check "no migration is missing"   local_office python manage.py makemigrations --check --dry-run
check "a master key is made"      production python manage.py make_master_key
check "production settings"       production python manage.py check --deploy --fail-level WARNING
check "docker-compose.yml"        check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
check "Dockerfile (hadolint)"     hadolint Dockerfile

if [ -n "$failed" ]; then
    echo "lint.sh: not clean:$failed" >&2
    exit 1
fi
