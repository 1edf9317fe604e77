#!/usr/bin/env python3
"""Plants a fault in the simulator, under load, and waits for its alerts at a webhook: alerts_test.py PORT

BOOKSTORE_URL, SIMULATOR_URL, PROMETHEUS_URL and ALERTMANAGER_URL name the stack; Alertmanager sends
to PORT. Ends with 1 and the reason where an alert comes late, comes wrongly, or stays.
"""

import http.server
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

API, SIMULATOR = os.environ["BOOKSTORE_URL"], os.environ["SIMULATOR_URL"]
PROMETHEUS, ALERTMANAGER = os.environ["PROMETHEUS_URL"], os.environ["ALERTMANAGER_URL"]
# A page within two minutes, and its end as soon.
ARRIVES_SECONDS = 120
RESOLVES_SECONDS = 120
# Longer than the short windows of all pages; half of the long one of the fast page.
CALM_SECONDS = 30
# The whole of Claude fails: its objective and that of the summaries page.
FAULT = {"rules": [{"dialect": "anthropic", "fault": {"status": {"code": 500}}}]}
PAGES = {"ProviderFails", "SummariesFail"}
# Requests of one thread: their pause, and how long one may take.
PAUSE_SECONDS = 0.2
REQUEST_SECONDS = 70
MODEL_THREADS, CATALOGUE_THREADS = 3, 2


class Failure(Exception):
    """What was not as it should be."""


class Sink:
    """A webhook that keeps what it is told, with the time."""

    def __init__(self, port: int):
        self.told: list[tuple[float, dict]] = []
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                sink.told += [(time.monotonic(), alert) for alert in message["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                """Nothing: the alerts themselves are printed."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def first(self, status: str, since: float) -> dict[str, tuple[float, dict]]:
        """The first page of each name with this status since then."""
        found: dict[str, tuple[float, dict]] = {}
        for at, alert in list(self.told):
            if at >= since and alert["status"] == status and alert["labels"]["severity"] == "page":
                found.setdefault(alert["labels"]["alertname"], (at - since, alert))
        return found


def main() -> int:
    sink = Sink(int(sys.argv[1]))
    stop = threading.Event()
    try:
        start_load(stop)
        calm(sink)
        fault(sink)
        over(sink)
    except Failure as reason:
        print(f"FAILED: {reason}", file=sys.stderr)
        return 1
    finally:
        stop.set()
        send(SIMULATOR, "PUT", "/control/faults", {"rules": []})
    return 0


def start_load(stop: threading.Event) -> None:
    send(API, "POST", "/seed-data")
    books = [book["id"] for book in send(API, "GET", "/api/v1/books")["books"]]
    # Each thread has a book of its own, so that no answer is shared.
    paths = [("POST", f"/api/v1/books/{book}/generate-summary?provider=claude&refresh=true") for book in books[:MODEL_THREADS]]
    paths += [("GET", "/api/v1/books")] * CATALOGUE_THREADS
    for method, path in paths:
        threading.Thread(target=ask_again, args=(stop, method, path), daemon=True).start()


def ask_again(stop: threading.Event, method: str, path: str) -> None:
    while not stop.wait(PAUSE_SECONDS):
        try:
            send(API, method, path)
        except urllib.error.HTTPError as refusal:
            refusal.close()


def calm(sink: Sink) -> None:
    """No page while all is well; by then the ratios have data."""
    wait("the ratios of the objectives", CALM_SECONDS, lambda: ratios() >= {"ai-availability", "provider-errors"})
    time_of_calm = time.monotonic()
    wait("good requests alone", CALM_SECONDS * 2, lambda: time.monotonic() - time_of_calm >= CALM_SECONDS)
    paged = PAGES & set(sink.first("firing", 0))
    if paged:
        raise Failure(f"paged without a fault: {sorted(paged)}")
    print(f"calm     {CALM_SECONDS} s of load, nobody was paged for {', '.join(sorted(PAGES))}")


def fault(sink: Sink) -> None:
    since = time.monotonic()
    send(SIMULATOR, "PUT", "/control/faults", FAULT)
    wait(f"pages for {sorted(PAGES)}", ARRIVES_SECONDS, lambda: PAGES <= set(sink.first("firing", since)))
    for name in sorted(PAGES):
        seconds, alert = sink.first("firing", since)[name]
        print(f"fires    {name} after {seconds:.1f} s: {alert['annotations']['summary']}")
        for annotation in ("runbook", "dashboard", "traces"):
            if not alert["annotations"].get(annotation):
                raise Failure(f"{name} came without {annotation}")
        if {"money", "grafana", "jaeger"} & set(alert["labels"]):
            raise Failure(f"{name} shows our settings as labels: {alert['labels']}")
    # The slow burn of the same objective is on Alertmanager's page, and told to nobody.
    wait("the ticket to be inhibited", ARRIVES_SECONDS, inhibited)
    if any(alert["labels"]["severity"] == "ticket" and alert["labels"]["alertname"] in PAGES for _, alert in sink.told):
        raise Failure("the slow burn was told beside the page")
    print("inhibits the tickets of the same objectives")


def over(sink: Sink) -> None:
    since = time.monotonic()
    send(SIMULATOR, "PUT", "/control/faults", {"rules": []})
    wait("the end to be told", RESOLVES_SECONDS, lambda: PAGES <= set(sink.first("resolved", since)))
    for name in sorted(PAGES):
        print(f"resolves {name} after {sink.first('resolved', since)[name][0]:.1f} s")


def ratios() -> set[str]:
    found = send(PROMETHEUS, "GET", "/api/v1/query?query=slo:sli_error:ratio_rate10s")["data"]["result"]
    return {series["metric"]["sloth_slo"] for series in found}


def inhibited() -> bool:
    alerts = send(ALERTMANAGER, "GET", "/api/v2/alerts?filter=severity%3D%22ticket%22")
    return PAGES <= {alert["labels"]["alertname"] for alert in alerts if alert["status"]["inhibitedBy"]}


def wait(what: str, seconds: float, condition) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(0.1)


def send(base: str, method: str, path: str, body=None):
    request = urllib.request.Request(base + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:
        return json.loads(reply.read() or b"null")


if __name__ == "__main__":
    sys.exit(main())
