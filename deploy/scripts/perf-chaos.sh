#!/usr/bin/env bash
# Breaks a stack of its own, started for each plan of k6/chaos and ended after it:
# perf-chaos.sh [PLAN...], by their names without .toml. PLANS="f01-store-killed ..." names them
# too; without any, all but the extreme load. Asks first, unless YES=1. SMALL=1 takes a sixth of
# each time. Writes NAME.md, NAME.json and NAME.html into CHAOS_RESULTS, else into the state
# directory. Ends with 0 when every plan holds, 1 when something could not be told, 2 when
# something did not hold, and 3 when a plan could not be carried out.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

readonly PROGRAMS=(perf bookstore-api llm-simulator performance-service)
readonly NO_VERDICT=3

# binaries: the directory with our programs: the one that is given, as tests do, else that of
# run-all.sh. Cargo decides what is out of date: an older build would answer for this one.
binaries() {
  if [[ -n ${STACK_BINARIES:-} ]]; then
    echo "$STACK_BINARIES"
    return
  fi
  require_cargo
  note "building ${PROGRAMS[*]} if they changed (the first time takes a few minutes)"
  cargo build --release --locked "${PROGRAMS[@]/#/--package=}" >&2
  echo "$(target_directory)/release"
}

# agreed COUNT: only a person, or YES=1, lets this machine be put under such load.
agreed() {
  local answer
  if [[ ${YES:-} == 1 ]]; then return 0; fi
  note "$1 plan(s) will break stacks of their own and take most of this machine; other programs will be slow."
  if [[ ! -t 0 ]]; then
    note 'error: nobody to ask: set YES=1'
    return 1
  fi
  read -r -p 'Go on? [y/N] ' answer
  [[ $answer == [yY]* ]]
}

main() {
  local names=("$@") plans=() name directory options=()
  cd "$CHECKOUT"
  if [[ ${#names[@]} == 0 ]]; then read -ra names <<<"${PLANS:-}"; fi
  for name in "${names[@]}"; do plans+=("k6/chaos/$name.toml"); done
  if [[ ${#names[@]} == 0 ]]; then
    for name in k6/chaos/*.toml; do
      if [[ $name != */load-extreme.toml ]]; then plans+=("$name"); fi
    done
  fi
  agreed "${#plans[@]}" || exit "$NO_VERDICT"
  if [[ ${SMALL:-} == 1 ]]; then options+=(--small); fi
  directory=$(binaries)
  exec "$directory/perf" chaos "${options[@]}" --binaries "$directory" \
    --output "${CHAOS_RESULTS:-$BOOKSTORE_STATE_DIR/chaos}" "${plans[@]}"
}

main "$@"
