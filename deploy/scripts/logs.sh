#!/usr/bin/env bash
# Shows the last lines of a part's log: logs.sh NAME. LINES sets how many,
# FOLLOW=1 stays and shows what comes.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/process.sh
source "$CHECKOUT/deploy/scripts/lib/process.sh"
# shellcheck source=lib/compose.sh
source "$CHECKOUT/deploy/scripts/lib/compose.sh"

main() {
  local name=${1:?usage: logs.sh NAME} follow=()
  local lines=${LINES:-100}
  [[ $lines =~ ^[0-9]+$ ]] || fail "LINES=$lines: expected a number"
  if [[ ${FOLLOW:-0} == 1 ]]; then follow=(--follow); fi
  if [[ $(running_mode) == docker ]]; then
    compose logs --tail "$lines" "${follow[@]}" "$name"
    return
  fi
  [[ -f $LOGS/$name.log ]] || fail "there is no log of $name yet: make run-all"
  tail --lines "$lines" "${follow[@]}" "$LOGS/$name.log"
}

main "$@"
