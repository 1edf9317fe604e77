# shellcheck shell=bash
# What scripts in Debian's Chromium need. Whoever sources this has sourced
# settings.sh and cargo.sh.

# prepare_web: checks the browser and its packages, and builds the services.
prepare_web() {
  require_cargo
  CHROMIUM=$(command -v chromium) || fail "chromium is missing: run make setup"
  [[ -d $BOOKSTORE_TOOLS_DIR/web/node_modules ]] || fail "the browser tests' packages are missing: run make setup"
  build_programs
  BINARIES=$(target_directory)/debug
  export CHROMIUM BINARIES
}
