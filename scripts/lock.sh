#!/bin/sh
# Compiles the lock files: every version pinned, every file hashed, no index named.
set -eu
cd "$(dirname "$0")/.."
UV="${UV:-uv}"
FLAGS="--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet"
export UV_CUSTOM_COMPILE_COMMAND="make lock"
# shellcheck disable=SC2086
"$UV" pip compile pyproject.toml $FLAGS -o requirements.txt
# shellcheck disable=SC2086
"$UV" pip compile pyproject.toml --extra dev -c requirements.txt $FLAGS -o requirements-dev.txt
