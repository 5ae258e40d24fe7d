#!/bin/sh
# A sweep by GNU parallel: points that are not there yet, as many at a time as there are processors, then the results.
# Stopped at any time, the same command goes on. More machines, which see the folder under the same path: PARALLEL="--sshlogin a,b --workdir .".
#
#   tools/sweep_parallel.sh SWEEP.toml DIR [option of `tandem sweep plan` ...]
set -eu
[ $# -ge 2 ] || { sed -n '5s/^# *//p' "$0" >&2; exit 2; }
for tool in tandem parallel; do
    command -v "$tool" >/dev/null || { echo "$tool was not found" >&2; exit 3; }
done
sweep=$1
folder=$2
shift 2
mkdir -p "$folder/parallel"

# a JSON object a line; an axis may be called id as well
tandem sweep plan "$sweep" "$@" >"$folder/parallel/points.jsonl"
sed 's/"levels":.*//; s/.*"id":"\([0-9a-f]*\)".*/\1/' "$folder/parallel/points.jsonl" |
    while read -r point; do [ -f "$folder/$point.json" ] || echo "$point"; done >"$folder/parallel/open"

# a thread each: several points at a time use processors better than the loops of one
export RAYON_NUM_THREADS=1
# points that fail leave why, and `collect` lists them
code=0
parallel --will-cite --quote --env RAYON_NUM_THREADS --joblog "$folder/parallel/log" -a "$folder/parallel/open" \
    tandem sweep run "$sweep" -o "$folder" "$@" --point || code=$?
# stopped by a signal
[ "$code" -lt 128 ] || exit "$code"
tandem sweep collect "$sweep" -o "$folder" "$@"
