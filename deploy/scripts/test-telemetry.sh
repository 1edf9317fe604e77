#!/usr/bin/env bash
# What the services tell of themselves, at the log level debug, with a secret of its own in every
# setting that takes one: metrics are those of the catalogue and promtool finds no fault with them; a
# load test's id is found in spans, logs and ledger; no secret is found anywhere.
# STACK_BINARIES: a directory with built services; without it they are built.
set -euo pipefail
# shellcheck source=tests/own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/own_stack.sh"
# shellcheck source=tests/own_monitoring.sh
source "$TESTS/own_monitoring.sh"
# Not where is looked.
HIDDEN=$(mktemp -d)
trap 'finish; rm -rf "$HIDDEN"' EXIT

readonly CANARIES=$HIDDEN/canaries FOUND=$STATE/found
# A tenant and a test of this name are told everywhere.
readonly VISIBLE=told-everywhere
readonly LOAD_SECONDS=20
read -r signed_port guarded_port nobody_port mongodb_port < <(free_ports 4)

# secret NAME: what was planted; notes that it is used.
secret() {
  printf '%s\n' "$1" >>"$HIDDEN/used"
  sed -n "s/^$1=//p" "$CANARIES"
}

# every_secret_is_used: none of the settings was forgotten here.
# shellcheck disable=SC2317 # called through expect
every_secret_is_used() {
  diff <(sed -n 's/=.*//p' "$CANARIES" | grep -v '^SESSION' | sort) <(sort -u "$HIDDEN/used")
}

plant_secrets() {
  local name
  "$TESTS/canaries.py" plant "$CANARIES"
  for name in ANTHROPIC_API_KEY OPENAI_API_KEY AWS_BEARER_TOKEN_BEDROCK PERFORMANCE_LEDGER_TOKEN PERFORMANCE_WEBHOOK_SECRET; do
    export "$name=$(secret "$name")"
  done
  SIMULATOR_KEYS=anthropic=$ANTHROPIC_API_KEY,openai=$OPENAI_API_KEY,bedrock=$AWS_BEARER_TOKEN_BEDROCK
  SIMULATOR_KEYS+=,bedrock=$(secret AWS_ACCESS_KEY_ID):$(secret AWS_SECRET_ACCESS_KEY),openai=$(secret SIMULATOR_KEYS)
  export SIMULATOR_KEYS
  export ANTHROPIC_BASE_URL=$SIMULATOR_URL OPENAI_BASE_URL=$SIMULATOR_URL/v1 OLLAMA_HOST=$SIMULATOR_URL
  export AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$SIMULATOR_URL LMSTUDIO_BASE_URL=$SIMULATOR_URL/lmstudio/v1
  export BOOKSTORE_SIMULATED_PROVIDERS=claude,openai,ollama,bedrock,lmstudio
  export PERFORMANCE_LEDGERS=local=$BOOKSTORE_URL
  PERFORMANCE_WEBHOOK_TARGETS=gone=http://127.0.0.1:$nobody_port/$(secret PERFORMANCE_WEBHOOK_TARGETS)
  export PERFORMANCE_WEBHOOK_TARGETS
  BOOKSTORE_OTLP_HTTP_HEADERS=authorization=$(secret BOOKSTORE_OTLP_HTTP_HEADERS)
  TRACELOOP_API_KEY=$(secret TRACELOOP_API_KEY)
  export BOOKSTORE_OTLP_HTTP_HEADERS TRACELOOP_API_KEY
  # One that takes spans, and one that nobody listens at.
  export BOOKSTORE_OTLP_HTTP_ENDPOINT=http://127.0.0.1:$otlp_http_port TRACELOOP_BASE_URL=http://127.0.0.1:$nobody_port
}

start_redis() {
  printf 'bind 127.0.0.1\nport %s\ndir %s\nsave ""\nrequirepass %s\n' \
    "$SPARE_PORT" "$HIDDEN" "$(secret REDIS_URL)" >"$HIDDEN/redis.conf"
  start_tool redis redis-server "$HIDDEN/redis.conf"
  REDIS_URL=redis://:$(secret REDIS_URL)@127.0.0.1:$SPARE_PORT
  export REDIS_URL
}

# webhook: nobody listens; its secret is told once, to whoever makes it.
webhook() {
  local made
  made=$(command curl -s --fail-with-body --max-time 20 --header 'Content-Type: application/json' \
    --data '{"name":"gone","target":"gone"}' "$PERFORMANCE_URL/api/v1/performancetest/webhooks")
  python3 -c 'import json, sys; print("SESSION_OF_WEBHOOK=" + json.load(sys.stdin)["signingSecret"])' <<<"$made" >>"$CANARIES"
}

# load: faults of all providers, a load test, every route.
load() {
  python3 "$TESTS/faulty_load.py" "$LOAD_SECONDS" || fail 'the load cannot be made'
  "$TESTS/canaries.py" watch "$FOUND/k6/processes" 40 &
  local watching=$!
  SCALE=0.1 PROVIDER=claude PERF_BINARY=$STACK_BINARIES/perf \
    "$CHECKOUT/deploy/scripts/perf.sh" tests/ai-smoke.js --scenario Smoke --name "$VISIBLE" >"$LOGS/run.log" 2>&1 ||
    fail "the load test failed: $(tail -n 30 "$LOGS/run.log")"
  wait "$watching" || fail 'nobody saw k6'
}

# callers: what they send of themselves, also where it does not belong.
callers() {
  local path
  for path in / /api/v1/books /nowhere /metrics /health/ready /api/v1/performancetest/tests /login; do
    for url in "$BOOKSTORE_URL" "$PERFORMANCE_URL" "$SIMULATOR_URL"; do
      command curl -s --max-time 20 --output /dev/null --user "user:$(secret WRONG_USERINFO)" \
        --header "X-Tenant-Name: $VISIBLE" --header "X-Api-Key: $(secret CALLER_TOKEN)" \
        --cookie "session=$(secret CALLER_COOKIE)" "$url$path?api_key=$(secret CALLER_QUERY)"
      command curl -s --max-time 20 --output /dev/null --header "Authorization: Bearer $(secret CALLER_TOKEN)" \
        --header 'Content-Type: application/json' --data "{\"token\":\"$(secret CALLER_TOKEN)\"}" "$url$path"
    done
  done
}

# book_of URL TENANT: the id of a new one.
book_of() {
  command curl -s --fail-with-body --max-time 20 --header "X-Tenant-Name: $2" --header 'Content-Type: application/json' \
    --data "{\"title\":\"$VISIBLE\",\"author\":\"An Author\"}" "$1/api/v1/books" | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'
}

# without_money: a tenant whose budget is smaller than any call.
without_money() {
  local book
  command curl -s --fail-with-body --max-time 20 --output /dev/null --request PUT --header 'Content-Type: application/json' \
    --data '{"dayUsd":"0.000001","monthUsd":"0.000001"}' "$BOOKSTORE_URL/api/v1/llm/budgets/poor"
  book=$(book_of "$BOOKSTORE_URL" poor)
  command curl -s --max-time 70 --output /dev/null --request POST --header 'X-Tenant-Name: poor' \
    "$BOOKSTORE_URL/api/v1/books/$book/generate-summary?provider=openai"
}

# with_a_server COMMAND...: given also the address of an API whose store is a server, before which
# alone there is a circuit.
# shellcheck disable=SC2317 # called through expect
with_a_server() {
  local url=http://127.0.0.1:$signed_port status=0
  start_tool mongodb "$BOOKSTORE_TOOLS_DIR/bin/ferretdb" -listen "127.0.0.1:$mongodb_port" -state "$STATE/data/mongodb"
  MONGODB_URI=mongodb://127.0.0.1:$mongodb_port BOOKSTORE_HTTP_ADDR=127.0.0.1:$signed_port BOOKSTORE_STATE_DIR=$STATE/data/with-a-server \
    start_process api-with-a-server env --unset REDIS_URL bookstore-api
  ready api-with-a-server "$url/health/ready" || fail 'the API with a server does not start'
  "$@" "$url" || status=$?
  stop_process api-with-a-server 40 >/dev/null
  stop_process mongodb 40 >/dev/null
  return "$status"
}

# summaries_of URL: by every provider, in the tenant that is told.
summaries_of() {
  local book provider
  book=$(book_of "$1" "$VISIBLE")
  for provider in claude openai ollama bedrock lmstudio; do
    command curl -s --max-time 70 --request POST --header "X-Tenant-Name: $VISIBLE" "$1/api/v1/books/$book/generate-summary?provider=$provider"
    echo
  done >>"$FOUND/replies/summaries"
}

# refused: an API that signs for Bedrock, and whose other keys nobody knows.
refused() {
  BOOKSTORE_HTTP_ADDR=127.0.0.1:$signed_port BOOKSTORE_STATE_DIR=$STATE/data/signed \
    ANTHROPIC_API_KEY=$(secret WRONG_KEY) OPENAI_API_KEY=sk-$(secret WRONG_KEY) AWS_ACCESS_KEY_ID=$(secret AWS_ACCESS_KEY_ID) \
    AWS_SECRET_ACCESS_KEY=$(secret AWS_SECRET_ACCESS_KEY) AWS_SESSION_TOKEN=$(secret AWS_SESSION_TOKEN) \
    start_process signed-api env --unset AWS_BEARER_TOKEN_BEDROCK --unset REDIS_URL bookstore-api
  ready signed-api "http://127.0.0.1:$signed_port/health/ready" || fail 'the API that signs does not start'
  summaries_of "http://127.0.0.1:$signed_port"
  stop_process signed-api 40 >/dev/null
}

# in_vain PROGRAM: it does not start with the settings of its environment, and says so by itself
# before its time is over, which would be 124.
in_vain() {
  local status=0
  timeout 10 "$1" >>"$LOGS/starts.log" 2>&1 || status=$?
  [[ $status != 0 && $status != 124 ]] || fail "$1 starts with wrong settings (status $status)"
}

# starts_that_fail: with addresses that hold passwords, wrongly and in vain.
starts_that_fail() {
  local wrong program
  wrong=http://user:$(secret WRONG_USERINFO)@
  MONGODB_URI="mongodb://user:$(secret MONGODB_URI)@127.0.0.1:$nobody_port/?serverSelectionTimeoutMS=2000" \
    BOOKSTORE_HTTP_ADDR=127.0.0.1:$signed_port BOOKSTORE_STATE_DIR=$STATE/data/lost timeout 10 bookstore-api >>"$LOGS/starts.log" 2>&1 || true
  # It waits for its store longer than that.
  grep -q 'MONGODB_URI: the store is unavailable' "$LOGS/starts.log" || fail 'an API without its store does not say so'
  MONGODB_URI=$(secret MONGODB_URI) REDIS_URL=$wrong ANTHROPIC_BASE_URL=$wrong OTEL_EXPORTER_OTLP_ENDPOINT=ftp://$wrong in_vain bookstore-api
  PERFORMANCE_WEBHOOK_TARGETS=$wrong PERFORMANCE_WEBHOOK_SECRET=${PERFORMANCE_WEBHOOK_SECRET:0:20} PERFORMANCE_TARGETS=x=$wrong \
    PERFORMANCE_LEDGERS=$wrong PERFORMANCE_PROMETHEUS_URL=$wrong in_vain performance-service
  SIMULATOR_KEYS=$(secret SIMULATOR_KEYS) in_vain llm-simulator
  {
    for program in bookstore-api performance-service llm-simulator; do "$program" --help; done
    echo "$VISIBLE"
  } >>"$LOGS/starts.log" 2>&1
}

# guarded: a performance service that asks for tokens, by `perf` and in a browser.
guarded() {
  local url=http://127.0.0.1:$guarded_port hash
  hash=$(secret PERFORMANCE_TOKEN | tr -d '\n' | sha256sum | cut -d' ' -f1)
  printf '[[token]]\nsha256 = "%s"\ntenant = "%s"\nuser = "ana"\nrole = "admin"\n' "$hash" "$VISIBLE" >"$HIDDEN/tokens.toml"
  chmod 600 "$HIDDEN/tokens.toml"
  PERFORMANCE_HTTP_ADDR=127.0.0.1:$guarded_port PERFORMANCE_STATE_DIR=$STATE/guarded PERFORMANCE_AUTH_MODE=tokens \
    PERFORMANCE_TOKENS_FILE=$HIDDEN/tokens.toml start_process guarded-performance performance-service
  ready guarded-performance "$url/health/ready" || fail 'the guarded performance service does not start'
  PERFORMANCE_TOKEN=$(secret PERFORMANCE_TOKEN) "$STACK_BINARIES/perf" --url "$url" list >"$FOUND/replies/perf" 2>&1 ||
    fail "perf list: $(cat "$FOUND/replies/perf")"
  command curl -s --max-time 20 --output /dev/null --cookie-jar "$HIDDEN/cookies" --header 'Sec-Fetch-Site: same-origin' \
    --data-urlencode "token=$(secret PERFORMANCE_TOKEN)" "$url/login"
  COOKIE=$(awk '/session/ { print $6 "=" $7 }' "$HIDDEN/cookies")
  [[ -n $COOKIE ]] || fail 'nobody was logged in'
  printf 'SESSION=%s\n' "${COOKIE#*=}" >>"$CANARIES"
  COOKIE=$COOKIE "$TESTS/canaries.py" crawl "$FOUND/replies/guarded" "$url/" "$url/swagger/v1/swagger.json"
  stop_process guarded-performance 40 >/dev/null
}

crawl() {
  local url
  for url in "$BOOKSTORE_URL" "$PERFORMANCE_URL" "$SIMULATOR_URL"; do
    "$TESTS/canaries.py" crawl "$FOUND/replies/pages" "$url/" "$url/metrics" "$url/swagger/v1/swagger.json" "$url/health/ready" \
      "$url/control/calls" "$url/control/faults" "$url/control/rate-limits"
  done
}

main() {
  mkdir -p "$FOUND"/{k6,replies,traces}
  plant_secrets
  start_redis
  start_jaeger
  export RUST_LOG=debug BOOKSTORE_LOG_FORMAT=json OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_ONLY
  export BOOKSTORE_TRACE_SAMPLING=catalogue=1,ai=1,ops=1 PERFORMANCE_TRACE_SAMPLING=catalogue=1,ai=1,ops=1
  export LLM_FALLBACK=openai BOOKSTORE_LLM_CONCURRENCY=8 BOOKSTORE_LLM_QUEUE=1 BOOKSTORE_CACHE_LEVEL1_BYTES=65536
  start_services
  webhook
  load
  expect 'the id of a load test is in spans, logs and ledger' "$TESTS/context_test.py" "$LOGS/bookstore-api.log"
  expect 'every route' "$CHECKOUT/deploy/scripts/test-smoke.sh"
  summaries_of "$BOOKSTORE_URL"
  without_money
  expect 'metrics are those of the catalogue' with_a_server "$TESTS/exposition_test.py" "$BOOKSTORE_URL" "$PERFORMANCE_URL" "$SIMULATOR_URL"
  callers
  refused
  starts_that_fail
  guarded
  crawl
  "$TESTS/canaries.py" traces "$FOUND/traces/all" "$JAEGER_URL"
  expect 'every secret setting has one' every_secret_is_used
  expect 'secrets are told nowhere' "$TESTS/canaries.py" search "$CANARIES" "$VISIBLE:$LOGS" \
    "$VISIBLE:$STATE/data" "ai-smoke:$STATE/runs" "SCENARIO=smoke:$FOUND/k6" "$VISIBLE:$FOUND/replies" "$VISIBLE:$FOUND/traces"
  exit "$((FAILURES > 0))"
}

main
