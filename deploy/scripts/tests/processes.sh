#!/usr/bin/env bash
# Tests of the process and port functions, with a real Redis on a free port.
# shellcheck disable=SC2317 # functions are called through expect and the trap
set -euo pipefail
STATE=$(mktemp -d)
export BOOKSTORE_STATE_DIR=$STATE/state ENV_FILE=/dev/null
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/settings.sh
source "$here/../lib/settings.sh"
# shellcheck source=../lib/process.sh
source "$here/../lib/process.sh"
# shellcheck source=../lib/port.sh
source "$here/../lib/port.sh"
# shellcheck source=expect.sh
source "$here/expect.sh"

trap finish EXIT
finish() {
  local file
  for file in "$PIDS"/*.pid; do
    if [[ -f $file ]]; then stop_process "$(basename "$file" .pid)" 5; fi
  done
  rm -rf "$STATE"
}

# within SECONDS COMMAND...: polls until it succeeds.
within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

# is_gone PID: ended, reaped or not.
is_gone() { [[ ! -e /proc/$1 || $(process_stat "$1" 3) == [ZX] ]]; }

started_process_is_known_and_ends() {
  local port pid
  port=$(free_port)
  refuse 'nobody holds a free port' port_holder "$port"
  start_process redis redis-server --bind 127.0.0.1 --port "$port" --save ''
  expect 'the started Redis answers' within 10 answers_redis 127.0.0.1 "$port"
  pid=$(recorded_pid redis)
  expect 'the holder of the port is named' contains "$(port_holder "$port")" "$pid redis-server"
  stop_process redis 10
  expect 'the stopped process is gone' is_gone "$pid"
  refuse 'its record is gone too' recorded_pid redis
  refuse 'and nobody answers' answers_redis 127.0.0.1 "$port"
}

not_recorded() { ! recorded_pid "$1"; }

a_process_that_ends_at_once_is_not_alive() {
  start_process missing /nowhere/at-all
  expect 'a program that is not there does not run' within 5 not_recorded missing
  stop_process missing 5
  refuse 'its record is gone' test -e "$PIDS/missing.pid"
}

a_recycled_pid_is_left_alone() {
  # This shell is the innocent process that got the number of an ended part.
  mkdir -p "$PIDS"
  printf '%s 1\n' "$$" >"$PIDS/bystander.pid"
  refuse 'another start time is another process' recorded_pid bystander
  stop_process bystander 1
  expect 'stopping the part does not end it' alive "$$" "$(process_stat "$$" 22)"
}

a_deaf_process_is_killed() {
  local pid
  start_process deaf bash -c 'trap "" TERM; echo ready; while :; do sleep 1; done'
  expect 'the deaf process runs' within 5 grep -q ready "$LOGS/deaf.log"
  pid=$(recorded_pid deaf)
  stop_process deaf 1 2>"$STATE/said"
  expect 'it is gone' is_gone "$pid"
  expect 'and that it took a SIGKILL is said' contains "$(<"$STATE/said")" SIGKILL
}

orphans_end_with_their_leader() {
  local pid child
  start_process parent bash -c 'sleep 300 & echo $!; wait'
  expect 'the parent has a child' within 5 test -s "$LOGS/parent.log"
  child=$(<"$LOGS/parent.log")
  pid=$(recorded_pid parent)
  kill -KILL "$pid"
  expect 'the parent is gone' within 5 is_gone "$pid"
  stop_process parent 1 2>/dev/null
  expect 'its child is ended as well' within 5 is_gone "$child"
}

a_taken_port_stops_run_all() {
  local port said status=0
  port=$(free_port)
  start_process squatter python3 -m http.server --bind 127.0.0.1 "$port"
  expect 'somebody else listens' within 10 accepts 127.0.0.1 "$port"
  said=$(RUN_MODE=native BOOKSTORE_STATE_DIR=$STATE/other BOOKSTORE_HTTP_ADDR=127.0.0.1:$port \
    "$CHECKOUT/deploy/scripts/run-all.sh" 2>&1) || status=$?
  expect 'run-all fails' test "$status" -ne 0
  expect 'and names port, part and holder' grep -Eq \
    "port $port, which bookstore-api needs, is held by process $(recorded_pid squatter) .*http\.server" <<<"$said"
  refuse 'before it starts anything' test -e "$STATE/other/pids"
  expect 'and stop finds nothing to end' equal \
    "$(BOOKSTORE_STATE_DIR=$STATE/other "$CHECKOUT/deploy/scripts/stop.sh")" 'Nothing was running.'
}

env_files_are_read_not_run() {
  local file=$STATE/env
  # shellcheck disable=SC2016 # the file holds the dollar as it is
  printf '# comment\nPLAIN=one two\nQUOTED="a b"\nTRAP=$(touch %s/ran)\nTAKEN=file\nEMPTY=\n' "$STATE" >"$file"
  TAKEN=environment
  load_env_file "$file"
  expect 'a plain value' equal "${PLAIN:-}" 'one two'
  expect 'a quoted value' equal "${QUOTED:-}" 'a b'
  refuse 'nothing in it is run' test -e "$STATE/ran"
  expect 'the environment wins' equal "$TAKEN" environment
  printf 'no assignment\n' >"$file"
  expect 'a bad line is named' contains "$( (load_env_file "$file") 2>&1)" ':1: expected KEY=VALUE'
}

started_process_is_known_and_ends
a_process_that_ends_at_once_is_not_alive
a_recycled_pid_is_left_alone
a_deaf_process_is_killed
orphans_end_with_their_leader
a_taken_port_stops_run_all
env_files_are_read_not_run
exit "$((FAILURES > 0))"
