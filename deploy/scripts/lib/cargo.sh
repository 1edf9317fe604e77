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

# build_programs: as `make test` builds, so that nothing is built a second time: without the tests
# the packages below have other features.
build_programs() {
  cargo test --workspace --locked --no-run --lib --bins --tests
}

# test_environment: where the tests find what install-tools.sh placed, and none of the services'
# own settings, which must not leak from this shell into the tests.
test_environment() {
  export PERFORMANCE_K6=${PERFORMANCE_K6:-$BOOKSTORE_TOOLS_DIR/bin/k6}
  export PERFORMANCE_K6_V1=${PERFORMANCE_K6_V1:-$BOOKSTORE_TOOLS_DIR/bin/k6-v1}
  unset BOOKSTORE_STATE_DIR BOOKSTORE_HTTP_ADDR PERFORMANCE_HTTP_ADDR SIMULATOR_HTTP_ADDR
}
