"""Every alert fires, does not fire, resolves, and is silent without data; every alert says what its
reader needs; the metrics that rules ask for exist. promtool and Prometheus itself are asked.

Run by: python3 -m unittest discover monitoring/prometheus
"""

import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "grafana")]

from alert_cases import CASES, EVENTS, OBJECTIVES, Case, Objective  # noqa: E402
from panels import verify  # noqa: E402
from real_prometheus import asked, running  # noqa: E402

# promtool walks through days of virtual time within seconds.
PROMTOOL_SECONDS = 300
EXTERNAL = {"grafana": "http://grafana", "jaeger": "http://jaeger", "money": "real"}
# Metrics of Prometheus' own.
FOREIGN = {"up", "ALERTS", "scrape_samples_post_metric_relabeling", "prometheus_rule_evaluation_failures_total"}
# Alerts without a query of traces, and why.
UNTRACED = {
    "RulesFail": "Prometheus evaluates rules, and has no traces",
    "RunsWait": "a run in the queue has made no request yet",
    "TraceStoreAway": "there is nobody to ask",
}
# Seconds of a step, and dollars of the allowance per second, by profile. The short window of a page
# has five steps in both.
PROFILES = {"prod": (60, 300 / (30 * 86400)), "lab": (2, 100 / 7200)}
# Steps in the long window of the quick ticket, a day and 15 minutes.
TICKET_STEPS = {"prod": 1440, "lab": 450}
# Steps of an objective's case: good, then bad for longer than the long window of the fast page, then
# good for longer than the short window of the slow ticket, six hours.
GOOD, BAD, AFTER = 70, 75, 400
# Bad enough for an objective of 95 to page.
SHARE = 0.9


def rules_of(profile: str) -> list[Path]:
    return sorted([*(HERE / "rules").glob("*.yml"), *(HERE / "rules" / profile).glob("*.yml")])


def loaded(profile: str) -> list[dict[str, Any]]:
    """The groups of rules of a profile as Prometheus reads them."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory, "prometheus.yml")
        config.write_text(json.dumps({"rule_files": [str(path) for path in rules_of(profile)]}))
        with running(config) as url:
            return asked(f"{url}/api/v1/rules")["data"]["groups"]


def recorded_first(groups: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(groups, key=lambda group: group["rules"][0]["type"] != "recording")


def expected(rule: dict[str, Any], labels: dict[str, str], summary: str) -> dict[str, Any]:
    """An alert as promtool wants it: the annotations of the rule with the labels put in."""
    def filled(text: str) -> str:
        text = re.sub(r'{{ if match "(.*?)" \$labels\.job }}(.*?){{ end }}', lambda found: found[2] if re.search(found[1], labels["job"]) else "", text)
        text = re.sub(r"{{ \$externalLabels\.(\w+) }}", lambda found: EXTERNAL[found[1]], text)
        return re.sub(r"{{ \$labels\.(\w+) }}", lambda found: labels.get(found[1], ""), text)
    annotations = {name: filled(text) for name, text in rule["annotations"].items()} | {"summary": summary}
    return {"exp_labels": labels, "exp_annotations": annotations}


def written(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as it stands in a file."""
    if rule["type"] == "recording":
        return {"record": rule["name"], "expr": rule["query"], "labels": rule.get("labels", {})}
    return {"alert": rule["name"], "expr": rule["query"], "for": f"{rule['duration']:.0f}s", "labels": rule["labels"], "annotations": rule["annotations"]}


def promtool(groups: list[dict[str, Any]], interval: str, tests: list[dict[str, Any]]) -> str:
    """What promtool finds wrong; empty when nothing is. The other groups would take minutes."""
    tool = shutil.which("promtool")
    assert tool, "promtool is missing: run `make setup`"
    for test in tests:
        test |= {"interval": interval, "external_labels": EXTERNAL}
    # In this order, so that an alert sees what is recorded at the same moment.
    document = {"rule_files": ["rules.yml"], "evaluation_interval": interval, "group_eval_order": [group["name"] for group in groups], "tests": tests}
    rules = {"groups": [{"name": group["name"], "rules": [written(rule) for rule in group["rules"]]} for group in groups]}
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "rules.yml").write_text(json.dumps(rules))
        file = Path(directory, "tests.yml")
        file.write_text(json.dumps(document))
        said = subprocess.run([tool, "test", "rules", file], capture_output=True, text=True, timeout=PROMTOOL_SECONDS, check=False)
    return "" if said.returncode == 0 else said.stdout + said.stderr


def sound(config: Path) -> subprocess.CompletedProcess[str]:
    """What `make run-all` says of a configuration before it starts anything."""
    scripts = REPOSITORY / "deploy/scripts/lib"
    command = f"set -euo pipefail; source {scripts}/settings.sh; source {scripts}/alerting.sh; require_sound_rules {config}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PROMTOOL_SECONDS, check=False)


def test_of(series: dict[str, str], alert: str, *moments: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": alerts} for at, alerts in moments],
    }


class RulesTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.groups = {profile: loaded(profile) for profile in PROFILES}
        cls.rules = {profile: [rule for group in groups for rule in group["rules"]] for profile, groups in cls.groups.items()}

    def needed_by(self, *alerts: str) -> list[dict[str, Any]]:
        """The groups of alerts that are not made of objectives, with what they and their records ask for."""
        asked = " ".join(self.named("prod", alert)["query"] for alert in alerts)
        def needed(group: dict[str, Any]) -> bool:
            return any(rule["name"] in alerts or rule["type"] == "recording" and rule["name"] in asked for rule in group["rules"])
        return recorded_first(group for group in self.groups["prod"] if needed(group))

    def of_objective(self, profile: str, objective: Objective) -> list[dict[str, Any]]:
        name = f"-{objective.service}-{objective.slo}"
        return recorded_first(group for group in self.groups[profile] if group["name"].endswith(name) or group["name"] == "allowance")

    def alerts(self, profile: str) -> list[dict[str, Any]]:
        return [rule for rule in self.rules[profile] if rule["type"] == "alerting"]

    def named(self, profile: str, alert: str) -> dict[str, Any]:
        return next(rule for rule in self.alerts(profile) if rule["name"] == alert)

    def test_every_alert_has_a_case(self):
        cases = {case.alert for case in (*CASES, *OBJECTIVES)} | {"PageUnanswered"}
        for profile in PROFILES:
            self.assertEqual({rule["name"] for rule in self.alerts(profile)}, cases)

    def test_alerts_fire_and_resolve(self):
        for case in CASES:
            with self.subTest(case.alert):
                found = expected(self.named("prod", case.alert), case.labels, case.summary)
                self.assertEqual(promtool(self.needed_by(case.alert), case.interval, self.four_tests(case, found)), "")

    def four_tests(self, case: Case, found: dict[str, Any]) -> list[dict[str, Any]]:
        tests = [
            test_of(case.faulty, case.alert, (case.fires_at, [found]), (case.resolved_at, [])),
            test_of(case.quiet, case.alert, (case.fires_at, []), (case.resolved_at, [])),
        ]
        # That there is no data is what this one tells.
        if case.alert != "TargetMissing":
            tests.append(test_of({}, case.alert, (case.fires_at, [])))
        return tests

    def test_burn_rates_fire_and_resolve(self):
        for profile, objective in itertools.product(PROFILES, OBJECTIVES):
            with self.subTest(f"{objective.alert}, {profile}"):
                seconds, allowance = PROFILES[profile]
                tests = self.burning(profile, objective, seconds, allowance * seconds)
                self.assertEqual(promtool(self.of_objective(profile, objective), f"{seconds}s", tests), "")

    def burning(self, profile: str, objective: Objective, seconds: int, step: float) -> list[dict[str, Any]]:
        page = self.found(profile, objective, "page", SHARE)
        ticket = self.found(profile, objective, "ticket", since_the_beginning(profile, objective))
        bad = [page, ticket] if objective.pages else [ticket]
        at = [f"{steps * seconds}s" for steps in (GOOD + BAD, GOOD + BAD + 40, GOOD + BAD + AFTER)]
        alert = objective.alert
        # A page ends within minutes; what a slow burn has left of the ticket's budget takes longer.
        still = test_of(objective_series(objective, (0, SHARE, 0), step), alert, (at[0], bad), (at[2], []))
        gone = {"expr": f'count(ALERTS{{alertname="{alert}",severity="page"}}) or vector(0)', "eval_time": at[1], "exp_samples": [{"labels": "{}", "value": 0}]}
        still["promql_expr_test"] = [gone]
        calm = test_of(objective_series(objective, (0, objective.budget / 2, 0), step), alert, (at[0], []), (at[1], []))
        return [still, calm, test_of({}, alert, (at[0], []))]

    def found(self, profile: str, objective: Objective, severity: str, ratio: float) -> dict[str, Any]:
        rule = next(rule for rule in self.alerts(profile) if rule["name"] == objective.alert and rule["labels"]["severity"] in (severity, "ticket"))
        labels = {
            "sloth_id": f"{objective.service}-{objective.slo}", "sloth_service": objective.service, "sloth_slo": objective.slo,
            "severity": severity, "sloth_severity": severity, "team": objective.team, **objective.labels,
        }
        return expected(rule, labels, objective.summary.format(f"{ratio * 100:.4g}%"))

    def test_few_failures_of_few_requests_alert_nobody(self):
        one_of_four = {
            'http_server_request_duration_seconds_count{job="bookstore-api",route_class="catalogue",http_response_status_code="200"}': "0 1 2 3 3x60",
            'http_server_request_duration_seconds_count{job="bookstore-api",route_class="catalogue",http_response_status_code="500"}': "0 0 1 3 3x60",
        }
        tests = [test_of(one_of_four, "CatalogueFails", ("5m", []), ("30m", []))]
        self.assertEqual(promtool(self.of_objective("prod", OBJECTIVES[0]), "1m", tests), "")

    def test_the_first_dollars_of_a_payer_count(self):
        spend = 'bookstore_gen_ai_spend_pico_usd_total{gen_ai_provider_name="anthropic",simulated="false"}'
        pages = 'count(ALERTS{alertname="SpendingTooFast",severity="page",alertstate="firing"}) or vector(0)'
        tests = []
        # Fifty dollars at once are 120 times the pace of the allowance. What is not there before has no
        # growth, so that the objective asks the counter that is.
        for values, expected_pages in (("0x10 50000000000000x20", 1), ("_x10 50000000000000x20", 0)):
            seen = {"expr": pages, "eval_time": "13m", "exp_samples": [{"labels": "{}", "value": expected_pages}]}
            tests.append({"input_series": [{"series": spend, "values": values}], "promql_expr_test": [seen]})
        objective = next(one for one in OBJECTIVES if one.alert == "SpendingTooFast")
        self.assertEqual(promtool(self.of_objective("prod", objective), "1m", tests), "")

    def test_an_unanswered_page_escalates(self):
        series = {'up{job="bookstore-api",instance="a"}': "1x5 0x40 1x20"}
        labels = {"job": "bookstore-api", "instance": "a", "team": "platform", "severity": "escalation", "escalates": "TargetDown"}
        rule = self.named("prod", "PageUnanswered")
        found = expected(rule, labels, "TargetDown has paged platform for 30 minutes (alert state 1) and nobody has silenced it.")
        tests = [test_of(series, "PageUnanswered", ("25m", []), ("40m", [found]), ("60m", [])), test_of({}, "PageUnanswered", ("40m", []))]
        self.assertEqual(promtool(self.needed_by("TargetDown", "PageUnanswered"), "1m", tests), "")

    def test_every_alert_says_what_its_reader_needs(self):
        dashboards = {path.stem for path in (HERE.parent / "grafana" / "dashboards").glob("*.json")}
        for rule in itertools.chain.from_iterable(self.alerts(profile) for profile in PROFILES):
            with self.subTest(rule["name"]):
                # An escalation has the team of the page that it is about.
                self.assertIn(rule["labels"].get("team"), ("catalogue", "ai", "platform") if rule["name"] != "PageUnanswered" else (None,))
                self.assertRegex(rule["labels"]["severity"], "^(page|ticket|escalation)$|^{{ if .*page.*ticket.*}}$")
                # That of a target that is down would be 0.
                self.assertTrue("$value" in rule["annotations"]["summary"] or rule["name"] == "TargetDown")
                self.assertTrue((REPOSITORY / rule["annotations"]["runbook"]).is_file(), rule["annotations"]["runbook"])
                linked = re.fullmatch(r"{{ \$externalLabels\.grafana }}/d/([a-z-]+)(\?var-.*)?", rule["annotations"]["dashboard"])
                self.assertTrue(linked and linked[1] in dashboards, rule["annotations"]["dashboard"])
                if rule["name"] in UNTRACED:
                    self.assertNotIn("traces", rule["annotations"], UNTRACED[rule["name"]])
                else:
                    self.assertRegex(rule["annotations"]["traces"], r"^({{ if match .* }})?{{ \$externalLabels\.jaeger }}/search\?service=")

    def test_rules_ask_for_what_is_emitted(self):
        catalogue = verify.read_catalogue(REPOSITORY / "crates" / "instrumentation" / "src" / "catalogue")
        for profile in PROFILES:
            recorded = {rule["name"] for rule in self.rules[profile]}
            for rule in self.rules[profile]:
                for metric in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*_(?:total|seconds|usd|state|depth)(?:_bucket|_count|_sum)?\b(?!\()", rule["query"]):
                    family = re.sub(r"_(bucket|count|sum)$", "", metric)
                    known = metric in catalogue or family in catalogue or metric in FOREIGN or any(metric in name for name in recorded)
                    self.assertTrue(known, f"{rule['name']} asks for {metric}")

    def test_a_broken_rule_file_is_named_before_anything_starts(self):
        for old, new, reason in [
            ("expr: ", "expr: sum(", "could not parse expression"),
            ("record: ", "recrod: ", "field recrod not found"),
            ("groups:", "groups: [", "yaml"),
        ]:
            with self.subTest(reason), tempfile.TemporaryDirectory() as directory:
                copy = Path(directory, "prometheus")
                shutil.copytree(HERE, copy)
                broken = copy / "rules/recording.yml"
                broken.write_text(broken.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
                said = sound(copy / "prometheus.yml")
                self.assertEqual(said.returncode, 1)
                for text in ("recording.yml", reason, "Prometheus would not start with"):
                    self.assertIn(text, said.stderr)
        self.assertEqual(sound(HERE / "prometheus.yml").returncode, 0)

    def test_the_lab_differs_in_pace_and_money_only(self):
        def lines(name: str) -> list[str]:
            return [line.rstrip() for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line.strip() and not line.strip().startswith("#")]
        changed = [
            re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval|money|max_exemplars):.*", r"\1", line).replace("rules/prod", "rules/lab")
            for line in lines("prometheus.yml")
        ]
        lab = [re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval|money|max_exemplars):.*", r"\1", line) for line in lines("prometheus.lab.yml")]
        self.assertEqual(changed, lab)


def since_the_beginning(profile: str, objective: Objective) -> float:
    """The bad share of all steps, which is what the long window of the ticket sees."""
    if objective.pace:
        # A rate is per second of the window, not of the data; half a step is extrapolated.
        return SHARE * BAD / TICKET_STEPS[profile] * (GOOD + BAD + 0.5) / (GOOD + BAD)
    # A gauge has a value at the beginning, too.
    return SHARE * BAD / (GOOD + BAD + (1 if objective.gauge else 0))


def objective_series(objective: Objective, shares: tuple[float, float, float], step: float) -> dict[str, str]:
    """Values of each step. Counters begin high, so that nothing is taken for their beginning."""
    grown = [objective.grown(share, step) for share in shares]
    growth = [grown[0]] * GOOD + [grown[1]] * BAD + [grown[2]] * AFTER
    if objective.gauge:
        return {name: " ".join(f"{one[name]:.6f}" for one in [growth[0], *growth]) for name in grown[0]}
    start = {name: 1_000_000 * max(EVENTS, one) for name, one in grown[1].items()}
    return {name: " ".join(f"{value:.3f}" for value in itertools.accumulate((one[name] for one in growth), initial=start[name])) for name in grown[0]}


if __name__ == "__main__":
    unittest.main()
