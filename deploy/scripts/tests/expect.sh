# shellcheck shell=bash
# Assertions for the tests of the scripts.

FAILURES=0

# expect WHAT COMMAND...: the command succeeds.
expect() {
  local what=$1
  shift
  if "$@"; then
    printf 'ok      %s\n' "$what"
  else
    printf 'FAILED  %s\n' "$what"
    FAILURES=$((FAILURES + 1))
  fi
}

# refuse WHAT COMMAND...: the command fails.
refuse() {
  local what=$1
  shift
  expect "$what" not "$@"
}

not() { ! "$@"; }

equal() { [[ $1 == "$2" ]] || { printf '        got: %s\n        not: %s\n' "$1" "$2" && return 1; }; }

contains() { [[ $1 == *"$2"* ]] || { printf '        got: %s\n        without: %s\n' "$1" "$2" && return 1; }; }
