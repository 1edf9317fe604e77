# shellcheck shell=bash
# The parts of the stack as processes: in which order they start, on which
# ports, with which command, and when they are ready.

readonly API_PORT=${BOOKSTORE_HTTP_ADDR##*:}
readonly PERFORMANCE_PORT=${PERFORMANCE_HTTP_ADDR##*:}
readonly SIMULATOR_PORT=${SIMULATOR_HTTP_ADDR##*:}
readonly MONGOD_PORT=27017

# Everything that may run; each may need those before it.
readonly ALL_TOOLS=(redis mongod jaeger alertmanager prometheus preview)
readonly ALL_SERVICES=(llm-simulator bookstore-api performance-service)
# shellcheck disable=SC2034 # for the scripts that source this file
readonly ALL_PARTS=("${ALL_TOOLS[@]}" "${ALL_SERVICES[@]}")

# Dots, and the address of the traces' pages in alerts; later versions expand by themselves.
readonly PROMETHEUS_FEATURES=exemplar-storage,expand-external-labels

# The keys of the LLM providers, by which only the API may ask.
readonly LLM_KEYS=(
  ANTHROPIC_API_KEY OPENAI_API_KEY AWS_BEARER_TOKEN_BEDROCK
  AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
)
readonly LLM_KEY_FILES=("${LLM_KEYS[@]/%/_FILE}")

# native_tools: those that this run starts. A store that a setting names is
# somebody else's and is only used.
native_tools() {
  local tool
  for tool in "${ALL_TOOLS[@]}"; do
    case $tool in
      redis) [[ -n ${USE_OWN_REDIS:-} ]] || continue ;;
      mongod) [[ -n ${USE_OWN_MONGOD:-} ]] || continue ;;
    esac
    echo "$tool"
  done
}

native_parts() {
  native_tools
  printf '%s\n' "${ALL_SERVICES[@]}"
}

part_ports() {
  case $1 in
    redis) echo 6379 ;;
    mongod) echo "$MONGOD_PORT" ;;
    jaeger) echo 16686 16685 4317 4318 13133 8889 ;;
    alertmanager) echo 9093 ;;
    prometheus) echo 9090 ;;
    preview) echo "$PREVIEW_PORT" ;;
    llm-simulator) echo "$SIMULATOR_PORT" ;;
    bookstore-api) echo "$API_PORT" ;;
    performance-service) echo "$PERFORMANCE_PORT" ;;
  esac
}

part_is_ready() {
  case $1 in
    redis) answers_redis 127.0.0.1 6379 ;;
    mongod) accepts 127.0.0.1 "$MONGOD_PORT" ;;
    jaeger) answers_http "$JAEGER_URL/api/services" && accepts 127.0.0.1 4317 ;;
    alertmanager) answers_http "$ALERTMANAGER_URL/-/ready" ;;
    prometheus) answers_http "$PROMETHEUS_URL/-/ready" ;;
    preview) answers_http "$PREVIEW_URL/dashboards" ;;
    llm-simulator) answers_http "$SIMULATOR_URL/health/ready" ;;
    bookstore-api) answers_http "$BOOKSTORE_URL/health/ready" ;;
    performance-service) answers_http "$PERFORMANCE_URL/health/ready" ;;
  esac
}

# stop_patience NAME: seconds between SIGTERM and SIGKILL. The services finish
# the requests they accepted, the performance service ends its k6 first.
stop_patience() {
  case $1 in
    bookstore-api | performance-service) echo 40 ;;
    *) echo 15 ;;
  esac
}

# start_tool NAME COMMAND...: without our environment, which may hold keys.
start_tool() {
  local name=$1
  shift
  start_process "$name" env -i HOME="$HOME" PATH="$PATH" "$@"
}

# start_preview_at PORT LOGS...: dashboards, and traces with their log lines, which
# lie in our directory unless arguments of the preview say who prints them.
start_preview_at() {
  local port=$1
  shift
  if [[ $# == 0 ]]; then set -- --logs "$LOGS"; fi
  start_tool preview env ${DOCKER_HOST:+"DOCKER_HOST=$DOCKER_HOST"} \
    BOOKSTORE_STATE_DIR="$BOOKSTORE_STATE_DIR" BOOKSTORE_TOOLS_DIR="$BOOKSTORE_TOOLS_DIR" \
    "$CHECKOUT/monitoring/preview/serve.py" --port "$port" --prometheus "$PROMETHEUS_URL" \
    --jaeger "$JAEGER_URL" --performance "$PERFORMANCE_URL" "$@"
}

# start_part NAME
start_part() {
  local data=$BOOKSTORE_STATE_DIR/data
  case $1 in
    redis)
      mkdir -p "$data/redis"
      # A cache that may be lost at any time: nothing on disk, a bound in memory.
      start_tool redis redis-server --bind 127.0.0.1 --port 6379 --dir "$data/redis" \
        --save '' --appendonly no --maxmemory 128mb --maxmemory-policy allkeys-lru
      ;;
    mongod)
      mkdir -p "$data/mongod"
      start_tool mongod mongod --bind_ip 127.0.0.1 --port "$MONGOD_PORT" --dbpath "$data/mongod"
      ;;
    jaeger)
      # It would trace the queries of its own API.
      start_tool jaeger env OTEL_TRACES_SAMPLER=always_off \
        "$BOOKSTORE_TOOLS_DIR/bin/jaeger" --config "$CHECKOUT/monitoring/jaeger/config.yaml"
      ;;
    alertmanager)
      mkdir -p "$data/alertmanager"
      alertmanager_configuration "$ALERT_SECRETS_DIR"
      # Alone: it looks for no other one to form a cluster with.
      start_tool alertmanager prometheus-alertmanager --config.file "$ALERTMANAGER_CONFIG" \
        --web.listen-address 127.0.0.1:9093 --cluster.listen-address= --storage.path "$data/alertmanager"
      ;;
    prometheus)
      mkdir -p "$data/prometheus"
      # A little more than the 30 days of the objectives.
      start_tool prometheus env TRACE_PAGES="$PREVIEW_URL" prometheus \
        --config.file "$CHECKOUT/monitoring/prometheus/$(prometheus_file)" \
        --web.listen-address 127.0.0.1:9090 --web.enable-remote-write-receiver \
        --enable-feature "$PROMETHEUS_FEATURES" --storage.tsdb.path "$data/prometheus" \
        --storage.tsdb.retention.time 35d --storage.tsdb.retention.size 2GB \
        --rules.alert.resend-delay "$(alert_resend_delay)"
      ;;
    preview) start_preview_at "$PREVIEW_PORT" ;;
    bookstore-api) start_process bookstore-api "$RELEASE/bookstore-api" ;;
    *) start_process "$1" env "${LLM_KEYS[@]/#/--unset=}" "${LLM_KEY_FILES[@]/#/--unset=}" "$RELEASE/$1" ;;
  esac
}
