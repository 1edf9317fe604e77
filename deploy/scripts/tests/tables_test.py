#!/usr/bin/env python3
"""The tables over many runs: what they take from a run, and what they make of it."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import suites_table
import targets_table


def run(p95=120.0, failed=0.0, checks=1.0, rate=25.0, count=5_000):
    """A run of 5,000 requests, and of ten slow ones that prepared it."""
    answered = {"p(95)": p95, "p(99)": 2 * p95, "avg": p95 / 2, "count": count}
    metrics = {
        "http_req_duration": {"values": {"p(95)": 9_999.0, "count": count + 10}},
        "http_req_duration{expected_response:true}": {"values": answered},
        "http_reqs": {"values": {"count": count + 10}},
        "http_req_failed": {"values": {"rate": failed}},
        "checks": {"values": {"rate": checks}},
    }
    whole = {"requests": count, "requestsPerSecond": rate, "failed": failed}
    return {"status": "Completed", "verdict": {"level": "PASS"}, "results": {"metrics": metrics, "phases": {"whole": whole}}}


class Tables(unittest.TestCase):
    def test_what_prepares_a_run_is_in_no_row(self):
        self.assertEqual(suites_table.row("load", "60", run())[2:5], ["5,000", "120.0", "0.00%"])

    def test_a_target_is_held_or_missed(self):
        row = targets_table.connect_row("connect-smoke", "30", run(p95=125.0))
        self.assertEqual(row[2:9], ["5,000", "290", "500", "125.0", "4.0", "0.00%", "held"])
        self.assertEqual(targets_table.connect_row("connect-smoke", "30", run(p95=501.0))[8], "missed")
        self.assertEqual(targets_table.connect_row("connect-breaker", "210", run())[8], "no target")
        self.assertEqual(targets_table.connect_row("connect-ai", "9", None)[8], "no run")

    def test_tiers_are_those_of_the_limits(self):
        of_six = lambda one: targets_table.p015_row("p015-load", "840", one)[8]
        self.assertEqual(of_six(run()), "PASS")
        self.assertEqual(of_six(run(p95=1_500.0)), "WARNING")
        self.assertEqual(of_six(run(p95=2_300.0)), "CRITICAL")
        self.assertEqual(of_six(run(failed=0.02)), "CRITICAL")
        self.assertEqual(of_six(run(checks=0.98)), "FAIL")
        self.assertEqual(of_six(run(rate=0.5)), "WARNING")
        self.assertEqual(targets_table.p015_row("p015-load", "9", None)[8], "no run")

    def test_few_requests_are_marked(self):
        row = targets_table.p015_row("p015-smoke", "60", run(count=300))
        self.assertEqual([row[2], row[3]], ["120.00 PASS", "~240.00 PASS"])


if __name__ == "__main__":
    unittest.main()
