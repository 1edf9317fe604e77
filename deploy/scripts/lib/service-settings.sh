# shellcheck shell=bash
# Which stores and which LLM providers the services get.

# choose_stores: Redis and MongoDB of the settings, else our own.
# shellcheck disable=SC2034 # native_tools reads what this decides
choose_stores() {
  if [[ -z ${REDIS_URL:-}${REDIS_URL_FILE:-} ]]; then
    USE_OWN_REDIS=yes
    export REDIS_URL=redis://127.0.0.1:6379
  fi
  if [[ -z ${MONGODB_URI:-}${MONGODB_URI_FILE:-} ]] && command -v mongod >/dev/null; then
    USE_OWN_MONGOD=yes
    export MONGODB_URI=mongodb://127.0.0.1:$MONGOD_PORT/
  fi
}

# without_password URI: what may be shown of it.
without_password() { sed -E 's#//[^/@]*@#//#' <<<"$1"; }

books_are_in() {
  if [[ -n ${MONGODB_URI:-}${MONGODB_URI_FILE:-} ]]; then
    printf 'MongoDB, %s' "$(without_password "${MONGODB_URI:-named in $MONGODB_URI_FILE}")"
  else
    printf 'SQLite, %s/data' "$BOOKSTORE_STATE_DIR"
  fi
}

# given NAME: a secret is set, by itself or by its file.
given() {
  local file=$1_FILE
  [[ -n ${!1:-}${!file:-} ]]
}

# choose_providers SIMULATOR-URL: a provider without a key speaks to the
# simulator, and is declared as simulated, so that its money never meets real
# money. What has a key gets its own server, whatever else is set.
choose_providers() {
  local simulated=()
  export LLM_PROVIDER=${LLM_PROVIDER:-ollama}
  if given ANTHROPIC_API_KEY; then
    export ANTHROPIC_BASE_URL=${ANTHROPIC_BASE_URL:-https://api.anthropic.com}
  else
    export ANTHROPIC_API_KEY=simulated ANTHROPIC_BASE_URL=$1
    simulated+=(claude)
  fi
  if given OPENAI_API_KEY; then
    export OPENAI_BASE_URL=${OPENAI_BASE_URL:-https://api.openai.com/v1}
  else
    export OPENAI_API_KEY=simulated OPENAI_BASE_URL=$1/v1
    simulated+=(openai)
  fi
  if [[ -z ${OLLAMA_HOST:-} ]]; then
    export OLLAMA_HOST=$1
    simulated+=(ollama)
  fi
  if given AWS_BEARER_TOKEN_BEDROCK || given AWS_SECRET_ACCESS_KEY; then
    export AWS_BEARER_TOKEN_BEDROCK=${AWS_BEARER_TOKEN_BEDROCK:-}
    export AWS_ENDPOINT_URL_BEDROCK_RUNTIME=${AWS_ENDPOINT_URL_BEDROCK_RUNTIME:-https://bedrock-runtime.${AWS_REGION:-us-east-1}.amazonaws.com}
  else
    export AWS_BEARER_TOKEN_BEDROCK=simulated AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$1
    simulated+=(bedrock)
  fi
  if [[ -z ${LMSTUDIO_BASE_URL:-} ]]; then
    export LMSTUDIO_BASE_URL=$1/lmstudio/v1
    simulated+=(lmstudio)
  fi
  export BOOKSTORE_SIMULATED_PROVIDERS=${BOOKSTORE_SIMULATED_PROVIDERS-$(IFS=, && echo "${simulated[*]:-}")}
}

# performance_settings: what the performance service needs beside them.
performance_settings() {
  export PERFORMANCE_STATE_DIR=${PERFORMANCE_STATE_DIR:-$BOOKSTORE_STATE_DIR}
  export PERFORMANCE_TARGETS=${PERFORMANCE_TARGETS:-local=$BOOKSTORE_URL,guarded=$GUARDED_URL,simulator=$SIMULATOR_URL}
  export PERFORMANCE_PROMETHEUS_URL=${PERFORMANCE_PROMETHEUS_URL:-$PROMETHEUS_URL}
  export PERFORMANCE_REMOTE_WRITE_URL=${PERFORMANCE_REMOTE_WRITE_URL-$PROMETHEUS_URL/api/v1/write}
  export PERFORMANCE_K6=${PERFORMANCE_K6:-$BOOKSTORE_TOOLS_DIR/bin/k6}
  export PERFORMANCE_K6_V1=${PERFORMANCE_K6_V1:-$BOOKSTORE_TOOLS_DIR/bin/k6-v1}
  export PERFORMANCE_SCRIPTS_DIR=${PERFORMANCE_SCRIPTS_DIR:-$CHECKOUT/k6}
  # Jaeger has no pages where it is built here, the preview has; Debian's Prometheus has the classic ones.
  export PERFORMANCE_TRACE_SEARCH=${PERFORMANCE_TRACE_SEARCH:-$PREVIEW_URL/search}
  export PERFORMANCE_METRIC_GRAPH=${PERFORMANCE_METRIC_GRAPH:-$PROMETHEUS_URL/classic/graph}
  export OTEL_EXPORTER_OTLP_ENDPOINT=${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4317}
  export BOOKSTORE_TRACE_QUERY=${BOOKSTORE_TRACE_QUERY-$JAEGER_URL}
}
