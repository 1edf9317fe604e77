#!/usr/bin/env bash
# Runs the tests of the workspace: test.sh all|unit. "all" installs the tools
# and runs everything; "unit" runs the tests inside the crates, which need no server.
set -euo pipefail
ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

all() {
  "$CHECKOUT/deploy/scripts/install-tools.sh" runtime test
  test_environment
  # --no-fail-fast shows every failure in one run. There are no examples in the documentation.
  cargo test --workspace --locked --no-fail-fast --lib --bins --tests
}

main() {
  require_cargo
  case ${1:-all} in
    all) all ;;
    unit) cargo test --workspace --locked --no-fail-fast --lib --exclude test-support ;;
    *) fail "unknown tests \"$1\": all or unit" ;;
  esac
}

main "$@"
