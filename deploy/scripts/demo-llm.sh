#!/usr/bin/env bash
# Shows the LLM layer, step by step, and fails where a step does not show what
# it should. It uses the stack that runs, else starts one; it stops nothing, and
# a second call shows the same again.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/port.sh
source "$CHECKOUT/deploy/scripts/lib/port.sh"

# The demo breaks the default provider, and others are to stand in for it.
readonly DEFAULT_PROVIDER=claude

# refuse_other_settings: at once, not after half of the steps.
refuse_other_settings() {
  local found
  found=$(curl -sS --max-time 5 "$BOOKSTORE_URL/api/v1/books/llm-providers" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["defaultProvider"])')
  [[ $found == "$DEFAULT_PROVIDER" ]] ||
    fail "the stack that runs asks $found first, and the demo wants $DEFAULT_PROVIDER: make stop, then again"
}

main() {
  if ! answers_http "$BOOKSTORE_URL/health/ready" || ! answers_http "$SIMULATOR_URL/health/ready"; then
    LLM_PROVIDER=$DEFAULT_PROVIDER LLM_FALLBACK=openai,ollama "$CHECKOUT/deploy/scripts/run-all.sh"
  fi
  refuse_other_settings
  exec python3 "$CHECKOUT/deploy/scripts/demo_llm.py"
}

main "$@"
