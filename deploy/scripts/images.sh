#!/usr/bin/env bash
# Builds the three images. RUNTIME_BASE and BUILDER_BASE replace the base
# images, TAG the tag.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/compose.sh
source "$CHECKOUT/deploy/scripts/lib/compose.sh"

main() {
  local service base arguments=()
  docker_answers || fail "no Docker engine answers: install one, or run the stack natively (make run-all)"
  for base in RUNTIME_BASE BUILDER_BASE GO_BASE; do
    if [[ -n ${!base:-} ]]; then arguments+=(--build-arg "$base=${!base}"); fi
  done
  for service in llm-simulator bookstore-api performance-service; do
    docker build "${arguments[@]}" --file "$CHECKOUT/deploy/images/$service.Dockerfile" \
      --tag "bookstore/$service:${TAG:-local}" "$CHECKOUT"
  done
}

main "$@"
