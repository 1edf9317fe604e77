"""The dashboard "Load test": runs, next to what they do to the server and to the bill."""

from .builder import Dashboard, Panel, Row, Variable
from .queries import COST, HTTP, PICO, SOME, dots, grown, mean, per_second, quantile, quantiles, rate, series, share_of, stat

# k6's own metrics, which the performance service writes while a run goes on.
TEST = 'test_id=~"$test"'
REQUEST = "k6_http_req_duration_seconds"
RUN = "test_id, scenario"
NAMED = "{{scenario}} {{route_class}}"
API_ALONE = 'job="bookstore-api"'

LED_BY_ITS_RUN = "k6 sends none: its line's links lead to the traces of the test and to the run, whose page names the slowest requests"

RUNS = Row(100, "Runs", (
    series(1, "Runs under way", "The lines beside it are their work.", "short", "performance_runs_active", "{{instance}}"),
    series(2, "Runs that wait", "For their turn; one runs at a time.", "short", "performance_queue_depth", "{{instance}}", thresholds=((1, "yellow"),)),
    Panel(3, "Wait of runs", "p95 of the time from asking to starting.", "s", (quantile(95, "performance_queue_wait_seconds", "", "", "p95"),),
          untraced="no request lasts until its run begins"),
    stat(4, "Verdicts", "Runs that were judged in the range shown.", "short",
         f"count by (scenario, verdict) (last_over_time(k6_run_verdict{{{TEST}}}[$__range]))", "{{scenario}} {{verdict}}", width=12),
    stat(15, "Runs since the service started", "By scenario and verdict, those that had none among them.", "short",
         "sum by (scenario, verdict) (performance_runs_total)", "{{scenario}} {{verdict}}", width=12),
))

SEEN = Row(103, "What its users see, live", (
    series(33, "Virtual users", "Users of the run, each second.", "short", f"sum by ({RUN}) (k6_vus{{{TEST}}})", "{{scenario}}", of_test=True),
    series(34, "Requests of the run", "Per second, by kind of route, as k6 counts them.", "reqps",
           per_second("k6_http_reqs_total", TEST, f"{RUN}, route_class"), NAMED, links=("api-performance",), of_test=True),
    Panel(35, "Latency for users", "Median and p95 of the run's requests, by kind of route; without the connecting.", "s",
          quantiles(REQUEST, TEST, f"{RUN}, route_class", NAMED, (50, 95)), links=("api-performance",), of_test=True,
          untraced=LED_BY_ITS_RUN),
    series(36, "Between user and service", "Mean time that k6 measures less mean time that the API does, by kind of route: network, queues before the API, "
           "and a load generator that is short of processors. The API's part has everybody's requests.", "s",
           f"{mean(REQUEST, TEST, 'route_class')} - on(route_class) {mean(HTTP, API_ALONE, 'route_class')}", "{{route_class}}", signed=True, beside=(dots(HTTP, API_ALONE),)),
    series(37, "Answers that nobody expects", "Share of the run's requests, by kind of route.", "percentunit",
           share_of(rate("k6_http_req_failed_total", TEST), rate("k6_http_reqs_total", TEST), f"{RUN}, route_class"), NAMED,
           thresholds=((0.005, "yellow"), (0.05, "red")), links=("errors-and-diagnostics",), of_test=True),
    series(38, "Checks that fail", "Share of the checks of the script.", "percentunit",
           share_of(rate("k6_checks_total", f'{TEST},result="fail"'), rate("k6_checks_total", TEST), RUN), "{{scenario}}",
           thresholds=((1e-9, "yellow"), (0.01, "red")), of_test=True),
    Panel(39, "First token for users", "Median and p95 of streamed answers, by provider.", "s",
          quantiles("k6_ai_ttft_seconds", TEST, f"{RUN}, provider", "{{scenario}} {{provider}}", (50, 95)),
          links=("llm-latency-and-reliability",), of_test=True, untraced=LED_BY_ITS_RUN),
    series(40, "Dollars per minute of the run", "What the answers cost that its users got, simulated and real apart.", "currencyUSD",
           f"{per_second('k6_ai_cost_pico_usd_total', TEST, f'{RUN}, simulated')} * 60 / {PICO}", "{{scenario}}, simulated {{simulated}}",
           links=("llm-cost-and-tokens",), of_test=True, untraced=LED_BY_ITS_RUN),
    series(41, "Tokens of the run", "Per second, by kind.", "short", per_second("k6_ai_tokens_total", TEST, f"{RUN}, token_kind"),
           "{{scenario}} {{token_kind}}", links=("llm-cost-and-tokens",), of_test=True),
    series(42, "Iterations", "Rounds of the script per second.", "ops", per_second("k6_iterations_total", TEST, f"{RUN}, k6_scenario"),
           "{{scenario}} {{k6_scenario}}", of_test=True),
    series(43, "Iterations that found no user", "Per second: the load that was asked for and never came.", "ops",
           per_second("k6_dropped_iterations_total", TEST, f"{RUN}, k6_scenario"), "{{scenario}} {{k6_scenario}}", of_test=True,
           empty="users of a closed model drop none", thresholds=SOME),
    series(44, "Received", "Bytes per second of the answers.", "Bps", per_second("k6_data_received_bytes_total", TEST, RUN), "{{scenario}}",
           of_test=True),
))

WATCHING = Row(101, "The service of the runs", (
    series(5, "Samples", "Read from k6 per second.", "short", per_second("performance_ingest_samples_total", "", "job"), "samples"),
    series(6, "Lag", "Age of the newest sample that was read. Beyond some seconds, what is shown live is late.", "s",
           "performance_ingest_lag_seconds", "lag", thresholds=((5, "yellow"), (15, "red")), untraced="it is how late the service is, not a request"),
    Panel(46, "Time to the verdict", "p95 of what it takes to judge a run whose load is over: its samples, and what Prometheus says of its target.", "s",
          (quantile(95, "performance_verdict_duration_seconds", "", "", "p95"),), thresholds=((5, "yellow"), (20, "red")),
          untraced="a run is judged by no request"),
    series(47, "Watchers", "Of runs, live, by server-sent events and WebSockets.", "short", "sum(performance_events_subscribers)", "watchers",
           thresholds=((250, "yellow"), (450, "red")), zero="a run need not be watched"),
    series(45, "Written to Prometheus", "Seconds of runs, by outcome. The lines above have gaps where it is not written.", "ops",
           per_second("performance_remote_write_requests_total", "", "outcome"), "{{outcome}}"),
    series(11, "Kept", "Bytes of the database and of the files of runs; looked at each hour.", "bytes",
           "sum by (kind) (performance_storage_size_bytes)", "{{kind}}", zero="the files of runs come after the first look"),
    series(12, "Messages to webhooks", "Attempts per second, by what became of the delivery.", "ops",
           per_second("performance_webhook_attempts_total", "", "outcome"), "{{outcome}}", empty="no webhook is asked for"),
))

BESIDE = Row(102, "Beside it", (
    series(7, "Requests while a run is under way", "Of the API, per second, by kind of route; nothing between runs.", "reqps",
           "{} and on() (sum(performance_runs_active) > 0)".format(per_second(f"{HTTP}_count", API_ALONE, "route_class")),
           "{{route_class}}", links=("api-performance",)),
    series(8, "Mean latency by kind of route", "Of the API: what the load does to everybody.", "s",
           mean(HTTP, API_ALONE, "route_class"), "{{route_class}}", links=("api-performance",), beside=(dots(HTTP, API_ALONE),)),
    series(9, "Dollars per minute", "What the load costs, simulated and real apart.", "currencyUSD",
           f"sum by (simulated) ({rate(COST)}) * 60 / {PICO}", "simulated {{simulated}}", links=("llm-cost-and-tokens",), dotted=True),
    series(10, "Busy workers while it runs", "Share of the workers' time, of the API and of the simulator.", "percentunit",
           'tokio_busy_ratio{job=~"bookstore-api|llm-simulator"}', "{{job}}", thresholds=((0.8, "yellow"), (0.95, "red")), links=("runtime",)),
    stat(13, "Dollars of runs", "What the runs that ended in the range shown have cost, real and simulated apart.", "currencyUSD",
         f"sum by (simulated) ({grown('performance_run_spend_pico_usd_total')}) / {PICO}", "simulated {{simulated}}", width=8,
         zero="a run is counted when it has ended", links=("llm-cost-and-tokens",)),
    stat(14, "Stopped by their budget", "Runs that reached their cap, by the kind of dollars that did.", "short",
         f"sum by (simulated) ({grown('performance_budget_stops_total')})", "simulated {{simulated}}", width=8,
         zero="no run of the check has a cap", thresholds=((1, "yellow"),)),
))

DASHBOARD = Dashboard(
    uid="load-test",
    title="Load test",
    description="Runs of the performance service, next to what they do to the server and to the bill.",
    variables=(Variable("test", "Test", "label_values(k6_run_active, test_id)"),),
    rows=(RUNS, SEEN, BESIDE, WATCHING),
)
