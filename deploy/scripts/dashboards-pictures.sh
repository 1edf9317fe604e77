#!/usr/bin/env bash
# The pictures of dashboards in docs/images, or in the directory that is given: a
# stack of its own does what docs/investigate.md tells, then has some load, and
# the preview draws what Prometheus has of it.
# STACK_BINARIES: a directory with built services; without it they are built.
set -euo pipefail
# shellcheck source=tests/own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/own_stack.sh"
# shellcheck source=tests/own_monitoring.sh
source "$TESTS/own_monitoring.sh"

readonly LOAD_SECONDS=30

main() {
  local directory=${1:-$CHECKOUT/docs/images}
  start_jaeger
  start_services
  start_alertmanager
  start_prometheus
  expect 'the commands of docs/investigate.md' guide investigate.md
  python3 "$TESTS/faulty_load.py" "$LOAD_SECONDS" || fail 'the load cannot be made'
  start_preview
  expect 'the pictures' node "$CHECKOUT/deploy/web-tests/dashboard-pictures.js" "$PREVIEW_URL" "$directory"
  exit "$((FAILURES > 0))"
}

main "$@"
