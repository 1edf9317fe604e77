#!/usr/bin/env python3
"""Holds runs of presets against the targets that they come with:
targets_table.py connect|p015 DIRECTORY SUMMARY.md

DIRECTORY is as for suites_table.py, its suites named by their presets. The tiers of p015 are those of
k6/limits/preset-004.toml."""

import pathlib
import re
import sys

from suites_table import ANSWERED, ENOUGH_FOR_P95, figure, p95, runs, whole
from tables import Table, publish

LIMITS = pathlib.Path(__file__).resolve().parents[2] / "k6" / "limits" / "preset-004.toml"

# Requests at full length, as the platform had them, and its targets of p95 in milliseconds.
CONNECT = {
    "connect-smoke": (290, 500),
    "connect-ai": (13_656, 5_000),
    "connect-mixed": (45_940, 2_000),
    "connect-breaker": (8_537, None),
}
CONNECT_HEADS = ["test", "s", "requests", "theirs", "p95 target, ms", "p95, ms", "target / p95", "failed", "target", "verdict"]
CONNECT_REMARK = ("theirs: requests of the platform's own runs at full length, for comparison; SCALE shrinks ours. "
                  "failed: answers that were not the planned ones; refusals by an open circuit are none")

P015_HEADS = ["scenario", "s", "p95, ms", "p99, ms", "mean, ms", "failed", "checks", "requests/s", "of six", "verdict"]
P015_REMARK = ("PASS is within the target, WARNING within the limit beyond it; what is worse is CRITICAL, FAIL or WARNING "
               "by its priority. ~ of too few requests for the percentile. SCALE shrinks the requests/s too")
# Samples for a percentile: ten must lie beyond it.
ENOUGH = {"p(95)": ENOUGH_FOR_P95, "p(99)": 1_000}
TIERS = ["PASS", "WARNING", "FAIL", "CRITICAL"]
BEYOND = {"P0": "CRITICAL", "P1": "FAIL", "P2": "WARNING"}


def level(run: dict) -> str:
    return (run.get("verdict") or {}).get("level") or f"none: {run['status']}"


def connect_row(test: str, seconds: str, run: dict | None) -> list[str]:
    theirs, target = CONNECT[test]
    wanted = "-" if target is None else f"{target:,}"
    if run is None:
        return [test, seconds, "-", f"{theirs:,}", wanted, "-", "-", "-", "no run", "no run"]
    measured = figure(run, ANSWERED, "p(95)")
    faster, held = "-", "no target" if target is None else "no sample"
    if target is not None and measured:
        faster, held = f"{target / measured:.1f}", "held" if measured < target else "missed"
    failed = whole(run).get("failed")
    return [
        test, seconds, f"{whole(run).get('requests', 0):,}", f"{theirs:,}", wanted, p95(run), faster,
        "-" if failed is None else f"{failed:.2%}", held, level(run),
    ]


def limits(text: str) -> dict[tuple[str, str], dict[str, str]]:
    """The limits of a file by metric and statistic. It is flat: no reader of TOML is needed."""
    found = {}
    for block in text.split("[[limit]]")[1:]:
        one = dict(re.findall(r'^(\w+) = "?([^"\n]+)"?$', block, re.MULTILINE))
        found[one["metric"], one["stat"]] = one
    return found


def tier(limit: dict[str, str], observed: float) -> str:
    higher = limit["metric"] in ("http_reqs", "checks")
    for bound, name in (("target", "PASS"), ("warning", "WARNING")):
        if bound in limit and (observed >= float(limit[bound]) if higher else observed <= float(limit[bound])):
            return name
    return BEYOND[limit["priority"]]


def measured(run: dict, metric: str, stat: str) -> float | None:
    """Of the load alone; rates in per cent."""
    if metric == "http_req_duration":
        return figure(run, ANSWERED, stat)
    if metric == "http_reqs":
        return whole(run).get("requestsPerSecond")
    share = whole(run).get("failed") if metric == "http_req_failed" else figure(run, metric, stat)
    return None if share is None else share * 100


def p015_row(scenario: str, seconds: str, run: dict | None) -> list[str]:
    known = limits(LIMITS.read_text())
    if run is None:
        return [scenario, seconds, *["-"] * 6, "no run", "no run"]
    cells, tiers = [], []
    for metric, stat in (("http_req_duration", "p(95)"), ("http_req_duration", "p(99)"), ("http_req_duration", "avg"),
                         ("http_req_failed", "rate"), ("checks", "rate"), ("http_reqs", "rate")):
        observed = measured(run, metric, stat)
        if observed is None:
            cells.append("no sample")
            continue
        tiers.append(tier(known[metric, stat], observed))
        few = (figure(run, ANSWERED, "count") or 0) < ENOUGH.get(stat, 0)
        share = "%" if metric in ("http_req_failed", "checks") else ""
        cells.append(f"{'~' if few else ''}{observed:,.2f}{share} {tiers[-1]}")
    worst = max(tiers, key=TIERS.index) if len(tiers) == len(cells) else "no sample"
    return [scenario, seconds, *cells, worst, level(run)]


def main(which: str, directory: pathlib.Path, summary: pathlib.Path) -> None:
    if which == "connect":
        heads, row, remark, left = CONNECT_HEADS, connect_row, CONNECT_REMARK, {0, 8, 9}
        title = "A platform's tests, target against actual"
    else:
        heads, row, remark, left = P015_HEADS, p015_row, P015_REMARK, {0, 8, 9}
        title = "Five scenarios, target against actual"
    publish(Table(title, heads, [row(*one) for one in runs(directory)], remark, left), summary)


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
