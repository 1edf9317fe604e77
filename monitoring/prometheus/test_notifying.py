"""Which alerts leave Prometheus: those of the money that the configuration names, without its own labels.

Run by: python3 -m unittest discover monitoring/prometheus
"""

import http.server
import json
import re
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from real_prometheus import TRACE_PAGES, running  # noqa: E402

# Several evaluations of one second each, on a busy machine.
WAIT_SECONDS = 60
ALERTS = {"Real": {"simulated": "false"}, "Simulated": {"simulated": "true"}, "Other": {}}


class Alertmanager(http.server.BaseHTTPRequestHandler):
    """Its receiving side: the last of each alert, by name."""

    told: dict[str, dict] = {}

    def do_POST(self):
        for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            Alertmanager.told[alert["labels"]["alertname"]] = alert
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Nothing."""


class NotifyingTest(unittest.TestCase):
    def setUp(self):
        Alertmanager.told = {}
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Alertmanager)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.port = server.server_address[1]

    def arranged(self, directory: Path, name: str) -> Path:
        """A configuration of ours with other rules and addresses beside it; it reads both by name."""
        config = directory / name
        config.write_text(re.sub(r"evaluation_interval: \w+", "evaluation_interval: 1s", (HERE / name).read_text(encoding="utf-8")))
        (directory / "targets.yml").write_text("[]")
        (directory / "alertmanagers.yml").write_text(json.dumps([{"targets": [f"127.0.0.1:{self.port}"]}]))
        (directory / "rules").mkdir()
        annotations = {"dashboard": "{{ $externalLabels.grafana }}/d/x", "traces": "{{ $externalLabels.jaeger }}/search"}
        rules = [{"alert": alert, "expr": "vector(1)", "labels": labels, "annotations": annotations} for alert, labels in ALERTS.items()]
        (directory / "rules" / "alerts.yml").write_text(json.dumps({"groups": [{"name": "alerts", "rules": rules}]}))
        return config

    def told_by(self, name: str) -> dict[str, dict]:
        """What arrives, once all that may arrive has had two evaluations to do so."""
        with tempfile.TemporaryDirectory() as directory, running(self.arranged(Path(directory), name)):
            for _ in range(2):
                deadline = time.monotonic() + WAIT_SECONDS
                Alertmanager.told.pop("Other", None)
                while "Other" not in Alertmanager.told:
                    self.assertLess(time.monotonic(), deadline, "no alert arrives")
                    time.sleep(0.1)
        return Alertmanager.told

    def test_the_money_that_is_named_is_told_of(self):
        for name, money in [("prometheus.yml", "Real"), ("prometheus.lab.yml", "Simulated")]:
            with self.subTest(name):
                self.setUp()
                told = self.told_by(name)
                self.assertEqual(set(told), {money, "Other"})
                for alert in told.values():
                    self.assertFalse({"money", "grafana", "jaeger"} & set(alert["labels"]), alert)
                    self.assertEqual(alert["annotations"]["dashboard"], "http://127.0.0.1:3000/d/x")
                    self.assertEqual(alert["annotations"]["traces"], f"{TRACE_PAGES}/search")


if __name__ == "__main__":
    unittest.main()
