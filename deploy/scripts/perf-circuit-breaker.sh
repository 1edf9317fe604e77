#!/usr/bin/env bash
# Runs tests/circuit-breaker.js while a simulated provider (PROVIDER, claude
# without it) fails those who ask in the second fifth of the run: an open circuit
# waits about as long as the fault lasted before it closes. The simulator knows
# these calls by their baggage, which the API hands on: the suite says by its own
# clock which they are, and nobody else's calls fail.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

export PROVIDER=${PROVIDER:-claude} SCENARIO=${SCENARIO:-connect-breaker}

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

[[ -z ${DURATION:-}${VUS:-} ]] || fail "the fault follows the preset: SCALE changes both, VUS and DURATION do not"
trap 'set_faults ""' EXIT
set_faults "{\"dialect\":\"$(dialect)\",\"header\":{\"name\":\"baggage\",\"contains\":\"test.scenario=failing-provider\"},
  \"fault\":{\"status\":{\"code\":503}}}"
"$CHECKOUT/deploy/scripts/perf.sh" tests/circuit-breaker.js "$@"
