#!/usr/bin/env python3
"""Draws the dashboards without Grafana, and traces without Jaeger's pages: serve.py [--port 3001]
[--prometheus URL] [--jaeger URL] [--performance URL] [--logs DIRECTORY | --lines-of PROGRAM]

On loopback: the dashboards' files, the reading calls of one Prometheus, the traces of one Jaeger
and the log lines of a directory, or of what a program prints. It changes nothing and keeps nothing.
"""

import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.dont_write_bytecode = True

import log_lines  # noqa: E402
import trace_pages  # noqa: E402

HERE = Path(__file__).resolve().parent
DASHBOARDS = HERE.parent / "grafana" / "dashboards"
HOME = "overview"
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
SERVERS = {"prometheus": "http://127.0.0.1:9090", "jaeger": "http://127.0.0.1:16686", "performance": "http://127.0.0.1:7004"}
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
    """One connection. The addresses and files are set before the server starts."""

    prometheus = jaeger = performance = ""
    logs: log_lines.Source | None = None
    files: dict[str, Path] = {}
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        # Another name for this machine may be a page of another site that asks.
        host = urllib.parse.urlsplit(f"//{self.headers.get('Host', '')}").hostname
        if host not in ("127.0.0.1", "localhost", "::1"):
            self.reply(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"this page has loopback names only\n")
            return
        path, query = urllib.parse.urlsplit(self.path)[2:4]
        if path == "/":
            self.reply(HTTPStatus.FOUND, "text/plain", b"", location=f"/d/{HOME}")
        elif path in CALLS or (path.startswith("/api/v1/label/") and path.endswith("/values")):
            self.pass_on()
        elif path == "/dashboards":
            self.reply(HTTPStatus.OK, "application/json", json.dumps(dashboards()).encode())
        elif path.startswith("/trace/"):
            self.send_page(trace_pages.trace_page(self.jaeger, self.logs, self.performance, path.removeprefix("/trace/")))
        elif path == "/search":
            self.send_page(trace_pages.search_page(self.jaeger, query))
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
        except (OSError, ValueError, HTTPException) as error:
            status, body = HTTPStatus.BAD_GATEWAY, problem(f"{self.prometheus} does not answer: {error}")
        if len(body) > MAX_ANSWER_BYTES:
            status, body = HTTPStatus.BAD_GATEWAY, problem("the answer is too long: choose a shorter range")
        self.reply(status, "application/json", body)

    def send_page(self, made: tuple[HTTPStatus, bytes]) -> None:
        self.reply(made[0], "text/html", made[1])

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


class Server(ThreadingHTTPServer):
    """A page opens its connections all at once."""

    request_queue_size = 64

    def handle_error(self, *connection: object) -> None:
        """A page that is left while it asks is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*connection)


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


def source(arguments: argparse.Namespace) -> log_lines.Source | None:
    """Where log lines come from."""
    if arguments.lines_of:
        return log_lines.of_program(arguments.lines_of)
    return log_lines.of_directory(arguments.logs) if arguments.logs and arguments.logs.is_dir() else None


def main() -> int:
    parser = argparse.ArgumentParser(description="Draws the dashboards without Grafana.")
    parser.add_argument("--port", type=int, default=3001)
    lines = parser.add_mutually_exclusive_group()
    lines.add_argument("--logs", type=Path, help="where the services' logs are, NAME.log")
    lines.add_argument("--lines-of", type=Path, help="what prints the services' lines: PROGRAM lines SINCE UNTIL")
    for name, address in SERVERS.items():
        parser.add_argument(f"--{name}", default=address)
    arguments = parser.parse_args()
    for name in SERVERS:
        given = getattr(arguments, name)
        address = urllib.parse.urlsplit(given)
        if address.scheme not in ("http", "https") or not address.hostname:
            parser.error(f"--{name} {given}: http://host:port")
        setattr(Preview, name, given.rstrip("/"))
    Preview.files, found = served(), source(arguments)
    # A plain function would become a method.
    Preview.logs = staticmethod(found) if found else None
    try:
        server = Server(("127.0.0.1", arguments.port), Preview)
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
