#!/usr/bin/env bash
# Shows one trace without a page: trace.sh spans TRACE_ID asks Jaeger for its
# spans, trace.sh logs ID looks for a trace or request id in all logs, and
# trace.sh lines SINCE UNTIL prints what our containers wrote meanwhile.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/process.sh
source "$CHECKOUT/deploy/scripts/lib/process.sh"
# shellcheck source=lib/compose.sh
source "$CHECKOUT/deploy/scripts/lib/compose.sh"

readonly TRACE=$CHECKOUT/deploy/scripts/tracing.py

# all_logs: of every part that runs or ran here.
all_logs() {
  if [[ $(running_mode) == docker ]]; then
    compose logs --no-color --no-log-prefix
    return
  fi
  cat "$LOGS"/*.log 2>/dev/null || fail 'there are no logs yet: make run-all'
}

# lines SINCE UNTIL
lines() {
  [[ $(running_mode) == docker ]] || fail 'there are no containers'
  compose logs --no-color --no-log-prefix --since "$1" --until "$2" \
    llm-simulator bookstore-api performance-service
}

main() {
  local what=${1:?usage: trace.sh spans|logs ID} id=${2:-}
  [[ -n $id ]] || fail 'ID is missing: make trace ID=the trace id of traceresponse or of a problem document'
  case $what in
    spans) python3 "$TRACE" spans "$id" ;;
    logs) all_logs | python3 "$TRACE" logs "$id" ;;
    lines) lines "$id" "${3:?usage: trace.sh lines SINCE UNTIL}" ;;
    *) fail "$what: spans, logs or lines" ;;
  esac
}

main "$@"
