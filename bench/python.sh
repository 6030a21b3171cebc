#!/bin/sh
# Prints the path of a Python that has bench/requirements.txt, in a virtual environment under target/ made on first use.
set -eu
cd "$(dirname "$0")/.."
environment=target/python
if ! cmp -s bench/requirements.txt "$environment/requirements.txt"; then
    {
        rm -rf "$environment"
        python3 -m venv "$environment"
        "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement bench/requirements.txt
        cp bench/requirements.txt "$environment/requirements.txt"
    } >&2
fi
echo "$PWD/$environment/bin/python"
