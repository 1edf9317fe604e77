# shellcheck shell=bash
# The command line of the performance service. Whoever sources this has sourced
# settings.sh and cargo.sh.

# perf_binary: the one that is given, as tests do, else that of run-all.sh, built
# if missing.
perf_binary() {
  local binary=${PERF_BINARY:-}
  if [[ -z $binary ]]; then
    require_cargo
    binary=$(target_directory)/release/perf
    if [[ ! -x $binary ]]; then
      note "building perf (the first time takes a few minutes)"
      cargo build --release --locked -p perf >&2
    fi
  fi
  echo "$binary"
}
