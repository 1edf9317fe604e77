#!/usr/bin/env bash
# Alerts from end to end: a real API and simulator, Prometheus with the rules of
# the lab, Alertmanager, and a webhook. A planted fault must page within two
# minutes, and its end be told; then the commands of all runbooks must work.
# STACK_BINARIES: a directory with built services; without it they are built.
set -euo pipefail
# shellcheck source=tests/own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/own_stack.sh"
# shellcheck source=tests/own_monitoring.sh
source "$TESTS/own_monitoring.sh"

export SIMULATOR_PROFILE=instant
start_jaeger
start_services
start_alertmanager
start_prometheus
expect 'a fault pages and resolves' python3 "$TESTS/alerts_test.py" "$sink_port"
for runbook in "$CHECKOUT"/docs/runbooks/*.md; do
  expect "the commands of ${runbook##*/}" guide "runbooks/${runbook##*/}"
done
exit "$((FAILURES > 0))"
