#!/usr/bin/env python3
"""Runs one load test through the performance service and follows it.

    perf.py SCRIPT [--scenario NAME] [--environment KEY=VALUE]...

The environment overrides the test: VUS (virtual users), DURATION (such as 30s
or 2m), THRESHOLDS (a JSON object as in k6: {"http_req_duration":["p(95)<500"]}),
and COUNT, MODEL, PROVIDER, SCALE, SEED, which reach the script.

Ends with 0 when the verdict's exit code is 0 (PASS) or 1 (WARNING,
INCONCLUSIVE), with 2 when it is 2 (FAIL, CRITICAL, INVALID), and with 3 when
there was no verdict: a service down, a request refused, a run interrupted.
Control-C, a SIGTERM or a failure of our own cancels the run.
"""

import argparse
import http.client
import json
import os
import re
import signal
import sys
import time
import urllib.error
import urllib.request

SERVICE = os.environ.get("PERFORMANCE_URL", "http://127.0.0.1:7004")
API = os.environ.get("BOOKSTORE_URL", "http://127.0.0.1:7002")
BASE = f"{SERVICE}/api/v1/performancetest"
REQUEST_SECONDS = 10
# The service stops k6 within its teardown's time, then judges what there is.
CANCEL_SECONDS = 30
# The service says something each second; after this silence we ask ourselves.
SILENCE_SECONDS = 5
# No suite runs longer than four hours; an hour more for the queue.
LONGEST_RUN_SECONDS = 5 * 3600
# Results of a run are some hundred kilobytes; more is not read into memory.
LARGEST_ANSWER = 32 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
SCRIPT_VARIABLES = ("COUNT", "MODEL", "PROVIDER", "SCALE", "SEED")
FINAL = {"Completed", "Failed", "Cancelled"}
SECOND_FORMS = (
    ("virtualUsers", "{:>4.0f} VUs"),
    ("requestsPerSecond", "{:>7.1f} req/s"),
    ("p50", "p50 {:>8.2f} ms"),
    ("p95", "p95 {:>8.2f} ms"),
    ("errorRate", "errors {:>6.2%}"),
)
SUCCESS_CODES = {0, 1}
NO_VERDICT = 3


class Stop(Exception):
    """The reason why there is no verdict, for the person at the terminal."""


def main() -> int:
    options = parse_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        require_ready(SERVICE, "the performance service")
        require_ready(API, "the BookStore API, which is the target,")
        run = start(options)
        identity = run["testId"]
        print(f"run {run.get('number', '?')} ({identity}): {run.get('testName', options.script)}")
        print(f"  watch it at {SERVICE}/runs/{identity}")
        try:
            run = follow(identity)
        except (KeyboardInterrupt, Stop) as reason:
            print(f"\ncancelling the run{f': {reason}' if str(reason) else ''}")
            call("POST", f"/{identity}/cancel", seconds=CANCEL_SECONDS)
            run = follow(identity)
        return report(run)
    except Stop as reason:
        print(f"error: {reason}", file=sys.stderr)
        return NO_VERDICT


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("script", help="such as tests/smoke.js")
    parser.add_argument("--scenario", default="Smoke")
    parser.add_argument("--environment", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    options.variables = {}
    for pair in options.environment:
        key, separator, value = pair.partition("=")
        if not (key and separator):
            parser.error(f"--environment {pair!r}: expected KEY=VALUE")
        options.variables[key] = value
    options.variables.update((key, os.environ[key]) for key in SCRIPT_VARIABLES if os.environ.get(key))
    options.load = requested_load(parser)
    return options


def requested_load(parser: argparse.ArgumentParser) -> dict:
    """VUS, DURATION and THRESHOLDS as the service's options."""
    load = {}
    if vus := os.environ.get("VUS"):
        if not vus.isdigit() or int(vus) == 0:
            parser.error(f"VUS={vus}: expected a whole number above 0")
        load["virtualUsers"] = int(vus)
    if duration := os.environ.get("DURATION"):
        if not re.fullmatch(r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+", duration):
            parser.error(f"DURATION={duration}: expected a duration such as 30s or 2m")
        load["duration"] = duration
    if thresholds := os.environ.get("THRESHOLDS"):
        try:
            load["thresholds"] = json.loads(thresholds)
        except ValueError as error:
            parser.error(f"THRESHOLDS is no JSON: {error}")
        if not isinstance(load["thresholds"], dict):
            parser.error('THRESHOLDS: expected an object: {"http_req_duration":["p(95)<500"]}')
    return load


def require_ready(address: str, what: str) -> None:
    try:
        with urllib.request.urlopen(f"{address}/health/ready", timeout=REQUEST_SECONDS):
            return
    except urllib.error.HTTPError as error:
        raise Stop(f"{what} at {address} is not ready: {problem_of(error)}") from None
    except OSError as error:
        cause = getattr(error, "reason", error)
        raise Stop(f"{what} does not answer at {address}: {cause} (make run-all)") from None


def call(method: str, path: str, body: dict | None = None, seconds: int = REQUEST_SECONDS):
    """The decoded answer of the performance service, or a Stop with its reason."""
    request = urllib.request.Request(BASE + path, method=method)
    request.add_header("Accept", "application/json")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            content = answer.read(LARGEST_ANSWER)
    except urllib.error.HTTPError as error:
        raise Stop(f"{method} {path} was refused: {problem_of(error)}") from None
    except OSError as error:
        raise Stop(f"{method} {path}: {getattr(error, 'reason', error)}") from None
    try:
        return json.loads(content) if content else None
    except ValueError:
        raise Stop(f"{method} {path} answered no JSON: {content[:200]!r}") from None


def problem_of(error: urllib.error.HTTPError) -> str:
    """Status, detail and the fields that a problem document names."""
    content = error.read(LARGEST_ANSWER)
    try:
        problem = json.loads(content)
    except ValueError:
        return f"{error.code} {content[:300].decode(errors='replace')}"
    if not isinstance(problem, dict):
        return f"{error.code} {problem}"
    sentences = [str(problem.get("detail") or problem.get("title") or problem.get("message") or problem)]
    for field, reasons in (problem.get("errors") or {}).items():
        sentences.append(f"{field}: {', '.join(map(str, reasons))}")
    return f"{error.code} " + "; ".join(sentences)


def start(options: argparse.Namespace) -> dict:
    name = options.script.removesuffix(".js").rsplit("/", 1)[-1]
    body = {
        "testName": name,
        "scenario": options.scenario,
        "testScript": options.script,
        "environment": options.variables,
        "options": options.load,
    }
    return call("POST", "/start", body)


def follow(identity: str) -> dict:
    """Prints what happens until the run is over; returns the run."""
    deadline = time.monotonic() + LONGEST_RUN_SECONDS
    seen = 0
    while time.monotonic() < deadline:
        for number, name, data in events(identity, seen):
            seen = max(seen, number)
            show(name, data)
            if name == "end":
                break
        run = call("GET", f"/{identity}")
        if run["status"] in FINAL:
            return run
        # The stream was cut or fell silent; a pause keeps a broken one from
        # being asked without end.
        time.sleep(1)
    raise Stop(f"the run {identity} is not over after {LONGEST_RUN_SECONDS} s")


def events(identity: str, after: int):
    """Server-sent events as (id, name, data) until the stream ends or is silent."""
    request = urllib.request.Request(f"{SERVICE}/performance-hub?test={identity}&after={after}")
    request.add_header("Accept", "text/event-stream")
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as stream:
            number, name, data = after, "message", []
            while line := stream.readline(LONGEST_LINE):
                field, _, value = line.decode(errors="replace").rstrip("\r\n").partition(":")
                value = value.removeprefix(" ")
                if field == "id" and value.isdigit():
                    number = int(value)
                elif field == "event":
                    name = value
                elif field == "data":
                    data.append(value)
                elif not field and not value and data:
                    yield number, name, decoded("\n".join(data))
                    name, data = "message", []
    except (OSError, http.client.HTTPException):
        return


def decoded(text: str) -> dict:
    try:
        content = json.loads(text)
    except ValueError:
        return {"message": text}
    return content if isinstance(content, dict) else {"message": content}


def show(name: str, data: dict) -> None:
    if name == "second":
        print(second_line(data), flush=True)
    elif name == "backfill":
        for point in data.get("points", []):
            print(second_line(point), flush=True)
    elif name == "TestStatusUpdate":
        print(f"  {data.get('message') or data.get('status')}", flush=True)


def second_line(point: dict) -> str:
    """What one second measured; what had no sample is left out."""
    parts = [f"{point.get('t', '?'):>6} s"]
    for key, form in SECOND_FORMS:
        if (value := point.get(key)) is not None:
            parts.append(form.format(value))
    passed, failed = point.get("checksPassed", 0), point.get("checksFailed", 0)
    if passed + failed:
        parts.append(f"checks {passed}/{passed + failed}")
    return "  ".join(parts)


def report(run: dict) -> int:
    identity = run["testId"]
    if run["status"] == "Completed" or run.get("results"):
        print_results(run.get("results") or call("GET", f"/{identity}/results"))
    if message := run.get("errorMessage"):
        print(f"\n{run['status']}: {message}")
    verdict = run.get("verdict")
    if not verdict:
        raise Stop(f"the run is {run['status']} and has no verdict")
    print(f"\nverdict: {verdict['level']}")
    for reason in verdict.get("reasons", []):
        print(f"  - {reason}")
    if run["status"] == "Cancelled":
        return NO_VERDICT
    return 0 if verdict["exitCode"] in SUCCESS_CODES else verdict["exitCode"]


def print_results(results: dict) -> None:
    print("\nmetrics")
    for name, metric in sorted(results.get("metrics", {}).items()):
        values = "  ".join(f"{stat} {value:.6g}" for stat, value in metric["values"].items())
        print(f"  {name:<34} {values}")
    if checks := results.get("checks"):
        print("checks")
        for check in checks:
            total = check["passes"] + check["fails"]
            print(f"  {check['passes']:>7} of {total:<7} {check['name']}")
    outcomes = results.get("thresholds", {}).get("results", {})
    if outcomes:
        print("thresholds")
        for name, outcome in outcomes.items():
            state = "ok    " if outcome["ok"] else "FAILED"
            observed = outcome.get("observedValue")
            shown = "" if observed is None else f"  observed {observed:.6g}"
            print(f"  {state} {name}{shown}")


if __name__ == "__main__":
    sys.exit(main())
