# shellcheck shell=bash
# For tests that need a stack: processes of their own on free ports, in a state
# directory that goes with them. Whoever sources this sets nothing before.
# shellcheck disable=SC2034 # what is set here is used by those who source it
STATE=$(mktemp -d)
export BOOKSTORE_STATE_DIR=$STATE ENV_FILE=/dev/null
TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The tools are those of the checkout, whatever the state directory.
export BOOKSTORE_TOOLS_DIR=${BOOKSTORE_TOOLS_DIR:-$TESTS/../../../.bookstore/tools}

# free_ports COUNT: so many at once, so that they differ.
free_ports() {
  python3 -c 'import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])' "$1"
}

read -r api_port simulator_port performance_port SPARE_PORT < <(free_ports 4)
export BOOKSTORE_HTTP_ADDR=127.0.0.1:$api_port SIMULATOR_HTTP_ADDR=127.0.0.1:$simulator_port
export PERFORMANCE_HTTP_ADDR=127.0.0.1:$performance_port
# shellcheck source=../lib/settings.sh
source "$TESTS/../lib/settings.sh"
# shellcheck source=../lib/process.sh
source "$TESTS/../lib/process.sh"
# shellcheck source=../lib/port.sh
source "$TESTS/../lib/port.sh"
# shellcheck source=../lib/parts.sh
source "$TESTS/../lib/parts.sh"
# shellcheck source=../lib/cargo.sh
source "$TESTS/../lib/cargo.sh"
# shellcheck source=../lib/service-settings.sh
source "$TESTS/../lib/service-settings.sh"
# shellcheck source=expect.sh
source "$TESTS/expect.sh"

# Nobody's own keys, models and stores are used.
unset "${LLM_KEYS[@]}" "${LLM_KEY_FILES[@]}" OLLAMA_HOST LMSTUDIO_BASE_URL BOOKSTORE_SIMULATED_PROVIDERS
unset REDIS_URL REDIS_URL_FILE MONGODB_URI MONGODB_URI_FILE BOOKSTORE_PRICES
unset PERFORMANCE_STATE_DIR PERFORMANCE_TARGETS PERFORMANCE_SCRIPTS_DIR PERFORMANCE_TOKEN GITHUB_STEP_SUMMARY

readonly READY_SECONDS=60

trap finish EXIT
finish() {
  local file
  for file in "$PIDS"/*.pid; do
    if [[ -f $file ]]; then stop_process "$(basename "$file" .pid)" 40 >/dev/null; fi
  done
  rm -rf "$STATE"
}

# ready NAME URL: fails when the process ends or does not answer with 2xx.
ready() {
  local deadline=$((SECONDS + READY_SECONDS))
  until answers_http "$2"; do
    if ! recorded_pid "$1" >/dev/null || ((SECONDS >= deadline)); then
      show_log "$1" 20
      return 1
    fi
    sleep 0.1
  done
}

# find_services: on PATH, those of STACK_BINARIES, else built.
find_services() {
  if [[ -z ${STACK_BINARIES:-} ]]; then
    require_cargo
    build_programs
    STACK_BINARIES=$(target_directory)/debug
  fi
  export PATH=$STACK_BINARIES:$PATH
}

# start_services: the simulator, the API and the performance service.
start_services() {
  find_services
  choose_providers "$SIMULATOR_URL"
  start_process llm-simulator llm-simulator
  ready llm-simulator "$SIMULATOR_URL/health/ready" || fail 'the simulator does not start'
  LLM_PROVIDER=claude start_process bookstore-api bookstore-api
  ready bookstore-api "$BOOKSTORE_URL/health/ready" || fail 'the API does not start'
  performance_settings
  start_process performance-service performance-service
  ready performance-service "$PERFORMANCE_URL/health/ready" || fail 'the performance service does not start'
}

# curl ARGUMENTS...: as in the guides, but a refusal is a failure. Our own polls say so themselves.
curl() {
  if [[ $1 == --fail ]]; then
    command curl "$@"
  else
    command curl --fail-with-body --max-time 60 "$@"
  fi
}

# guide FILE: its commands in one shell, in a directory of their own, with the
# addresses of this stack.
guide() {
  local script log=$STATE/guide.log
  script=$(python3 "$TESTS/guide_commands.py" "$CHECKOUT/docs/$1") || return 1
  script=${script//http:\/\/127.0.0.1:7002/$BOOKSTORE_URL}
  script=${script//http:\/\/127.0.0.1:7004/$PERFORMANCE_URL}
  script=${script//http:\/\/127.0.0.1:7010/$SIMULATOR_URL}
  script=${script//http:\/\/127.0.0.1:9090/$PROMETHEUS_URL}
  script=${script//http:\/\/127.0.0.1:9093/$ALERTMANAGER_URL}
  script=${script//http:\/\/127.0.0.1:16686/$JAEGER_URL}
  mkdir -p "$STATE/work"
  ln -sfn "$CHECKOUT/crates" "$STATE/work/crates"
  ln -sfn "$CHECKOUT/k6" "$STATE/work/k6"
  ln -sfn "$CHECKOUT/Makefile" "$STATE/work/Makefile"
  ln -sfn "$CHECKOUT/deploy" "$STATE/work/deploy"
  ln -sfn "$STATE" "$STATE/work/.bookstore"
  export -f curl ready start_process stop_process recorded_pid alive process_stat \
    process_gone end_session answers_http show_log note fail
  export PIDS LOGS READY_SECONDS
  if ! (cd "$STATE/work" && bash -x -euo pipefail -c "$script") >"$log" 2>&1; then
    tail -n 40 "$log"
    return 1
  fi
}
