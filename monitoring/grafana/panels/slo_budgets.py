"""The dashboard "SLO and budgets": what of the error budgets and of the money is left."""

from .builder import Dashboard, Row, Variable
from .queries import PICO, SOME, TENANT_VARIABLE, per_second, series, stat

SLO = 'sloth_slo=~"$slo"'
NAMED = "{{sloth_slo}} {{gen_ai_provider_name}}{{simulated}}"
TENANT = 'tenant=~"$tenant"'
ACCOUNT = "{{tenant}} {{period}}, simulated {{simulated}}"

OBJECTIVES = Row(100, "Objectives", (
    stat(1, "Budget left", "Of the errors, the slowness or the dollars that the period allows; below 0 the objective is missed. While there is less data than a period, "
         "the mean is of what there is: an hour of burn rate 2 on a new Prometheus shows -100 %, and for spend that is a pace, no sum.", "percentunit",
         f"slo:period_error_budget_remaining:ratio{{{SLO}}}", NAMED, width=24, thresholds=((0, "yellow"), (0.25, "green")), links=("errors-and-diagnostics",), base="red"),
    series(2, "Burn rate now", "How many times too fast the budget goes, over the shortest window: 1 is even, 14.4 pages.", "short",
           f"slo:current_burn_rate:ratio{{{SLO}}}", NAMED, width=12, thresholds=((1, "yellow"), (14.4, "red"))),
    series(3, "Burn rate of the period", "The mean since the period began.", "short",
           f"slo:period_burn_rate:ratio{{{SLO}}}", NAMED, width=12, thresholds=((1, "red"),)),
    series(4, "Bad share", "Of the events of five minutes; what its alerts compare.", "percentunit",
           f"slo:sli_error:ratio_rate5m{{{SLO}}}", NAMED, width=12),
    stat(5, "What must be good", "The objective itself.", "percentunit", f"slo:objective:ratio{{{SLO}}}", "{{sloth_slo}}", width=12, decimals=3),
    series(6, "Spending against its allowance", "Dollars per second, next to what the allowance of the period lets be spent (rules/*/allowance.yml), over five minutes.",
           "percentunit", "sum by (simulated) (provider:bookstore_gen_ai_cost_usd:rate5m) / on() group_left() bookstore:spend_allowance_usd:per_second",
           "simulated {{simulated}}", width=12, thresholds=((1, "yellow"), (14.4, "red")), links=("llm-cost-and-tokens",)),
    series(7, "Alerts, pending and firing", "By name; pending ones wait for their time to pass.", "short",
           'count by (alertname, alertstate) (ALERTS) or (vector(0) unless on() ALERTS)', "{{alertname}} {{alertstate}}", width=12, thresholds=((1, "yellow"),)),
))

BUDGETS = Row(101, "Budgets of tenants", (
    series(8, "Spent of the limit", "Share of the present day and month.", "percentunit",
           f"bookstore_budget_spent_usd{{{TENANT}}} / bookstore_budget_limit_usd{{{TENANT}}}", ACCOUNT,
           thresholds=((0.8, "yellow"), (0.95, "red")), links=("llm-cost-and-tokens",)),
    series(9, "Reserved", "Dollars for attempts under way; they come back or are spent.", "currencyUSD",
           f"bookstore_budget_reserved_usd{{{TENANT}}}", ACCOUNT, untraced="a state of an account, of many requests at once"),
    series(10, "Budget refusals by limit", "Attempts per second that were refused or cut off.", "reqps",
           per_second("bookstore_budget_refusals_total", "", "limit"), "{{limit}}", thresholds=SOME),
    stat(11, "Limits", "What each tenant may spend in a day or month.", "currencyUSD",
         f"bookstore_budget_limit_usd{{{TENANT}}}", ACCOUNT, width=12),
    stat(12, "Spent at midnight", "A straight line through the last hour to the end of the day (UTC).", "currencyUSD",
         f'predict_linear(bookstore_budget_spent_usd{{{TENANT},period="day"}}[1h], 86400 - time() % 86400)', ACCOUNT, width=12),
    series(13, "Saved per hour", "Dollars that cached and shared answers did not cost, by kind of money.", "currencyUSD",
           f"{per_second('bookstore_gen_ai_saved_cost_pico_usd_total', '', 'reason, simulated')} * 3600 / {PICO}", "{{reason}}, simulated {{simulated}}", dotted=True),
))

DASHBOARD = Dashboard(
    uid="slo-and-budgets",
    title="SLO and budgets",
    description="What of the error budgets and of the money is left, and how fast it goes.",
    variables=(Variable("slo", "Objective", "label_values(slo:objective:ratio, sloth_slo)"), TENANT_VARIABLE),
    rows=(OBJECTIVES, BUDGETS),
)
