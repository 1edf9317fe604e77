#!/usr/bin/env bash
# Runs the tests of k6 in containers, with a Docker engine that they start
# themselves: files, socket and containers of its own. That takes root.
set -euo pipefail
export ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

main() {
  require_cargo
  [[ $(id -u) == 0 ]] ||
    fail 'a container engine starts as root only: run this as root, or in a privileged container'
  "$CHECKOUT/deploy/scripts/install-tools.sh" runtime containers
  test_environment
  export BOOKSTORE_TOOLS_DIR
  cargo test --locked --workspace --features load-runner/container-tests --test load_runner containers:: "$@"
}

main "$@"
