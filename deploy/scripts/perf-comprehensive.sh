#!/usr/bin/env bash
# Runs every suite of k6/tests, one after the other, and shows all results in one
# table, which is also in suites.md of the state directory (SUITES_SUMMARY names
# another file) and in the summary of a workflow's step.
# At full length that takes hours; SCALE=0.05 shrinks them all. SUITES="load auth"
# runs only those. Ends with 1 when one of them failed or had no verdict.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"
# shellcheck source=lib/perf-binary.sh
source "$CHECKOUT/deploy/scripts/lib/perf-binary.sh"
# shellcheck source=lib/compose.sh
source "$CHECKOUT/deploy/scripts/lib/compose.sh"

readonly SCRIPTS=$CHECKOUT/deploy/scripts

# Below this, suites of few minutes are over before everything was asked once.
readonly LEAST_SCALE=0.15

# scale_of SUITE: SCALE, but for short suites not below the least.
scale_of() {
  case $1 in
    ai-relay | auth | circuit-breaker | combinations | comprehensive | regression)
      awk -v scale="${SCALE:-1}" -v least="$LEAST_SCALE" 'BEGIN { print scale < least ? least : scale }'
      ;;
    *) echo "${SCALE:-1}" ;;
  esac
}

# simulator_target: the address by which the performance service knows it.
simulator_target() {
  if [[ $(running_mode) == docker ]]; then echo http://llm-simulator:7010; else echo "$SIMULATOR_URL"; fi
}

# run_suite NAME SCALE: with what it wants beside its name.
run_suite() {
  local suite=$1
  local -x SCALE=$2
  case $suite in
    # Of a model's server, and through the relay. A foreign one has no readiness of ours.
    ai-relay)
      local -x READY_URL=$SIMULATOR_URL TARGET_URL
      TARGET_URL=$(simulator_target)
      if [[ -n ${MODEL_URL:-} ]]; then READY_URL='' TARGET_URL=$MODEL_URL; fi
      "$SCRIPTS/perf.sh" "tests/$suite.js" --relay
      ;;
    auth) "$SCRIPTS/perf-auth.sh" ;;
    circuit-breaker) "$SCRIPTS/perf-circuit-breaker.sh" ;;
    stress | ai-stress) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Stress ;;
    spike | ai-spike) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Spike ;;
    soak) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Soak ;;
    *smoke) "$SCRIPTS/perf.sh" "tests/$suite.js" --scenario Smoke ;;
    *) "$SCRIPTS/perf.sh" "tests/$suite.js" ;;
  esac
}

# number_of LOG: of the run, as perf says it; empty when none began.
number_of() { sed -nE 's/^#([0-9]+) .*/\1/p' "$1" | tail -n 1; }

main() {
  local suite began status number binary work failed=() suites=()
  [[ ${RUNNER:-service} == service ]] || fail "RUNNER=$RUNNER has no verdicts to show: leave it out"
  binary=$(perf_binary)
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory's name of now is the one to remove
  trap "rm -rf '$work'" EXIT
  read -ra suites <<<"${SUITES:-$(cd "$CHECKOUT/k6/tests" && printf '%s ' *.js | sed 's/\.js//g')}"
  for suite in "${suites[@]}"; do
    printf -- '--- %s\n' "$suite"
    began=$SECONDS status=0
    run_suite "$suite" "$(scale_of "$suite")" 2>&1 | tee "$work/log" || status=$?
    if ((status != 0)); then failed+=("$suite"); fi
    number=$(number_of "$work/log")
    printf '%s %s %s\n' "$suite" "$((SECONDS - began))" "$number" >>"$work/suites"
    if [[ -n $number ]]; then "$binary" --json report "$number" >"$work/$suite.json" || failed+=("$suite"); fi
  done
  printf -- '--- all suites\n'
  "$SCRIPTS/suites_table.py" "$work" "${SUITES_SUMMARY:-$BOOKSTORE_STATE_DIR/suites.md}"
  [[ ${#failed[@]} == 0 ]] || fail "suites failed: ${failed[*]}"
}

main
