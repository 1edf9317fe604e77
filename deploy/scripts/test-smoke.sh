#!/usr/bin/env bash
# Runs both Postman collections against the running stack (make run-all) with
# newman, and writes the results as JUnit into the state directory. Every route of
# both services must have a request:
#
#   test-smoke.sh [COLLECTION...]     bookstore-smoke and bookstore without a word
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

readonly NEWMAN=$BOOKSTORE_TOOLS_DIR/newman/node_modules/.bin/newman
readonly RESULTS=$BOOKSTORE_STATE_DIR/postman
# A model may take that long; everything else is far below.
readonly REQUEST_MILLISECONDS=30000 RUN_MILLISECONDS=300000

# unique: a part of names, so that a run meets nothing of one before it.
unique() { node -p 'require("crypto").randomBytes(6).toString("hex")'; }

# new_isbn: valid, and with next to certainty nobody's.
new_isbn() {
  (cd "$CHECKOUT/k6/lib" && node --input-type=module --eval \
    'import { isbn13 } from "./books.js"; console.log(isbn13(Math.random))')
}

# run_collection NAME
run_collection() {
  local mark
  mark=$(unique)
  "$NEWMAN" run "$CHECKOUT/postman/$1.postman_collection.json" \
    --environment "$CHECKOUT/postman/local.postman_environment.json" \
    --env-var "baseUrl=$BOOKSTORE_URL" --env-var "performanceUrl=$PERFORMANCE_URL" \
    --env-var "author=Postman $mark" --env-var "experiment=postman-$mark" --env-var "isbn=$(new_isbn)" \
    --env-var "schedule=postman-$mark" \
    --timeout "$RUN_MILLISECONDS" --timeout-request "$REQUEST_MILLISECONDS" --color off \
    --reporters cli,junit --reporter-junit-export "$RESULTS/$1.xml" \
    --reporter-cli-no-success-assertions --reporter-cli-no-banner
}

main() {
  local collection failed=()
  [[ -x $NEWMAN ]] || fail "newman is missing: deploy/scripts/install-tools.sh test installs it"
  "$CHECKOUT/postman/build.mjs" --check
  mkdir -p "$RESULTS"
  if (($# == 0)); then set -- bookstore-smoke bookstore; fi
  for collection in "$@"; do
    run_collection "$collection" || failed+=("$collection")
  done
  note "JUnit results are in $RESULTS"
  "$CHECKOUT/postman/coverage.mjs" "$BOOKSTORE_URL" "$PERFORMANCE_URL" || failed+=(coverage)
  [[ ${#failed[@]} == 0 ]] || fail "collections failed: ${failed[*]}"
}

main "$@"
