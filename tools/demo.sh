#!/bin/sh
# Trains configs/experiments/digits-mlp.toml on the simulated accelerator, on the twin and in float, for
# each seed given, and checks: accuracy at least 95 %, within 1.5 points of float on average, equal digests.
set -eu

tandem="${CARGO_TARGET_DIR:-target}/release/tandem"
runs="${RUNS:-runs}/demo-$(date +%Y%m%d-%H%M%S)"
# the first match is the one of the whole run: per-layer figures come after it
field() { grep -o "\"$1\":[^,}]*" "$2" | head -n 1 | cut -d: -f2- | tr -d '"'; }

sum=0
float_sum=0
n=0
for seed in "$@"; do
    echo "== seed $seed: training on the simulated accelerator"
    mkdir -p "$runs"
    for engine in sim model float; do
        quiet=/dev/null
        [ "$engine" = sim ] && quiet=/dev/stderr
        "$tandem" --json train -c configs/experiments/digits-mlp.toml --engine "$engine" --seed "$seed" \
            -o "$runs/$engine-$seed" >"$runs/$engine-$seed.json" 2>"$quiet"
    done
    sim="$runs/sim-$seed.json"
    accuracy=$(field test_accuracy "$sim")
    float=$(field test_accuracy "$runs/float-$seed.json")
    echo "test accuracy $accuracy (float $float), $(field cycles "$sim") cycles simulated in $(field wall_s "$sim") s," \
        "utilisation $(field utilisation "$sim")"
    if [ "$(field weights_digest "$sim")" != "$(field weights_digest "$runs/model-$seed.json")" ]; then
        echo "simulator and twin ended with different weights" >&2
        exit 1
    fi
    sum=$(awk "BEGIN { print $sum + $accuracy }")
    float_sum=$(awk "BEGIN { print $float_sum + $float }")
    n=$((n + 1))
done
awk "BEGIN {
    a = 100 * $sum / $n; f = 100 * $float_sum / $n
    printf \"mean of $n seeds: %.2f %% on the accelerator (W4 A4 G8), %.2f %% in float; simulator = twin, bit for bit\n\", a, f
    exit !(a >= 95 && a >= f - 1.5)
}"
echo "curves: $runs/sim-*/training.svg"
