# shellcheck shell=bash
# What every script that builds needs.

require_cargo() {
  command -v cargo >/dev/null || fail "cargo is missing: install Rust with https://rustup.rs"
  cd "$CHECKOUT" || fail "$CHECKOUT cannot be entered"
}

# target_directory: asked, since cargo's own configuration may name another one.
target_directory() {
  cargo metadata --no-deps --locked --format-version 1 |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])'
}

# test_tools: where the tests find what install-tools.sh placed.
test_tools() {
  export PERFORMANCE_K6=${PERFORMANCE_K6:-$BOOKSTORE_TOOLS_DIR/bin/k6}
  export PERFORMANCE_K6_V1=${PERFORMANCE_K6_V1:-$BOOKSTORE_TOOLS_DIR/bin/k6-v1}
}
