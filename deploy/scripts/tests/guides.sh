#!/usr/bin/env bash
# The commands of the guides, and the demo, against an API, a simulator, a
# performance service, a Jaeger and a Prometheus of their own on free ports: every command must succeed, every reply too.
# shellcheck disable=SC2317 # functions are called by the guides
set -euo pipefail
# shellcheck source=own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/own_stack.sh"
# shellcheck source=own_monitoring.sh
source "$TESTS/own_monitoring.sh"
export RECORDER_PORT=$SPARE_PORT

# serves COMMAND...: it runs, answers, and ends when it is asked to.
serves() {
  SIMULATOR_HTTP_ADDR=127.0.0.1:$RECORDER_PORT start_process server "$@"
  ready server "http://127.0.0.1:$RECORDER_PORT/health/ready"
  stop_process server 15
}

export LLM_FALLBACK=openai,ollama
start_jaeger
start_services
start_prometheus
export -f serves
for name in simulator.md llm.md experiments.md performance-testing.md suites.md chaos.md slo.md tracing.md telemetry.md investigate.md; do
  expect "the commands of docs/$name" guide "$name"
done
for time in first second; do
  expect "the demo, the $time time" "$CHECKOUT/deploy/scripts/demo-llm.sh"
done
PERF_BINARY=$(command -v perf)
export PERF_BINARY
expect 'the demo of a regression' "$CHECKOUT/deploy/scripts/demo-performance.sh"
exit "$((FAILURES > 0))"
