#!/usr/bin/env bash
# The checks around the Rust workspace: scripts, the guides' commands, pins, compose file, load
# suites, plans of faults, monitoring files, alerts from a planted fault to a webhook, the pages in
# a browser; and the billing oracle over ten thousand calls. Each runs its real tool; all run, then
# their times are told and the failures are named. The commands of the guides mostly wait, so that
# what needs no stack runs beside them.
set -euo pipefail
export ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

readonly TESTS=$CHECKOUT/deploy/scripts/tests
FAILED=()
TIMES=()

# check NAME COMMAND...
check() {
  local name=$1 begun=$SECONDS
  shift
  printf -- '--- %s\n' "$name"
  if ! "$@"; then FAILED+=("$name"); fi
  TIMES+=("$((SECONDS - begun)) s  $name")
}

# beside NAME COMMAND...: a check that runs while others do, one at a time, until it is joined.
beside() {
  beside_name=$1 beside_log=$(mktemp) beside_begun=$(date +%s)
  shift
  "$@" >"$beside_log" 2>&1 &
  beside_pid=$!
  # It must not outlive an end of this script.
  trap 'kill "$beside_pid"; rm "$beside_log"' EXIT
}

joined() {
  if ! wait "$beside_pid"; then FAILED+=("$beside_name"); fi
  trap - EXIT
  printf -- '--- %s\n' "$beside_name"
  cat "$beside_log"
  # Its last words came when it ended.
  TIMES+=("$(($(stat --format %Y "$beside_log") - beside_begun)) s  $beside_name")
  rm "$beside_log"
}

compose_file() {
  local compose=("$BOOKSTORE_TOOLS_DIR/bin/docker-compose" --project-directory "$CHECKOUT"
    --file "$CHECKOUT/docker-compose.perf.yml" --env-file /dev/null)
  "${compose[@]}" config --quiet &&
    "${compose[@]}" --profile '*' config --format json |
    env -u TAG python3 "$TESTS/compose_file.py"
}

# suites: k6 itself reads each suite and works out its plan.
suites() {
  local suite
  for suite in "$CHECKOUT"/k6/tests/*.js; do
    for k6 in k6 k6-v1; do
      "$BOOKSTORE_TOOLS_DIR/bin/$k6" inspect --execution-requirements "$suite" >/dev/null || return 1
      printf 'ok      %s reads %s\n' "$k6" "${suite##*/}"
    done
  done
}

# load_test_client: perf.sh with the binary of the tests.
load_test_client() {
  build_programs &&
    PERF_BINARY=$(target_directory)/debug/perf python3 "$TESTS/perf_test.py"
}

# billing_oracle: four books of ten thousand model calls. "make test" holds two thousand against
# each other.
billing_oracle() (
  test_environment
  export ORACLE_CALLS=${ORACLE_CALLS:-10000}
  cargo test --locked --workspace --test api -- \
    --exact billing_oracle::spans_metrics_ledger_and_invoice_agree_to_the_pico_dollar
)

main() {
  require_cargo
  "$CHECKOUT/deploy/scripts/install-tools.sh" runtime test
  check scripts "$CHECKOUT/deploy/scripts/check-scripts.sh"
  check processes "$TESTS/processes.sh"
  beside guides "$TESTS/guides.sh"
  check pins "$TESTS/pins.sh"
  check makefile "$TESTS/makefile.sh"
  check 'compose file' compose_file
  check 'load test client' load_test_client
  check 'tables of runs' python3 "$TESTS/tables_test.py"
  check suites suites
  check JavaScript "$CHECKOUT/deploy/scripts/check-javascript.sh"
  check 'suite types' "$CHECKOUT/deploy/scripts/check-types.sh"
  check 'suite units' node --test "$CHECKOUT/k6/unit/"
  for profile in prometheus prometheus.lab; do
    check "$profile configuration" promtool check config "$CHECKOUT/monitoring/prometheus/$profile.yml"
  done
  check 'alert rules' python3 -m unittest discover --start-directory "$CHECKOUT/monitoring/prometheus"
  check 'alert routes' python3 -m unittest discover --start-directory "$CHECKOUT/monitoring/alertmanager"
  check 'dashboards' "$CHECKOUT/monitoring/grafana/generate.py" --check
  check 'dashboard generator' python3 -m unittest discover --start-directory "$CHECKOUT/monitoring/grafana"
  check 'preview server' python3 -m unittest discover --start-directory "$CHECKOUT/monitoring/preview"
  check 'preview units' node --test "$CHECKOUT/monitoring/preview/"
  joined
  check containers "$CHECKOUT/deploy/scripts/test-containers.sh"
  check 'suites against a stack' "$CHECKOUT/deploy/scripts/test-suites.sh"
  check 'plans of faults' "$CHECKOUT/deploy/scripts/test-chaos.sh"
  check 'alerts' "$CHECKOUT/deploy/scripts/test-alerts.sh"
  check "dashboards' data" "$CHECKOUT/deploy/scripts/test-dashboards.sh"
  check 'what telemetry tells' "$CHECKOUT/deploy/scripts/test-telemetry.sh"
  check 'pages in a browser' "$CHECKOUT/deploy/scripts/test-web.sh"
  check 'billing oracle' billing_oracle
  printf -- '--- times of the system checks\n'
  printf '%s\n' "${TIMES[@]}" | sort --numeric-sort --reverse
  if [[ ${#FAILED[@]} -gt 0 ]]; then
    fail "system checks failed: ${FAILED[*]}"
  fi
  echo 'all system checks passed'
}

main "$@"
