#!/usr/bin/env bash
# Runs the official clients of four vendors against the simulator, in Python and
# JavaScript. They are installed into the state directory, exactly as pinned in
# deploy/sdk-tests.
set -euo pipefail
# Nobody's own settings and keys reach the clients.
export ENV_FILE=/dev/null
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/process.sh
source "$CHECKOUT/deploy/scripts/lib/process.sh"
# shellcheck source=lib/port.sh
source "$CHECKOUT/deploy/scripts/lib/port.sh"
# shellcheck source=lib/cargo.sh
source "$CHECKOUT/deploy/scripts/lib/cargo.sh"

readonly SUITE=$CHECKOUT/deploy/sdk-tests
readonly SDKS=$BOOKSTORE_STATE_DIR/sdks
readonly READY_SECONDS=30
readonly KEY=sdk-test-key ACCESS_KEY=AKIASDKTEST SECRET=sdk/test+secret

# install_for KIND FILE... -- COMMAND...: runs the command when the files differ
# from those of the last installation.
install_for() {
  local kind=$1 files=() key
  shift
  while [[ $1 != -- ]]; do
    files+=("$1")
    shift
  done
  shift
  key=$(cat "${files[@]}" | sha256sum | cut -c 1-16)
  if [[ -f $SDKS/$kind.stamp && $(cat "$SDKS/$kind.stamp") == "$key" ]]; then return; fi
  note "installing the $kind clients"
  rm -f "$SDKS/$kind.stamp"
  "$@"
  printf '%s\n' "$key" >"$SDKS/$kind.stamp"
}

install_python() {
  python3 -m venv --clear "$SDKS/python"
  # Every package is pinned, so nothing is resolved.
  "$SDKS/python/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    --requirement "$SUITE/requirements.txt"
}

install_javascript() {
  (cd "$SDKS/javascript" && npm ci --no-audit --no-fund --loglevel=error)
}

# A module finds its packages beside itself, so the suite is copied to them.
copy_javascript() {
  mkdir -p "$SDKS/javascript"
  rm -f "$SDKS"/javascript/*.js
  cp "$SUITE"/*.js "$SUITE/package.json" "$SUITE/package-lock.json" "$SDKS/javascript/"
}

start_simulator() {
  local program port deadline
  program=$(target_directory)/debug/llm-simulator
  port=$(free_port)
  SIMULATOR_URL=http://127.0.0.1:$port
  SIMULATOR_HTTP_ADDR=127.0.0.1:$port SIMULATOR_PROFILE=instant \
    SIMULATOR_KEYS=anthropic=$KEY,openai=$KEY,bedrock=$KEY,bedrock=$ACCESS_KEY:$SECRET \
    start_process sdk-simulator "$program"
  trap 'stop_process sdk-simulator "$READY_SECONDS"' EXIT
  deadline=$((SECONDS + READY_SECONDS))
  until answers_http "$SIMULATOR_URL/health/ready"; do
    if ! recorded_pid sdk-simulator >/dev/null || ((SECONDS >= deadline)); then
      show_log sdk-simulator 5
      fail "the simulator was not ready within $READY_SECONDS s"
    fi
    sleep 0.1
  done
}

# suite COMMAND...: without the settings of this shell that a client would read.
suite() {
  env --unset AWS_PROFILE --unset AWS_SESSION_TOKEN --unset AWS_BEARER_TOKEN_BEDROCK \
    --unset ANTHROPIC_AUTH_TOKEN --unset OPENAI_ORG_ID --unset OPENAI_PROJECT_ID \
    --unset HTTP_PROXY --unset http_proxy --unset ALL_PROXY --unset all_proxy \
    NO_PROXY=127.0.0.1 PYTHONDONTWRITEBYTECODE=1 \
    AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true \
    SIMULATOR_URL="$SIMULATOR_URL" SDK_TEST_KEY=$KEY SDK_TEST_ACCESS_KEY=$ACCESS_KEY \
    SDK_TEST_SECRET=$SECRET "$@"
}

main() {
  local failed=()
  require_cargo
  command -v python3 >/dev/null || fail "python3 is missing: install Python 3.9 or newer"
  command -v npm >/dev/null || fail "npm is missing: install Node.js 20 or newer"
  mkdir -p "$SDKS"
  copy_javascript
  install_for Python "$SUITE/requirements.txt" -- install_python
  install_for JavaScript "$SUITE/package-lock.json" -- install_javascript
  build_programs
  start_simulator
  echo '--- Python'
  suite "$SDKS/python/bin/python" -m unittest discover --start-directory "$SUITE" || failed+=(Python)
  echo '--- JavaScript'
  # One at a time: a test resets the simulator for itself.
  suite node --test --test-concurrency=1 --test-reporter=spec "$SDKS"/javascript/*.test.js ||
    failed+=(JavaScript)
  [[ ${#failed[@]} == 0 ]] || fail "official clients failed: ${failed[*]}"
  echo 'all official clients accept the simulator'
}

main "$@"
