#!/usr/bin/env bash
# Shows the LLM layer, step by step, and fails where a step does not show what
# it should. It uses the stack that runs, else starts one; it stops nothing, and
# a second call shows the same again.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/port.sh
source "$CHECKOUT/deploy/scripts/lib/port.sh"

main() {
  if ! answers_http "$BOOKSTORE_URL/health/ready" || ! answers_http "$SIMULATOR_URL/health/ready"; then
    # The demo breaks the default provider, and others are to stand in for it.
    LLM_PROVIDER=claude LLM_FALLBACK=openai,ollama "$CHECKOUT/deploy/scripts/run-all.sh"
  fi
  exec python3 "$CHECKOUT/deploy/scripts/demo_llm.py"
}

main "$@"
