#!/usr/bin/env python3
"""What /metrics shows, held against the catalogue, both ways, after a load that has a bit of everything:
exposition_test.py URL...

Every family and label that a process shows is in the catalogue; every metric of the catalogue is
shown by one of the processes; promtool finds nothing wrong with any of them.
Ends with 1 and the faults when there are any.
"""

import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "monitoring" / "grafana"))

from panels import verify  # noqa: E402

CATALOGUE = CHECKOUT / "crates" / "instrumentation" / "src" / "catalogue"
READ_SECONDS = 30
PROMTOOL_SECONDS = 30
# Written to Prometheus while a run goes on, and shown by nobody; test-dashboards.sh asks for them there.
WRITTEN = "k6_"
# Names that OpenTelemetry's conventions give to gauges, and that promtool would keep for histograms.
OF_THE_CONVENTIONS = re.compile(
    r'(db_client_connection_count|process_open_file_descriptor_count|process_thread_count) '
    r'non-histogram and non-summary metrics should not have "_count" suffix'
)
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"')
# Those of a histogram's lines.
OF_A_HISTOGRAM = {"le"}


def read(url: str) -> str:
    with urllib.request.urlopen(f"{url}/metrics", timeout=READ_SECONDS) as reply:
        return reply.read().decode()


def shown(text: str) -> dict[str, set[str]]:
    """Labels by family; of families that have a value."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name = re.split(r"[{ ]", line, maxsplit=1)[0]
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            family = family if kinds.get(family) == "histogram" else name
            found.setdefault(family, set()).update(set(LABEL.findall(line)) - OF_A_HISTOGRAM)
    return found


def foreign(families: dict[str, set[str]], catalogue: dict[str, set[str]]) -> list[str]:
    """Families and labels that the catalogue does not have, and labels that a family lacks."""
    faults = [f"{family} is not in the catalogue" for family in families if family not in catalogue]
    known = ((family, labels) for family, labels in families.items() if family in catalogue)
    return faults + [f"{family} has the labels {sorted(labels)}, not {sorted(catalogue[family])}" for family, labels in known if labels != catalogue[family]]


def missing(families: set[str], catalogue: dict[str, set[str]]) -> list[str]:
    """Metrics that nobody shows."""
    return [f"nobody shows {metric}" for metric in catalogue if metric not in families]


def linted(text: str) -> list[str]:
    promtool = shutil.which("promtool")
    if promtool is None:
        return ["promtool is missing: run `make setup`"]
    said = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=PROMTOOL_SECONDS, check=False)
    lines = (said.stdout + said.stderr).splitlines()
    faults = [line for line in lines if not OF_THE_CONVENTIONS.fullmatch(line.strip())]
    # promtool ends with 3 for what is only unusual.
    return faults if said.returncode in (0, 3) else [f"promtool ended with {said.returncode}", *faults]


def noticed(text: str, catalogue: dict[str, set[str]]) -> list[str]:
    """Each check finds the fault that it is there for."""
    faults = []
    broken = {
        "a foreign family": foreign(shown(text + "\nnobodys_total 1\n"), catalogue),
        "a foreign label": foreign(shown(re.sub(r"process_uptime_seconds ", 'process_uptime_seconds{odd="x"} ', text)), catalogue),
        "a metric that is gone": missing(set(shown(text)) - {"process_uptime_seconds"}, {"process_uptime_seconds": set()}),
        "a broken line": linted(text + "\nbroken{ 1\n"),
        "a counter without a suffix": linted(text + "\n# HELP odd Odd.\n# TYPE odd counter\nodd 1\n"),
    }
    faults += [f"{what} goes unnoticed" for what, found in broken.items() if not found]
    return faults


def main() -> int:
    catalogue = {metric: labels for metric, labels in verify.read_catalogue(CATALOGUE).items() if not metric.startswith(WRITTEN)}
    texts = {url: read(url) for url in sys.argv[1:]}
    families: set[str] = set()
    faults: list[str] = []
    for url, text in texts.items():
        own = shown(text)
        families |= own.keys()
        series = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
        print(f"{url}: {len(own)} families, {series} lines")
        faults += [f"{url}: {fault}" for fault in foreign(own, catalogue) + linted(text)]
    faults += missing(families, catalogue)
    faults += noticed(next(iter(texts.values())), catalogue)
    print(f"{len(families & catalogue.keys())} of {len(catalogue)} metrics of the catalogue are shown")
    for fault in faults:
        print(f"FAILED  {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
