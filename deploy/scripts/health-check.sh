#!/usr/bin/env bash
# Asks every part of the running stack whether it is ready; fails when one is
# not, with what it said.
set -euo pipefail
# shellcheck source=lib/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/settings.sh"

# A scrape interval of 15 s: every target was tried after two of them.
readonly SCRAPE_SECONDS=35
FAILED=0

# report NAME RESULT DETAIL
report() {
  printf '  %-22s %-8s %s\n' "$1" "$2" "$3"
  if [[ $2 != ok ]]; then FAILED=1; fi
}

# check_http NAME URL
check_http() {
  local answer status
  if ! answer=$(curl --silent --show-error --max-time 5 --write-out '\n%{http_code}' "$2" 2>&1); then
    report "$1" FAILED "${answer%%$'\n'*}"
    return
  fi
  status=${answer##*$'\n'}
  if [[ $status == 2?? ]]; then
    report "$1" ok "$2"
  else
    report "$1" FAILED "$2 answered $status: ${answer:0:300}"
  fi
}

# check_redis: what the API says of it, since only the API knows its address.
check_redis() {
  local state
  if ! state=$(curl --silent --max-time 5 "$BOOKSTORE_URL/health/ready" | python3 -c '
import json, sys
try:
    redis = json.load(sys.stdin)["checks"]["redis"]
except ValueError:
    sys.exit(1)
print(redis["status"], redis["reason"] or "")'); then
    report Redis FAILED 'the API does not say'
  elif [[ $state == healthy* ]]; then
    report Redis ok 'asked by the API'
  else
    report Redis FAILED "the API says: $state"
  fi
}

# targets_down: the scrape targets that are missing or not up, one a line.
targets_down() {
  curl --silent --fail --max-time 5 "$PROMETHEUS_URL/api/v1/targets?state=active" |
    python3 -c 'import json, sys
targets = json.load(sys.stdin)["data"]["activeTargets"]
for missing in {"bookstore-api", "performance-service", "llm-simulator"} - {
    target["labels"]["job"] for target in targets
}:
    print(missing, "is no target")
for target in targets:
    if target["health"] != "up":
        print(target["scrapeUrl"], target["health"], target["lastError"])'
}

check_targets() {
  local down deadline=$((SECONDS + SCRAPE_SECONDS))
  while down=$(targets_down) && [[ -n $down ]] && ((SECONDS < deadline)); do
    sleep 1
  done
  if [[ -z $down ]] && targets_down >/dev/null; then
    report 'Prometheus targets' ok 'all are scraped'
  else
    report 'Prometheus targets' FAILED "${down:-no answer}"
  fi
}

main() {
  check_http 'BookStore API' "$BOOKSTORE_URL/health/ready"
  check_http 'Performance service' "$PERFORMANCE_URL/health/ready"
  check_http 'LLM simulator' "$SIMULATOR_URL/health/ready"
  check_redis
  check_http Jaeger "$JAEGER_URL/api/services"
  check_http Prometheus "$PROMETHEUS_URL/-/ready"
  check_http Alertmanager "$ALERTMANAGER_URL/-/ready"
  if [[ $FAILED == 0 ]]; then check_targets; fi
  [[ $FAILED == 0 ]] || fail "not everything is healthy: make status, make logs-bookstore"
}

main "$@"
