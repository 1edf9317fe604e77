"""The preview's server: what it gives, what it refuses, and what it says when Prometheus does not answer.

Run by: python3 -m unittest discover monitoring/preview
"""

import http.client
import http.server
import json
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
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


def serve(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(HERE / "serve.py"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Served:
    """A preview of a Prometheus, and the way to ask it."""

    def __init__(self, prometheus: str):
        self.process = serve("--port", "0", "--prometheus", prometheus)
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
        cls.preview = Served(f"http://127.0.0.1:{cls.prometheus.server_port}")

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
        preview = Served(address)
        try:
            status, _, body = preview.get("/api/v1/query_range?query=up")
        finally:
            preview.end()
        self.assertEqual(status, 502)
        self.assertIn(f"{address} does not answer", json.loads(body)["error"])

    def test_wrong_arguments_are_named(self):
        taken = str(self.preview.port)
        for arguments, reason in [
            (("--prometheus", "ftp://x"), "http://host:port"), (("--prometheus", "nonsense"), "http://host:port"),
            (("--port", taken), f"port {taken}: Address already in use"), (("--port", "70000"), "port 70000"),
        ]:
            process = serve(*arguments)
            _, said = process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, 2, arguments)
            self.assertIn(reason, said)
            self.assertNotIn("Traceback", said)


if __name__ == "__main__":
    unittest.main()
