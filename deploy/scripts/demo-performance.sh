#!/usr/bin/env bash
# Shows the performance service, step by step, and fails where a step does not
# show what it should: a baseline of five runs, a regression that is planted in
# the simulator, a gate that finds it, and the step in the trend. It uses the
# stack that runs, else starts one and stops it again. About three minutes.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/port.sh
source "$CHECKOUT/deploy/scripts/lib/port.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

runs_already() {
  local address
  for address in "$BOOKSTORE_URL" "$SIMULATOR_URL" "$PERFORMANCE_URL"; do
    answers_http "$address/health/ready" || return 1
  done
}

main() {
  if ! runs_already; then
    trap '"$CHECKOUT/deploy/scripts/stop.sh"' EXIT
    "$CHECKOUT/deploy/scripts/run-all.sh"
  fi
  if [[ -z ${PERF_BINARY:-} ]]; then
    require_cargo
    PERF_BINARY=$(target_directory)/release/perf
  fi
  export PERF_BINARY BOOKSTORE_URL SIMULATOR_URL PERFORMANCE_URL
  python3 "$CHECKOUT/deploy/scripts/demo_performance.py"
}

main "$@"
