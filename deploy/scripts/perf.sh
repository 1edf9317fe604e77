#!/usr/bin/env bash
# Runs a load test of k6/ through the performance service: perf.sh SCRIPT
# [OPTION...], as perf.py --help says, at the addresses that the settings name.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

command -v python3 >/dev/null || fail "python3 is missing: install Python 3.10 or newer"
exec python3 "$CHECKOUT/deploy/scripts/perf.py" "$@"
