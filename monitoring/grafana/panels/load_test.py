"""The dashboard "Load test": runs, next to what they do to the server and to the bill."""

from .builder import Dashboard, Panel, Row
from .queries import COST, HTTP, PICO, mean, per_second, quantile, rate, series, stat

RUNS = Row(100, "Runs", (
    series(1, "Runs under way", "The lines beside it are their work.", "short", "performance_runs_active", "{{instance}}"),
    series(2, "Runs that wait", "For their turn; one runs at a time.", "short", "performance_queue_depth", "{{instance}}"),
    Panel(3, "Wait of runs", "p95 of the time from asking to starting.", "s", (quantile(95, "performance_queue_wait_seconds", "", "", "p95"),)),
    stat(4, "Verdicts", "Runs that ended in the range shown.", "short",
         "sum by (scenario, verdict) (increase(performance_runs_total[$__range]))", "{{scenario}} {{verdict}}", width=24,
         zero="a counter that appears with its first run has no increase"),
))

WATCHING = Row(101, "The service of the runs", (
    series(5, "Samples", "Read from k6 per second.", "short", per_second("performance_ingest_samples_total", "", "job"), "samples"),
    series(6, "Lag", "Age of the newest sample that was read. Beyond some seconds, what is shown live is late.", "s",
           "performance_ingest_lag_seconds", "lag", thresholds=((5, "yellow"), (15, "red"))),
    series(11, "Kept", "Bytes of the database and of the files of runs; looked at each hour.", "bytes",
           "sum by (kind) (performance_storage_size_bytes)", "{{kind}}", zero="the files of runs come after the first look"),
    series(12, "Messages to webhooks", "Attempts per second, by what became of the delivery.", "ops",
           per_second("performance_webhook_attempts_total", "", "outcome"), "{{outcome}}", empty="no webhook is asked for"),
))

BESIDE = Row(102, "Beside it", (
    series(7, "Requests while a run is under way", "Of the API, per second, by kind of route; nothing between runs.", "reqps",
           "{} and on() (sum(performance_runs_active) > 0)".format(per_second(f"{HTTP}_count", 'job="bookstore-api"', "route_class")),
           "{{route_class}}", links=("api-performance",)),
    series(8, "Mean latency by kind of route", "Of the API: what the load does to everybody.", "s",
           mean(HTTP, 'job="bookstore-api"', "route_class"), "{{route_class}}", links=("api-performance",)),
    series(9, "Dollars per minute", "What the load costs, simulated and real apart.", "currencyUSD",
           f"sum by (simulated) ({rate(COST)}) * 60 / {PICO}", "simulated {{simulated}}", links=("llm-cost-and-tokens",)),
    series(10, "Busy workers while it runs", "Share of the workers' time, of the API and of the simulator.", "percentunit",
           'tokio_busy_ratio{job=~"bookstore-api|llm-simulator"}', "{{job}}", thresholds=((0.8, "yellow"), (0.95, "red")), links=("runtime",)),
    stat(13, "Dollars of runs", "What the runs that ended in the range shown have cost, real and simulated apart.", "currencyUSD",
         f"sum by (simulated) (increase(performance_run_spend_pico_usd_total[$__range])) / {PICO}", "simulated {{simulated}}", width=8,
         zero="the runs of the check call no models", links=("llm-cost-and-tokens",)),
    stat(14, "Stopped by their budget", "Runs that reached their cap, by the kind of dollars that did.", "short",
         "sum by (simulated) (increase(performance_budget_stops_total[$__range]))", "simulated {{simulated}}", width=8,
         zero="the runs of the check call no models"),
))

DASHBOARD = Dashboard(
    uid="load-test",
    title="Load test",
    description="Runs of the performance service, next to what they do to the server and to the bill.",
    variables=(),
    rows=(RUNS, WATCHING, BESIDE),
)
