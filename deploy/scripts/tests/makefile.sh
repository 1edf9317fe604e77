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
longest=$(awk '/^[^\t]/ { lines = 0; rule = /^[a-z-]+:/ }
  /^\t/ && rule { if (++lines > most) most = lines } END { print most }' Makefile)
targets=$(sed -nE 's/^([a-z-]+):.*/\1/p' Makefile)
expect 'there are targets' test "$(wc -w <<<"$targets")" -gt 40
expect 'a target has at most three lines' test "$longest" -le 3
for target in $targets; do
  expect "$target is listed" grep -Eq "^  $target +[A-Z]" <<<"$help"
  expect "$target is phony" contains "$phony " " $target "
  expect "$target has a recipe" grep -Eq "$SCRIPTS|k6/data/" <<<"$(make --no-print-directory --dry-run "$target")"
done
exit "$((FAILURES > 0))"
