"""Each rule of verify.py finds the fault that it is there for: a sound dashboard is broken in one place.

Run by: python3 -m unittest discover monitoring/grafana
"""

import copy
import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from generate import CATALOGUE, RULES  # noqa: E402
from panels import llm_latency, verify  # noqa: E402
from panels.builder import build  # noqa: E402
from panels.composed import DASHBOARDS, DEMO, MEGA, SINGLE  # noqa: E402


class VerifyTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = copy.deepcopy(build(llm_latency.DASHBOARD))
        self.catalogue = verify.read_catalogue(CATALOGUE) | verify.read_recorded(RULES)
        self.panel = next(panel for panel in self.dashboard["panels"] if panel["title"] == "Duration")
        self.target = self.panel["targets"][0]

    def assert_fault(self, text, faults):
        self.assertTrue(any(text in fault for fault in faults), f"{text!r} not in {faults}")

    def test_the_dashboard_is_sound(self):
        self.assertEqual(verify.structure(self.dashboard) + verify.names(self.dashboard, self.catalogue), [])
        self.assertEqual(verify.promql(self.dashboard), [])

    def test_structure(self):
        for text, change in [
            ("id 1 stands twice", lambda: self.dashboard["panels"].append({**copy.deepcopy(self.panel), "title": "other"})),
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

    def test_times_and_dollars_lead_to_traces(self):
        for dashboard in SINGLE:
            self.assertEqual(verify.dotted(dashboard), [])
        row = llm_latency.DASHBOARD.rows[0]
        mean = next(panel for panel in row.panels if panel.title == "Where the time goes")
        lines = replace(mean, queries=tuple(query for query in mean.queries if not query.exemplar))
        for panel, expected in ((mean, 0), (lines, 1), (replace(lines, untraced="a reason"), 0), (replace(lines, unit="ops"), 0)):
            self.assertEqual(len(verify.dotted(replace(llm_latency.DASHBOARD, rows=(replace(row, panels=(panel,)),)))), expected)

    def test_names_of_metrics_and_labels(self):
        for old, new, text in [
            ("client_operation", "klient_operation", "gen_ai_klient_operation_duration_seconds_bucket is not in"),
            ("gen_ai_request_model=", "gen_ai_modell=", "has no label gen_ai_modell"),
            ("by (le, gen_ai_provider_name)", "by (le, tenant)", "has no label tenant"),
        ]:
            with self.subTest(text):
                self.setUp()
                self.target["expr"] = self.target["expr"].replace(old, new)
                self.assert_fault(text, verify.names(self.dashboard, self.catalogue))
        self.setUp()
        variable = next(one for one in self.dashboard["templating"]["list"] if one["name"] == "provider")
        variable["definition"] = "label_values(bookstore_gen_ai_attempts_total, tenant)"
        self.assert_fault("has no label tenant", verify.names(self.dashboard, self.catalogue))

    def test_every_metric_of_an_expression_is_found(self):
        for expr, text in [
            ("sum(upp)", "upp is not in"), ("up + on(job) absent_metric", "absent_metric is not in"),
            ("route_class:http_server_request_duration_seconds:p42_rate5m", "p42_rate5m is not in"),
            ("sum by (tenant) (route_class:http_server_request_duration_seconds:p95_rate5m)", "has no label tenant"),
            ("up and on() (sum by (tenant) (performance_runs_active) > 0)", "performance_runs_active has no label tenant"),
        ]:
            with self.subTest(expr):
                self.target["expr"] = expr
                self.assert_fault(text, verify.names(self.dashboard, self.catalogue))

    def test_a_query_stands_once(self):
        self.assertEqual(verify.repeated(map(build, SINGLE)), [])
        other = copy.deepcopy(self.dashboard)
        self.assert_fault("asks what llm-latency-and-reliability 1 asks", verify.repeated([self.dashboard, other]))

    def test_metrics_that_nobody_looks_at_are_named(self):
        catalogue = {"up": set(), "gen_ai_client_operation_duration_seconds": set(), "nobody_asks_for_it": set()}
        self.assertEqual(verify.unseen([self.dashboard], RULES, catalogue), ["nobody_asks_for_it"])

    def test_links_lead_somewhere(self):
        uids = {dashboard.uid for dashboard in DASHBOARDS}
        self.assertEqual(verify.links(self.dashboard, uids), [])
        self.panel["fieldConfig"]["defaults"]["links"][0]["url"] = "/d/nowhere?from=1"
        self.assert_fault("no dashboard nowhere", verify.links(self.dashboard, uids))
        for url, text in [
            ("${nobody}/x", "no address nobody"), ("http://127.0.0.1:16686/", "leads to one machine"), ("/d/overview?from=1", "no way to jaeger"),
            ("${performance}/runs/${__field.labels.test_id}", "a line has no test_id"),
        ]:
            self.panel["fieldConfig"]["defaults"]["links"] = [{"url": url}]
            self.assert_fault(text, verify.links(self.dashboard, uids))
        self.panel["fieldConfig"]["defaults"]["links"] = []
        self.assert_fault("panel 1: no link", verify.links(self.dashboard, uids))

    def test_joined_dashboards_have_the_panels_of_the_others(self):
        single = {target["expr"] for one in SINGLE for panel in verify.flat(build(one)) for target in panel.get("targets", [])}
        joined = {target["expr"] for panel in verify.flat(build(MEGA)) for target in panel.get("targets", [])}
        self.assertEqual(joined, single)
        told = {target["expr"] for panel in verify.flat(build(DEMO)) for target in panel.get("targets", [])}
        self.assertLess(told, single)

    def test_no_panel_is_without_thresholds_or_a_reason(self):
        self.assertEqual([fault for one in SINGLE for fault in verify.judged(one)], [])
        row = llm_latency.DASHBOARD.rows[0]
        unjudged, judged = replace(row.panels[0], thresholds=()), replace(row.panels[3], thresholds=((1, "red"),))
        for panels, text in [((unjudged,), "panel 1 has no thresholds"), ((judged,), "excuses panel 4, which has thresholds or is gone")]:
            self.assert_fault(text, verify.judged(replace(llm_latency.DASHBOARD, rows=(replace(row, panels=panels),))))

    def test_links_to_dashboards_take_time_and_choices_along(self):
        urls = [link["url"] for one in DASHBOARDS for panel in verify.flat(build(one)) for link in panel.get("fieldConfig", {}).get("defaults", {}).get("links", [])]
        to_dashboards = [url for url in urls if url.startswith("/d/")]
        self.assertTrue(to_dashboards)
        for url in to_dashboards:
            self.assertRegex(url, r"\?from=\$\{__from}&to=\$\{__to}&\$\{__all_variables}$")

    def test_every_dashboard_lets_choose(self):
        for dashboard in DASHBOARDS:
            self.assertTrue(dashboard.variables, dashboard.uid)
            for variable in dashboard.variables:
                text = " ".join(target["expr"] for panel in verify.flat(build(dashboard)) for target in panel.get("targets", []))
                narrowing = " ".join(other.query for other in dashboard.variables)
                self.assertIn(f"${variable.name}", text + narrowing, dashboard.uid)

    def test_every_latency_and_cost_panel_leads_to_traces_and_runs(self):
        uids, told = {dashboard.uid for dashboard in DASHBOARDS}, 0
        for dashboard in map(build, DASHBOARDS):
            self.assertEqual(verify.links(dashboard, uids), [])
            told += sum("make trace-logs ID=" in panel.get("description", "") for panel in verify.flat(dashboard))
        self.assertGreater(told, 0)

    def test_every_variable_of_the_questions_is_somewhere(self):
        names = {variable["name"] for variable in build(MEGA)["templating"]["list"]}
        self.assertLessEqual({"datasource", "service", "instance", "route", "provider", "model", "tenant", "test"}, names)

    def test_promql_that_does_not_parse(self):
        self.target["expr"] += ")"
        self.assertNotEqual(verify.promql(self.dashboard), [])


if __name__ == "__main__":
    unittest.main()
