#!/bin/sh
# setup.sh run|test: makes .venv with the locked dependencies and installs the system packages that are missing.
# A second run finds its own marks and does nothing. PYTHON names another interpreter than the python3 on the path.
set -eu
cd "$(dirname "$0")/.."
what="${1:-run}"

case "$what" in
    run)  lock=requirements.txt ;;
    test) lock=requirements-dev.txt ;;
    *)    echo "setup.sh: say run or test" >&2; exit 2 ;;
esac

python=""
for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$candidate"; break; fi
done
if [ -z "$python" ]; then echo "Meso needs Python 3.11 or newer, and no python3 here is." >&2; exit 1; fi

# What must be there, and what the house does without: needed packages stop the setup, wished ones do not.
needed=""
wished=""
need() {  # need PACKAGE TEST...: note the Debian package when the test fails
    package="$1"; shift
    if ! "$@" >/dev/null 2>&1; then needed="$needed $package"; fi
}
wish() {
    package="$1"; shift
    if ! "$@" >/dev/null 2>&1; then wished="$wished $package"; fi
}
has_library() { { ldconfig -p || /sbin/ldconfig -p; } 2>/dev/null | grep -q "$1"; }
has_font() { for font in /usr/share/fonts/*/*/"$1"*; do [ -e "$font" ] && return 0; done; return 1; }
has_program() { for name in "$@"; do command -v "$name" && return 0; done; return 1; }
has_postgresql() { has_program initdb || ls /usr/lib/postgresql/*/bin/initdb; }

case "$python" in */*|python3) venv=python3-venv ;; *) venv="$(basename "$python")-venv" ;; esac
need "$venv" "$python" -c "import venv, ensurepip"
need libpango-1.0-0 has_library libpango-1.0.so.0
need libpangoft2-1.0-0 has_library libpangoft2-1.0.so.0
need libharfbuzz-subset0 has_library libharfbuzz-subset.so.0
need fonts-dejavu-core has_font DejaVuSans.
need fonts-noto-cjk has_font NotoSansCJK
wish fonts-noto-core has_font NotoSansDevanagari
if [ "$what" = test ]; then wish chromium has_program chromium chromium-browser google-chrome; fi
if [ "$what" = test ] && [ "${MESO_REQUIRE_ALL:-}" = 1 ]; then wish postgresql has_postgresql; fi

install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }

if [ -n "$needed$wished" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing:$needed$wished"
    apt-get update -qq || true
    # shellcheck disable=SC2086
    if [ -n "$needed" ]; then install $needed; fi
    for package in $wished; do install "$package" || echo "$package can't be installed here; going on without it." >&2; done
elif [ -n "$needed" ]; then
    echo "Meso needs$needed. Please run:  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends$needed$wished'" >&2
    exit 1
elif [ -n "$wished" ]; then
    echo "Going on without$wished (sudo apt-get install$wished)." >&2
fi

# The tests' environment holds everything that running needs, so it also serves `make run`.
hash="$(cat requirements.txt requirements-dev.txt | sha256sum | cut -d' ' -f1)"
done_for() { [ -x .venv/bin/python ] && [ "$(cat ".venv/.locked-$1" 2>/dev/null)" = "$hash" ]; }
if ! done_for "$what" && ! { [ "$what" = run ] && done_for test; }; then
    [ -x .venv/bin/python ] || "$python" -m venv --clear .venv
    echo "Installing the locked dependencies ($lock) into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
    echo "$hash" > ".venv/.locked-$what"
fi
