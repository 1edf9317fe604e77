#!/usr/bin/env bash
# Every query of every dashboard against real services, a real Redis and a real
# Prometheus, after a few minutes of load with faults: none may be empty. It
# prints panels and series by dashboard. Then the preview draws them in a browser.
# DASHBOARD_PICTURES: a directory for a picture of each.
# STACK_BINARIES: a directory with built services; without it they are built.
# shellcheck disable=SC2317 # monitored is called by expect
set -euo pipefail
# shellcheck source=tests/own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/own_stack.sh"
# shellcheck source=tests/own_monitoring.sh
source "$TESTS/own_monitoring.sh"

readonly LOAD_SECONDS=60
# Of everything but the build.
readonly MAX_SECONDS=240
runs=()

start_redis() {
  start_tool redis redis-server --bind 127.0.0.1 --port "$SPARE_PORT" --dir "$STATE" --save ''
  export REDIS_URL=redis://127.0.0.1:$SPARE_PORT
}

# nobody_at_lm_studio: a provider whose address nobody listens on.
nobody_at_lm_studio() {
  LMSTUDIO_BASE_URL=http://127.0.0.1:$(free_port)/v1
  export LMSTUDIO_BASE_URL BOOKSTORE_SIMULATED_PROVIDERS=claude,openai,ollama,bedrock,lmstudio
}

# load_test SCRIPT [OPTION...]: in the background.
load_test() {
  SCALE=0.1 PERF_BINARY=$STACK_BINARIES/perf "$CHECKOUT/deploy/scripts/perf.sh" "$@" >"$LOGS/run${#runs[@]}.log" 2>&1 &
  runs+=("$!")
}

find_services
BEGAN=$(date +%s)
start_redis
nobody_at_lm_studio
start_jaeger
# Bounds that are soon reached.
export BOOKSTORE_TRACE_SAMPLING=catalogue=0.5,ai=1,ops=0
export LLM_FALLBACK=openai BOOKSTORE_LLM_CONCURRENCY=8 BOOKSTORE_LLM_QUEUE=1 BOOKSTORE_CACHE_LEVEL1_BYTES=16384
start_services
start_alertmanager
start_prometheus
SECONDS=0
# Two runs, of which one waits for the other. Readers of streams meet the faults.
load_test tests/ai-stream.js --env PROVIDER=openai
load_test tests/smoke.js --scenario Smoke
python3 "$TESTS/faulty_load.py" "$LOAD_SECONDS" || fail 'the load cannot be made'
# Without Redis look-ups pass the second level by; the simulator has been away.
stop_process redis 15 >/dev/null
stop_process llm-simulator 15 >/dev/null
start_process llm-simulator llm-simulator
ready llm-simulator "$SIMULATOR_URL/health/ready" || fail 'the simulator does not start again'
python3 "$TESTS/faulty_load.py" 15 || fail 'the load cannot be made'
for run in "${!runs[@]}"; do
  # The faults are theirs too: any verdict will do.
  wait "${runs[run]}" || (($? == 2)) || fail "a load test has no verdict: $(tail -n 3 "$LOGS/run$run.log")"
done
"$CHECKOUT/monitoring/grafana/prove.py" "$PROMETHEUS_URL" --range "$((SECONDS + 5))"
# monitored KIND [PARAMETER]: Jaeger's page Monitor has points of the API, through Prometheus.
monitored() {
  curl --silent "$JAEGER_URL/api/metrics/$1?service=bookstore-api&lookback=300000&step=5000${2:+&$2}" |
    python3 -c 'import json, sys; sys.exit(not any(one["metricPoints"] for one in json.load(sys.stdin)["metrics"]))'
}
expect 'Jaeger has calls of the API' monitored calls
expect 'and their errors' monitored errors
expect 'and their durations' monitored latencies quantile=0.95
start_preview
if ! node "$CHECKOUT/deploy/web-tests/dashboards.js" "$PREVIEW_URL"; then
  show_log preview 20
  fail 'the preview does not show what it should'
fi
took=$(($(date +%s) - BEGAN))
expect "it took $took s of $MAX_SECONDS" test "$took" -le "$MAX_SECONDS"
exit "$((FAILURES > 0))"
