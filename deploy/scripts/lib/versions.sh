# shellcheck shell=bash
# Versions: read what a program says of itself, and compare.

# at_least MINIMUM VERSION: numeric, field by field.
at_least() {
  [[ -n $2 && $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

# version_of PROGRAM-NAME FILE: the first thing that looks like a version in
# what the program prints, without a leading v; empty when it prints none.
version_of() {
  local name=$1 file=$2 output
  case $name in
    k6 | k6-v1 | jaeger | docker-compose | go) output=$("$file" version 2>&1) || return 0 ;;
    ferretdb) output=$("$file" -version 2>&1) || return 0 ;;
    *) output=$("$file" --version 2>&1) || return 0 ;;
  esac
  if [[ $output =~ git-version=v?([0-9]+\.[0-9]+\.[0-9]+) ||
    $output =~ (^|[^0-9.])([0-9]+\.[0-9]+(\.[0-9]+)?) ]]; then
    printf '%s\n' "${BASH_REMATCH[2]:-${BASH_REMATCH[1]}}"
  fi
}
