#!/usr/bin/env python3
"""Makes one table of the results of many suites: suites_table.py DIRECTORY SUMMARY.md

DIRECTORY has the file `suites`, a line for each suite with its name, its seconds and the number of
its run, if there was one, and NAME.json, the run as `perf --json report` tells it. The table is
printed, and written as Markdown into SUMMARY.md, and after what is in $GITHUB_STEP_SUMMARY."""

import json
import pathlib
import sys

from tables import Table, publish

HEADS = ["suite", "s", "requests", "p95, ms", "failed", "verdict", "dollars"]
# Ten requests must lie beyond a p95 that means something, as the service has it.
ENOUGH_FOR_P95 = 200
FEW = f"~ of fewer than {ENOUGH_FOR_P95} requests, which tell no percentile"
# Of a dollar; a run's own report has them all.
PICO = 10**12
# Of the load alone, which has other requests than those that prepare it, and as it was expected.
ANSWERED = "http_req_duration{expected_response:true}"


def figure(run: dict, metric: str, statistic: str):
    metrics = (run.get("results") or {}).get("metrics") or {}
    return metrics.get(metric, {}).get("values", {}).get(statistic)


def dollars(run: dict) -> str:
    """Real money, and simulated money as such: the two are never added."""
    spend = (run.get("results") or {}).get("spend")
    if not spend:
        return "-"
    real, simulated = (spend[kind] for kind in ("real", "simulated"))
    words = [f"{word}${one['cost']['picoUsd'] / PICO:.6f}"
             for word, one in (("", real), ("sim ", simulated)) if one.get("calls") or one["cost"]["picoUsd"]]
    unpriced = real["unpricedCalls"] + simulated["unpricedCalls"]
    return (" and ".join(words) or "$0") + (f" ({unpriced} unpriced)" if unpriced else "")


def whole(run: dict) -> dict:
    """The load, without what prepares it."""
    return ((run.get("results") or {}).get("phases") or {}).get("whole") or {}


def p95(run: dict) -> str:
    milliseconds = figure(run, ANSWERED, "p(95)")
    if milliseconds is None:
        return "-"
    enough = (figure(run, ANSWERED, "count") or 0) >= ENOUGH_FOR_P95
    return f"{'' if enough else '~'}{milliseconds:,.1f}"


def row(suite: str, seconds: str, run: dict | None) -> list[str]:
    if run is None:
        return [suite, seconds, "-", "-", "-", "no run", "-"]
    requests = whole(run).get("requests")
    failed = figure(run, "http_req_failed", "rate")
    return [
        suite,
        seconds,
        "-" if requests is None else f"{requests:,.0f}",
        p95(run),
        "-" if failed is None else f"{failed:.2%}",
        (run.get("verdict") or {}).get("level") or f"none: {run['status']}",
        dollars(run),
    ]


def runs(directory: pathlib.Path):
    """The lines of the file `suites`, each with its run, if there was one."""
    for line in (directory / "suites").read_text().splitlines():
        suite, seconds, *_ = line.split()
        document = directory / f"{suite}.json"
        told = document.exists() and document.read_text()
        yield suite, seconds, json.loads(told) if told else None


def main(directory: pathlib.Path, summary: pathlib.Path) -> None:
    rows = [row(*one) for one in runs(directory)]
    publish(Table("Load suites", HEADS, rows, FEW, left={0, 5}), summary)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
