#!/usr/bin/env bash
# Shows what of the stack runs: pid, age, memory, and whether it answers.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/process.sh
source "$CHECKOUT/deploy/scripts/lib/process.sh"
# shellcheck source=lib/port.sh
source "$CHECKOUT/deploy/scripts/lib/port.sh"
# shellcheck source=lib/parts.sh
source "$CHECKOUT/deploy/scripts/lib/parts.sh"
# shellcheck source=lib/compose.sh
source "$CHECKOUT/deploy/scripts/lib/compose.sh"

# part_row NAME
part_row() {
  local pid age memory state='not ready'
  if ! pid=$(recorded_pid "$1"); then
    printf '  %-20s not running\n' "$1"
    return
  fi
  if part_is_ready "$1"; then state=ready; fi
  age=$(ps -o etime= -p "$pid" | tr -d ' ')
  memory=$(awk '/^VmRSS/ { printf "%d MB", $2 / 1024 }' "/proc/$pid/status")
  printf '  %-20s %-10s pid %-8s up %-12s %s\n' "$1" "$state" "$pid" "$age" "$memory"
}

main() {
  local part
  if [[ $(running_mode) == docker ]]; then
    compose ps --all
    part_row preview
    return
  fi
  for part in "${ALL_PARTS[@]}"; do
    # mongod is there only where it is installed.
    if [[ $part != mongod || -f $PIDS/mongod.pid ]]; then part_row "$part"; fi
  done
}

main "$@"
