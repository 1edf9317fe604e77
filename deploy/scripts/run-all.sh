#!/usr/bin/env bash
# Starts the whole stack in the background, waits until each part is ready,
# prints one table of addresses, and returns. A second call starts only what is
# missing. RUN_MODE: auto (containers when a Docker engine answers), native or
# docker.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/process.sh
source "$CHECKOUT/deploy/scripts/lib/process.sh"
# shellcheck source=lib/port.sh
source "$CHECKOUT/deploy/scripts/lib/port.sh"
# shellcheck source=lib/parts.sh
source "$CHECKOUT/deploy/scripts/lib/parts.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"
# shellcheck source=lib/compose.sh
source "$CHECKOUT/deploy/scripts/lib/compose.sh"
# shellcheck source=lib/service-settings.sh
source "$CHECKOUT/deploy/scripts/lib/service-settings.sh"
# shellcheck source=lib/alerting.sh
source "$CHECKOUT/deploy/scripts/lib/alerting.sh"

# A busy machine of two cores starts each part within a few seconds.
readonly READY_SECONDS=60
# Containers also pull their images and build ours the first time.
readonly COMPOSE_SECONDS=1800
readonly LOG_LINES=20

declare -A FOUND=()

# refuse_taken_ports: before anything starts or builds.
refuse_taken_ports() {
  local part port holder taken=0
  for part in $(native_parts); do
    if [[ -n ${FOUND[$part]:-} ]]; then continue; fi
    for port in $(part_ports "$part"); do
      if holder=$(port_holder "$port"); then
        note "error: port $port, which $part needs, is held by process $holder"
        taken=1
      fi
    done
  done
  [[ $taken == 0 ]] || fail "end the processes above, or set REDIS_URL for a Redis that you run yourself"
}

build_services() {
  require_cargo
  note "building the services (the first time takes 6 to 12 minutes on two cores)"
  cargo build --release --locked -p bookstore-api -p llm-simulator -p performance-service -p perf
  RELEASE=$(target_directory)/release
}

# wait_ready NAME: polls; fails at once when the process ends.
wait_ready() {
  local begin=$SECONDS said=$SECONDS
  until part_is_ready "$1"; do
    if ! recorded_pid "$1" >/dev/null; then
      show_log "$1" "$LOG_LINES"
      fail "$1 ended while it started; its log is $LOGS/$1.log"
    fi
    if ((SECONDS - begin >= READY_SECONDS)); then
      show_log "$1" "$LOG_LINES"
      fail "$1 is not ready after $READY_SECONDS s; its log is $LOGS/$1.log"
    fi
    if ((SECONDS - said >= 3)); then
      note "waiting for $1 ($((SECONDS - begin)) s)"
      said=$SECONDS
    fi
    sleep 0.1
  done
}

# outdated NAME: its binary was built anew after it had started.
outdated() { [[ $(readlink "/proc/$1/exe") == *' (deleted)' ]]; }

start_native() {
  local part pid
  [[ -r /proc/self/stat ]] || fail "RUN_MODE=native needs Linux; start a Docker engine for containers"
  choose_stores
  choose_providers "$SIMULATOR_URL"
  performance_settings
  for part in $(native_parts); do
    if pid=$(recorded_pid "$part"); then FOUND[$part]=$pid; fi
  done
  refuse_taken_ports
  "$CHECKOUT/deploy/scripts/install-tools.sh" runtime
  require_sound_rules "$CHECKOUT/monitoring/prometheus/$(prometheus_file)"
  build_services
  echo native >"$BOOKSTORE_STATE_DIR/mode"
  # The tools start side by side; a service needs the parts before it.
  for part in $(native_tools); do
    start_missing "$part"
  done
  for part in $(native_tools); do
    wait_ready "$part"
  done
  for part in "${ALL_SERVICES[@]}"; do
    start_missing "$part"
    wait_ready "$part"
  done
}

start_missing() {
  if [[ -z ${FOUND[$1]:-} ]]; then start_part "$1"; fi
}

# row PART TEXT ADDRESS: one line of the table.
row() {
  local state=started pid
  if [[ -z $1 ]]; then
    state=
  elif [[ -n ${FOUND[$1]:-} ]]; then
    pid=${FOUND[$1]}
    state="was running"
    if outdated "$pid"; then state="was running, older build: make stop first"; fi
  fi
  printf '  %-22s %-34s %s\n' "$2" "$3" "$state"
}

print_native_table() {
  local redis=''
  if [[ -n ${USE_OWN_REDIS:-} ]]; then redis=redis; fi
  echo
  row bookstore-api 'BookStore API' "$BOOKSTORE_URL/swagger"
  row performance-service 'Performance service' "$PERFORMANCE_URL/"
  row llm-simulator 'LLM simulator' "$SIMULATOR_URL"
  row prometheus 'Prometheus' "$PROMETHEUS_URL/graph"
  row preview 'Dashboards, traces' "$PREVIEW_URL"
  row alertmanager 'Alertmanager' "$ALERTMANAGER_URL"
  row jaeger 'Jaeger' "$JAEGER_URL"
  row jaeger 'OTLP gRPC, HTTP' '127.0.0.1:4317, 127.0.0.1:4318'
  row "$redis" 'Redis' "$(without_password "${REDIS_URL:-named in $REDIS_URL_FILE}")"
  print_choices "$(books_are_in)"
  if [[ ${#FOUND[@]} == $(native_parts | wc -l) ]]; then
    echo 'Everything was running already; nothing was started.'
  fi
}

# print_choices BOOKS
print_choices() {
  printf '  %-22s %s\n' 'Books are in' "$1"
  printf '  %-22s %s\n' 'Simulated providers' "${BOOKSTORE_SIMULATED_PROVIDERS:-none}"
  printf '\nNext: make health-check, make seed-data, make perf-smoke; make stop ends it.\n'
}

# pages_beside_containers: the preview is a process of this machine, since only here
# can the containers' logs be read.
pages_beside_containers() {
  local holder
  if FOUND[preview]=$(recorded_pid preview); then return; fi
  if holder=$(port_holder "$PREVIEW_PORT"); then
    fail "port $PREVIEW_PORT, which preview needs, is held by process $holder"
  fi
}

start_docker() {
  local file
  for file in "${LLM_KEY_FILES[@]}"; do
    [[ -z ${!file:-} ]] || fail "containers take the key by ${file%_FILE}"
  done
  pages_beside_containers
  choose_providers http://llm-simulator:7010
  alertmanager_configuration /etc/alertmanager/secrets
  PROMETHEUS_CONFIG=$(prometheus_file)
  ALERT_RESEND_DELAY=$(alert_resend_delay)
  export PROMETHEUS_CONFIG ALERT_RESEND_DELAY
  echo docker >"$BOOKSTORE_STATE_DIR/mode"
  if ! compose up --detach --build --wait --wait-timeout "$COMPOSE_SECONDS"; then
    compose ps --all
    compose logs --tail "$LOG_LINES"
    fail "the containers did not become healthy"
  fi
  if [[ -z ${FOUND[preview]:-} ]]; then
    start_preview_at "$PREVIEW_PORT" --lines-of "$CHECKOUT/deploy/scripts/trace.sh"
  fi
  wait_ready preview
  echo
  row '' 'BookStore API' "$BOOKSTORE_URL/swagger"
  row '' 'Performance service' "$PERFORMANCE_URL/"
  row '' 'LLM simulator' "$SIMULATOR_URL"
  row '' 'Prometheus' "$PROMETHEUS_URL/graph"
  row '' 'Alertmanager' "$ALERTMANAGER_URL"
  row '' 'Jaeger' "$JAEGER_URL"
  row '' 'Grafana' 'http://127.0.0.1:3000'
  row preview 'Traces, log lines' "$PREVIEW_URL/search"
  if [[ -n ${ASPIRE:-} ]]; then row '' 'Aspire dashboard' 'http://127.0.0.1:15888'; fi
  print_choices 'MongoDB, mongodb://127.0.0.1:27017/'
}

# present_mode: the mode of what runs now; empty when nothing does, whatever a
# stack that was not stopped may have left behind.
present_mode() {
  local mode part
  mode=$(running_mode)
  if [[ $mode == native ]]; then
    for part in "${ALL_PARTS[@]}"; do
      if recorded_pid "$part" >/dev/null; then
        echo native
        return
      fi
    done
  else
    echo "$mode"
  fi
}

main() {
  local mode=${RUN_MODE:-auto} present
  mkdir -p "$BOOKSTORE_STATE_DIR"
  exec 9>"$BOOKSTORE_STATE_DIR/.run-all.lock"
  flock --nonblock 9 || fail "another run-all is at work in $BOOKSTORE_STATE_DIR"
  present=$(present_mode)
  if [[ $mode == auto && -n $present ]]; then
    # What runs decides, so that a second call never starts a second stack.
    mode=$present
  elif [[ $mode == auto ]]; then
    if docker_answers; then mode=docker; else mode=native; fi
  fi
  if [[ -n $present && $present != "$mode" ]]; then
    fail "the stack runs in mode $present: make stop first"
  fi
  case $mode in
    native)
      start_native
      print_native_table
      ;;
    docker) start_docker ;;
    *) fail "RUN_MODE=$mode: auto, native or docker" ;;
  esac
}

main "$@"
