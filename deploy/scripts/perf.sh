#!/usr/bin/env bash
# Runs a load test of k6/ through the performance service, with the binary that
# run-all.sh builds: perf.sh SCRIPT [OPTION...], as perf run --help says. VUS,
# DURATION and THRESHOLDS become options; COUNT, MODEL, PROVIDER, SCALE, SCENARIO
# and SEED reach the script; TARGET_URL names another target than the API here, and
# READY_URL where it is asked from here, if not there: empty for one that is not ours.
# Ends with 0 for PASS, WARNING and INCONCLUSIVE, with 2 for FAIL, CRITICAL and
# INVALID, and with 3 when there was no verdict.
#
# RUNNER=direct runs k6 itself, without history, limits and verdict; it ends with
# 0 when every threshold held, else with k6's own code (99: one was crossed).
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"
# shellcheck source=lib/perf-binary.sh
source "$CHECKOUT/deploy/scripts/lib/perf-binary.sh"

readonly SCRIPT_VARIABLES=(COUNT MODEL PROVIDER SCALE SCENARIO SEED)
readonly NO_VERDICT=3

# refuse_unready URL: no load on what does not answer.
refuse_unready() {
  local said
  if ! said=$(curl --fail-with-body --silent --show-error --max-time 10 "$1/health/ready" 2>&1); then
    note "error: the BookStore API, which is the target, is not ready at $1: $said (make run-all)"
    exit "$NO_VERDICT"
  fi
}

# through_service SCRIPT OPTION...
through_service() {
  local binary variable status=0 options=()
  if [[ -n ${VUS:-} ]]; then options+=(--vus "$VUS"); fi
  if [[ -n ${DURATION:-} ]]; then options+=(--duration "$DURATION"); fi
  if [[ -n ${THRESHOLDS:-} ]]; then options+=(--thresholds "$THRESHOLDS"); fi
  if [[ -n ${TARGET_URL:-} ]]; then options+=(--env "BASE_URL=$TARGET_URL"); fi
  for variable in "${SCRIPT_VARIABLES[@]}"; do
    if [[ -n ${!variable:-} ]]; then options+=(--env "$variable=${!variable}"); fi
  done
  binary=$(perf_binary)
  "$binary" run "$@" "${options[@]}" || status=$?
  # Only a crossed limit, or no verdict, fails a make target.
  if ((status == 1)); then status=0; fi
  exit "$status"
}

# direct SCRIPT OPTION...: of the options --scenario and --env have a meaning here.
direct() {
  local script=$1 target=$2 variable options=()
  shift 2
  [[ -z ${THRESHOLDS:-} ]] || fail "THRESHOLDS goes with the performance service only"
  while (($# > 0)); do
    case $1 in
      --scenario) options+=(-e "SCENARIO=${2,,}") ;;
      --env) options+=(-e "$2") ;;
      *) fail "RUNNER=direct does not know the option $1" ;;
    esac
    shift 2
  done
  for variable in "${SCRIPT_VARIABLES[@]}"; do
    if [[ -n ${!variable:-} ]]; then options+=(-e "$variable=${!variable}"); fi
  done
  if [[ -n ${VUS:-} ]]; then options+=(--vus "$VUS"); fi
  if [[ -n ${DURATION:-} ]]; then options+=(--duration "$DURATION"); fi
  mkdir -p "$BOOKSTORE_STATE_DIR/direct"
  cd "$BOOKSTORE_STATE_DIR/direct"
  note "summary.json is in $BOOKSTORE_STATE_DIR/direct"
  exec "${PERFORMANCE_K6:-$BOOKSTORE_TOOLS_DIR/bin/k6}" run --quiet --address 127.0.0.1:0 \
    -e BASE_URL="$target" "${options[@]}" "$CHECKOUT/k6/$script"
}

main() {
  local script=$1 target=${TARGET_URL:-$BOOKSTORE_URL}
  shift
  if [[ -n ${READY_URL-$target} ]]; then refuse_unready "${READY_URL-$target}"; fi
  case ${RUNNER:-service} in
    service) through_service "$script" "$@" ;;
    direct) direct "$script" "$target" "$@" ;;
    *) fail "RUNNER=$RUNNER: service or direct" ;;
  esac
}

main "$@"
