#!/usr/bin/env bash
# Checks format, clippy, shell scripts and dependencies. The advisory database
# comes from the network, so it is asked in hosted CI only: ADVISORIES=1.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

main() {
  local checks=(bans licenses sources)
  require_cargo
  if [[ ${ADVISORIES:-0} == 1 ]]; then checks+=(advisories); fi
  cargo fmt --all -- --check
  cargo fmt --manifest-path crates/llm/fuzz/Cargo.toml -- --check
  cargo clippy --workspace --all-targets --features llm/fuzzing,load-runner/container-tests --locked -- -D warnings
  "$CHECKOUT/deploy/scripts/install-tools.sh" lint
  "$CHECKOUT/deploy/scripts/check-scripts.sh"
  "$BOOKSTORE_TOOLS_DIR/bin/cargo-deny" --locked check --hide-inclusion-graph "${checks[@]}"
}

main "$@"
