"""Grafana's JSON for panels, rows and variables, from the few things that differ."""

from dataclasses import dataclass, field
from typing import Any

# Grafana's grid.
COLUMNS = 24
# Height of a panel in grid units; a row's title takes one.
PANEL_HEIGHT = 8
ROW_HEIGHT = 1
# The JSON model that Grafana 13 reads without migrating it.
SCHEMA_VERSION = 41

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """One PromQL expression and the name of its series."""

    expr: str
    legend: str
    # Raw buckets only: a recording rule or a sum of counters has no exemplars.
    exemplar: bool = False


@dataclass(frozen=True)
class Panel:
    """One panel. `id` is written out so that moving a panel does not renumber the others."""

    id: int
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 8
    kind: str = "timeseries"
    # Values from which on a colour holds, ascending; empty where no value is good or bad.
    thresholds: tuple[tuple[float, str], ...] = ()
    stacked: bool = False


@dataclass(frozen=True)
class Row:
    """A titled row of panels; its id is written out too."""

    id: int
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A choice of label values at the top of the dashboard."""

    name: str
    label: str
    query: str


@dataclass(frozen=True)
class Dashboard:
    """A dashboard with a fixed uid, so that links to it stay."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    tags: tuple[str, ...] = field(default=("bookstore",))


def build(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as Grafana reads it from a file."""
    return {
        "annotations": {"list": []},
        "description": dashboard.description,
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [],
        "panels": _lay_out(dashboard.rows),
        "refresh": "15s",
        "schemaVersion": SCHEMA_VERSION,
        "tags": list(dashboard.tags),
        "templating": {"list": [_datasource_variable(), *map(_variable, dashboard.variables)]},
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "utc",
        "title": dashboard.title,
        "uid": dashboard.uid,
        "version": 1,
    }


def _lay_out(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """Panels from left to right, a new line where the next one does not fit."""
    result: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        result.append(_row(row, y))
        y += ROW_HEIGHT
        x = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + PANEL_HEIGHT
            result.append(_panel(panel, {"h": PANEL_HEIGHT, "w": panel.width, "x": x, "y": y}))
            x += panel.width
        y += PANEL_HEIGHT
    return result


def _row(row: Row, y: int) -> dict[str, Any]:
    return {
        "collapsed": False,
        "gridPos": {"h": ROW_HEIGHT, "w": COLUMNS, "x": 0, "y": y},
        "id": row.id,
        "panels": [],
        "title": row.title,
        "type": "row",
    }


def _panel(panel: Panel, position: dict[str, int]) -> dict[str, Any]:
    return {
        "datasource": DATASOURCE,
        "description": panel.description,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "gridPos": position,
        "id": panel.id,
        "options": _options(panel),
        "targets": [_target(query, chr(ord("A") + i)) for i, query in enumerate(panel.queries)],
        "title": panel.title,
        "type": panel.kind,
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    steps += [{"color": color, "value": value} for value, color in panel.thresholds]
    defaults: dict[str, Any] = {
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        "unit": panel.unit,
    }
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 30 if panel.stacked else 0,
            "lineWidth": 1,
            "showPoints": "auto",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "normal" if panel.stacked else "none"},
            "thresholdsStyle": {"mode": "dashed" if panel.thresholds else "off"},
        }
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "colorMode": "value",
            "graphMode": "area",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        }
    return {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom"},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _target(query: Query, ref_id: str) -> dict[str, Any]:
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "exemplar": query.exemplar,
        "expr": query.expr,
        "legendFormat": query.legend,
        "range": True,
        "refId": ref_id,
    }


def _datasource_variable() -> dict[str, Any]:
    return {
        "hide": 0,
        "label": "Data source",
        "name": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "type": "datasource",
    }


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "datasource": DATASOURCE,
        "definition": variable.query,
        "hide": 0,
        "includeAll": True,
        "label": variable.label,
        "multi": True,
        "name": variable.name,
        "query": {"query": variable.query, "refId": "labels"},
        # 2: again whenever the time range changes.
        "refresh": 2,
        "sort": 1,
        "type": "query",
    }
