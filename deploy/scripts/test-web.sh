#!/usr/bin/env bash
# Runs the pages of the performance service in Debian's Chromium: real services,
# real k6. WEB_TESTS_SCREENSHOTS=DIRECTORY keeps a picture of every page,
# WEB_TESTS_KEEP=1 the state and the logs.
set -euo pipefail
export ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"
# shellcheck source=lib/web.sh
source "$CHECKOUT/deploy/scripts/lib/web.sh"

main() {
  if [[ -n ${WEB_TESTS_SCREENSHOTS:-} ]]; then mkdir -p "$WEB_TESTS_SCREENSHOTS"; fi
  prepare_web
  cd "$CHECKOUT/deploy/web-tests"
  node --test --test-reporter=spec web.test.js
}

main "$@"
