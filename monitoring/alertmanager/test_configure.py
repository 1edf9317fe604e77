"""Who is told what: routes by amtool, inhibition and channels by a real Alertmanager with sinks.

Run by: python3 -m unittest discover monitoring/alertmanager
"""

import http.server
import json
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from configure import WrongSetting, configuration  # noqa: E402

# Of a machine that builds at the same time. A group of pages waits 10 s.
WAIT_SECONDS = 60


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: run `make setup`"
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait(what: str, condition) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {WAIT_SECONDS} s for {what}"
        time.sleep(0.1)


class Web(http.server.BaseHTTPRequestHandler):
    """Slack's and the webhook's side: keeps path, token and body."""

    told: list[tuple[str, str, str]] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Web.told.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        """Nothing."""


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as it takes to receive a message."""

    told: list[str] = []

    def handle(self):
        self.say("220 sink")
        for line in self.rfile:
            word = line.decode().split()[0].upper()
            if word == "DATA":
                self.say("354 go on")
                Mail.told.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            self.say("221 bye" if word == "QUIT" else "250 ok")
            if word == "QUIT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


class ConfigureTest(unittest.TestCase):
    def check(self, text: str) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(text)
            file.flush()
            said = subprocess.run([program("amtool"), "check-config", file.name], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(said.returncode, 0, said.stderr)

    def test_without_settings_nobody_is_told(self):
        text = configuration({}, None, None)
        self.check(text)
        self.assertNotIn("_configs", text)

    def test_wrong_settings_are_named(self):
        mail = {"ALERT_EMAIL_TO": "a@example.org"}
        for settings, name in [
            (mail, "ALERT_SMTP"), ({**mail, "ALERT_SMTP": "mail"}, "ALERT_SMTP"), ({**mail, "ALERT_SMTP": "mail:25"}, "ALERT_EMAIL_FROM"),
            ({"ALERT_WEBHOOK_URL": "ftp://x"}, "ALERT_WEBHOOK_URL"),
        ]:
            with self.subTest(name), self.assertRaisesRegex(WrongSetting, name):
                configuration(settings, None, None)

    def test_mail_to_elsewhere_is_encrypted(self):
        settings = {"ALERT_EMAIL_TO": "a@example.org", "ALERT_EMAIL_FROM": "b@example.org"}
        for smarthost, encrypted in [("mail.example.org:587", "true"), ("127.0.0.1:25", "false"), ("127.0.0.1.example.org:25", "true")]:
            text = configuration({**settings, "ALERT_SMTP": smarthost}, None, None)
            self.check(text)
            self.assertIn(f'"require_tls": {encrypted}', text)

    def test_secrets_are_read_elsewhere(self):
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "slack_url").write_text("https://hooks.example.org/canary")
            text = configuration({}, Path(directory), Path("/etc/alertmanager/secrets"))
        self.check(text)
        self.assertIn('"api_url_file": "/etc/alertmanager/secrets/slack_url"', text)
        self.assertNotIn("canary", text)

    def test_routes(self):
        for labels, receiver in [
            ("severity=page team=ai", "page-ai"), ("severity=page team=catalogue", "page-catalogue"),
            ("severity=page team=platform", "page-platform"), ("severity=page", "page-platform"),
            ("severity=ticket team=ai", "ticket-ai"), ("severity=ticket team=catalogue", "ticket-catalogue"),
            ("severity=ticket team=platform", "ticket-platform"), ("severity=unheard-of team=ai", "ticket-platform"),
            ("severity=escalation team=ai alertname=PageUnanswered", "escalation"),
        ]:
            with self.subTest(labels):
                command = [program("amtool"), "config", "routes", "test", f"--config.file={HERE / 'alertmanager.yml'}", f"--verify.receivers={receiver}", *labels.split()]
                said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual(said.returncode, 0, said.stdout + said.stderr)


class AlertmanagerTest(unittest.TestCase):
    """With every channel on."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        web, mail = (cls.serve(http.server.ThreadingHTTPServer, Web), cls.serve(socketserver.ThreadingTCPServer, Mail))
        secrets = Path(cls.directory.name)
        (secrets / "slack_url").write_text(f"http://127.0.0.1:{web}/slack")
        (secrets / "webhook_token").write_text("canary-token")
        settings = {
            "ALERT_WEBHOOK_URL": f"http://127.0.0.1:{web}/webhook", "ALERT_EMAIL_TO": "alerts-{team}@example.org",
            "ALERT_EMAIL_FROM": "bookstore@example.org", "ALERT_SMTP": f"127.0.0.1:{mail}",
        }
        config = secrets / "alertmanager.yml"
        config.write_text(configuration(settings, secrets, secrets))
        cls.url = f"http://127.0.0.1:{free_port()}"
        command = [
            program("prometheus-alertmanager"), f"--config.file={config}", f"--web.listen-address={cls.url[7:]}",
            "--cluster.listen-address=", f"--storage.path={secrets}/data",
        ]
        cls.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.end)
        wait("Alertmanager", cls.ready)

    @classmethod
    def serve(cls, server, handler) -> int:
        started = server(("127.0.0.1", 0), handler)
        threading.Thread(target=started.serve_forever, daemon=True).start()
        cls.addClassCleanup(started.server_close)
        cls.addClassCleanup(started.shutdown)
        return started.server_address[1]

    @classmethod
    def end(cls):
        cls.process.terminate()
        cls.process.wait(WAIT_SECONDS)
        cls.directory.cleanup()

    @classmethod
    def ready(cls) -> bool:
        try:
            with urllib.request.urlopen(f"{cls.url}/-/ready", timeout=5) as reply:
                return reply.status == 200
        except (urllib.error.URLError, ConnectionError):
            assert cls.process.poll() is None, "Alertmanager does not start"
            return False

    def send(self, *alerts: dict[str, str]) -> None:
        annotations = {"summary": "50% fail", "runbook": "docs/runbooks/x.md", "dashboard": "http://grafana/d/x", "traces": "http://jaeger/x"}
        body = json.dumps([{"labels": labels, "annotations": annotations} for labels in alerts]).encode()
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()

    def inhibited(self, alertname: str, severity: str) -> bool:
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as reply:
            found = [alert for alert in json.load(reply) if (alert["labels"]["alertname"], alert["labels"]["severity"]) == (alertname, severity)]
        self.assertEqual(len(found), 1, found)
        return bool(found[0]["status"]["inhibitedBy"])

    def test_what_follows_from_a_page_is_inhibited(self):
        def burn(severity: str, provider: str) -> dict[str, str]:
            return {"alertname": "ProviderFails", "severity": severity, "team": "ai", "sloth_id": "models-provider-errors", "gen_ai_provider_name": provider}
        opened = {"alertname": "CircuitOpen", "severity": "ticket", "team": "ai", "gen_ai_provider_name": "claude"}
        unrelated = {"alertname": "UnpricedCalls", "severity": "ticket", "team": "ai", "gen_ai_provider_name": "claude"}
        other = {**burn("ticket", "openai"), "alertname": "OtherFails"}
        self.send(burn("page", "claude"), burn("ticket", "claude"), opened, unrelated, other)
        wait("the ticket to be inhibited", lambda: self.inhibited("ProviderFails", "ticket"))
        wait("the circuit to be inhibited", lambda: self.inhibited("CircuitOpen", "ticket"))
        for alertname, severity in [("ProviderFails", "page"), ("UnpricedCalls", "ticket"), ("OtherFails", "ticket")]:
            self.assertFalse(self.inhibited(alertname, severity), alertname)

    def test_a_page_is_told_on_every_channel(self):
        self.send({"alertname": "SummariesFail", "severity": "page", "team": "ai", "sloth_id": "a"})
        mail = lambda: [text for text in Mail.told if "SummariesFail" in text]  # noqa: E731
        web = lambda path: [one for one in Web.told if one[0] == path and "SummariesFail" in one[2]]  # noqa: E731
        wait("all channels", lambda: mail() and web("/slack") and web("/webhook"))
        self.assertIn("To: alerts-ai@example.org", mail()[0])
        self.assertIn("FIRING page, ai: SummariesFail", mail()[0])
        self.assertEqual(web("/webhook")[0][1], "Bearer canary-token")
        for text in (mail()[0], web("/slack")[0][2], web("/webhook")[0][2]):
            for part in ("50% fail", "docs/runbooks/x.md"):
                self.assertIn(part, text)


if __name__ == "__main__":
    unittest.main()
