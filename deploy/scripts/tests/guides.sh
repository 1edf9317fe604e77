#!/usr/bin/env bash
# The commands of the guides, and the demo, against an API, a simulator and a
# performance service of their own on free ports: every command must succeed, every reply too.
# shellcheck disable=SC2317 # functions are called by the guides and the trap
set -euo pipefail
STATE=$(mktemp -d)
export BOOKSTORE_STATE_DIR=$STATE ENV_FILE=/dev/null
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The tools are those of the checkout, whatever the state directory.
export BOOKSTORE_TOOLS_DIR=${BOOKSTORE_TOOLS_DIR:-$here/../../../.bookstore/tools}

# Four at once, so that they differ.
free_ports() {
  python3 -c 'import socket
sockets = [socket.socket() for _ in range(4)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])'
}

read -r api_port simulator_port performance_port RECORDER_PORT < <(free_ports)
export BOOKSTORE_HTTP_ADDR=127.0.0.1:$api_port SIMULATOR_HTTP_ADDR=127.0.0.1:$simulator_port
export PERFORMANCE_HTTP_ADDR=127.0.0.1:$performance_port
# shellcheck source=../lib/settings.sh
source "$here/../lib/settings.sh"
# shellcheck source=../lib/process.sh
source "$here/../lib/process.sh"
# shellcheck source=../lib/port.sh
source "$here/../lib/port.sh"
# shellcheck source=../lib/parts.sh
source "$here/../lib/parts.sh"
# shellcheck source=../lib/cargo.sh
source "$here/../lib/cargo.sh"
# shellcheck source=../lib/service-settings.sh
source "$here/../lib/service-settings.sh"
# shellcheck source=expect.sh
source "$here/expect.sh"

# Nobody's own keys, models and stores are used.
unset "${LLM_KEYS[@]}" "${LLM_KEY_FILES[@]}" OLLAMA_HOST LMSTUDIO_BASE_URL BOOKSTORE_SIMULATED_PROVIDERS
unset REDIS_URL REDIS_URL_FILE MONGODB_URI MONGODB_URI_FILE BOOKSTORE_PRICES
unset PERFORMANCE_STATE_DIR PERFORMANCE_TARGETS PERFORMANCE_SCRIPTS_DIR PERFORMANCE_TOKEN GITHUB_STEP_SUMMARY

readonly READY_SECONDS=60

trap finish EXIT
finish() {
  local part
  for part in server performance-service bookstore-api llm-simulator; do
    if [[ -f $PIDS/$part.pid ]]; then stop_process "$part" 40 >/dev/null; fi
  done
  rm -rf "$STATE"
}

# ready NAME URL: fails when the process ends or stays silent.
ready() {
  local deadline=$((SECONDS + READY_SECONDS))
  until answers_http "$2/health/ready"; do
    if ! recorded_pid "$1" >/dev/null || ((SECONDS >= deadline)); then
      show_log "$1" 20
      return 1
    fi
    sleep 0.1
  done
}

start_stack() {
  local target
  require_cargo
  # As `make test` builds, so that nothing is built a second time.
  cargo test --workspace --locked --no-run --lib --bins --tests
  target=$(target_directory)
  export PATH=$target/debug:$PATH
  choose_providers "$SIMULATOR_URL"
  start_process llm-simulator llm-simulator
  ready llm-simulator "$SIMULATOR_URL" || fail 'the simulator does not start'
  LLM_PROVIDER=claude LLM_FALLBACK=openai,ollama start_process bookstore-api bookstore-api
  ready bookstore-api "$BOOKSTORE_URL" || fail 'the API does not start'
  performance_settings
  start_process performance-service performance-service
  ready performance-service "$PERFORMANCE_URL" || fail 'the performance service does not start'
}

# serves COMMAND...: it runs, answers, and ends when it is asked to.
serves() {
  SIMULATOR_HTTP_ADDR=127.0.0.1:$RECORDER_PORT start_process server "$@"
  ready server "http://127.0.0.1:$RECORDER_PORT"
  stop_process server 15
}

# curl ARGUMENTS...: as in the guides, but a refusal is a failure. Our own polls say so themselves.
curl() {
  if [[ $1 == --fail ]]; then
    command curl "$@"
  else
    command curl --fail-with-body --max-time 60 "$@"
  fi
}

# guide FILE: its commands in one shell, in a directory of their own.
guide() {
  local script log=$STATE/guide.log
  script=$(python3 "$here/guide_commands.py" "$CHECKOUT/docs/$1") || return 1
  script=${script//http:\/\/127.0.0.1:7002/$BOOKSTORE_URL}
  script=${script//http:\/\/127.0.0.1:7010/$SIMULATOR_URL}
  mkdir -p "$STATE/work"
  ln -sfn "$CHECKOUT/crates" "$STATE/work/crates"
  ln -sfn "$CHECKOUT/k6" "$STATE/work/k6"
  export -f serves curl ready start_process stop_process recorded_pid alive process_stat \
    process_gone end_session answers_http show_log note fail
  export PIDS LOGS READY_SECONDS RECORDER_PORT
  if ! (cd "$STATE/work" && bash -x -euo pipefail -c "$script") >"$log" 2>&1; then
    tail -n 40 "$log"
    return 1
  fi
}

start_stack
for name in simulator.md llm.md experiments.md performance-testing.md slo.md; do
  expect "the commands of docs/$name" guide "$name"
done
for time in first second; do
  expect "the demo, the $time time" "$CHECKOUT/deploy/scripts/demo-llm.sh"
done
exit "$((FAILURES > 0))"
