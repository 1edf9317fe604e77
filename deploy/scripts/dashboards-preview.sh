#!/usr/bin/env bash
# Draws the dashboards without Grafana, of the Prometheus of `make run-all` or of
# PROMETHEUS_ADDRESS, at http://127.0.0.1:3001 (PREVIEW_PORT) until Ctrl-C.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

exec "$CHECKOUT/monitoring/preview/serve.py" --port "${PREVIEW_PORT:-3001}" \
  --prometheus "${PROMETHEUS_ADDRESS:-$PROMETHEUS_URL}"
