#!/usr/bin/env bash
# Runs a load test of k6/ through the performance service, with the binary that
# run-all.sh builds: perf.sh SCRIPT [OPTION...], as perf run --help says. VUS,
# DURATION and THRESHOLDS become options; COUNT, MODEL, PROVIDER, SCALE and SEED
# reach the script. Ends with 0 for PASS, WARNING and INCONCLUSIVE, with 2 for
# FAIL, CRITICAL and INVALID, and with 3 when there was no verdict.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

readonly SCRIPT_VARIABLES=(COUNT MODEL PROVIDER SCALE SEED)
readonly NO_VERDICT=3

# perf_binary: the one that is given, as tests do, else that of run-all.sh, built
# if missing.
perf_binary() {
  local binary=${PERF_BINARY:-}
  if [[ -z $binary ]]; then
    require_cargo
    binary=$(target_directory)/release/perf
    if [[ ! -x $binary ]]; then
      note "building perf (the first time takes a few minutes)"
      cargo build --release --locked -p perf >&2
    fi
  fi
  echo "$binary"
}

main() {
  local binary variable said status=0 options=()
  if [[ -n ${VUS:-} ]]; then options+=(--vus "$VUS"); fi
  if [[ -n ${DURATION:-} ]]; then options+=(--duration "$DURATION"); fi
  if [[ -n ${THRESHOLDS:-} ]]; then options+=(--thresholds "$THRESHOLDS"); fi
  for variable in "${SCRIPT_VARIABLES[@]}"; do
    if [[ -n ${!variable:-} ]]; then options+=(--env "$variable=${!variable}"); fi
  done
  if ! said=$(curl --fail-with-body --silent --show-error --max-time 10 "$BOOKSTORE_URL/health/ready" 2>&1); then
    note "error: the BookStore API, which is the target, is not ready at $BOOKSTORE_URL: $said (make run-all)"
    exit "$NO_VERDICT"
  fi
  binary=$(perf_binary)
  "$binary" run "$@" "${options[@]}" || status=$?
  # Only a crossed limit, or no verdict, fails a make target.
  if ((status == 1)); then status=0; fi
  exit "$status"
}

main "$@"
