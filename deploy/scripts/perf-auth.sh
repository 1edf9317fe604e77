#!/usr/bin/env bash
# Runs tests/auth.js against an API that asks for tokens: it is started for the
# run, on a port of its own, with new tokens and an empty store, and ended after
# it; one that runs already is used. Where the stack runs in containers, so does this
# API. The performance service knows it as the target "guarded".
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
# shellcheck source=lib/compose.sh
source "$CHECKOUT/deploy/scripts/lib/compose.sh"
# shellcheck source=lib/guarded.sh
source "$CHECKOUT/deploy/scripts/lib/guarded.sh"

# api_binary: the one that is given, as tests do, else that of run-all.sh.
api_binary() {
  if [[ -n ${BOOKSTORE_API_BINARY:-} ]]; then
    echo "$BOOKSTORE_API_BINARY"
  else
    require_cargo
    echo "$(target_directory)/release/bookstore-api"
  fi
}

target=$GUARDED_URL
if [[ $(running_mode) == docker ]]; then
  trap stop_guarded_container EXIT
  start_guarded_container
  # k6 is in their network, unless it is started here.
  if [[ ${RUNNER:-service} == service ]]; then target=http://guarded-api:7003; fi
elif ! recorded_pid guarded-api >/dev/null; then
  trap stop_guarded EXIT
  start_guarded "$(api_binary)"
fi
READY_URL=$GUARDED_URL TARGET_URL=$target "$CHECKOUT/deploy/scripts/perf.sh" tests/auth.js "$@"
