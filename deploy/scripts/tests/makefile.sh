#!/usr/bin/env bash
# The Makefile: thin targets, all of them in the help and without a file of the
# same name.
set -euo pipefail
export ENV_FILE=/dev/null
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib/settings.sh
source "$here/../lib/settings.sh"
# shellcheck source=expect.sh
source "$here/expect.sh"

readonly SCRIPTS=deploy/scripts/
cd "$CHECKOUT"
help=$(make --no-print-directory)
phony=$(sed -n '/^\.PHONY:/,/[^\\]$/p' Makefile | tr '\\\n\t' '   ')
longest=$(awk '/^[a-z-]+:/ { lines = 0 } /^\t/ { if (++lines > most) most = lines } END { print most }' Makefile)
expect 'a target has at most three lines' test "$longest" -le 3
for target in help setup run-all stop status logs-bookstore logs-performance health-check seed-data \
  perf-smoke perf-load perf-ai-smoke test test-unit test-system test-sdks fuzz lint bench images clean; do
  expect "$target is listed" grep -Eq "^  $target +[A-Z]" <<<"$help"
  expect "$target is phony" contains "$phony " " $target "
  expect "$target has a recipe" grep -q "$SCRIPTS" <<<"$(make --no-print-directory --dry-run "$target")"
done
exit "$((FAILURES > 0))"
