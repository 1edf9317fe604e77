#!/usr/bin/env bash
# Holds every shell and Python script to its checker.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

main() {
  local shell python
  cd "$CHECKOUT"
  command -v shellcheck >/dev/null || fail "shellcheck is missing: run make setup"
  mapfile -t shell < <(find deploy monitoring k6 -name '*.sh' -not -path '*/node_modules/*')
  mapfile -t python < <(find deploy monitoring k6 -name '*.py' -not -path '*/node_modules/*')
  shellcheck --external-sources .ci/run "${shell[@]}"
  python3 - "${python[@]}" <<'CHECK'
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path, encoding="utf-8").read(), path)
CHECK
  printf 'scripts: %d shell and %d Python files are sound\n' "$((${#shell[@]} + 1))" "${#python[@]}"
}

main "$@"
