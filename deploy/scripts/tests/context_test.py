#!/usr/bin/env python3
"""Follows a load test through the telemetry: context_test.py LOG

Its id goes from the performance service to k6, from k6 to the API, and from there to the provider:
BOOKSTORE_URL, PERFORMANCE_URL and JAEGER_URL name the stack, LOG is that of the API. Holds the last
run. Ends with 1 and what is missing.
"""

import json
import os
import sys
import time
import urllib.parse
import urllib.request

API, PERFORMANCE, JAEGER = (os.environ[name] for name in ("BOOKSTORE_URL", "PERFORMANCE_URL", "JAEGER_URL"))
REQUEST_SECONDS = 30
# Spans wait for their batch, and Jaeger for its index.
ARRIVES_SECONDS = 30
TRACES = 50


def get(url: str):
    with urllib.request.urlopen(url, timeout=REQUEST_SECONDS) as reply:
        return json.load(reply)


def spans(service: str, tags: dict[str, str]) -> list[dict]:
    """The spans of a service with these attributes, with their attributes by name."""
    query = {"service": service, "tags": json.dumps(tags), "limit": TRACES, "lookback": "1h"}
    found = get(f"{JAEGER}/api/traces?{urllib.parse.urlencode(query)}")["data"]
    flat = [(span, trace["processes"][span["processID"]]["serviceName"]) for trace in found for span in trace["spans"]]
    told = [{**span, "tags": {tag["key"]: tag["value"] for tag in span["tags"]}} for span, owner in flat if owner == service]
    return [span for span in told if all(str(span["tags"].get(name)) == value for name, value in tags.items())]


def arrived(service: str, tags: dict[str, str]) -> list[dict]:
    deadline = time.monotonic() + ARRIVES_SECONDS
    while not (found := spans(service, tags)) and time.monotonic() < deadline:
        time.sleep(1)
    return found


def missing(run: str, log: str) -> list[str]:
    """What does not tell of the run."""
    faults = []
    told = arrived("bookstore-api", {"test.id": run})
    summaries = [span for span in told if span["tags"].get("http.route", "").endswith("/generate-summary")]
    if not summaries:
        faults.append(f"no span of a summary among {len(told)} of the API")
    if any(not span["references"] for span in told):
        faults.append("a span of the API is not below k6's")
    scenarios = {span["tags"].get("test.scenario") for span in told}
    if len(scenarios) != 1 or None in scenarios:
        faults.append(f"the scenario is one of {scenarios}")
    traces = {span["traceID"] for span in told}
    provider = arrived("llm-simulator", {"test.id": run})
    if not {span["traceID"] for span in provider} & traces:
        faults.append("no span of the provider is in a trace of the run")
    with open(log, encoding="utf-8") as text:
        lines = [json.loads(line) for line in text if f'"{run}"' in line]
    lines = [line for line in lines if line.get("test.id") == run]
    if not {line.get("trace_id") for line in lines} & traces:
        faults.append(f"none of {len(lines)} lines of the log is of a trace of the run")
    costs = get(f"{API}/api/v1/llm/costs?by=model&testId={run}")
    if not costs["groups"]:
        faults.append(f"the ledger has nothing of the run: {costs}")
    print(f"run {run}: {len(told)} spans of the API, {len(provider)} of the provider, {len(lines)} lines")
    return faults


def main() -> int:
    run = get(f"{PERFORMANCE}/api/v1/performancetest/tests?limit=1")[0]["testId"]
    faults = missing(run, sys.argv[1])
    if not missing("nobody-ran-it", sys.argv[1]):
        faults.append("a run that nobody made is found as well")
    # Who began the run is in a trace of the performance service.
    if not arrived("performance-service", {"http.route": "/api/v1/performancetest/start"}):
        faults.append("the performance service has no trace of the run's begin")
    for fault in faults:
        print(f"FAILED  {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
