#!/usr/bin/env bash
# Runs presets that come with targets, one after the other, and shows what they
# reached beside what they were to reach:
#
#   perf-targets.sh connect    a platform's four tests, 44 minutes: p95 and requests
#   perf-targets.sh p015       a suite's five scenarios, 76 minutes: six measures in tiers
#
# The table is also in targets-connect.md or targets-p015.md of the state directory,
# and in the summary of a workflow's step. SCALE=0.05 shrinks the runs, MODEL=open
# makes arrivals of their users. Ends with 1 when a run failed or had no verdict.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"
# shellcheck source=lib/perf-binary.sh
source "$CHECKOUT/deploy/scripts/lib/perf-binary.sh"

readonly SCRIPTS=$CHECKOUT/deploy/scripts

# Below this a circuit has no time to open and close.
readonly LEAST_BREAKER_SCALE=0.1

# presets_of WHICH: each with its suite and the service's word for its kind.
presets_of() {
  case $1 in
    connect) echo connect-smoke:smoke:Smoke connect-ai:ai-load:Load connect-mixed:mixed:Load connect-breaker:circuit-breaker:Load ;;
    p015) echo p015-smoke:smoke:Smoke p015-load:load:Load p015-stress:stress:Stress p015-spike:spike:Spike p015-soak:soak:Soak ;;
    *) fail "there are no targets of $1: connect or p015" ;;
  esac
}

# run_preset PRESET SUITE KIND: of users, as those have it who set the targets.
run_preset() {
  local -x MODEL=${MODEL:-closed} SCENARIO=$1
  if [[ $2 == circuit-breaker ]]; then
    SCALE=$(awk -v scale="${SCALE:-1}" -v least="$LEAST_BREAKER_SCALE" 'BEGIN { print scale < least ? least : scale }') \
      "$SCRIPTS/perf-circuit-breaker.sh"
  else
    "$SCRIPTS/perf.sh" "tests/$2.js" --scenario "$3"
  fi
}

main() {
  local which=${1:-} one preset suite kind began number presets work failed=()
  presets=$(presets_of "$which")
  [[ ${RUNNER:-service} == service ]] || fail "RUNNER=$RUNNER has no verdicts to show: leave it out"
  binary=$(perf_binary)
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory's name of now is the one to remove
  trap "rm -rf '$work'" EXIT
  for one in $presets; do
    IFS=: read -r preset suite kind <<<"$one"
    printf -- '--- %s\n' "$preset"
    began=$SECONDS
    run_preset "$preset" "$suite" "$kind" 2>&1 | tee "$work/log" || failed+=("$preset")
    number=$(sed -nE 's/^#([0-9]+) .*/\1/p' "$work/log" | tail -n 1)
    printf '%s %s %s\n' "$preset" "$((SECONDS - began))" "$number" >>"$work/suites"
    if [[ -n $number ]]; then "$binary" --json report "$number" >"$work/$preset.json" || failed+=("$preset"); fi
  done
  printf -- '--- targets\n'
  "$SCRIPTS/targets_table.py" "$which" "$work" "$BOOKSTORE_STATE_DIR/targets-$which.md"
  [[ ${#failed[@]} == 0 ]] || fail "runs failed: ${failed[*]}"
}

main "$@"
