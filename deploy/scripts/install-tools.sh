#!/usr/bin/env bash
# Installs what the project needs beside the toolchains. For each tool: what is
# on PATH in a good version is taken; else it is installed; else one line says
# what to do.
#
#   install-tools.sh [runtime] [test] [lint] [containers] [packages]
#
#   runtime     Redis, Prometheus, Alertmanager, Jaeger and both k6: what `make run-all` starts
#   test        FerretDB, docker-compose, shellcheck, newman, TypeScript, ESLint, Chromium
#               and what drives it: what the tests add
#   lint        shellcheck and cargo-deny
#   containers  a Docker engine, unpacked beside the other tools, for its own tests
#   packages    only the Debian packages of all of these (the part that needs root)
#
# Without a word: runtime. Tools land in ${BOOKSTORE_STATE_DIR}/tools/bin; built
# ones are kept in ${XDG_CACHE_HOME:-~/.cache}/bookstore/tools too, so that the
# next clone copies them (BOOKSTORE_TOOLS_CACHE=off builds anew).
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/versions.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/versions.sh"
# shellcheck source=lib/packages.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/packages.sh"
# shellcheck source=lib/go-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/go-tools.sh"
# shellcheck source=lib/node-tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/node-tools.sh"

readonly RUNTIME_PACKAGES=(redis-server prometheus prometheus-alertmanager)
readonly TEST_PACKAGES=(shellcheck chromium)

# Debian packages of a Docker engine, and what the tests take from them.
readonly ENGINE_PACKAGES=(docker.io containerd runc)
readonly ENGINE_PROGRAMS=(dockerd containerd containerd-shim-runc-v2 runc)

install_runtime() {
  require_packages "${RUNTIME_PACKAGES[@]}"
  require_go_tool k6 k6-v2 go.k6.io/k6/v2 "$K6_VERSION"
  require_go_tool k6-v1 k6-v1 go.k6.io/k6 "$K6_V1_VERSION"
  require_go_tool jaeger jaeger github.com/jaegertracing/jaeger/cmd/jaeger "$JAEGER_VERSION" \
    "-X github.com/jaegertracing/jaeger/pkg/version.latestVersion=$JAEGER_VERSION"
}

install_test() {
  require_packages "${TEST_PACKAGES[@]}"
  require_go_tool ferretdb ferretdb . "$FERRETDB_VERSION"
  require_go_tool docker-compose docker-compose github.com/docker/compose/v2/cmd \
    "$DOCKER_COMPOSE_VERSION" "-X github.com/docker/compose/v2/internal.Version=$DOCKER_COMPOSE_VERSION"
  require_node_tool newman
  require_node_tool typescript
  require_node_tool eslint
  require_node_tool web
}

# cargo-deny is no part of `make test`: it compiles for minutes, once, and only
# who lints needs it.
install_lint() {
  require_packages shellcheck
  local deny=$BOOKSTORE_TOOLS_DIR/bin/cargo-deny
  if [[ -x $deny && $(version_of cargo-deny "$deny") == "$CARGO_DENY_VERSION" ]]; then
    return
  fi
  if restore_from_cache cargo-deny "$CARGO_DENY_VERSION" "$CARGO_DENY_VERSION"; then
    return
  fi
  command -v cargo >/dev/null || fail "cargo is missing: install Rust with https://rustup.rs"
  note "building cargo-deny $CARGO_DENY_VERSION (some minutes, once)"
  local work
  work=$(mktemp -d)
  CARGO_TARGET_DIR=$work/target cargo install --quiet --locked --root "$work/root" \
    --version "$CARGO_DENY_VERSION" cargo-deny
  publish cargo-deny "$work/root/bin/cargo-deny" "$CARGO_DENY_VERSION" "$CARGO_DENY_VERSION"
  rm -rf "$work"
}

# install_containers: unpacked, not installed: an engine of the system's own stays
# as it is, and none is started.
install_containers() {
  local work program missing=()
  for program in "${ENGINE_PROGRAMS[@]}"; do
    [[ -x $BOOKSTORE_TOOLS_DIR/bin/$program ]] || missing+=("$program")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if ! command -v apt-get dpkg >/dev/null; then
    fail "put ${ENGINE_PROGRAMS[*]} into $BOOKSTORE_TOOLS_DIR/bin: Docker's static archive has them"
  fi
  note "unpacking ${ENGINE_PACKAGES[*]}"
  work=$(mktemp -d)
  # Its own user cannot write there, and it says so.
  (cd "$work" && apt-get -qq -o Acquire::Retries=3 download "${ENGINE_PACKAGES[@]}" 2>/dev/null) ||
    fail "${ENGINE_PACKAGES[*]} cannot be downloaded: apt-get update, then again"
  for program in "$work"/*.deb; do dpkg --extract "$program" "$work/root"; done
  for program in "${missing[@]}"; do
    cp "$(find "$work/root" -type f -name "$program" -perm -100 | head -n 1)" \
      "$BOOKSTORE_TOOLS_DIR/bin/.$program.$$"
    mv "$BOOKSTORE_TOOLS_DIR/bin/.$program.$$" "$BOOKSTORE_TOOLS_DIR/bin/$program"
  done
  rm -rf "$work"
}

# lock_tools: two callers at once would build the same tool twice into the same
# place.
lock_tools() {
  mkdir -p "$BOOKSTORE_TOOLS_DIR/bin"
  exec 9>"$BOOKSTORE_TOOLS_DIR/.lock"
  flock 9
}

main() {
  local part
  for part in "${@:-runtime}"; do
    case $part in
      runtime)
        lock_tools
        install_runtime
        ;;
      test)
        lock_tools
        install_test
        ;;
      lint)
        lock_tools
        install_lint
        ;;
      containers)
        lock_tools
        install_containers
        ;;
      # Often run by sudo: it leaves nothing of root's in the state directory.
      packages) require_packages "${RUNTIME_PACKAGES[@]}" "${TEST_PACKAGES[@]}" ;;
      *) fail "unknown part \"$part\": runtime, test, lint, containers or packages" ;;
    esac
  done
}

main "$@"
