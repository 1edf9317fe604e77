#!/usr/bin/env bash
# Carries out every plan of k6/chaos, small: faults of five seconds, five kills. Shows that a plan
# whose limits do not hold fails, and that an interrupt leaves nothing behind. Each plan has a
# stack of its own. About ten minutes on two cores.
# shellcheck disable=SC2317 # functions are called through expect
set -euo pipefail
# shellcheck source=tests/own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/own_stack.sh"

readonly PLANS=$CHECKOUT/k6/chaos

chaos() { (cd "$CHECKOUT" && perf chaos "$@"); }

# small NAME: a plan holds.
small() { chaos --small --output "$STATE/chaos" "$PLANS/$1.toml"; }

# impossible FILE: a plan that no system can satisfy.
impossible() {
  cat >"$1" <<'PLAN'
question = "Is a cached read answered in no time?"
seconds = 5

[load]
script = "tests/load.js"
users = 1

[[expect]]
during = "always"
probe = "cached read"
status = [200]
max_ms = 0
PLAN
}

fails_by_its_limit() {
  local status=0
  impossible "$STATE/impossible.toml"
  chaos "$STATE/impossible.toml" >"$STATE/impossible.md" || status=$?
  [[ $status == 2 ]] && grep -q 'cached read, always .*\*\*FAIL\*\*' "$STATE/impossible.md"
}

# programs_of DIRECTORY: the processes that work in it, also when it is gone.
programs_of() { find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$1/*" 2>/dev/null || true; }

leaves_nothing_at_an_interrupt() {
  local temporary=$STATE/interrupted pid status=0 deadline=$((SECONDS + 60))
  mkdir "$temporary"
  (cd "$CHECKOUT" && exec env TMPDIR="$temporary" perf chaos "$PLANS/f01-store-killed.toml") &>"$STATE/interrupted.log" &
  pid=$!
  until grep -q 'load is on' "$STATE/interrupted.log"; do
    if ((SECONDS >= deadline)); then return 1; fi
    sleep 0.2
  done
  kill -INT "$pid"
  wait "$pid" || status=$?
  [[ $status == 3 ]] || return 1
  [[ -z $(programs_of "$temporary") ]] || return 1
  [[ -z $(ls -A "$temporary") ]]
}

find_services
expect 'every plan can be used' chaos --check "$PLANS"/*.toml
expect 'a limit that does not hold fails' fails_by_its_limit
expect 'an interrupt leaves nothing behind' leaves_nothing_at_an_interrupt
for plan in "$PLANS"/*.toml; do
  name=$(basename "$plan" .toml)
  expect "$name holds" small "$name"
done
exit "$((FAILURES > 0))"
