#!/bin/sh
# scan.sh: known holes in the locked packages, what bandit sees in the code, and what Django's own check says about production settings.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

for lock in requirements.txt requirements-dev.txt; do
    pip-audit --progress-spinner off --timeout 15 --requirement "$lock" --require-hashes --disable-pip \
        --format json --output "$scratch/$lock.json" >/dev/null 2>"$scratch/said" || true
    python -m scripts.advisories "$lock" "$scratch/$lock.json"
done

production() {
    MESO_ENV=production SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" ALLOWED_HOSTS=office.example \
        DATABASE_URL=postgres://meso@127.0.0.1:5432/meso MESO_DATA="$scratch" python manage.py "$@"
}
production make_master_key
production check --deploy --fail-level WARNING
python -m scripts.bandit
