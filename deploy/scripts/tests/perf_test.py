#!/usr/bin/env python3
"""perf.sh, with the perf of PERF_BINARY, against a service that answers as the contract says."""

import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLIENT = pathlib.Path(__file__).parent.parent / "perf.sh"
RUN = {
    "testId": "t1", "number": 7, "testName": "smoke", "scenario": "Smoke", "target": "local",
    "status": "Queued", "startedAt": "2026-11-21T16:12:08Z",
}
RESULTS = {
    "metrics": {"http_req_duration": {"type": "trend", "contains": "time", "values": {"p(95)": 12.5}}},
    "checks": [{"name": "status is right", "passes": 9, "fails": 1, "successRate": 0.9}],
    "thresholds": {
        "results": {"http_req_duration: p(95)<5": {"ok": False, "observedValue": 12.5, "samples": 200}},
        "allPassed": False,
    },
    "coverage": {},
}
STREAM = (
    b"id: 1\nevent: TestStatusUpdate\ndata: {\"status\": \"Running\"}\n\n"
    b"id: 2\nevent: second\ndata: {\"t\": 3, \"requestsPerSecond\": 41.0, \"checksPassed\": 4, \"checksFailed\": 1}\n\n"
    b"id: 3\nevent: end\ndata: {}\n\n"
)


class Service(BaseHTTPRequestHandler):
    """Both services in one; `server.run` is what GET /{testId} answers."""

    def do_GET(self):
        if self.path == "/health/ready":
            self.answer(self.server.ready, {"detail": "SQLite is locked"})
        elif self.path.startswith("/performance-hub"):
            self.answer(self.server.hub, STREAM)
        elif self.path.endswith("/results"):
            self.answer(200, RESULTS)
        else:
            self.answer(200, self.server.run)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked = json.loads(body)
        self.answer(self.server.start_status, self.server.start_body)

    def answer(self, status, content):
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_):
        pass


class PerfClient(unittest.TestCase):
    def setUp(self):
        self.service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
        self.service.ready = self.service.hub = 200
        self.service.start_status, self.service.start_body = 201, RUN
        self.verdict("PASS", 0)
        thread = threading.Thread(target=self.service.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.service.server_close)
        self.addCleanup(self.service.shutdown)

    def verdict(self, level, code, reasons=(), status="Completed", **more):
        verdict = {"level": level, "exitCode": code, "reasons": list(reasons)}
        self.service.run = {**RUN, "status": status, "results": RESULTS, "verdict": verdict, **more}

    def perf(self, *arguments, **environment):
        here = f"127.0.0.1:{self.service.server_port}"
        clean = {name: os.environ[name] for name in ("PATH", "PERF_BINARY")}
        settings = {"ENV_FILE": "/dev/null", "PERFORMANCE_HTTP_ADDR": here, "BOOKSTORE_HTTP_ADDR": here}
        return subprocess.run(
            [CLIENT, *(arguments or ("tests/smoke.js",))],
            env={**clean, **settings, **environment},
            capture_output=True, text=True, timeout=60, check=False,
        )

    def test_pass_and_warning_succeed(self):
        for level, code in (("PASS", 0), ("WARNING", 1), ("INCONCLUSIVE", 1)):
            self.verdict(level, code, ["p95 moved by 3 %"])
            done = self.perf()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"#7 smoke (Smoke, local): {level}", done.stdout)
            self.assertIn("p95 moved by 3 %", done.stdout)

    def test_a_failure_is_the_exit_code(self):
        self.verdict("FAIL", 2, ["p95 above its limit"])
        done = self.perf()
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout, r"http_req_duration +p\(95\)<5 +12.5 ms +200 +crossed")

    def test_progress_and_results_are_shown(self):
        done = self.perf()
        self.assertRegex(done.stdout, r"3 s +41 req/s  checks 4/5")

    def test_the_request_carries_what_was_asked(self):
        limits = '{"http_req_duration":["p(95)<0"]}'
        self.perf("tests/ai-summary.js", "--env", "PROVIDER=claude", "--env", "SCALE=1",
                  VUS="3", DURATION="1m30s", THRESHOLDS=limits, SCALE="0.1")
        asked = self.service.asked
        self.assertEqual(asked["environment"], {"PROVIDER": "claude", "SCALE": "0.1"})
        self.assertEqual(asked["testScript"], "tests/ai-summary.js")
        self.assertEqual(asked["options"], {
            "virtualUsers": 3, "duration": "1m30s", "thresholds": {"http_req_duration": ["p(95)<0"]}})

    def test_a_preset_and_a_target_reach_the_script(self):
        here = f"http://127.0.0.1:{self.service.server_port}"
        self.perf("tests/load.js", "--scenario", "Load", BOOKSTORE_HTTP_ADDR="127.0.0.1:1", SCENARIO="p015-load", TARGET_URL=here)
        self.assertEqual(self.service.asked["environment"], {"SCENARIO": "p015-load", "BASE_URL": here})
        self.assertEqual(self.service.asked["scenario"], "Load")

    def test_k6_runs_without_the_service(self):
        with tempfile.TemporaryDirectory() as state:
            k6 = pathlib.Path(state, "k6")
            k6.write_text('#!/bin/sh\necho "$@"\nexit 99\n')
            k6.chmod(0o700)
            direct = {"RUNNER": "direct", "PERFORMANCE_K6": str(k6), "BOOKSTORE_STATE_DIR": state}
            done = self.perf("tests/load.js", "--scenario", "Load", "--env", "PROVIDER=claude", SCALE="0.1", VUS="2", **direct)
            self.assertEqual(done.returncode, 99)
            asked = done.stdout.split()
            for wanted in ("SCENARIO=load", "PROVIDER=claude", "SCALE=0.1", f"BASE_URL=http://127.0.0.1:{self.service.server_port}"):
                self.assertIn(wanted, asked)
            self.assertEqual(asked[asked.index("--vus") + 1], "2")
            self.assertTrue(asked[-1].endswith("/k6/tests/load.js"))
            refused = self.perf("tests/load.js", THRESHOLDS="{}", **direct)
            self.assertIn("THRESHOLDS", refused.stderr)
        self.assertFalse(hasattr(self.service, "asked"))

    def test_bad_requests_never_leave(self):
        for name, value in (("VUS", "many"), ("THRESHOLDS", "["), ("THRESHOLDS", "[]")):
            done = self.perf(**{name: value})
            self.assertEqual(done.returncode, 3, (name, value))
            self.assertIn(f"--{name.lower()}", done.stderr)
        self.assertFalse(hasattr(self.service, "asked"))

    def test_a_refusal_names_the_field(self):
        self.service.start_status = 400
        self.service.start_body = {"detail": "invalid", "errors": {"options.virtualUsers": ["at most 500"]}}
        done = self.perf()
        self.assertEqual(done.returncode, 3)
        self.assertIn("options.virtualUsers: at most 500", done.stderr)

    def test_a_target_that_is_down_is_named(self):
        done = self.perf(BOOKSTORE_HTTP_ADDR="127.0.0.1:1")
        self.assertEqual(done.returncode, 3)
        self.assertIn("BookStore API", done.stderr)
        self.assertFalse(hasattr(self.service, "asked"))
        self.service.ready = 503
        self.assertIn("SQLite is locked", self.perf().stderr)

    def test_without_a_stream_the_run_is_asked_for(self):
        self.service.hub = 503
        self.assertEqual(self.perf().returncode, 0)

    def test_no_verdict_is_no_success(self):
        self.service.run = {**RUN, "status": "Failed", "errorMessage": "k6 did not start"}
        done = self.perf()
        self.assertEqual(done.returncode, 3)
        self.assertIn("k6 did not start", done.stderr)


if __name__ == "__main__":
    unittest.main()
