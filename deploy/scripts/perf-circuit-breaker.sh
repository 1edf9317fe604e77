#!/usr/bin/env bash
# Runs tests/circuit-breaker.js while a simulated provider (PROVIDER, claude
# without it) fails in the second fifth of the run: an open circuit waits about as
# long as the fault lasted before it closes. Only the calls of this suite fail:
# the simulator knows them by the baggage that the API hands on.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

export PROVIDER=${PROVIDER:-claude} SCENARIO=${SCENARIO:-connect-breaker}

# The load of the preset, and what k6 and the service take before it begins.
readonly LOAD_SECONDS=210 LEAD_SECONDS=3

# set_faults RULES: in the place of those that are in force.
set_faults() {
  curl --fail-with-body --silent --show-error --max-time 10 --output /dev/null \
    -X PUT "$SIMULATOR_URL/control/faults" -H 'content-type: application/json' -d "{\"rules\":[$1]}"
}

dialect() {
  case $PROVIDER in
    claude) echo anthropic ;;
    *) echo "$PROVIDER" ;;
  esac
}

# second_fifth: the window of the fault in milliseconds from now.
second_fifth() {
  awk -v load="$LOAD_SECONDS" -v scale="${SCALE:-1}" -v lead="$LEAD_SECONDS" 'BEGIN {
    fifth = load * scale / 5
    printf "{\"fromMs\":%d,\"toMs\":%d}", (lead + fifth) * 1000, (lead + 2 * fifth) * 1000
  }'
}

[[ -z ${DURATION:-}${VUS:-} ]] || fail "the fault follows the preset: SCALE changes both, VUS and DURATION do not"
trap 'set_faults ""' EXIT
set_faults "{\"dialect\":\"$(dialect)\",\"header\":{\"name\":\"baggage\",\"contains\":\"test.scenario=$SCENARIO\"},
  \"window\":$(second_fifth),\"fault\":{\"status\":{\"code\":503}}}"
"$CHECKOUT/deploy/scripts/perf.sh" tests/circuit-breaker.js "$@"
