"""What must hold of every dashboard: its structure, its PromQL, and the names that it asks for."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .builder import COLUMNS, DOTS_ONLY, UNTRACED, Dashboard
from .unjudged import UNJUDGED

KINDS = {"row", "stat", "timeseries"}
# promtool answers at once; this is for a machine that is busy building.
PROMTOOL_SECONDS = 30
# Metrics that Prometheus makes itself, and their labels.
FOREIGN = {
    "up": set(), "scrape_duration_seconds": set(), "scrape_samples_post_metric_relabeling": set(),
    "ALERTS": {"alertname", "alertstate", "severity", "team"},
    "prometheus_rule_evaluation_failures_total": {"rule_group"},
    "prometheus_tsdb_exemplar_exemplars_in_storage": set(),
}
# Labels that every scraped series has.
WORDS = {"and", "or", "unless", "offset", "bool"}
# What joins two sides whose labels have nothing to do with each other.
JOIN = re.compile(r"(?:and|/) on\(\)(?: group_left\(\))?")
TARGET_LABELS = {"job", "instance"}
# Labels of the objectives' recorded series, which slokit makes.
OBJECTIVE_LABELS = {"sloth_slo", "sloth_service", "sloth_id", "sloth_window", "gen_ai_provider_name", "simulated"}
# Units of time and money.
LED_TO_TRACES = {"s", "currencyUSD"}
# Values that the macros and variables of Grafana may have.
MACROS = {"$__rate_interval": "1m", "$__range": "30m"}


def structure(dashboard: dict[str, Any]) -> list[str]:
    """Faults of ids, grid, titles, units, datasources and targets."""
    panels = flat(dashboard)
    faults = [f"id {i} stands twice" for i in _twice([panel["id"] for panel in panels])]
    faults += [f"title {title!r} stands twice" for title in _twice([panel["title"] for panel in panels])]
    faults += [f"panel {panel['id']}: {fault}" for panel in panels for fault in _panel_faults(panel)]
    # The panels of a closed row lie on a grid of their own.
    for grid in [dashboard["panels"], *(row["panels"] for row in dashboard["panels"] if row.get("panels"))]:
        cells: dict[tuple[int, int], int] = {}
        faults += [f"panel {panel['id']}: {fault}" for panel in grid for fault in _grid_faults(panel, cells)]
    return faults


def judged(dashboard: Dashboard) -> list[str]:
    """Panels without thresholds whose panel list does not say why, and reasons of panels that have some or are gone."""
    excused = [id for ids in UNJUDGED.get(dashboard.uid, {}).values() for id in ids]
    plain = {panel.id for row in dashboard.rows for panel in row.panels if not panel.thresholds}
    faults = [f"{dashboard.uid}: panel {id} has no thresholds, and unjudged.py no reason" for id in sorted(plain - set(excused))]
    faults += [f"{dashboard.uid}: unjudged.py excuses panel {id}, which has thresholds or is gone" for id in sorted(set(excused) - plain)]
    return faults + [f"{dashboard.uid}: unjudged.py excuses panel {id} twice" for id in _twice(excused)]


def dotted(dashboard: Dashboard) -> list[str]:
    """Lines of time and money without dots that lead to traces, whose panel list does not say why."""
    lines = [panel for row in dashboard.rows for panel in row.panels if panel.kind == "timeseries" and panel.unit in LED_TO_TRACES]
    dark = [panel for panel in lines if not panel.untraced and not any(query.exemplar for query in panel.queries)]
    return [f"{dashboard.uid}: panel {panel.id} has no dots, and no reason (untraced=)" for panel in dark]


def flat(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels and rows, those of closed rows too."""
    return [one for panel in dashboard["panels"] for one in (panel, *panel.get("panels", []))]


def repeated(dashboards: Iterable[dict[str, Any]]) -> list[str]:
    """Lines that two panels have: a panel is written once, and placed again by composed.py."""
    found: dict[str, str] = {}
    faults = []
    for dashboard in dashboards:
        for panel in flat(dashboard):
            for target in panel.get("targets", []):
                if target["expr"].endswith(DOTS_ONLY):
                    continue
                place = f"{dashboard['uid']} {panel['id']}"
                if target["expr"] in found:
                    faults.append(f"{place} asks what {found[target['expr']]} asks: {target['expr']}")
                found[target["expr"]] = place
    return faults


def unseen(dashboards: Iterable[dict[str, Any]], rules: Path, catalogue: dict[str, set[str]]) -> list[str]:
    """Metrics of the catalogue that no panel or annotation shows and no rule asks for."""
    asked_for = [expr for dashboard in dashboards for expr in _expressions(dashboard)]
    text = " ".join([*asked_for, *(file.read_text(encoding="utf-8") for file in rules.glob("**/*.yml"))])
    return [metric for metric in catalogue if not re.search(rf"\b{metric}(_bucket|_count|_sum)?\b", text)]


def links(dashboard: dict[str, Any], uids: set[str]) -> list[str]:
    """Panels without a link, links that lead nowhere, latency and money without a way to traces and runs."""
    faults = []
    constants = {variable["name"] for variable in dashboard["templating"]["list"] if variable["type"] == "constant"}
    for panel in flat(dashboard):
        urls = [link["url"] for link in panel.get("fieldConfig", {}).get("defaults", {}).get("links", [])]
        if panel["type"] != "row" and not urls:
            faults.append(f"panel {panel['id']}: no link")
        named = [found[1] for url in urls if (found := re.match(r"/d/([a-z-]+)", url))]
        faults += [f"panel {panel['id']}: no dashboard {uid}" for uid in named if uid not in uids]
        hosts = [found[1] for url in urls if (found := re.match(r"\$\{(\w+)\}/", url))]
        faults += [f"panel {panel['id']}: no address {host}" for host in hosts if host not in constants]
        strays = [url for url in urls if not re.match(r"/d/|\$\{\w+\}/", url)]
        faults += [f"panel {panel['id']}: {url} leads to one machine" for url in strays]
        if panel.get("fieldConfig", {}).get("defaults", {}).get("unit") in LED_TO_TRACES:
            faults += [f"panel {panel['id']}: no way to {host}" for host in ("jaeger", "performance") if host not in hosts]
            faults += _labels_of_links(panel, urls)
    return faults


def _labels_of_links(panel: dict[str, Any], urls: list[str]) -> list[str]:
    """Labels that links take from a line whose query drops them."""
    wanted = {label for url in urls for label in re.findall(r"__field\.labels\.(\w+)", url)}
    kept = [{label for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in re.split(r",\s*", group)} for target in panel["targets"]]
    return [f"panel {panel['id']}: a line has no {label} for its link" for label in sorted(wanted) for labels in kept if label not in labels]


def promql(dashboard: dict[str, Any]) -> list[str]:
    """What Prometheus' own parser finds wrong, asked through promtool."""
    promtool = shutil.which("promtool")
    if promtool is None:
        return ["promtool is missing: run `make setup`"]
    rules = [{"record": f"panel{number}", "expr": expr} for number, expr in enumerate(_expressions(dashboard))]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        # JSON is YAML.
        json.dump({"groups": [{"name": dashboard["uid"], "rules": rules}]}, file)
        file.flush()
        answer = subprocess.run(
            [promtool, "check", "rules", file.name], capture_output=True, text=True, timeout=PROMTOOL_SECONDS, check=False
        )
    return [] if answer.returncode == 0 else [(answer.stderr or answer.stdout).strip()]


def names(dashboard: dict[str, Any], catalogue: dict[str, set[str]]) -> list[str]:
    """Metrics and labels that the services do not emit. `catalogue`: labels by metric."""
    faults = []
    for expr in _expressions(dashboard) + _variable_queries(dashboard):
        metrics = asked(expr)
        if not metrics:
            faults.append(f"no metric found in: {expr}")
        for metric, labels in metrics.items():
            family = re.sub(r"_(bucket|count|sum)$", "", metric)
            emitted = catalogue.get(metric, catalogue.get(family, FOREIGN.get(metric)))
            if emitted is None:
                faults.append(f"{metric} is not in the metric catalogue")
            else:
                faults += [f"{metric} has no label {label}" for label in sorted(labels - emitted - TARGET_LABELS - {"le"})]
    return faults


def read_catalogue(folder: Path) -> dict[str, set[str]]:
    """Labels by metric, both in Prometheus' spelling, read from the catalogue's source."""
    family = re.compile(r'= (?:Counter|Gauge|Histogram) "[^"]+" as "([^"]+)",\s*"[^"]*", \[([^\]]*)\]')
    found = {}
    for file in sorted(folder.glob("*.rs")):
        for name, labels in family.findall(file.read_text(encoding="utf-8")):
            found[name] = {label.replace(".", "_") for label in re.findall(r'"([^"]+)"', labels)}
    if not found:
        raise SystemExit(f"no metric found in {folder}: has its form changed?")
    return found


def read_recorded(folder: Path) -> dict[str, set[str]]:
    """Labels by recorded series, read from the rules."""
    rule = re.compile(r"- record: (\S+)\n\s+expr: (.*?)(?=\n\s+(?:- |labels:|#)|\Z)", re.DOTALL)
    found: dict[str, set[str]] = {}
    for file in sorted(folder.glob("**/*.yml")):
        for name, expr in rule.findall(file.read_text(encoding="utf-8")):
            labels = {label for group in re.findall(r"by \(([^)]*)\)", expr) for label in re.split(r",\s*", group)}
            # A recorded series that asks another one has its labels.
            labels |= {label for other in re.findall(r"[a-z_]+:[a-z0-9_:]+", expr) for label in found.get(other, set())}
            found.setdefault(name, set()).update(labels | (OBJECTIVE_LABELS if name.startswith("slo:") else set()))
    if not found:
        raise SystemExit(f"no recorded series found in {folder}: has their form changed?")
    return found


def _panel_faults(panel: dict[str, Any]) -> list[str]:
    faults = []
    if panel["type"] not in KINDS:
        faults.append(f"type {panel['type']} is not one of {sorted(KINDS)}")
    if not panel["title"].strip():
        faults.append("no title")
    if panel["type"] == "row":
        return faults
    if not panel["description"].strip():
        faults.append("no description")
    if not panel["fieldConfig"]["defaults"].get("unit"):
        faults.append("no unit")
    if not panel["targets"]:
        faults.append("no target")
    faults += [f"refId {ref} stands twice" for ref in _twice([target["refId"] for target in panel["targets"]])]
    for target in panel["targets"]:
        faults += _target_faults(target)
    return faults


def _target_faults(target: dict[str, Any]) -> list[str]:
    expr = target["expr"]
    faults = []
    if not expr.strip():
        faults.append(f"target {target['refId']} is empty")
    if target["datasource"]["uid"] != "${datasource}":
        faults.append(f"target {target['refId']} does not ask ${{datasource}}")
    if "histogram_quantile" in expr and not target["exemplar"] and not any(metric.startswith(UNTRACED) for metric in asked(expr)):
        faults.append(f"target {target['refId']} reads a histogram without exemplars")
    if "histogram_quantile" in expr and not re.search(r"by \(le\b", expr):
        faults.append(f"target {target['refId']} loses le")
    if re.search(r"cost|_usd", expr) and not expr.endswith(DOTS_ONLY) and not re.search(r"simulated|budget", expr) and not re.search(r"^provider:|invoice|price", expr):
        faults.append(f"target {target['refId']} adds real and simulated money")
    for metric in re.findall(r"([a-z0-9_]+_total)\{", expr):
        if not re.search(rf"(rate|increase)\({metric}\{{", expr):
            faults.append(f"target {target['refId']} reads the counter {metric} without rate")
    return faults


def _grid_faults(panel: dict[str, Any], cells: dict[tuple[int, int], int]) -> list[str]:
    """Marks the panel's cells as taken; two panels on one cell, or one outside the grid, is a fault."""
    at = panel["gridPos"]
    if at["x"] < 0 or at["w"] < 1 or at["h"] < 1 or at["x"] + at["w"] > COLUMNS:
        return ["lies outside the grid"]
    area = [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    others = sorted({cells[cell] for cell in area if cell in cells})
    cells.update({cell: panel["id"] for cell in area})
    return [f"overlaps panel {other}" for other in others]


def _expressions(dashboard: dict[str, Any]) -> list[str]:
    """PromQL with values in place of macros and variables."""
    result = []
    for panel in flat(dashboard):
        result += [filled(target["expr"], MACROS) for target in panel.get("targets", [])]
    return result + [annotation["expr"] for annotation in dashboard["annotations"]["list"]]


def filled(expr: str, macros: dict[str, str]) -> str:
    """PromQL with values in place of macros, and any value in place of variables."""
    for macro, value in macros.items():
        expr = expr.replace(macro, value)
    return re.sub(r"\$\{?[a-z]+\}?", ".*", expr)


def _variable_queries(dashboard: dict[str, Any]) -> list[str]:
    """`label_values(metric{...}, label)` in the form of a PromQL aggregation."""
    result = []
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"]).groups()
            selector = selector if "{" in selector else selector + "{}"
            result.append(f"count by ({label}) ({selector})")
    return result


def asked(expr: str) -> dict[str, set[str]]:
    """Metrics of an expression with the labels that it selects or groups by."""
    found: dict[str, set[str]] = {}
    for side in JOIN.split(expr):
        grouped = {label for group in re.findall(r"by \(([^)]*)\)", side) for label in re.split(r",\s*", group)}
        # A name that no bracket follows is a metric; one in quotes is a value.
        plain = re.sub(r"\b(?:by |on)\([^)]*\)", "", side)
        for name, selector in re.findall(r'(?<![\w:"$.])([a-zA-Z_:][a-zA-Z0-9_:]*)(?:{([^}]*)}|(?![\w:{"=!~(])(?! *\())', re.sub(r'"[^"]*"', '""', plain)):
            if name not in WORDS and not re.fullmatch(r"[smhdw]", name):
                found.setdefault(name, set()).update(grouped | set(re.findall(r'([a-z_]+)(?:=~|!~|!=|=)"', selector)))
    return found


def _twice(items: list[Any]) -> list[Any]:
    return sorted({item for item in items if items.count(item) > 1})
