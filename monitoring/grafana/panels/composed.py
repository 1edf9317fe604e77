"""Dashboards that are made of the panels of others: a panel is written once, and placed again here."""

from dataclasses import replace

from . import api_performance, business, chaos, dependencies, errors, http_connections, llm_cost, llm_latency, load_test, overview, runtime, slo_budgets
from .builder import Dashboard, Panel, Row, Variable

# In the order of the questions: is all well, what do users get, what does it cost, what is it made of.
SINGLE = (
    overview.DASHBOARD, api_performance.DASHBOARD, errors.DASHBOARD, llm_cost.DASHBOARD, llm_latency.DASHBOARD, http_connections.DASHBOARD,
    dependencies.DASHBOARD, runtime.DASHBOARD, load_test.DASHBOARD, slo_budgets.DASHBOARD, business.DASHBOARD, chaos.DASHBOARD,
)
# Ids of a dashboard's panels and rows are below this; in a joined one its number stands before them.
IDS = 1000

# What a visitor is shown, in the order of a story: load comes, answers cost, a provider breaks, users do not notice.
STORY = {
    "Load comes": (("load-test", (1, 33, 35, 7)), ("overview", (4, 6))),
    "Answers cost": (("llm-cost-and-tokens", (6, 7, 10)), ("llm-latency-and-reliability", (1, 2, 4))),
    "A provider breaks": (("chaos", (1, 4, 6)), ("llm-latency-and-reliability", (16,)), ("overview", (2,))),
    "Users and money": (("errors-and-diagnostics", (2,)), ("slo-and-budgets", (1, 2))),
}


def _numbered(dashboard: Dashboard) -> int:
    return (SINGLE.index(dashboard) + 1) * IDS


def _placed(dashboard: Dashboard, panel: Panel) -> Panel:
    """The same panel where others with its id and title stand."""
    return replace(panel, id=_numbered(dashboard) + panel.id, title=f"{dashboard.title}: {panel.title}")


def _mega() -> tuple[Row, ...]:
    return tuple(
        Row(_numbered(dashboard) + row.id, f"{dashboard.title}: {row.title}", tuple(_placed(dashboard, panel) for panel in row.panels), collapsed=True)
        for dashboard in SINGLE
        for row in dashboard.rows
    )


def _story() -> tuple[Row, ...]:
    by_uid = {dashboard.uid: dashboard for dashboard in SINGLE}
    rows = []
    for number, (title, parts) in enumerate(STORY.items(), 1):
        panels = []
        for uid, ids in parts:
            found = {panel.id: panel for row in by_uid[uid].rows for panel in row.panels}
            panels += [replace(_placed(by_uid[uid], found[id]), width=8) for id in ids]
        rows.append(Row(number, title, tuple(panels)))
    return tuple(rows)


def _variables() -> tuple[Variable, ...]:
    """Those of all dashboards, each once."""
    return tuple({variable.name: variable for dashboard in SINGLE for variable in dashboard.variables}.values())


DEMO = Dashboard(
    uid="demo",
    title="Demo",
    description="A story for visitors: load comes, answers cost, a provider breaks, users and money.",
    variables=_variables(),
    rows=_story(),
)

MEGA = Dashboard(
    uid="mega",
    title="Mega",
    description="Every panel of every dashboard, in closed rows: for a search by eye.",
    variables=_variables(),
    rows=_mega(),
)

DASHBOARDS = (*SINGLE, DEMO, MEGA)
