#!/usr/bin/env bash
# Puts the sample books and authors into the store; a second call changes nothing.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

main() {
  local answer status
  answer=$(curl --silent --show-error --max-time 30 --request POST --write-out '\n%{http_code}' \
    "$BOOKSTORE_URL/seed-data" 2>&1) || fail "the BookStore API does not answer: ${answer%%$'\n'*} (make run-all)"
  status=${answer##*$'\n'}
  [[ $status == 200 ]] || fail "POST $BOOKSTORE_URL/seed-data answered $status: ${answer%$'\n'*}"
  printf '%s\n' "${answer%$'\n'*}"
}

main "$@"
