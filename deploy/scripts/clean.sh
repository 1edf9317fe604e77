#!/usr/bin/env bash
# Stops the stack and removes what was built and logged. Books and runs stay,
# unless DATA=1.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

main() {
  "$CHECKOUT/deploy/scripts/stop.sh"
  require_cargo
  cargo clean
  # Named one by one: a wrong BOOKSTORE_STATE_DIR must not cost more than these.
  rm -rf "$BOOKSTORE_STATE_DIR/logs" "$BOOKSTORE_STATE_DIR/pids" "$BOOKSTORE_STATE_DIR/tools" \
    "$BOOKSTORE_STATE_DIR/.run-all.lock"
  if [[ ${DATA:-0} == 1 ]]; then
    rm -rf "$BOOKSTORE_STATE_DIR/data" "$BOOKSTORE_STATE_DIR/runs"
  fi
}

main "$@"
