#!/usr/bin/env bash
# Draws the dashboards without Grafana, of the Prometheus of `make run-all` or of
# PROMETHEUS_ADDRESS, at http://127.0.0.1:3001 (PREVIEW_PORT) until Ctrl-C.
# Without containers `make run-all` has them there already.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"
# shellcheck source=lib/process.sh
source "$CHECKOUT/deploy/scripts/lib/process.sh"

if [[ -z ${PROMETHEUS_ADDRESS:-} ]] && recorded_pid preview >/dev/null; then
  echo "the dashboards are at $PREVIEW_URL already"
  exit
fi
exec "$CHECKOUT/monitoring/preview/serve.py" --port "$PREVIEW_PORT" --prometheus "${PROMETHEUS_ADDRESS:-$PROMETHEUS_URL}" \
  --jaeger "$JAEGER_URL" --performance "$PERFORMANCE_URL" --logs "$LOGS"
