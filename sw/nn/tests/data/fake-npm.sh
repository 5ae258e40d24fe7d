#!/bin/sh
# Stands in for npm in the tests of fetching: `fake-npm.sh pack SPEC …` copies the archive SPEC, or fails.
test "$1" = pack || exit 9
case "$2" in
fail) for i in $(seq 30); do echo "npm error line $i" >&2; done; exit 7 ;;
nothing) exit 0 ;;
*) cp "$2" ./packed.tgz ;;
esac
