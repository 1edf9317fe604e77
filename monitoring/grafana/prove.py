#!/usr/bin/env python3
"""Asks a Prometheus for the data of every panel: prove.py URL [--range SECONDS]

Every query must have data in the range, and not 0 alone, but for panels that say why; a histogram
must have exemplars. Then each query is broken, by another metric and by being left out: the check of
the files and that of the data must both notice, each by itself. Prints panels, queries and series by
dashboard; ends with 1 and the faults when there are any.
"""

import argparse
import json
import math
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True

from panels import verify  # noqa: E402
from panels.builder import DOTS_ONLY, Panel, build  # noqa: E402
from panels.composed import SINGLE  # noqa: E402

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE.parents[1] / "crates" / "instrumentation" / "src" / "catalogue"
RULES = HERE.parent / "prometheus" / "rules"
QUERY_SECONDS = 30
# Points of a range, and the window of a rate: five scrapes of the lab.
STEP, RATE = "2s", "10s"


class Prometheus:
    """Range queries of the last `seconds`."""

    def __init__(self, url: str, seconds: int):
        self.url, self.end, self.seconds = url, time.time(), seconds

    def values(self, expr: str) -> list[list[float]]:
        """The values of each series; raises ValueError with Prometheus' reason."""
        macros = {"$__rate_interval": RATE, "$__range": f"{self.seconds}s"}
        query = {"query": verify.filled(expr, macros), "start": self.end - self.seconds, "end": self.end, "step": STEP}
        request = urllib.request.Request(f"{self.url}/api/v1/query_range", urllib.parse.urlencode(query).encode())
        try:
            with urllib.request.urlopen(request, timeout=QUERY_SECONDS) as reply:
                found = json.load(reply)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from error
        return [[float(value) for _, value in series["values"]] for series in found]

    def traces(self, expr: str) -> set[str]:
        """The traces that exemplars of an expression's series lead to."""
        macros = {"$__rate_interval": RATE, "$__range": f"{self.seconds}s"}
        query = {"query": verify.filled(expr, macros), "start": self.end - self.seconds, "end": self.end}
        request = urllib.request.Request(f"{self.url}/api/v1/query_exemplars", urllib.parse.urlencode(query).encode())
        with urllib.request.urlopen(request, timeout=QUERY_SECONDS) as reply:
            found = json.load(reply)["data"]
        return {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}


def faults_of(prometheus: Prometheus, panel: Panel, targets: list[dict[str, Any]]) -> tuple[list[str], list[str], int]:
    """What is wrong with a panel's data, what is excused, and how many series it has."""
    faults, excused, count = left_out(panel, targets), [], 0
    for target in targets:
        try:
            series = prometheus.values(target["expr"])
        except ValueError as error:
            faults.append(f"{target['refId']}: {error}")
            continue
        if target["exemplar"] and not prometheus.traces(target["expr"]):
            reason = panel.untraced or panel.empty
            (excused if reason else faults).append(f"{target['refId']} has no exemplars, {reason or target['expr']}")
        numbers = [value for values in series for value in values if not math.isnan(value)]
        count += len(series)
        if target["expr"].endswith(DOTS_ONLY):
            continue
        if not numbers:
            state = "NaN alone" if series else "empty"
            (excused if panel.empty else faults).append(f"{target['refId']} is {state}, {panel.empty or target['expr']}")
        elif not any(numbers):
            reason = panel.zero or panel.empty
            (excused if reason else faults).append(f"{target['refId']} is 0 alone, {reason or target['expr']}")
    return faults, excused, count


def left_out(panel: Panel, targets: list[dict[str, Any]]) -> list[str]:
    """Queries of the panel list that a dashboard does not ask."""
    asked = {target["expr"] for target in targets}
    return [f"nobody asks {query.expr}" for query in panel.queries if query.expr not in asked]


def prove(prometheus: Prometheus) -> list[str]:
    """Prints the matrix; the faults of all dashboards."""
    found, excuses = [], []
    print(f"{'dashboard':<28} {'panels':>6} {'queries':>8} {'series':>7}  with data")
    for dashboard in SINGLE:
        targets = {panel["id"]: panel.get("targets", []) for panel in verify.flat(build(dashboard))}
        panels = [panel for row in dashboard.rows for panel in row.panels]
        total = shown = 0
        for panel in panels:
            faults, excused, count = faults_of(prometheus, panel, targets[panel.id])
            total += count
            shown += not faults and not excused
            place = f"{dashboard.uid} {panel.id} {panel.title}"
            found += [f"{place}: {fault}" for fault in faults]
            excuses += [f"{place}: {excuse}" for excuse in excused]
        print(f"{dashboard.uid:<28} {len(panels):>6} {sum(len(targets[panel.id]) for panel in panels):>8} {total:>7}  {shown} of {len(panels)}")
    for excuse in excuses:
        print(f"excused  {excuse}")
    return found


def mutate(prometheus: Prometheus) -> list[str]:
    """Breaks each query in two ways; what nobody noticed."""
    catalogue = verify.read_catalogue(CATALOGUE) | verify.read_recorded(RULES)
    unnoticed, tried, by_data = [], 0, 0
    for dashboard in SINGLE:
        whole = build(dashboard)
        built = {panel["id"]: panel for panel in verify.flat(whole)}
        for panel in (panel for row in dashboard.rows for panel in row.panels):
            place = f"{dashboard.uid} {panel.id} {panel.title}"
            for n, target in enumerate(built[panel.id]["targets"]):
                tried += 2
                other = renamed(target)
                alone = {**whole, "panels": [{**built[panel.id], "targets": [other]}]}
                if not verify.names(alone, catalogue):
                    unnoticed.append(f"{place}: another metric in {target['refId']} goes unnoticed by the check of the files")
                # The data of a panel that may be empty prove nothing.
                if not panel.empty and not panel.zero:
                    by_data += 1
                    if not faults_of(prometheus, replace(panel, queries=()), [other])[0]:
                        unnoticed.append(f"{place}: another metric in {target['refId']} goes unnoticed by the check of the data")
                if not left_out(panel, [one for m, one in enumerate(built[panel.id]["targets"]) if m != n]):
                    unnoticed.append(f"{place}: that {target['refId']} is left out goes unnoticed")
    print(f"{tried} broken queries, {by_data} of them looked at in the data, {len(unnoticed)} unnoticed")
    return unnoticed


def renamed(target: dict[str, Any]) -> dict[str, Any]:
    """The same query of a series that nobody has."""
    metric = next(iter(verify.asked(target["expr"])))
    return {**target, "expr": target["expr"].replace(metric, f"x{metric}")}


def main() -> int:
    parser = argparse.ArgumentParser(description="Asks a Prometheus for the data of every panel.")
    parser.add_argument("url")
    parser.add_argument("--range", type=int, default=300, help="seconds to look back")
    arguments = parser.parse_args()
    prometheus = Prometheus(arguments.url, arguments.range)
    faults = prove(prometheus) + mutate(prometheus)
    for fault in faults:
        print(f"FAILED  {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
