#!/usr/bin/env python3
"""Draws the dashboards without Grafana: serve.py [--port 3001] [--prometheus URL]

One page on loopback, the dashboards' files, and the reading calls of one Prometheus. It changes
nothing and keeps nothing.
"""

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
DASHBOARDS = HERE.parent / "grafana" / "dashboards"
HOME = "overview"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
# What a page may ask of Prometheus; `/api/v1/label/NAME/values` too.
CALLS = {"/api/v1/query_range", "/api/v1/query_exemplars", "/api/v1/status/config"}
# The longest query of a panel takes a fraction of it.
QUERY_SECONDS = 30
# A hundred series of a thousand points are a tenth of it.
MAX_ANSWER_BYTES = 32 * 1024 * 1024
# A page that sends nothing holds its thread no longer.
IDLE_SECONDS = 60
POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
))


class Preview(BaseHTTPRequestHandler):
    """One connection. `prometheus` and `files` are set before the server starts."""

    prometheus = ""
    files: dict[str, Path] = {}
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        # Another name for this machine may be a page of another site that asks.
        host = urllib.parse.urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in ("127.0.0.1", "localhost", "::1"):
            self.reply(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"this page has loopback names only\n")
            return
        path = urllib.parse.urlsplit(self.path).path
        if path == "/":
            self.reply(HTTPStatus.FOUND, "text/plain", b"", location=f"/d/{HOME}")
        elif path in CALLS or (path.startswith("/api/v1/label/") and path.endswith("/values")):
            self.pass_on()
        elif path == "/dashboards":
            self.reply(HTTPStatus.OK, "application/json", json.dumps(dashboards()).encode())
        elif path.startswith("/d/"):
            self.send_file(HERE / "page" / "index.html")
        elif path in self.files:
            self.send_file(self.files[path])
        else:
            self.reply(HTTPStatus.NOT_FOUND, "text/plain", b"there is no such page\n")

    def pass_on(self) -> None:
        """Asks Prometheus, whose refusals are told as they are."""
        try:
            with urllib.request.urlopen(self.prometheus + self.path, timeout=QUERY_SECONDS) as answer:
                status, body = answer.status, answer.read(MAX_ANSWER_BYTES + 1)
        except urllib.error.HTTPError as refusal:
            status, body = refusal.code, refusal.read(MAX_ANSWER_BYTES)
        except (OSError, ValueError) as error:
            status, body = HTTPStatus.BAD_GATEWAY, problem(f"{self.prometheus} does not answer: {error}")
        if len(body) > MAX_ANSWER_BYTES:
            status, body = HTTPStatus.BAD_GATEWAY, problem("the answer is too long: choose a shorter range")
        self.reply(status, "application/json", body)

    def send_file(self, path: Path) -> None:
        self.reply(HTTPStatus.OK, KINDS.get(path.suffix, "application/json"), path.read_bytes())

    def reply(self, status: int, kind: str, body: bytes, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a page asks hundreds of times."""


def problem(text: str) -> bytes:
    """An error in the form that Prometheus has for its own."""
    return json.dumps({"status": "error", "error": text}).encode()


def dashboards() -> list[dict[str, str]]:
    """Uid and title of each, in the order of the titles, Mega last."""
    found = [json.loads(file.read_text(encoding="utf-8")) for file in DASHBOARDS.glob("*.json")]
    return [{"uid": one["uid"], "title": one["title"]} for one in sorted(found, key=lambda one: (one["uid"] == "mega", one["title"]))]


def served() -> dict[str, Path]:
    """Every file by its path, so that no request names one."""
    page = HERE / "page"
    files = {f"/{file.relative_to(page)}": file for file in page.rglob("*") if file.suffix in KINDS}
    return files | {f"/dashboards/{file.name}": file for file in DASHBOARDS.glob("*.json")}


def main() -> int:
    parser = argparse.ArgumentParser(description="Draws the dashboards without Grafana.")
    parser.add_argument("--port", type=int, default=3001)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    arguments = parser.parse_args()
    address = urllib.parse.urlsplit(arguments.prometheus)
    if address.scheme not in ("http", "https") or not address.hostname:
        parser.error(f"--prometheus {arguments.prometheus}: http://host:port")
    Preview.prometheus, Preview.files = arguments.prometheus.rstrip("/"), served()
    try:
        server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Preview)
    except (OSError, OverflowError) as error:
        parser.error(f"port {arguments.port}: {getattr(error, 'strerror', error)}")
    print(f"the dashboards are at http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
