#!/bin/sh
# setup.sh run|test: makes .venv with the locked dependencies and installs the system
# libraries that are missing. A second run finds its own marks and does nothing.
set -eu
cd "$(dirname "$0")/.."
what="${1:-run}"

case "$what" in
    run)  lock=requirements.txt ;;
    test) lock=requirements-dev.txt ;;
    *)    echo "setup.sh: say run or test" >&2; exit 2 ;;
esac

# The libraries that WeasyPrint draws with, fonts for any script, and for the tests a browser.
missing=""
need() {  # need PACKAGE TEST...: note the Debian package when the test fails
    package="$1"; shift
    if ! "$@" >/dev/null 2>&1; then missing="$missing $package"; fi
}
has_library() { ldconfig -p 2>/dev/null | grep -q "$1" || /sbin/ldconfig -p | grep -q "$1"; }
has_fonts() { ls /usr/share/fonts/*/*/*"$1"* >/dev/null 2>&1; }
venv_works() { python3 -c "import venv, ensurepip"; }
chromium_there() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

need python3-venv venv_works
need libpango-1.0-0 has_library libpango-1.0.so.0
need libpangoft2-1.0-0 has_library libpangoft2-1.0.so.0
need libharfbuzz-subset0 has_library libharfbuzz-subset.so.0
need fonts-dejavu-core has_fonts DejaVuSans
need fonts-noto-cjk has_fonts NotoSansCJK
if [ "$what" = test ]; then need chromium chromium_there; fi

if [ -n "$missing" ]; then
    install="apt-get update && apt-get install -y --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing:$missing"
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "Meso needs$missing. Please run:  sudo sh -c '$install'" >&2
        exit 1
    fi
fi

python3 - <<'PY'
import sys
if sys.version_info < (3, 11):
    sys.exit("Meso needs Python 3.11 or newer; python3 here is " + sys.version.split()[0])
PY

# The tests' environment holds everything that running needs, so it also serves `make run`.
hash="$(cat requirements.txt requirements-dev.txt | sha256sum | cut -d' ' -f1)"
done_for() { [ -x .venv/bin/python ] && [ "$(cat ".venv/.locked-$1" 2>/dev/null)" = "$hash" ]; }
if ! done_for "$what" && ! { [ "$what" = run ] && done_for test; }; then
    [ -x .venv/bin/python ] || python3 -m venv .venv
    echo "Installing the locked dependencies ($lock) into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
    echo "$hash" > ".venv/.locked-$what"
fi
