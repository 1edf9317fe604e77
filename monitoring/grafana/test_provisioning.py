"""What Grafana is provisioned with: its data sources find each other, no secret lies in the files.

Run by: python3 -m unittest discover monitoring/grafana
"""

import json
import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generate import CATALOGUE  # noqa: E402
from panels import verify  # noqa: E402
from panels.builder import ADDRESSES  # noqa: E402

PROMETHEUS = HERE.parent / "prometheus"
JAEGER = HERE.parent / "jaeger" / "config.yaml"
# What the sizes are made for: buckets with a new exemplar at a scrape under a mixed load, as
# `make test-dashboards` makes one, and traces that are kept a second.
NEW_A_SCRAPE, TRACES_A_SECOND = {"prometheus.yml": 350, "prometheus.lab.yml": 200}, 100
COMPOSE = HERE.parents[1] / "docker-compose.perf.yml"


DATASOURCES = (HERE / "provisioning/datasources/datasources.yml").read_text(encoding="utf-8")


def source(uid: str) -> str:
    """The text of one data source."""
    return next(text for text in re.split(r"\n  - name: ", DATASOURCES) if f"\n    uid: {uid}\n" in text)


def service(name: str) -> str:
    """The text of one service of the compose file."""
    return re.search(rf"^  {name}:\n(?:    .*\n|\n)+", COMPOSE.read_text(encoding="utf-8"), re.MULTILINE)[0]


class ProvisioningTest(unittest.TestCase):
    def test_a_dot_leads_to_its_trace_and_a_span_to_its_route(self):
        prometheus, jaeger = source("prometheus"), source("jaeger")
        # By address: who only looks has no right to Explore, where a data source would be opened.
        leads = re.search(r"exemplarTraceIdDestinations:\n(?:\s+#.*\n)*\s+- name: trace_id\n\s+url: (\S+)\n", prometheus)
        self.assertEqual(leads[1] if leads else None, f"{ADDRESSES['jaeger']}/trace/$${{__value.raw}}")
        self.assertNotIn("datasourceUid: jaeger", prometheus)
        self.assertIn('- "127.0.0.1:16686:16686"\n', service("jaeger"))
        self.assertRegex(jaeger, r"tracesToMetrics:\n\s+datasourceUid: prometheus\n")
        # The labels that spans are turned into, and Grafana's `$` behind its own.
        labels = ",".join(f'{name}="x"' for name in re.findall(r"- key: \S+\n\s+value: (\S+)", jaeger))
        catalogue = verify.read_catalogue(CATALOGUE)
        queries = re.findall(r"query: (.+)", jaeger)
        self.assertTrue(queries)
        for query in queries:
            self.assertNotRegex(query, r"(?<!\$)\$(?!\$)")
            expr = query.replace("$$__tags", labels).replace("$$__rate_interval", "1m")
            for metric, wanted in verify.asked(expr).items():
                family = re.sub(r"_(bucket|count|sum)$", "", metric)
                self.assertLessEqual(wanted - {"le"}, catalogue[family], metric)

    def test_a_trace_leads_to_its_log_lines(self):
        # There is no store of logs: the pages beside the containers read those of the engine.
        pages = "http://127.0.0.1:3001/trace/"
        self.assertIn(f"          url: {pages}$${{__value.raw}}\n", source("prometheus"))
        links = json.loads((JAEGER.parent / "pages.json").read_text(encoding="utf-8"))["linkPatterns"]
        self.assertEqual([(link["type"], link["url"]) for link in links], [("traces", pages + "#{traceID}")])
        self.assertIn("JAEGER_PAGES: /etc/jaeger/pages.json\n", service("jaeger"))
        self.assertIn('volumes: ["./monitoring/jaeger:/etc/jaeger:ro"]\n', service("jaeger"))
        self.assertIn("config_file: ${env:JAEGER_PAGES:-}\n", JAEGER.read_text(encoding="utf-8"))
        settings = (HERE.parents[1] / "deploy/scripts/lib/settings.sh").read_text(encoding="utf-8")
        self.assertIn("PREVIEW_PORT:-3001", settings)

    def test_alerts_lead_to_the_pages_of_traces(self):
        for profile in NEW_A_SCRAPE:
            self.assertIn("    jaeger: ${TRACE_PAGES}\n", (PROMETHEUS / profile).read_text(encoding="utf-8"))
        self.assertIn(f"TRACE_PAGES: {ADDRESSES['jaeger']}\n", service("prometheus"))

    def test_dots_do_not_outlive_their_traces(self):
        traces = int(re.search(r"max_traces: (\d+)", JAEGER.read_text(encoding="utf-8"))[1])
        for profile, new in NEW_A_SCRAPE.items():
            text = (PROMETHEUS / profile).read_text(encoding="utf-8")
            kept, pace = (int(re.search(rf"{key}: (\d+)s?\n", text)[1]) for key in ("max_exemplars", "scrape_interval"))
            self.assertLessEqual(kept * pace * TRACES_A_SECOND, traces * new, profile)

    def test_no_secret_is_in_a_file(self):
        for file in sorted((HERE / "provisioning").rglob("*.yml")):
            for line in file.read_text(encoding="utf-8").splitlines():
                self.assertNotRegex(line, r"(?i)^\s*(-\s*)?\w*(password|token|secret|apikey)\w*\s*:", file.name)
        self.assertNotRegex(service("grafana"), r"(?i)\n\s+GF_\w*(password|secret|token)")

    def test_everybody_begins_at_the_overview(self):
        provider = (HERE / "provisioning/dashboards/dashboards.yml").read_text(encoding="utf-8")
        folder = re.search(r"path: (\S+)", provider)[1]
        self.assertIn(f"GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: {folder}/overview.json\n", service("grafana"))
        self.assertIn(f"- ./monitoring/grafana/dashboards:{folder}:ro\n", service("grafana"))
        self.assertTrue((HERE / "dashboards/overview.json").is_file())

    def test_prometheus_keeps_dots_and_takes_load_tests(self):
        for flag in ("--enable-feature=exemplar-storage", "--web.enable-remote-write-receiver"):
            self.assertIn(f"- {flag}\n", service("prometheus"))


if __name__ == "__main__":
    unittest.main()
