"""Each rule of verify.py finds the fault that it is there for: a sound dashboard is broken in one place.

Run by: python3 -m unittest discover monitoring/grafana
"""

import copy
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from generate import CATALOGUE, DASHBOARDS  # noqa: E402
from panels import verify  # noqa: E402
from panels.builder import build  # noqa: E402


class VerifyTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = copy.deepcopy(build(DASHBOARDS[0]))
        self.panel = next(panel for panel in self.dashboard["panels"] if panel["title"] == "Duration")
        self.target = self.panel["targets"][0]

    def assert_fault(self, text, faults):
        self.assertTrue(any(text in fault for fault in faults), f"{text!r} not in {faults}")

    def test_the_dashboard_is_sound(self):
        catalogue = verify.read_catalogue(CATALOGUE)
        self.assertEqual(verify.structure(self.dashboard) + verify.names(self.dashboard, catalogue), [])
        self.assertEqual(verify.promql(self.dashboard), [])

    def test_structure(self):
        for text, change in [
            ("id 11 stands twice", lambda: self.dashboard["panels"].append({**copy.deepcopy(self.panel), "title": "other"})),
            ("overlaps panel", lambda: self.panel["gridPos"].update(x=1)),
            ("outside the grid", lambda: self.panel["gridPos"].update(x=20)),
            ("no unit", lambda: self.panel["fieldConfig"]["defaults"].update(unit="")),
            ("no description", lambda: self.panel.update(description=" ")),
            ("no target", lambda: self.panel.update(targets=[])),
            ("target A is empty", lambda: self.target.update(expr="")),
            ("does not ask ${datasource}", lambda: self.target.update(datasource={"uid": "prometheus"})),
            ("without exemplars", lambda: self.target.update(exemplar=False)),
            ("loses le", lambda: self.target.update(expr=self.target["expr"].replace("by (le, ", "by ("))),
            ("adds real and simulated", lambda: self.target.update(expr="sum(rate(bookstore_gen_ai_cost_pico_usd_total[1m]))")),
            ("without rate", lambda: self.target.update(expr='bookstore_gen_ai_tokens_total{simulated="true"}')),
        ]:
            with self.subTest(text):
                self.setUp()
                change()
                self.assert_fault(text, verify.structure(self.dashboard))

    def test_names_of_metrics_and_labels(self):
        catalogue = verify.read_catalogue(CATALOGUE)
        for old, new, text in [
            ("client_operation", "klient_operation", "gen_ai_klient_operation_duration_seconds_bucket is not in"),
            ("gen_ai_request_model=", "gen_ai_modell=", "has no label gen_ai_modell"),
            ("by (le, gen_ai_provider_name)", "by (le, tenant)", "has no label tenant"),
        ]:
            with self.subTest(text):
                self.setUp()
                self.target["expr"] = self.target["expr"].replace(old, new)
                self.assert_fault(text, verify.names(self.dashboard, catalogue))
        self.setUp()
        self.dashboard["templating"]["list"][1]["definition"] = "label_values(bookstore_gen_ai_attempts_total, tenant)"
        self.assert_fault("has no label tenant", verify.names(self.dashboard, catalogue))

    def test_promql_that_does_not_parse(self):
        self.target["expr"] += ")"
        self.assertNotEqual(verify.promql(self.dashboard), [])


if __name__ == "__main__":
    unittest.main()
