#!/usr/bin/env bash
# Ends what run-all.sh started, the last part first, and leaves no process.
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

# end_stray_loads: a k6 and its supervisor that outlived a killed performance service. They are ours when their working
# directory lies in our runs.
end_stray_loads() {
  local directory pid program runs=$BOOKSTORE_STATE_DIR/runs
  for directory in /proc/[0-9]*; do
    pid=${directory#/proc/}
    program=$(readlink "$directory/exe" 2>/dev/null) || continue
    if [[ ${program##*/} =~ ^(k6|k6-v1|performance-service)( \(deleted\))?$ &&
      $(readlink "$directory/cwd" 2>/dev/null) == "$runs"/* ]]; then
      note "ending ${program##*/} ($pid), left behind in $runs"
      kill -KILL "$pid" 2>/dev/null || note "process $pid had ended already"
    fi
  done
}

main() {
  local index part stopped=0
  if [[ $(running_mode) == docker ]]; then
    if [[ -f $PIDS/preview.pid ]]; then stop_process preview "$(stop_patience preview)"; fi
    ASPIRE=1 compose --profile guarded down
    rm -f "$BOOKSTORE_STATE_DIR/mode"
    return
  fi
  for ((index = ${#ALL_PARTS[@]} - 1; index >= 0; index--)); do
    part=${ALL_PARTS[index]}
    if [[ -f $PIDS/$part.pid ]]; then
      stop_process "$part" "$(stop_patience "$part")"
      stopped=1
    fi
  done
  end_stray_loads
  rm -f "$BOOKSTORE_STATE_DIR/mode"
  if [[ $stopped == 0 ]]; then echo 'Nothing was running.'; fi
}

main "$@"
