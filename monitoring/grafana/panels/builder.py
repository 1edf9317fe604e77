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

# Where links lead that leave Grafana; a dashboard has them as hidden constants, so that another
# address is one change in its settings.
ADDRESSES = {"jaeger": "http://127.0.0.1:16686", "performance": "http://127.0.0.1:7004"}
# The range that is shown, and the choices, which a dashboard without such a variable passes by;
# Jaeger wants microseconds.
SHOWN = "from=${__from}&to=${__to}&${__all_variables}"
TRACES_LINK = "${jaeger}/search?service=bookstore-api&start=${__from}000&end=${__to}000"
RUNS_LINK = "${performance}/"
# Of the point that was clicked: what took at least as long, and the test whose line it is.
SLOWER_LINK = f"{TRACES_LINK}&minDuration=${{__value.raw}}s"
TEST_LINK = "${performance}/runs/${__field.labels.test_id}"
TEST_TRACES_LINK = f"{TRACES_LINK}&tags=%7B%22test.id%22%3A%22${{__field.labels.test_id}}%22%7D"
# Load generators write no exemplars: what they measure has no dots, its links name the test.
UNTRACED = "k6_"
# A query of buckets that no series answers: asked for its exemplars alone.
DOTS_ONLY = " < 0"
# Behind every panel with dots: there is no store of logs, the services' files are searched.
DOTS = " A dot opens its trace; `make trace-logs ID=` and the trace's id print its log lines."
# Behind those of load generators, which give none.
DOTLESS = " Load generators give no dots: a click on a line leads to the traces of its test."

# What happened, as lines across every panel: name, colour, query, title, labels.
ANNOTATIONS = (
    ("Load tests", "blue", "k6_run_active", "{{scenario}} under way", "scenario,test_id"),
    ("Verdicts", "purple", "k6_run_verdict", "{{scenario}}: {{verdict}}", "scenario,verdict,test_id"),
    ("Starts", "green", "process_uptime_seconds < 30", "{{job}} started", "job"),
    # Versions that nothing ran within a day.
    ("Deploys", "yellow", "count by (job, service_version) (bookstore_build_info) unless "
     "count by (job, service_version) (last_over_time(bookstore_build_info[1d] offset 1m))",
     "{{job}} {{service_version}}", "job,service_version"),
    ("Alerts", "red", 'ALERTS{alertstate="firing"}', "{{alertname}}", "alertname,severity"),
)


@dataclass(frozen=True)
class Query:
    """One PromQL expression and the name of its series."""

    expr: str
    legend: str
    # Raw buckets and counters of dollars only: a recorded series or a mean has no exemplars.
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
    # Values from which on a colour holds, ascending; empty where unjudged.py says why. Below the
    # first one `base` holds.
    thresholds: tuple[tuple[float, str], ...] = ()
    base: str = "green"
    stacked: bool = False
    # Decimal places, where Grafana's own choice rounds away what matters.
    decimals: int | None = None
    # The dashboards to go on to, by uid.
    links: tuple[str, ...] = ()
    # Whether its values may be below 0.
    signed: bool = False
    # Whether its lines have a label `test_id`, by which a click leads to the run.
    of_test: bool = False
    # Why it may show nothing but 0, or nothing at all, even under the faulty load of
    # `make test-dashboards`; without a reason it must have data there.
    zero: str = ""
    empty: str = ""
    # Why its times or dollars have no exemplars.
    untraced: str = ""


@dataclass(frozen=True)
class Row:
    """A titled row of panels; its id is written out too."""

    id: int
    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


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
        "annotations": {"list": [_annotation(*one) for one in ANNOTATIONS]},
        "description": dashboard.description,
        "editable": False,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [_dashboards_link()],
        "panels": _lay_out(dashboard.rows),
        "refresh": "15s",
        "schemaVersion": SCHEMA_VERSION,
        "tags": list(dashboard.tags),
        "templating": {"list": [_datasource_variable(), *map(_constant, ADDRESSES.items()), *map(_variable, dashboard.variables)]},
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
        title = _row(row, y)
        result.append(title)
        # A closed row holds its panels, which take no room.
        target = title["panels"] if row.collapsed else result
        y += ROW_HEIGHT
        x, below = 0, y
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, below = 0, below + PANEL_HEIGHT
            target.append(_panel(panel, {"h": PANEL_HEIGHT, "w": panel.width, "x": x, "y": below}))
            x += panel.width
        if not row.collapsed:
            y = below + PANEL_HEIGHT
    return result


def _row(row: Row, y: int) -> dict[str, Any]:
    return {
        "collapsed": row.collapsed,
        "gridPos": {"h": ROW_HEIGHT, "w": COLUMNS, "x": 0, "y": y},
        "id": row.id,
        "panels": [],
        "title": row.title,
        "type": "row",
    }


def _panel(panel: Panel, position: dict[str, int]) -> dict[str, Any]:
    return {
        "datasource": DATASOURCE,
        "description": panel.description + _way_to_traces(panel),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "gridPos": position,
        "id": panel.id,
        "options": _options(panel),
        "targets": [_target(query, chr(ord("A") + i), panel.kind == "stat") for i, query in enumerate(panel.queries)],
        "title": panel.title,
        "type": panel.kind,
    }


def _way_to_traces(panel: Panel) -> str:
    if any(query.exemplar for query in panel.queries):
        return DOTS
    return DOTLESS if panel.of_test and panel.untraced else ""


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": panel.base, "value": None}]
    steps += [{"color": color, "value": value} for value, color in panel.thresholds]
    defaults: dict[str, Any] = {
        "links": [_data_link(*one) for one in _ways_on(panel)],
        "thresholds": {"mode": "absolute", "steps": steps},
        "unit": panel.unit,
    }
    if not panel.signed:
        defaults["min"] = 0
    if panel.decimals is not None:
        defaults["decimals"] = panel.decimals
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


def _ways_on(panel: Panel) -> list[tuple[str, str]]:
    """Where a click on a line leads: to other dashboards, to traces and runs of that time."""
    ways = [(f"Dashboard {uid}", f"/d/{uid}?{SHOWN}") for uid in panel.links]
    if panel.of_test:
        return [*ways, ("Traces of this test", TEST_TRACES_LINK), ("This load test", TEST_LINK)]
    if panel.unit == "s" and any(query.exemplar for query in panel.queries):
        ways.append(("Traces that took this long", SLOWER_LINK))
    return [*ways, ("Traces of this time", TRACES_LINK), ("Load tests", RUNS_LINK)]


def _data_link(title: str, url: str) -> dict[str, Any]:
    return {"targetBlank": False, "title": title, "url": url}


def _dashboards_link() -> dict[str, Any]:
    """The other dashboards, at the top right, with the same time range."""
    return {
        "asDropdown": True, "icon": "external link", "includeVars": True, "keepTime": True, "tags": ["bookstore"],
        "targetBlank": False, "title": "Dashboards", "type": "dashboards",
    }


def _annotation(name: str, color: str, expr: str, title: str, labels: str) -> dict[str, Any]:
    return {
        "datasource": DATASOURCE, "enable": True, "expr": expr, "iconColor": color, "name": name,
        "step": "15s", "tagKeys": labels, "titleFormat": title,
    }


def _constant(address: tuple[str, str]) -> dict[str, Any]:
    name, value = address
    # 2: neither name nor value is shown.
    return {"hide": 2, "name": name, "query": value, "skipUrlSync": True, "type": "constant"}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "colorMode": "value",
            "graphMode": "none",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        }
    return {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom"},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _target(query: Query, ref_id: str, number: bool) -> dict[str, Any]:
    """A number is of the last moment alone: what was there before, such as an alert, is over."""
    return {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "exemplar": query.exemplar,
        "expr": query.expr,
        "instant": number,
        "legendFormat": query.legend,
        "range": not number,
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
