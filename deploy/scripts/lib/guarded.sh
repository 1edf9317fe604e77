# shellcheck shell=bash
# An API that asks for tokens, on a port of its own, with an empty store: as a
# process, or in a container beside the others.
# Whoever sources this has sourced settings.sh, process.sh, port.sh and
# service-settings.sh, and compose.sh for the container.

readonly GUARDED=$BOOKSTORE_STATE_DIR/guarded
readonly CALLERS=$CHECKOUT/k6/private/tokens.json
readonly GUARDED_READY_SECONDS=30

# make_tokens: new ones; tests/auth.js reads those of the callers.
make_tokens() {
  mkdir -p "$GUARDED" "${CALLERS%/*}"
  "$CHECKOUT/k6/data/tokens.mjs" "$GUARDED/tokens.toml" "$CALLERS"
}

# forget_tokens: nobody has them any more.
forget_tokens() { rm -rf "$GUARDED" "$CALLERS"; }

# start_guarded BINARY: with new tokens.
start_guarded() {
  local deadline holder
  [[ -x $1 ]] || fail "$1 is missing: make run-all builds it"
  if holder=$(port_holder "$GUARDED_PORT"); then fail "port $GUARDED_PORT is held by process $holder"; fi
  make_tokens
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
  forget_tokens
}

# in_performance SCRIPT: a line of shell in the performance service's container,
# whose user is that of the guarded API.
in_performance() { compose exec -T performance-service sh -c "umask 077 && cd /srv/k6/private && $1"; }

# start_guarded_container: its tokens go through a volume in memory, to which only
# the user of our images has access; none is in an argument.
start_guarded_container() {
  make_tokens
  choose_providers http://llm-simulator:7010
  in_performance 'cat >tokens.toml' <"$GUARDED/tokens.toml"
  in_performance 'cat >tokens.json' <"$CALLERS"
  compose --profile guarded up --detach --no-deps --no-build --wait --wait-timeout "$GUARDED_READY_SECONDS" guarded-api
}

# stop_guarded_container: its tokens go with it.
stop_guarded_container() {
  compose --profile guarded rm --stop --force guarded-api
  in_performance 'rm -f tokens.toml tokens.json' || note 'the tokens stay until make stop'
  forget_tokens
}
