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

# revoked_status: what the guarded API answers to the token that is taken away.
revoked_status() {
  sed -nE 's/.*"revoked": "(.*)".*/header = "Authorization: Bearer \1"/p' "$CALLERS" |
    curl --config - --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "$GUARDED_URL/api/v1/books"
}

# expect_revoked STATUS
expect_revoked() {
  local status
  status=$(revoked_status) || true
  [[ $status == "$1" ]] || fail "the guarded API answers $status to the token that is taken away, expected was $1"
}

# start_guarded BINARY: with new tokens, of which one was good before and is not any more. The API
# reads them at its start.
start_guarded() {
  local holder
  [[ -x $1 ]] || fail "$1 is missing: make run-all builds it"
  if holder=$(port_holder "$GUARDED_PORT"); then fail "port $GUARDED_PORT is held by process $holder"; fi
  make_tokens
  choose_providers "$SIMULATOR_URL"
  run_guarded "$1" tokens.toml.before
  expect_revoked 200
  stop_process guarded-api 40 >&2
  run_guarded "$1" tokens.toml
  expect_revoked 401
}

# run_guarded BINARY TOKENS: until it is ready.
run_guarded() {
  local deadline
  BOOKSTORE_HTTP_ADDR=127.0.0.1:$GUARDED_PORT BOOKSTORE_STATE_DIR=$GUARDED \
    BOOKSTORE_AUTH_MODE=tokens BOOKSTORE_TOKENS_FILE=$GUARDED/$2 \
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
  in_performance 'cat >tokens.json' <"$CALLERS"
  run_guarded_container tokens.toml.before
  expect_revoked 200
  run_guarded_container tokens.toml
  expect_revoked 401
}

# run_guarded_container TOKENS: anew, since it reads them at its start.
run_guarded_container() {
  in_performance 'cat >tokens.toml' <"$GUARDED/$1"
  compose --profile guarded up --detach --no-deps --no-build --force-recreate --wait --wait-timeout "$GUARDED_READY_SECONDS" guarded-api
}

# stop_guarded_container: its tokens go with it.
stop_guarded_container() {
  compose --profile guarded rm --stop --force guarded-api
  in_performance 'rm -f tokens.toml tokens.json' || note 'the tokens stay until make stop'
  forget_tokens
}
