#!/bin/sh
# Makes the virtual environment .venv with the packages of fpga-requirements.txt, once for each content of that file.
set -eu
cd "$(dirname "$0")/.."
venv=.venv
stamp="$venv/fpga-requirements.txt"
if ! cmp -s tools/fpga-requirements.txt "$stamp"; then
    if ! python3 -m venv "$venv"; then
        echo "python3 with its module venv is missing (Debian: apt-get install python3-venv)" >&2
        exit 3
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tools/fpga-requirements.txt
    cp tools/fpga-requirements.txt "$stamp"
fi
