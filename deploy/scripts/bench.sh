#!/usr/bin/env bash
# Measures the speed of the release build and prints one table. FILTER: only
# measures whose name has this text; SECONDS: length of one round (3).
# A bar that is missed is a result; only a measurement that failed is an error.
set -euo pipefail
# Bash counts in this variable, from the value that the environment gives it.
readonly ROUND_SECONDS=$SECONDS
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

# The benches that print rows, one package each. They are always built with the
# same packages, so that no dependency is built twice.
readonly PACKAGES=(--package bookstore-api --package llm --package llm-simulator --package load-runner
  --package performance-service)
readonly BENCHES=(speed overhead pace ingest relay)

# run_bench NAME ROWS: shows notes at once and keeps the rows, which have tabs.
run_bench() {
  local options=()
  if [[ -n ${FILTER:-} ]]; then options+=(--filter "$FILTER"); fi
  if [[ $ROUND_SECONDS -gt 0 ]]; then options+=(--seconds "$ROUND_SECONDS"); fi
  cargo bench --quiet --locked "${PACKAGES[@]}" --bench "$1" -- "${options[@]}" |
    awk -F '\t' -v rows="$2" \
      'NF == 5 { print >>rows; fflush(rows); print "measured: " $1; next } { print; fflush() }'
}

print_table() {
  awk -F '\t' '
    BEGIN { cell[0, 1] = "measure"; cell[0, 2] = "value"; cell[0, 3] = "bar"; cell[0, 4] = "ratio"; cell[0, 5] = "met" }
    { for (column = 1; column <= 5; column++) cell[NR, column] = $column }
    END {
      for (row = 0; row <= NR; row++)
        for (column = 1; column <= 5; column++)
          if (length(cell[row, column]) > width[column]) width[column] = length(cell[row, column])
      for (row = 0; row <= NR; row++) {
        line = ""
        for (column = 1; column <= 5; column++)
          line = line sprintf("%-" width[column] + 2 "s", cell[row, column])
        sub(/ +$/, "", line)
        print line
      }
    }' "$1"
}

main() {
  local bench failed=() work
  require_cargo
  "$CHECKOUT/deploy/scripts/install-tools.sh" runtime
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory's name of now is the one to remove
  trap "rm -rf '$work'" EXIT
  touch "$work/rows"
  note "building the release (some minutes the first time)"
  cargo bench --locked "${PACKAGES[@]}" "${BENCHES[@]/#/--bench=}" --no-run
  for bench in "${BENCHES[@]}"; do
    run_bench "$bench" "$work/rows" || failed+=("$bench")
  done
  printf '\n%s\n\n' "$(nproc) cores, $(uname -srm), $(rustc --version)"
  print_table "$work/rows"
  [[ ${#failed[@]} == 0 ]] || fail "could not be measured: ${failed[*]}"
}

main "$@"
