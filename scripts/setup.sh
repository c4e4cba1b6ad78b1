#!/bin/sh
# Make .venv with a tested set of versions: scripts/setup.sh run|dev|bridge (a bridge alone, for a small machine)
# Needs a Python 3.11-3.13 with venv; everything else comes with it. Says the one command to run where something is missing.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}
venv=${SAGITTAL_VENV:-.venv}

say() { printf 'sagittal setup: %s\n' "$*" >&2; }

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

has_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

find_python() {
    without_venv=
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        fits "$candidate" || continue
        if has_venv "$candidate"; then
            command -v "$candidate"
            return 0
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        say "$without_venv has no venv. Run: sudo apt-get install python$version-venv"
    elif [ "$(uname -s)" = Darwin ]; then
        say "no Python 3.11 to 3.13 found. Run: brew install python@3.13"
    else
        say "no Python 3.11 to 3.13 found. Run: sudo apt-get install python3 python3-venv"
    fi
    return 1
}

python=$(find_python) || exit 2
if [ -x "$venv/bin/python" ] && ! fits "$venv/bin/python"; then
    rm -rf "$venv"
fi
if [ ! -x "$venv/bin/python" ]; then
    say "making $venv with $python"
    "$python" -m venv "$venv" || { rm -rf "$venv"; say "$python can't make $venv: is the disk full, or the folder read-only?"; exit 2; }
fi

# One architecture has no wheel of the orientation filter: it is compiled there, which takes a compiler.
if [ "$kind" != bridge ] && [ "$(uname -s)-$(uname -m)" = Linux-aarch64 ] && ! command -v c++ >/dev/null 2>&1; then
    say "the orientation filter must be compiled here and there is no compiler. Run: sudo apt-get install build-essential python3-dev"
    exit 2
fi

say "installing a tested set of versions (once)"
pip="$venv/bin/python -m pip --disable-pip-version-check --no-input --quiet"
$pip install -c constraints.txt pip
case "$kind" in
dev) $pip install -c constraints.txt -e '.[all,virtual]' --group dev ;;
bridge) $pip install -c constraints.txt -e '.[bridge]' ;;
*) $pip install -c constraints.txt -e '.[all]' ;;
esac
touch "$venv/.ready-$kind"
if [ "$kind" = dev ]; then touch "$venv/.ready-run"; fi
