#!/usr/bin/env bash
# Runs tests/auth.js against an API that asks for tokens: it is started for the
# run, on a port of its own, with new tokens and an empty store, and ended after
# it. The performance service knows it as the target "guarded".
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/process.sh
source "$CHECKOUT/deploy/scripts/lib/process.sh"
# shellcheck source=lib/port.sh
source "$CHECKOUT/deploy/scripts/lib/port.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"
# shellcheck source=lib/service-settings.sh
source "$CHECKOUT/deploy/scripts/lib/service-settings.sh"

readonly GUARDED=$BOOKSTORE_STATE_DIR/guarded
readonly CALLERS=$CHECKOUT/k6/data/tokens.json
readonly READY_SECONDS=30

finish() {
  if [[ -f $PIDS/guarded-api.pid ]]; then stop_process guarded-api 40 >&2; fi
  rm -rf "$GUARDED" "$CALLERS"
}

start_guarded() {
  local binary=${BOOKSTORE_API_BINARY:-} deadline holder
  if [[ -z $binary ]]; then
    require_cargo
    binary=$(target_directory)/release/bookstore-api
  fi
  [[ -x $binary ]] || fail "$binary is missing: make run-all builds it"
  if holder=$(port_holder "$GUARDED_PORT"); then fail "port $GUARDED_PORT is held by process $holder"; fi
  trap finish EXIT
  mkdir -p "$GUARDED"
  "$CHECKOUT/k6/data/tokens.mjs" "$GUARDED/tokens.toml" "$CALLERS"
  choose_providers "$SIMULATOR_URL"
  BOOKSTORE_HTTP_ADDR=127.0.0.1:$GUARDED_PORT BOOKSTORE_STATE_DIR=$GUARDED \
    BOOKSTORE_AUTH_MODE=tokens BOOKSTORE_TOKENS_FILE=$GUARDED/tokens.toml \
    start_process guarded-api env --unset REDIS_URL --unset MONGODB_URI "$binary"
  deadline=$((SECONDS + READY_SECONDS))
  until answers_http "$GUARDED_URL/health/ready"; do
    if ! recorded_pid guarded-api >/dev/null || ((SECONDS >= deadline)); then
      show_log guarded-api 20
      fail "the guarded API was not ready within $READY_SECONDS s"
    fi
    sleep 0.1
  done
}

start_guarded
TARGET_URL=$GUARDED_URL "$CHECKOUT/deploy/scripts/perf.sh" tests/auth.js "$@"
