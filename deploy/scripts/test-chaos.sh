#!/usr/bin/env bash
# Carries out every plan of k6/chaos, small: faults of five seconds, five kills. Shows that a plan
# whose limits do not hold fails, that an API which never comes back is a failed plan and the next
# one goes on, and that an interrupt leaves nothing behind. Each plan has a stack of its own. About
# eight minutes on two cores.
# shellcheck disable=SC2317 # functions are called through expect
set -euo pipefail
# shellcheck source=tests/own_stack.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/own_stack.sh"

readonly PLANS=$CHECKOUT/k6/chaos

chaos() { (cd "$CHECKOUT" && perf chaos "$@"); }

# verdict NAME: that of a plan, by the result that it left.
verdict() {
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["verdict"])' \
    "$STATE/chaos/$1.json" 2>/dev/null || echo 'no result'
}

# holds NAME: shows all of the result when it does not.
holds() {
  local came
  came=$(verdict "$1")
  if [[ $came != PASS ]]; then cat "$STATE/chaos/$1.md" 2>/dev/null || true; fi
  equal "$came" PASS
}

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

# gone FILE: a plan that kills the API.
gone() {
  cat >"$1" <<'PLAN'
question = "What if the API never comes back?"
seconds = 8

[load]
script = "tests/load.js"
users = 1

[[fault]]
name = "API killed"
at = 3
lasts = 1
action = { kill = { process = "api" } }
PLAN
}

# starts_once DIRECTORY: our programs, but that an API which was killed does not start again.
starts_once() {
  mkdir "$1"
  ln -s "$(command -v llm-simulator)" "$(command -v performance-service)" "$1"
  cat >"$1/bookstore-api" <<PROGRAM
#!/usr/bin/env bash
if ! mkdir "\$HOME/started"; then exit 1; fi
exec $(command -v bookstore-api)
PROGRAM
  chmod +x "$1/bookstore-api"
}

# The plan that kills comes first: the other one is carried out all the same.
failures_are_told() {
  local status=0 results=$STATE/failures
  gone "$STATE/gone.toml"
  impossible "$STATE/impossible.toml"
  starts_once "$STATE/once"
  chaos --binaries "$STATE/once" --output "$results" "$STATE/gone.toml" "$STATE/impossible.toml" \
    >/dev/null || status=$?
  expect 'two plans that fail end with 2' equal "$status" 2
  expect 'an API that never comes back fails its plan' \
    grep -q 'the API never came back.*\*\*FAIL\*\*' "$results/gone.md"
  expect 'its writes are not taken for kept' grep -q '^| writes .*\*\*FAIL\*\*' "$results/gone.md"
  expect 'a limit that does not hold fails' \
    grep -q 'cached read, always .*\*\*FAIL\*\*' "$results/impossible.md"
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

# builds_before_it_runs: a program that is there may be older than its source.
builds_before_it_runs() {
  local fake=$STATE/fake
  mkdir -p "$fake/release"
  printf '#!/bin/sh\necho stale\n' >"$fake/release/perf"
  cat >"$fake/cargo" <<PROGRAM
#!/bin/sh
case \$1 in
  metadata) echo '{"target_directory": "$fake"}' ;;
  build) printf '#!/bin/sh\necho fresh\n' >"$fake/release/perf" ;;
esac
PROGRAM
  chmod +x "$fake/cargo" "$fake/release/perf"
  equal fresh "$(env -u STACK_BINARIES PATH="$fake:$PATH" YES=1 PLANS=game-day \
    "$CHECKOUT/deploy/scripts/perf-chaos.sh" 2>/dev/null)"
}

# small PLANS AT_ONCE: plans, one a line; what came is told later, by the results that they leave.
small() {
  (cd "$CHECKOUT" &&
    xargs -d '\n' -n 1 -P "$2" perf chaos --small --output "$STATE/chaos" <<<"$1") >/dev/null || true
}

# all_small: those that need a server of the MongoDB protocol one after the other, since it takes a
# core of two. The others wait more than they work, and so does the game day: two at a time, the
# longest first.
all_small() {
  local plan heavy=() light=("$PLANS/game-day.toml")
  for plan in "$PLANS"/*.toml; do
    if [[ $plan == "${light[0]}" ]]; then continue; fi
    if grep -q '^mongo = true' "$plan"; then heavy+=("$plan"); else light+=("$plan"); fi
  done
  small "$(printf '%s\n' "${light[@]}")" 2
  small "$(printf '%s\n' "${heavy[@]}")" 1
}

find_services
expect 'every plan can be used' chaos --check "$PLANS"/*.toml
expect 'programs that are there are built anew' builds_before_it_runs
failures_are_told
expect 'an interrupt leaves nothing behind' leaves_nothing_at_an_interrupt
all_small
for plan in "$PLANS"/*.toml; do
  name=$(basename "$plan" .toml)
  expect "$name holds" holds "$name"
done
exit "$((FAILURES > 0))"
