#!/usr/bin/env python3
"""Shows that a regression is found, at the addresses of the environment.

Every step says what it shows, and is checked: the exit code is 0 when all showed
what they should, else 1. The simulator is given a quick profile for the time of
the demo, and its own again at the end. It refuses to run where the provider is
real, since that costs money.
"""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from demonstration import Failure, exchange, expect, title

API = os.environ.get("BOOKSTORE_URL", "http://127.0.0.1:7002")
SIMULATOR = os.environ.get("SIMULATOR_URL", "http://127.0.0.1:7010")
SERVICE = os.environ.get("PERFORMANCE_URL", "http://127.0.0.1:7004")
PERF = os.environ.get("PERF_BINARY", "perf")
PROVIDER = "openai"
# A test of this call alone, so that earlier demos are no part of its history.
TEST = f"demo-{int(time.time())}"
MEASURE = "ai_ttft p(95)"
# The same in a comparison.
COMPARED = "p95 of ai_ttft"
# Arrivals at a fixed rate: a model that gets slower is not asked less.
LOAD = ["tests/ai-summary.js", "--scenario", "stress", "--rate", "6", "--duration", "5s",
        "--env", f"PROVIDER={PROVIDER}", "--env", "COUNT=20"]
BASELINE_RUNS = 5
# So many on the other side make the step certain: 1 of 462 orders is this one.
GATE_RUNS = 6
# What is measured; in a pipeline these are commits.
GOOD, SLOW = "demo-good", "demo-slow"
QUICK = {"name": "quick", "timeToFirstTokenMs": {"p50": 120, "p95": 160}, "interTokenGapMs": {"p50": 2, "p95": 3},
         "outputTokens": {"min": 60, "max": 100}}
# Three times as long to the first token, and nothing else.
SLOWER = {**QUICK, "name": "slower", "timeToFirstTokenMs": {"p50": 360, "p95": 480}}
REQUEST_SECONDS = 60
CALL_SECONDS = 240


def main() -> int:
    try:
        before = prepare()
        try:
            first = baseline()
            last = regression()
            trend(first, last)
        finally:
            send(SIMULATOR, "PUT", "/control/profile", before)
    except Failure as reason:
        print(f"FAILED: {reason}", file=sys.stderr)
        return 1
    print(f"""
All steps showed what they should. Look at
  {SERVICE}/tests/{TEST}?measure={urllib.parse.quote(MEASURE)}   the step
  {SERVICE}/runs/{last}   the last run""")
    return 0


def prepare():
    """The simulator's profile before the demo."""
    title("The stack answers, and the model is simulated")
    providers = {one["name"]: one for one in send(API, "GET", "/api/v1/books/llm-providers")["providers"]}
    expect(providers[PROVIDER]["simulated"], f"{PROVIDER} is real, and costs money")
    send(API, "POST", "/seed-data")
    before = send(SIMULATOR, "GET", "/control/profile")
    send(SIMULATOR, "PUT", "/control/profile", QUICK)
    print(f"  {PROVIDER} is simulated; its first token takes 120 ms at the median")
    return before


def baseline() -> list:
    title(f"Five runs are the baseline of {TEST}")
    outcome, gate = perf("gate", "--test", TEST, *LOAD, "--runs", str(BASELINE_RUNS), "--baseline", "none", "--revision", GOOD)
    levels = [run["verdict"]["level"] for run in gate["runs"]]
    expect(outcome <= 1 and set(levels) <= {"PASS", "WARNING"}, f"the runs are {levels}: {reasons(gate)}")
    outcome, established = perf("baseline", "establish", "--test", TEST)
    expect(outcome == 0, f"no baseline: {established}")
    print(f"  {BASELINE_RUNS} runs, {', '.join(levels)}; the baseline is in force")
    return [run["testId"] for run in gate["runs"]]


def regression() -> str:
    title("The model's first token takes three times as long, and the gate says so")
    send(SIMULATOR, "PUT", "/control/profile", SLOWER)
    outcome, gate = perf("gate", "--test", TEST, *LOAD, "--runs", str(GATE_RUNS), "--revision", SLOW)
    expect(outcome == 2, f"the gate ended with {outcome}: {gate.get('level')}, {reasons(gate)}")
    found = {one["name"]: one for one in gate["comparison"]["comparisons"]}
    worse = found.get(COMPARED, {})
    expect(worse.get("level") in ("FAIL", "CRITICAL"), f"{COMPARED} is {worse}")
    print(f"  exit code {outcome}: {worse['sentence']}")
    return gate["runs"][-1]["testId"]


def trend(before: list, last: str) -> None:
    title("The trend names the first run of the new level, and its build")
    query = urllib.parse.urlencode({"test": TEST, "measure": MEASURE})
    series = send(SERVICE, "GET", f"/api/v1/performancetest/trends?{query}")
    points = [point["testId"] for point in series["points"]]
    expect(len(points) == BASELINE_RUNS + GATE_RUNS and points[-1] == last, f"{len(points)} runs are in the trend")
    steps = series["changePoints"]
    expect(len(steps) == 1, f"there are {len(steps)} steps: {steps}")
    expect(steps[0]["testId"] == points[len(before)], f"the step is at #{steps[0]['number']}")
    builds = [steps[0].get("revisionBefore"), steps[0].get("revision")]
    expect(builds == [GOOD, SLOW], f"the step is between {builds}")
    print(f"  {MEASURE}: {steps[0]['before']:.0f} ms, then {steps[0]['after']:.0f} ms from #{steps[0]['number']}, {SLOW}, on"
          f" ({steps[0]['effect']:+.0%})")


def reasons(gate) -> list:
    return [reason for run in gate.get("runs", []) for reason in run["verdict"]["reasons"][:1]]


def perf(*arguments):
    """Exit code and document of a call of perf."""
    command = [PERF, "--json", "--url", SERVICE, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{' '.join(command)}: {error}") from error
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError as error:
        said = done.stderr.strip() or done.stdout.strip()
        raise Failure(f"{' '.join(command)} ended with {done.returncode}: {said}") from error


def send(base: str, method: str, path: str, body=None):
    request = urllib.request.Request(f"{base}{path}", method=method)
    return exchange(request, REQUEST_SECONDS, body)[1]


if __name__ == "__main__":
    sys.exit(main())
