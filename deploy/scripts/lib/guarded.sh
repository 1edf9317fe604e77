# shellcheck shell=bash
# An API that asks for tokens, on a port of its own, with an empty store.
# Whoever sources this has sourced settings.sh, process.sh, port.sh and
# service-settings.sh.

readonly GUARDED=$BOOKSTORE_STATE_DIR/guarded
readonly CALLERS=$CHECKOUT/k6/data/tokens.json
readonly GUARDED_READY_SECONDS=30

# start_guarded BINARY: with new tokens, which tests/auth.js reads.
start_guarded() {
  local deadline holder
  [[ -x $1 ]] || fail "$1 is missing: make run-all builds it"
  if holder=$(port_holder "$GUARDED_PORT"); then fail "port $GUARDED_PORT is held by process $holder"; fi
  mkdir -p "$GUARDED"
  "$CHECKOUT/k6/data/tokens.mjs" "$GUARDED/tokens.toml" "$CALLERS"
  choose_providers "$SIMULATOR_URL"
  BOOKSTORE_HTTP_ADDR=127.0.0.1:$GUARDED_PORT BOOKSTORE_STATE_DIR=$GUARDED \
    BOOKSTORE_AUTH_MODE=tokens BOOKSTORE_TOKENS_FILE=$GUARDED/tokens.toml \
    start_process guarded-api env --unset REDIS_URL --unset MONGODB_URI --unset LLM_FALLBACK "$1"
  deadline=$((SECONDS + GUARDED_READY_SECONDS))
  until answers_http "$GUARDED_URL/health/ready"; do
    if ! recorded_pid guarded-api >/dev/null || ((SECONDS >= deadline)); then
      show_log guarded-api 20
      fail "the guarded API was not ready within $GUARDED_READY_SECONDS s"
    fi
    sleep 0.1
  done
}

# stop_guarded: its tokens go with it.
stop_guarded() {
  if [[ -f $PIDS/guarded-api.pid ]]; then stop_process guarded-api 40 >&2; fi
  rm -rf "$GUARDED" "$CALLERS"
}
