#!/usr/bin/env bash
# Feeds made-up bytes to everything that reads what strangers write. TARGET: only
# this one of crates/llm/fuzz/fuzz_targets; SECONDS: how long each (60). What was
# found worth trying is kept in the state directory for the next time. An input
# that breaks a target is kept too, and named. See docs/fuzzing.md.
set -euo pipefail
# Bash counts in this variable, from the value that the environment gives it.
readonly EACH=$((SECONDS > 0 ? SECONDS : 60))
export ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

readonly FUZZ=$CHECKOUT/crates/llm/fuzz
readonly KEPT=$BOOKSTORE_STATE_DIR/fuzz

# What libFuzzer is told of a run: which edges were taken, and what was compared
# with what. These flags need no nightly compiler, as a sanitizer would; there is
# little for one to find where unsafe code is forbidden.
readonly COVERAGE=(
  -Cpasses=sancov-module
  -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
  -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares
)

# Longest input: a few hundred frames, lines or prices; longer ones are only slower.
readonly LONGEST_INPUT=8192
# An input that takes longer, or more memory, is a finding too.
readonly MOST_SECONDS=10 MOST_MEGABYTES=1024

targets() { find "$FUZZ/fuzz_targets" -name '*.rs' -exec basename {} .rs \; | sort; }

# build HOST DIRECTORY: naming the host keeps the flags away from build scripts
# and macros. The directory is apart, since nothing is built the usual way.
build() {
  RUSTFLAGS="${COVERAGE[*]}" CARGO_TARGET_DIR=$2 \
    cargo build --quiet --locked --manifest-path "$FUZZ/Cargo.toml" --target "$1" --bins
}

# fuzz BINARY NAME
fuzz() {
  local corpus=$KEPT/corpus/$2 broken=$KEPT/broken/$2 log=$KEPT/$2.log
  mkdir -p "$corpus" "$broken"
  if ! "$1" "$corpus" "$FUZZ/seeds/$2" -artifact_prefix="$broken/" -max_total_time="$EACH" \
    -max_len="$LONGEST_INPUT" -timeout="$MOST_SECONDS" -rss_limit_mb="$MOST_MEGABYTES" \
    -print_final_stats=1 >"$log" 2>&1; then
    tail -n 40 "$log"
    return 1
  fi
  printf 'ok      %-24s %10s inputs in %s s, %s edges\n' "$2" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$EACH" \
    "$(sed -n 's/.*DONE.* cov: \([0-9]*\).*/\1/p' "$log")"
}

main() {
  local host directory name chosen=() failed=()
  require_cargo
  command -v g++ >/dev/null || fail "g++ is missing; run: apt-get install g++"
  mapfile -t chosen < <(targets)
  if [[ -n ${TARGET:-} ]]; then
    [[ " ${chosen[*]} " == *" $TARGET "* ]] || fail "no target \"$TARGET\": ${chosen[*]}"
    chosen=("$TARGET")
  fi
  host=$(rustc -vV | sed -n 's/^host: //p')
  directory=$(target_directory)/fuzz
  note "building the fuzz targets (some minutes the first time)"
  build "$host" "$directory"
  for name in "${chosen[@]}"; do
    fuzz "$directory/$host/debug/$name" "$name" || failed+=("$name")
  done
  [[ ${#failed[@]} == 0 ]] || fail "broken: ${failed[*]}; the inputs are in $KEPT/broken"
}

main "$@"
