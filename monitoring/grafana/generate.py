#!/usr/bin/env python3
"""Writes the dashboards from their panel lists, or checks them (--check).

Usage: generate.py          writes dashboards/*.json
       generate.py --check  changes nothing; exit code 1 and the reasons when a file is not what
                            its panel list says, or a dashboard breaks a rule of panels/verify.py
"""

import argparse
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from panels import verify  # noqa: E402
from panels.builder import build  # noqa: E402
from panels.composed import DASHBOARDS, SINGLE  # noqa: E402

HERE = Path(__file__).resolve().parent
CATALOGUE = HERE.parents[1] / "crates" / "instrumentation" / "src" / "catalogue"
RULES = HERE.parent / "prometheus" / "rules"


def main() -> int:
    """Exit code 0 when every dashboard is sound and, with --check, up to date."""
    parser = argparse.ArgumentParser(description="Writes or checks the Grafana dashboards.")
    parser.add_argument("--check", action="store_true", help="change nothing, tell what is wrong")
    check = parser.parse_args().check
    catalogue = verify.read_catalogue(CATALOGUE) | verify.read_recorded(RULES)
    faults = verify.repeated(map(build, SINGLE)) + [fault for dashboard in SINGLE for fault in verify.judged(dashboard) + verify.dotted(dashboard)]
    uids = {dashboard.uid for dashboard in DASHBOARDS}
    total = 0
    for dashboard in map(build, DASHBOARDS):
        path = HERE / "dashboards" / f"{dashboard['uid']}.json"
        text = json.dumps(dashboard, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        found = verify.structure(dashboard) + verify.promql(dashboard) + verify.names(dashboard, catalogue) + verify.links(dashboard, uids)
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            found.append("the file differs from its panel list: run monitoring/grafana/generate.py")
        if not check and not found:
            path.write_text(text, encoding="utf-8")
        faults += [f"{path.name}: {fault}" for fault in found]
        panels = sum(panel["type"] != "row" for panel in verify.flat(dashboard))
        total += panels
        print(f"{path.name}: {panels} panels, {len(found)} faults")
    for stray in sorted({path.stem for path in (HERE / "dashboards").glob("*.json")} - uids):
        faults.append(f"{stray}.json has no panel list: remove it")
    print(f"{len(DASHBOARDS)} dashboards, {total} panels")
    unseen = verify.unseen(map(build, SINGLE), RULES, verify.read_catalogue(CATALOGUE))
    faults += [f"no panel shows {metric}, no rule asks for it" for metric in unseen]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
