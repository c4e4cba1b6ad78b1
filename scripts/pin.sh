#!/bin/sh
# Write constraints.txt anew from what pyproject.toml asks for today: scripts/pin.sh; then run the tests, then commit both.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3.11}" -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip --quiet install --upgrade pip
"$scratch/venv/bin/python" -m pip --quiet install '.[all,virtual]' --group dev
{
    echo "# The tested set: every version that the tests last passed with. Made by scripts/pin.sh."
    "$scratch/venv/bin/python" -m pip list --format=freeze | grep -v -i -E '^(sagittal|setuptools)=='
} > constraints.txt
