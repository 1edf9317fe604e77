#!/usr/bin/env bash
# Runs the Postman collections and every load suite, scaled down, against a stack
# of its own, holds what they say against the server, and shows that each suite
# fails when a fault is planted. About eleven minutes on two cores.
set -euo pipefail
# shellcheck source=tests/own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/own_stack.sh"
export GUARDED_PORT=$SPARE_PORT GUARDED_URL=http://127.0.0.1:$SPARE_PORT
# shellcheck source=lib/guarded.sh
source "$CHECKOUT/deploy/scripts/lib/guarded.sh"

# Beside the stack, the tokens are removed.
trap 'stop_guarded; finish' EXIT

# suites FILE: of k6/system.
# shellcheck disable=SC2317 # called through expect
suites() { node --test --test-reporter=spec "$CHECKOUT/k6/system/$1.test.js"; }

start_services
export PERF_BINARY=$STACK_BINARIES/perf BOOKSTORE_API_BINARY=$STACK_BINARIES/bookstore-api
start_guarded "$BOOKSTORE_API_BINARY"
expect 'the Postman collections' "$CHECKOUT/deploy/scripts/test-smoke.sh"
expect 'every suite runs' suites suites
expect 'suites tell the truth' suites truth
expect 'every suite can fail' suites faults
exit "$((FAILURES > 0))"
