#!/usr/bin/env bash
# Every version stands in deploy/versions.env; what repeats it must agree.
set -euo pipefail
export ENV_FILE=/dev/null
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/settings.sh
source "$here/../lib/settings.sh"
# shellcheck source=expect.sh
source "$here/expect.sh"

# pinned TOOL MODULE VERSION: go.mod requires exactly that version, and go.sum
# knows its content.
pinned() {
  local module=$CHECKOUT/deploy/tools/$1
  expect "$1 is pinned to $3" grep -Eq "^(require|[[:space:]])*$2 $3( |$)" "$module/go.mod"
  expect "$1 has a checksum" grep -Fq "$2 $3 h1:" "$module/go.sum"
}

# same_default NAME FILE...: where NAME has a default, it is that of versions.env.
same_default() {
  local name=$1 file found
  shift
  for file in "$@"; do
    while read -r found; do
      expect "$name in ${file#"$CHECKOUT/"}" equal "$found" "${!name}"
    done < <(sed -nE "s/.*\\\$\{$name:-([^}]*)\}.*/\1/p; s/^ARG $name=(.*)/\1/p" "$file")
  done
}

pinned k6-v2 go.k6.io/k6/v2 "$K6_VERSION"
pinned k6-v1 go.k6.io/k6 "$K6_V1_VERSION"
pinned jaeger github.com/jaegertracing/jaeger "$JAEGER_VERSION"
pinned ferretdb github.com/FerretDB/FerretDB "$FERRETDB_VERSION"
pinned docker-compose github.com/docker/compose/v2 "$DOCKER_COMPOSE_VERSION"

# pinned_package TOOL PACKAGE VERSION: package.json wants exactly that version, and the lock file
# knows the content of everything.
pinned_package() {
  local module=$CHECKOUT/deploy/tools/$1
  expect "$2 is pinned to $3" grep -Fq "\"$2\": \"$3\"" "$module/package.json"
  expect "$2 and what it needs have checksums" equal \
    "$(grep -c '"version"' "$module/package-lock.json")" "$(grep -c '"integrity"' "$module/package-lock.json")"
}

pinned_package newman newman "$NEWMAN_VERSION"
pinned_package typescript typescript "$TYPESCRIPT_VERSION"
pinned_package eslint eslint "$ESLINT_VERSION"
pinned_package web playwright-core "$PLAYWRIGHT_VERSION"
pinned_package web axe-core "$AXE_VERSION"

compose=$CHECKOUT/docker-compose.perf.yml
for name in MONGO_IMAGE REDIS_IMAGE JAEGER_IMAGE ASPIRE_IMAGE PROMETHEUS_IMAGE ALERTMANAGER_IMAGE GRAFANA_IMAGE; do
  expect "$name has a default in the compose file" grep -Fq "\${$name:-" "$compose"
  same_default "$name" "$compose"
done
for name in BUILDER_BASE RUNTIME_BASE GO_BASE; do
  same_default "$name" "$compose" "$CHECKOUT"/deploy/images/*.Dockerfile
done
expect 'the Rust of the images is the one of rust-toolchain.toml' contains "$BUILDER_BASE" \
  "rust:$(sed -nE 's/^channel = "([0-9.]+)"/\1/p' "$CHECKOUT/rust-toolchain.toml")"

# The lock file of the fuzz targets: what the workspace locks too has the same version there.
other_versions() {
  awk '/^name = / { name = $3 }
    /^version = / && NR == FNR { known[name] = known[name] " " $3 }
    /^version = / && NR != FNR && (name in known) && !index(known[name], $3) { print name, $3 }' \
    "$CHECKOUT/Cargo.lock" "$CHECKOUT/crates/llm/fuzz/Cargo.lock"
}
expect 'the fuzz targets have the versions of the workspace' equal "$(other_versions)" ''

# Actions of the workflows: a full commit id and the version beside it.
while IFS=: read -r file line use; do
  expect "${file##*/}:$line is pinned by commit" \
    grep -Eq 'uses: +([a-zA-Z0-9._/-]+@[0-9a-f]{40} # v[0-9.]+|\./)' <<<"$use"
done < <(grep -nE 'uses:' "$CHECKOUT"/.github/workflows/*.yml /dev/null)
exit "$((FAILURES > 0))"
