#!/usr/bin/env bash
# Runs every suite of k6/tests, one after the other, and shows one line of each.
# At full length that takes hours; SCALE=0.05 shrinks them all. SUITES="load auth"
# runs only those. Ends with 1 when one of them failed or had no verdict.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

readonly SCRIPTS=$CHECKOUT/deploy/scripts

# Below this, suites of few minutes are over before everything was asked once.
readonly LEAST_SCALE=0.15

# scale_of SUITE: SCALE, but for short suites not below the least.
scale_of() {
  case $1 in
    auth | circuit-breaker | comprehensive | regression)
      awk -v scale="${SCALE:-1}" -v least="$LEAST_SCALE" 'BEGIN { print scale < least ? least : scale }'
      ;;
    *) echo "${SCALE:-1}" ;;
  esac
}

# run_suite NAME SCALE: with what it wants beside its name.
run_suite() {
  local suite=$1
  local -x SCALE=$2
  case $suite in
    auth) "$SCRIPTS/perf-auth.sh" ;;
    circuit-breaker) "$SCRIPTS/perf-circuit-breaker.sh" ;;
    stress | ai-stress) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Stress ;;
    spike | ai-spike) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Spike ;;
    soak) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Soak ;;
    *smoke) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Smoke ;;
    *) "$SCRIPTS/perf.sh" "tests/$suite.js" ;;
  esac
}

main() {
  local suite began status log failed=() lines=() suites=()
  log=$(mktemp)
  # shellcheck disable=SC2064 # the file's name of now is the one to remove
  trap "rm -f '$log'" EXIT
  read -ra suites <<<"${SUITES:-$(cd "$CHECKOUT/k6/tests" && printf '%s ' *.js | sed 's/\.js//g')}"
  for suite in "${suites[@]}"; do
    printf -- '--- %s\n' "$suite"
    began=$SECONDS status=0
    run_suite "$suite" "$(scale_of "$suite")" 2>&1 | tee "$log" || status=$?
    if ((status != 0)); then failed+=("$suite"); fi
    lines+=("$(printf '%-18s %4d s  %s' "$suite" "$((SECONDS - began))" "$(verdict_of "$log")")")
  done
  printf -- '--- all suites\n'
  printf '%s\n' "${lines[@]}"
  [[ ${#failed[@]} == 0 ]] || fail "suites failed: ${failed[*]}"
}

# verdict_of LOG: the level and what was measured, as perf says them.
verdict_of() {
  local level
  level=$(sed -nE 's/^#[0-9]+ .*: ([A-Z]+)$/\1/p' "$1" | tail -n 1)
  printf '%-12s %s' "${level:-no verdict}" "$(grep -E '^  [0-9,]+ requests, ' "$1" | tail -n 1)"
}

main
