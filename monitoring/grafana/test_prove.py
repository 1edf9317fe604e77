"""The proof of data finds each kind of fault, and a check that is blind is found by the mutations.

Run by: python3 -m unittest discover monitoring/grafana
"""

import contextlib
import io
import math
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import prove  # noqa: E402
from panels import llm_latency, verify  # noqa: E402
from panels.builder import build  # noqa: E402

ROWS = llm_latency.DASHBOARD.rows
PANEL = next(panel for row in ROWS for panel in row.panels if panel.title == "Duration")
TARGETS = next(panel for panel in verify.flat(build(llm_latency.DASHBOARD)) if panel["title"] == "Duration")["targets"]


class Answers:
    """A Prometheus that gives the same answer to every query, or only to those of known metrics."""

    def __init__(self, series, traces=("trace",), refuses=""):
        self.series, self.found, self.refuses = series, set(traces), refuses

    def values(self, expr):
        if self.refuses and self.refuses in expr:
            return []
        if isinstance(self.series, ValueError):
            raise self.series
        return self.series

    def traces(self, expr):
        return set() if self.refuses and self.refuses in expr else self.found


class ProveTest(unittest.TestCase):
    def faults(self, answers, targets=TARGETS):
        return prove.faults_of(answers, PANEL, targets)[0]

    def test_each_kind_of_fault_is_found(self):
        self.assertEqual(self.faults(Answers([[1.0, 2.0]])), [])
        for text, answers in [
            ("is empty", Answers([])), ("NaN alone", Answers([[math.nan]])), ("0 alone", Answers([[0.0, 0.0]])),
            ("has no exemplars", Answers([[1.0]], traces=())), ("parse error", Answers(ValueError("parse error"))),
        ]:
            with self.subTest(text):
                found = self.faults(answers)
                self.assertEqual(len(found), len(TARGETS), found)
                self.assertTrue(all(text in fault for fault in found), found)

    def test_a_query_that_is_left_out_is_found(self):
        for n in range(len(TARGETS)):
            rest = [target for m, target in enumerate(TARGETS) if m != n]
            self.assertEqual(len(self.faults(Answers([[1.0]]), rest)), 1)

    def test_mutations_find_a_check_that_is_blind(self):
        for blind, answers in [(False, Answers([[1.0]], refuses="x")), (True, Answers([[1.0]]))]:
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                # Every mutation puts an x before a metric's name.
                unnoticed = prove.mutate(Marked(answers))
            self.assertEqual(bool(unnoticed), blind, unnoticed[:3])
            self.assertNotIn(" 0 of them looked at", said.getvalue())


class Marked:
    """Answers to a query whose first metric was renamed as to one with the mark `x` alone."""

    def __init__(self, answers):
        self.answers = answers
        self.whole = {target["expr"] for dashboard in prove.SINGLE for panel in verify.flat(build(dashboard)) for target in panel.get("targets", [])}

    def marked(self, expr):
        return "whole" if expr in self.whole else "x"

    def values(self, expr):
        return self.answers.values(self.marked(expr))

    def traces(self, expr):
        return self.answers.traces(self.marked(expr))


if __name__ == "__main__":
    unittest.main()
