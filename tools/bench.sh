#!/bin/sh
# Prints one JSON object: simulated cycles a second of the harness beside a bare loop around the same model,
# measured in one run, and images a second of LeNet-5 training on the twin (two threads, one epoch).
set -eu

tandem="${CARGO_TARGET_DIR:-target}/release/tandem"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cargo bench --quiet -p tandem-sim --bench overhead >"$scratch/sim" 2>/dev/null
# the first measurement is the default accelerator: "harness A, same traffic B, clock and eval C cycles/s"
set -- $(sed -n 's/.*harness \([0-9]*\), same traffic \([0-9]*\), clock and eval \([0-9]*\) cycles.*/\1 \2 \3/p' "$scratch/sim" | head -n 1)

"$tandem" data fetch mnist >/dev/null 2>&1
sed 's/^epochs = .*/epochs = 1/' configs/experiments/mnist-lenet5.toml >"$scratch/lenet.toml"
"$tandem" --json train -c "$scratch/lenet.toml" --engine model --threads 2 -o "$scratch/run" >"$scratch/train" 2>/dev/null
rate=$(sed -n 's/.*"images_per_s":\([0-9.]*\).*/\1/p' "$scratch/train")

awk "BEGIN {
    printf \"{\\\"sim\\\":{\\\"cycles_per_s\\\":$1,\\\"same_traffic_cycles_per_s\\\":$2,\\\"bare_cycles_per_s\\\":$3,\"
    printf \"\\\"harness_to_bare\\\":%.4f},\\\"train\\\":{\\\"images_per_s\\\":%.0f}}\\n\", $1 / $3, $rate
}"
