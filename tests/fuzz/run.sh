#!/bin/bash
# Builds the fuzz targets with the stable compiler and runs each for so many seconds: run.sh SECONDS [TARGET…]
#
# With FUZZ_SEED the inputs that are made are the same each time, as far as time allows (CI).
# The inputs begin with the repository's own test data and what the fuzzer kept before; what it finds on the way stays in the
# build folder. An input that breaks something is written to tests/fuzz/crashes/TARGET: mend the fault and commit the input.
set -euo pipefail
cd "$(dirname "$0")"

seconds="$1"; shift
targets=("$@"); [ "${#targets[@]}" -gt 0 ] || targets=(syntax check csv jsonl json text protocol)
target="${FUZZ_TARGET:-${CARGO_TARGET_DIR:-$PWD/../../target}/fuzz}"

# The coverage that libFuzzer is steered by is LLVM's own; the compiler runs that pass without being a nightly one.
# (The sanitizers of cargo-fuzz are left out: our code has no `unsafe`.)
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
host="$(rustc -vV | sed -n 's/^host: //p')"
FUZZ_COVERAGE="$coverage" RUSTC_WRAPPER="$PWD/instrumented.sh" RUSTFLAGS="--cfg fuzzing" CARGO_TARGET_DIR="$target" "${CARGO:-cargo}" build --release --target "$host" --bins

seeds() {
  case "$1" in
    syntax|check) echo ../corpus ../../dsl/src/syntax/tests/corpus ;;
    csv|jsonl|json|text) echo ../corpus/data ;;
    protocol) ;;
  esac
}

status=0
for name in "${targets[@]}"; do
  found="$target/corpus/$name"
  mkdir -p "$found" "corpus/$name" "crashes/$name"
  echo "--- $name, $seconds s"
  dictionary=()
  case "$name" in syntax|check) dictionary=(-dict=tide.dict) ;; esac
  # shellcheck disable=SC2046 # the seeds are several folders
  "$target/$host/release/$name" "$found" "corpus/$name" $(seeds "$name") "${dictionary[@]}" -max_total_time="$seconds" \
    -timeout=20 -rss_limit_mb=4096 -max_len=16384 -len_control=20 -print_final_stats=1 -seed="${FUZZ_SEED:-0}" -artifact_prefix="crashes/$name/" \
    >"$target/$name.log" 2>&1 || { status=1; tail -60 "$target/$name.log"; }
  grep -E '^(Done|stat::(number_of_executed_units|average_exec_per_sec|slowest_unit_time_sec|peak_rss_mb))' "$target/$name.log" || true
  # What stayed empty needs no folder.
  rmdir "corpus/$name" "crashes/$name" 2>/dev/null || true
done
exit "$status"
