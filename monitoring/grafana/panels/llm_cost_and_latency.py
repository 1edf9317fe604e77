"""The dashboard "LLM cost and latency": what model calls cost, and where their time goes."""

from .builder import Dashboard, Panel, Query, Row, Variable

# Prometheus' spelling of the labels.
PROVIDER = "gen_ai_provider_name"
MODEL = "gen_ai_request_model"

# Latency bounds are bucket bounds of the histograms, so that the line is where the data is exact.
SLOW_CALL = ((5.12, "yellow"), (10.24, "red"))
SLOW_FIRST_TOKEN = ((0.64, "yellow"), (1.28, "red"))
DEAR_CALL = ((0.016384, "yellow"), (0.262144, "red"))
# Objectives of the AI routes: 99.5 % good, and ten times as many bad ones.
MANY_ERRORS = ((0.005, "yellow"), (0.05, "red"))
ANY = ((1e-9, "red"),)

BY_PROVIDER = f'{PROVIDER}=~"$provider"'
BY_MODEL = f'{BY_PROVIDER},{MODEL}=~"$model"'
BY_TENANT = f'{BY_MODEL},tenant=~"$tenant"'

REAL = 'simulated="false"'
SIMULATED = 'simulated="true"'

RETRIED = BY_MODEL + ',retry_reason!=""'
FAILED = BY_MODEL + ',error_type!=""'
SUMMARIES = 'cache_name=~"summar.*"'
AI_ROUTES = 'route_class="ai"'
AI_ERRORS = 'route_class="ai",http_response_status_code=~"5.."'

# A counter of 10^-12 USD: dollars.
PICO = "1e12"


def rate(metric: str, labels: str) -> str:
    """Growth of a counter per second."""
    return f"rate({metric}{{{labels}}}[$__rate_interval])"


def quantiles(metric: str, labels: str, by: str, legend: str, points: tuple[int, ...]) -> tuple[Query, ...]:
    """Percentiles of a histogram, merged over its series and never averaged."""
    return tuple(
        Query(
            f"histogram_quantile({point / 100:g}, sum by (le, {by}) ({rate(metric + '_bucket', labels)}))",
            f"p{point} {legend}",
            exemplar=True,
        )
        for point in points
    )


def dollars_per_minute(money: str) -> Query:
    """Spending by provider, of one kind of money."""
    grown = rate("bookstore_gen_ai_cost_pico_usd_total", f"{money},{BY_TENANT}")
    return Query(f"sum by ({PROVIDER}) ({grown}) * 60 / {PICO}", f"{{{{{PROVIDER}}}}}")


def spent(money: str) -> Query:
    """Dollars of the range that is shown."""
    selector = f"bookstore_gen_ai_cost_pico_usd_total{{{money},{BY_TENANT}}}"
    return Query(f"sum(increase({selector}[$__range])) / {PICO}", "dollars")


def error_share(metric: str, bad: str, valid: str, by: str) -> str:
    """Bad of valid events; 0, not nothing, where events were all good."""
    total = f"sum by ({by}) ({rate(metric, valid)})"
    return f"(sum by ({by}) ({rate(metric, bad)}) or {total} * 0) / {total}"


MONEY = Row(100, "Money", (
    Panel(1, "Spent, real", "Dollars of priced calls to real providers in the range shown. Simulated calls are not in it.",
          "currencyUSD", (spent(REAL),), width=6, kind="stat"),
    Panel(2, "Spent, simulated", "What the simulated calls of the range shown would have cost. Nobody is charged for it.",
          "currencyUSD", (spent(SIMULATED),), width=6, kind="stat"),
    Panel(3, "Unpriced calls", "Calls in the range shown whose model has no price. Their cost is unknown, not zero: add the model to the price catalogue.",
          "short",
          (Query(f"sum by ({MODEL}) (increase(bookstore_gen_ai_unpriced_calls_total{{{BY_MODEL}}}[$__range]))", f"{{{{{MODEL}}}}}"),),
          width=6, kind="stat", thresholds=ANY),
    Panel(4, "Saved", "Dollars of the range shown that calls did not cost because a cached or shared answer was given, by kind of money.",
          "currencyUSD",
          (Query(f"sum by (reason, simulated) (increase(bookstore_gen_ai_saved_cost_pico_usd_total[$__range])) / {PICO}",
                 "{{reason}}, simulated {{simulated}}"),),
          width=6, kind="stat"),
    Panel(5, "Dollars per minute, real", "Spending at real providers. A step up without more calls means longer answers or a dearer model.",
          "currencyUSD", (dollars_per_minute(REAL),), stacked=True),
    Panel(6, "Dollars per minute, simulated", "What simulated calls would cost at the catalogue's prices.",
          "currencyUSD", (dollars_per_minute(SIMULATED),), stacked=True),
    Panel(7, "Cost per call", "Median and p95 of priced calls, real and simulated apart. A dot opens the trace of one such call.",
          "currencyUSD",
          quantiles("bookstore_gen_ai_operation_cost_usd", BY_MODEL, "simulated", "simulated {{simulated}}", (50, 95)),
          thresholds=DEAR_CALL),
    Panel(8, "Cost by part, real", "Dollars per minute for input, cached input and output. Output is usually the dearest part per token.",
          "currencyUSD",
          (Query(f"sum by (cost_part) ({rate('bookstore_gen_ai_cost_pico_usd_total', f'{REAL},{BY_TENANT}')}) * 60 / {PICO}", "{{cost_part}}"),),
          stacked=True),
    Panel(9, "Cost by part, simulated", "The same for simulated calls.",
          "currencyUSD",
          (Query(f"sum by (cost_part) ({rate('bookstore_gen_ai_cost_pico_usd_total', f'{SIMULATED},{BY_TENANT}')}) * 60 / {PICO}", "{{cost_part}}"),),
          stacked=True),
    Panel(10, "Tokens by kind", "Tokens per second. Input includes cached tokens and output includes reasoning, so the kinds do not add up.",
          "short",
          (Query(f"sum by (token_kind, simulated) ({rate('bookstore_gen_ai_tokens_total', BY_MODEL)})",
                 "{{token_kind}}, simulated {{simulated}}"),)),
))

LATENCY = Row(101, "Latency of a call", (
    Panel(11, "Duration", "Time of one attempt at the provider, failed ones included. A dot opens the trace of one such call.",
          "s", quantiles("gen_ai_client_operation_duration_seconds", BY_MODEL, PROVIDER, f"{{{{{PROVIDER}}}}}", (50, 95, 99)),
          thresholds=SLOW_CALL),
    Panel(12, "Time to first token", "From sending the request to the first chunk; streamed calls only.",
          "s", quantiles("gen_ai_client_operation_time_to_first_chunk_seconds", BY_MODEL, PROVIDER, f"{{{{{PROVIDER}}}}}", (50, 95)),
          thresholds=SLOW_FIRST_TOKEN),
    Panel(13, "Time per chunk", "Time between two chunks of a streamed answer: how smoothly it comes.",
          "s", quantiles("gen_ai_client_operation_time_per_output_chunk_seconds", BY_MODEL, PROVIDER, f"{{{{{PROVIDER}}}}}", (50, 95))),
    Panel(14, "Queue", "Time that calls waited for a place at their provider. It grows when the concurrency bound is reached.",
          "s", quantiles("bookstore_gen_ai_queue_duration_seconds", BY_PROVIDER, PROVIDER, f"{{{{{PROVIDER}}}}}", (50, 95)),
          thresholds=((0.1, "yellow"), (1, "red"))),
    Panel(15, "Backoff", "Time waited before retries; empty while nothing is retried.",
          "s", quantiles("bookstore_gen_ai_backoff_duration_seconds", BY_PROVIDER, PROVIDER, f"{{{{{PROVIDER}}}}}", (50, 95))),
    Panel(16, "Own overhead", "Time of a call that was neither at the provider nor waiting: prompt, pricing, ledger, telemetry.",
          "s", quantiles("bookstore_gen_ai_overhead_duration_seconds", BY_PROVIDER, PROVIDER, f"{{{{{PROVIDER}}}}}", (50, 99)),
          thresholds=((0.0005, "yellow"), (0.005, "red"))),
))

CALLS = Row(102, "Calls and failures", (
    Panel(17, "Calls by provider and outcome", "Attempts per second.",
          "reqps",
          (Query(f"sum by ({PROVIDER}, outcome) ({rate('bookstore_gen_ai_attempts_total', BY_MODEL)})", f"{{{{{PROVIDER}}}}} {{{{outcome}}}}"),)),
    Panel(18, "Retries by reason", "Attempts per second that are not the first one of their call.",
          "reqps",
          (Query(f"sum by ({PROVIDER}, retry_reason) ({rate('bookstore_gen_ai_attempts_total', RETRIED)})",
                 f"{{{{{PROVIDER}}}}} {{{{retry_reason}}}}"),)),
    Panel(19, "Failures by type", "Attempts per second that failed, by the class of the failure.",
          "reqps",
          (Query(f"sum by ({PROVIDER}, error_type) ({rate('gen_ai_client_operation_duration_seconds_count', FAILED)})",
                 f"{{{{{PROVIDER}}}}} {{{{error_type}}}}"),)),
    Panel(20, "In flight", "Attempts under way.",
          "short",
          (Query(f"sum by ({PROVIDER}) (bookstore_gen_ai_in_flight{{{BY_PROVIDER}}})", f"{{{{{PROVIDER}}}}}"),)),
    Panel(21, "Look-ups of summaries", "Look-ups per second by cache level and outcome. A miss of the store is a call to the model.",
          "reqps",
          (Query(f"sum by (cache_level, outcome) ({rate('bookstore_cache_requests_total', SUMMARIES)})",
                 "{{cache_level}} {{outcome}}"),)),
    Panel(22, "Summaries written", "New summaries per minute that were stored on their book.",
          "short",
          (Query(f"sum by ({PROVIDER}) ({rate('bookstore_summaries_generated_total', BY_PROVIDER)}) * 60", f"{{{{{PROVIDER}}}}}"),)),
))

ROUTE = Row(103, "What users see", (
    Panel(23, "Latency of AI routes", "Time of a whole request, cached answers and retries included. A dot opens the trace of one such request.",
          "s", quantiles("http_server_request_duration_seconds", AI_ROUTES, "http_route", "{{http_route}}", (50, 95, 99)),
          width=12, thresholds=((5, "yellow"), (10, "red"))),
    Panel(24, "Errors of AI routes", "Share of requests that the server failed (status 5xx), by route.",
          "percentunit",
          (Query(error_share("http_server_request_duration_seconds_count", AI_ERRORS, AI_ROUTES, "http_route"), "{{http_route}}"),),
          width=12, thresholds=MANY_ERRORS),
))

DASHBOARD = Dashboard(
    uid="llm-cost-and-latency",
    title="LLM cost and latency",
    description="What model calls cost, real and simulated apart, and where their time goes.",
    variables=(
        Variable("provider", "Provider", f"label_values(bookstore_gen_ai_attempts_total, {PROVIDER})"),
        Variable("model", "Model", f"label_values(bookstore_gen_ai_attempts_total{{{BY_PROVIDER}}}, {MODEL})"),
        Variable("tenant", "Tenant", "label_values(bookstore_gen_ai_cost_pico_usd_total, tenant)"),
    ),
    rows=(MONEY, LATENCY, CALLS, ROUTE),
    tags=("bookstore", "llm"),
)
