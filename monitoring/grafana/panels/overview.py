"""The dashboard "Overview": is all well, and if not, where to look."""

from .builder import Dashboard, Row
from .queries import ANY, BY_SERVICE, CALL, DEAR_CALL, FIRST, HTTP, MANY_ERRORS, PROVIDER, SERVICE_VARIABLES, SLOW_CALL, SLOW_FIRST_TOKEN, dots, per_second, series, stat

NOW = Row(100, "Now", (
    stat(1, "Services", "1 for each target that Prometheus can scrape, 0 for one that it cannot.", "short",
         f"min by (job) (up{{{BY_SERVICE}}})", "{{job}}", width=8, links=("runtime",), thresholds=((1, "green"),), base="red"),
    stat(2, "Alerts that fire", "By name and severity; 0 when none does. A burn-rate alert that only warms up does not count.", "short",
         'count by (alertname, severity) (ALERTS{alertstate="firing"}) or (vector(0) unless on() ALERTS{alertstate="firing"})', "{{alertname}} {{severity}}", width=8,
         thresholds=ANY, links=("slo-and-budgets",)),
    stat(3, "Load tests under way", "Runs that put load on a target now: whatever else is odd here, they may be its cause.", "short",
         "sum(performance_runs_active)", "runs", width=8, links=("load-test",)),
))

USERS = Row(101, "What users see", (
    series(4, "Requests", "Requests per second that each service answers, scrapes and health checks among them.", "reqps",
           per_second("http_server_request_duration_seconds_count", BY_SERVICE, "job"), "{{job}}"),
    series(5, "Failures by kind of route", "Share of the API's requests that failed, over five minutes: with 5xx, or as a stream after its head. Clients that leave do not count.", "percentunit",
           "route_class:http_server_request_errors:ratio_rate5m", "{{route_class}}", thresholds=MANY_ERRORS, links=("errors-and-diagnostics",)),
    series(6, "p95 by kind of route", "95 of 100 requests of the API are quicker, over five minutes.", "s",
           "route_class:http_server_request_duration_seconds:p95_rate5m", "{{route_class}}",
           thresholds=((0.05, "yellow"), (10, "red")), links=("api-performance",), beside=(dots(HTTP, 'job="bookstore-api"'),)),
))

MODELS = Row(102, "Models and money", (
    series(7, "First token", "95 of 100 streamed answers begin sooner, over five minutes.", "s",
           "provider:gen_ai_client_operation_time_to_first_chunk_seconds:p95_rate5m", f"{{{{{PROVIDER}}}}}",
           thresholds=SLOW_FIRST_TOKEN, links=("llm-latency-and-reliability",), beside=(dots(FIRST),)),
    series(8, "Attempts that fail", "Share of the attempts at each provider that failed or broke off, over five minutes.", "percentunit",
           "provider:gen_ai_attempts_failed:ratio_rate5m", f"{{{{{PROVIDER}}}}}", thresholds=MANY_ERRORS, links=("llm-latency-and-reliability",)),
    series(9, "Dollars per hour", "The pace of spending over the last hour, real and simulated money apart.", "currencyUSD",
           "provider:bookstore_gen_ai_cost_usd:rate1h * 3600", f"{{{{{PROVIDER}}}}}, simulated {{{{simulated}}}}", links=("llm-cost-and-tokens",),
           beside=(dots("bookstore_gen_ai_operation_cost_usd"),)),
    series(10, "p95 of an attempt", "95 of 100 attempts at each provider take less, over five minutes.", "s",
           "provider:gen_ai_client_operation_duration_seconds:p95_rate5m", f"{{{{{PROVIDER}}}}}",
           thresholds=SLOW_CALL, links=("llm-latency-and-reliability",), beside=(dots(CALL),)),
    series(11, "Mean cost of a request", "Of requests to models with all of their priced attempts, over an hour.", "currencyUSD",
           "provider:bookstore_gen_ai_request_cost_usd:mean_rate1h", f"{{{{{PROVIDER}}}}}, simulated {{{{simulated}}}}", links=("llm-cost-and-tokens",), thresholds=DEAR_CALL,
           beside=(dots("bookstore_gen_ai_request_cost_usd"),)),
    series(12, "Cache hits", "Share of look-ups that one of both levels answered, over half an hour.", "percentunit",
           "cache:bookstore_cache_hits:ratio_rate30m", "{{cache_name}}", links=("dependencies",)),
))

DASHBOARD = Dashboard(
    uid="overview",
    title="Overview",
    description="Is all well, and if not, where to look: services, users, models, money.",
    variables=SERVICE_VARIABLES,
    rows=(NOW, USERS, MODELS),
)
