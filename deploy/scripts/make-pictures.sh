#!/usr/bin/env bash
# Makes the pictures of the README anew from the pages as they are: real services,
# five runs for a baseline and one beside it, some six minutes.
set -euo pipefail
export ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"
# shellcheck source=lib/web.sh
source "$CHECKOUT/deploy/scripts/lib/web.sh"

main() {
  prepare_web
  cd "$CHECKOUT/deploy/web-tests"
  node pictures.js "$CHECKOUT/docs/images"
}

main "$@"
