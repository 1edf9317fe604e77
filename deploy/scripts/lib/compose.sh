# shellcheck shell=bash
# The stack in containers.

readonly COMPOSE_FILE_PATH=$CHECKOUT/docker-compose.perf.yml

# docker_answers: an engine, not only the client, within five seconds.
docker_answers() {
  command -v docker >/dev/null && timeout 5 docker info >/dev/null 2>&1
}

# compose ARGUMENT...: all profiles but Aspire's, which ASPIRE=1 adds, by Docker's
# own plugin, else by the program built from deploy/tools.
compose() {
  local program=(docker compose)
  if ! docker compose version >/dev/null 2>&1; then
    program=("$BOOKSTORE_TOOLS_DIR/bin/docker-compose")
    [[ -x ${program[0]} ]] || fail "docker compose v2 is missing: run make setup"
  fi
  if [[ -n ${ASPIRE:-} ]]; then program+=(--profile aspire); fi
  "${program[@]}" --file "$COMPOSE_FILE_PATH" --profile observability --profile load "$@"
}

# running_mode: how run-all last started the stack: native, docker or nothing.
running_mode() {
  if [[ -f $BOOKSTORE_STATE_DIR/mode ]]; then cat "$BOOKSTORE_STATE_DIR/mode"; fi
}
