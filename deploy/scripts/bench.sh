#!/usr/bin/env bash
# Measures the speed of the release build; FILTER picks benches by name.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

main() {
  local filter=()
  require_cargo
  "$CHECKOUT/deploy/scripts/install-tools.sh" runtime
  test_tools
  if [[ -n ${FILTER:-} ]]; then filter=(-- "$FILTER"); fi
  # Unit tests are benches too for cargo unless the kind is named.
  cargo bench --workspace --locked --benches "${filter[@]}"
}

main "$@"
