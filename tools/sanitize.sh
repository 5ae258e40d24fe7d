#!/bin/sh
# The C++ harnesses and the models that Verilator makes under AddressSanitizer and UndefinedBehaviorSanitizer: nightly, or once before
# a release. Random programs and products, a waveform, a run that is cut, a board behind its serial line.
#
#   tools/sanitize.sh [SECONDS]      of `tandem check` an accelerator (default 20)
set -eu
cd "$(dirname "$0")/.."
seconds="${1:-20}"
cargo build --release --quiet -p tandem
tandem="$PWD/target/release/tandem"

work=$(mktemp -d)
board=""
finish() {
    [ -z "$board" ] || kill "$board" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

cxx="${CXX:-c++}"
# of its own: nobody else is to find these models
export TANDEM_CACHE="$work/cache"
export CXX="$cxx -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all"
# leaks: the tools that are started below inherit this, and theirs are not ours
export ASAN_OPTIONS="detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1" UBSAN_OPTIONS="print_stacktrace=1"
# the program itself is not instrumented: the library's run time must come first
# shellcheck disable=SC2086
preload="$($cxx -print-file-name=libasan.so) $($cxx -print-file-name=libubsan.so)"
sanitized() { LD_PRELOAD="$preload" "$tandem" "$@"; }

cat > "$work/fft.toml" <<'TOML'
name = "sanitized-fft"
[array]
rows = 2
cols = 4
lanes = 2
row_digit = 4
col_digit = 4
select = 4
pipeline = 9
drain = 4
[memory]
row_depth = 16
col_depth = 16
result_depth = 128
[link]
bits = 64
[fft]
points = 64
samples = 2
depth = 64
TOML

sanitized check -c minimal -c "$work/fft.toml" --seconds $((2 * seconds))
# what was built is instrumented, or all of this shows nothing
find "$TANDEM_CACHE" -name '*.so' | while read -r library; do grep -q __asan_report "$library"; grep -q __ubsan_handle "$library"; done

# not FST: the writer that comes with Verilator (fstapi.c) stores words at any address on purpose
sanitized gemm -c minimal --engine sim --random 5 9 4 --trace "$work/wave.vcd"
test -s "$work/wave.vcd"
sanitized run record -c minimal --random 9 20 11 -o "$work/stream"
for cycles in 1 10 500; do
    if sanitized run replay -c minimal --engine sim --max-cycles "$cycles" "$work/stream"; then exit 1; fi
done
sanitized run replay -c minimal --engine sim "$work/stream"

LD_PRELOAD="$preload" "$tandem" board emulate -c minimal --link "$work/port" --faults 1/3000 > "$work/board.txt" &
board=$!
for _ in $(seq 600); do
    if [ -s "$work/board.txt" ]; then break; fi
    sleep 1
done
"$tandem" board selftest "$work/port" -c minimal --products 6
kill -TERM "$board"
code=0
wait "$board" || code=$?
board=""
# 143: ended by the signal, after its report
[ "$code" -eq 143 ] || { echo "the board ended with $code" >&2; exit 1; }
cat "$work/board.txt"
echo "nothing found"
