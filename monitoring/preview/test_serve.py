"""The preview's server: what it gives, what it refuses, and what it says when Prometheus does not answer.

Run by: python3 -m unittest discover monitoring/preview
"""

import contextlib
import http.client
import http.server
import io
import json
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

from serve import Preview, Server  # noqa: E402

HERE = Path(__file__).resolve().parent
# A machine that builds at the same time starts an interpreter in seconds.
SECONDS = 60


class Refusing(http.server.BaseHTTPRequestHandler):
    """A Prometheus that finds every query wrong, and keeps what it was asked."""

    asked: list[str] = []

    def do_GET(self):
        Refusing.asked.append(self.path)
        body = b'{"status": "error", "errorType": "bad_data", "error": "parse error: unexpected end"}'
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


TRACE, SLOWER, LOST = "a" * 32, "b" * 32, "c" * 32
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 142, "bookstore.gen_ai.cost.pico_usd": 1384000000, "bookstore.gen_ai.simulated": True}


def span(name: str, begin: int, took: int, parent: str = "", **tags) -> dict:
    """A span as Jaeger tells it; its id is its name."""
    references = [{"refType": "CHILD_OF", "spanID": parent}] if parent else []
    told = [{"key": key, "value": value} for key, value in tags.items()]
    return {"spanID": name, "operationName": name, "startTime": 1_000_000_000_000_000 + begin, "duration": took, "references": references, "tags": told, "processID": "p1"}


def looked_up(at: int, level: str, outcome: str) -> dict:
    """An event as Jaeger tells it."""
    fields = {"event": "bookstore.cache.look_up", "bookstore.cache.name": "book", "bookstore.cache.level": level, "bookstore.cache.outcome": outcome}
    return {"timestamp": at, "fields": [{"key": key, "value": value} for key, value in fields.items()]}


def trace(trace_id: str, *spans: dict) -> dict:
    return {"traceID": trace_id, "spans": [{**one, "traceID": trace_id} for one in spans], "processes": {"p1": {"serviceName": "bookstore-api"}}}


TRACES = {
    TRACE: trace(TRACE, span("chat <b>model</b>", 500, 3000, "POST /summary", **CHAT, error=True), {**span("POST /summary", 0, 4000, **{"test.id": "run-1"}), "logs": [looked_up(2, "store", "hit"), looked_up(1, "l1", "miss")]}),
    SLOWER: trace(SLOWER, span("GET /books", 0, 9000, **{"bookstore.trace.kept_for": "slow"})),
}


class Jaeger(http.server.BaseHTTPRequestHandler):
    """Its query API with two traces."""

    asked: list[str] = []

    def do_GET(self):
        Jaeger.asked.append(self.path)
        path, _, query = self.path.partition("?")
        found = list(TRACES.values()) if path == "/api/traces" else [TRACES[one] for one in [path.rsplit("/", 1)[1]] if one in TRACES]
        status = 400 if "minDuration=nonsense" in query else 200 if found else 404
        body = json.dumps({"data": found} if status == 200 else {"errors": [{"msg": "no such duration"}]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


def serve(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(HERE / "serve.py"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Served:
    """A preview of a Prometheus, and the way to ask it."""

    def __init__(self, *arguments: str):
        self.process = serve("--port", "0", *arguments)
        # "the dashboards are at http://127.0.0.1:PORT/ …"
        line = self.process.stdout.readline()
        self.port = int(line.split("127.0.0.1:")[1].split("/")[0])

    def get(self, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request(method, path, headers={"Host": host})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply.status, reply.headers, body

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=SECONDS)


class ServeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prometheus = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
        threading.Thread(target=cls.prometheus.serve_forever, daemon=True).start()
        cls.preview = Served("--prometheus", f"http://127.0.0.1:{cls.prometheus.server_port}")

    @classmethod
    def tearDownClass(cls):
        cls.preview.end()
        cls.prometheus.shutdown()
        cls.prometheus.server_close()

    def test_it_gives_pages_and_dashboards_under_a_strict_policy(self):
        listed = json.loads(self.preview.get("/dashboards")[2])
        self.assertIn({"uid": "load-test", "title": "Load test"}, listed)
        for path, kind in [
            ("/d/overview", "text/html"), ("/main.js", "text/javascript"), ("/vendor/uplot/uPlot.iife.min.js", "text/javascript"),
            *((f"/dashboards/{one['uid']}.json", "application/json") for one in listed),
        ]:
            status, headers, body = self.preview.get(path)
            self.assertEqual((status, headers["Content-Type"].split(";")[0]), (200, kind), path)
            self.assertTrue(body)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        status, headers, _ = self.preview.get("/")
        self.assertEqual((status, headers["Location"]), (302, "/d/overview"))

    def test_nothing_else_is_reached(self):
        for path in ("/../serve.py", "/serve.py", "/%2e%2e/serve.py", "/etc/passwd", "/api/v1/admin/tsdb/delete_series", "/api/v1/label/job", "/-/quit"):
            self.assertEqual(self.preview.get(path)[0], 404, path)
        self.assertEqual(self.preview.get("/api/v1/query_range", method="POST")[0], 501)
        for host in ("evil.example", "evil.example:3001", ""):
            self.assertEqual(self.preview.get("/api/v1/query_range?query=up", host=host)[0], 421, host)
        self.assertFalse([path for path in Refusing.asked if "query_range?query=up" in path])

    def test_what_prometheus_refuses_is_told_as_it_is(self):
        status, _, body = self.preview.get("/api/v1/query_range?query=sum(")
        self.assertEqual((status, json.loads(body)["error"]), (400, "parse error: unexpected end"))
        self.assertIn("/api/v1/query_range?query=sum(", Refusing.asked)

    def test_a_prometheus_that_does_not_answer_is_named(self):
        # A server that is bound and closed: nobody listens there.
        gone = http.server.HTTPServer(("127.0.0.1", 0), Refusing)
        address = f"http://127.0.0.1:{gone.server_port}"
        gone.server_close()
        preview = Served("--prometheus", address)
        try:
            status, _, body = preview.get("/api/v1/query_range?query=up")
        finally:
            preview.end()
        self.assertEqual(status, 502)
        self.assertIn(f"{address} does not answer", json.loads(body)["error"])

    def test_a_page_that_is_left_while_it_asks_is_no_error(self):
        for error, told in ((BrokenPipeError(), False), (ConnectionResetError(), False), (ValueError("a mistake"), True)):
            said = io.StringIO()
            with Server(("127.0.0.1", 0), Preview) as server, contextlib.redirect_stderr(said):
                try:
                    raise error
                except type(error):
                    server.handle_error(None, ("127.0.0.1", 1))
            self.assertEqual("Traceback" in said.getvalue(), told, error)

    def test_wrong_arguments_are_named(self):
        taken = str(self.preview.port)
        for arguments, reason in [
            (("--prometheus", "ftp://x"), "http://host:port"), (("--jaeger", "ftp://x"), "--jaeger ftp://x: http://host:port"), (("--prometheus", "nonsense"), "http://host:port"),
            (("--port", taken), f"port {taken}: Address already in use"), (("--port", "70000"), "port 70000"),
        ]:
            process = serve(*arguments)
            _, said = process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, 2, arguments)
            self.assertIn(reason, said)
            self.assertNotIn("Traceback", said)


class TracesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.jaeger = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Jaeger)
        threading.Thread(target=cls.jaeger.serve_forever, daemon=True).start()
        cls.logs = tempfile.TemporaryDirectory()
        lines = [{"timestamp": f"2026-01-01T00:00:0{n}Z", "level": "WARN", "service.name": "bookstore-api", "message": f"line <{n}>", "trace_id": one}
                 for n, one in enumerate((TRACE, SLOWER, TRACE))]
        Path(cls.logs.name, "bookstore-api.log").write_text("no JSON\n" + "".join(f"{json.dumps(line)}\n" for line in reversed(lines)), encoding="utf-8")
        cls.preview = Served("--jaeger", f"http://127.0.0.1:{cls.jaeger.server_port}", "--logs", cls.logs.name, "--performance", "http://127.0.0.1:1")

    @classmethod
    def tearDownClass(cls):
        cls.preview.end()
        cls.jaeger.shutdown()
        cls.jaeger.server_close()
        cls.logs.cleanup()

    def page(self, path: str) -> tuple[int, str]:
        status, headers, body = self.preview.get(path)
        self.assertEqual(headers["Content-Type"], "text/html; charset=utf-8")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        text = body.decode()
        self.assertNotRegex(text, "<script|style=|<b>")
        return status, text

    def test_a_trace_has_its_spans_in_order_its_dollars_and_its_lines(self):
        status, text = self.page(f"/trace/{TRACE}")
        self.assertEqual(status, 200)
        for told in ("4.0 ms, 2 spans", "1 attempt, simulated: 142 tokens in, 0 out, $0.001384", "chat &lt;b&gt;model&lt;/b&gt;",
                     'href="http://127.0.0.1:1/runs/run-1"', "cache book: l1 miss, store hit", 'class="depth1"', '<tr class="failed">'):
            self.assertIn(told, text)
        self.assertLess(text.index(">POST /summary<"), text.index("chat &lt;b&gt;"))
        self.assertLess(text.index("line &lt;0&gt;"), text.index("line &lt;2&gt;"))
        self.assertNotIn("line &lt;1&gt;", text)

    def test_what_is_no_trace_is_said(self):
        status, text = self.page(f"/trace/{LOST}")
        self.assertEqual(status, 404)
        self.assertIn(f"Jaeger does not have the trace {LOST}", text)
        for wrong in ("nonsense", "../../api/services", TRACE.upper(), f"{TRACE}0", ""):
            self.assertEqual(self.page(f"/trace/{wrong}")[0], 400, wrong)

    def test_a_search_is_passed_on_and_its_longest_trace_comes_first(self):
        status, text = self.page("/search?service=x&minDuration=5ms&tags=%7B%22error%22%3A%22true%22%7D&start=1000000000000000&evil=1&limit=7")
        self.assertEqual(status, 200)
        self.assertIn("/api/traces?service=x&start=1000000000000000&minDuration=5ms&tags=%7B%22error%22%3A%22true%22%7D&limit=7", Jaeger.asked)
        self.assertLess(text.index(f"/trace/{SLOWER}"), text.index(f"/trace/{TRACE}"))
        self.assertIn("start 2001-09-09 01:46:40 UTC, minDuration 5ms, error = true", text)
        for wrong in ("limit=0", "limit=x", "limit=101", "minDuration=nonsense"):
            self.assertEqual(self.page(f"/search?{wrong}")[0], 400, wrong)

    def test_lines_come_from_a_program_where_it_prints_them(self):
        program = Path(self.logs.name, "prints")
        said = f'echo "no JSON $*"; cat {self.logs.name}/bookstore-api.log; echo "$*" >{self.logs.name}/asked'
        for commands, found in ((said, "line &lt;0&gt;"), (f"{said}; exit 1", "could not be read"), ("exit 1", "could not be read")):
            program.write_text(f"#!/bin/sh\n{commands}\n", encoding="utf-8")
            program.chmod(0o755)
            beside = Served("--jaeger", f"http://127.0.0.1:{self.jaeger.server_port}", "--lines-of", str(program))
            try:
                text = beside.get(f"/trace/{TRACE}")[2].decode()
            finally:
                beside.end()
            self.assertIn(found, text)
        # A minute before the trace and after it, in whole seconds.
        asked = Path(self.logs.name, "asked").read_text(encoding="utf-8")
        self.assertEqual(asked, "lines 2001-09-09T01:45:40Z 2001-09-09T01:47:40Z\n")

    def test_without_logs_or_jaeger_the_page_says_what_to_do(self):
        alone = Served("--jaeger", f"http://127.0.0.1:{self.jaeger.server_port}")
        try:
            self.assertIn(f"make trace-logs ID={TRACE}", alone.get(f"/trace/{TRACE}")[2].decode())
        finally:
            alone.end()
        # A server that is bound and closed: nobody listens there.
        gone = http.server.HTTPServer(("127.0.0.1", 0), Jaeger)
        gone.server_close()
        alone = Served("--jaeger", f"http://127.0.0.1:{gone.server_port}")
        try:
            for path in (f"/trace/{TRACE}", "/search"):
                status, _, body = alone.get(path)
                self.assertEqual(status, 502)
                self.assertIn("does not answer", body.decode())
        finally:
            alone.end()


if __name__ == "__main__":
    unittest.main()
