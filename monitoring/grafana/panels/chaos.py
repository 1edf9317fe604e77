"""The dashboard "Chaos": faults that were planted, and what the service made of them."""

from .builder import Dashboard, Panel, Row
from .queries import ANY, BY_PROVIDER, CALL, FAILED, HTTP, MANY_ERRORS, PROVIDER, PROVIDER_VARIABLE, SLOW_CALL, SOME, STAYED, STORE, per_second, quantile, rate, series, share_of, stat

SUMMARIES = 'job="bookstore-api",route_class="ai"'
NAMED = f"{{{{{PROVIDER}}}}}"

PLANTED = Row(100, "Planted", (
    series(1, "Faults of the simulator", "Calls and connections per second that a fault rule hit, by fault.", "ops",
           per_second("simulator_faults_total", BY_PROVIDER, "fault"), "{{fault}}"),
    series(2, "Faults by provider", "The same, by whose protocol was spoken.", "ops", per_second("simulator_faults_total", BY_PROVIDER, PROVIDER), NAMED),
    stat(3, "Targets that came and went", "Changes of each target between up and down in the range shown.", "short",
         "changes(up[$__range])", "{{job}}", width=8, thresholds=((1, "yellow"), (4, "red")), zero="no target goes down"),
))

FELT = Row(101, "Felt", (
    series(4, "Attempts that are retries", "Share of the attempts at each provider that are not the first of their call.", "percentunit",
           share_of(rate("bookstore_gen_ai_attempts_total", f'{BY_PROVIDER},retry_reason!=""'), rate("bookstore_gen_ai_attempts_total", BY_PROVIDER), PROVIDER), NAMED, thresholds=((0.1, "yellow"), (0.5, "red"))),
    series(5, "Calls that another provider answered", "Per second, by who failed.", "reqps",
           per_second("bookstore_gen_ai_fallbacks_total", 'fallback_from=~"$provider"', "fallback_from"), "{{fallback_from}} failed", thresholds=SOME),
    series(6, "Open circuits", "Providers whose worst circuit is open or half open.", "short",
           f"count(bookstore_gen_ai_circuit_state{{{BY_PROVIDER}}} > 0) or vector(0)", "circuits", thresholds=((1, "red"),)),
    series(7, "Redis is passed by", "Look-ups per second that did not ask the second level because it is away.", "ops",
           per_second("bookstore_cache_requests_total", 'cache_level="l2",outcome="bypass"', "cache_name"), "{{cache_name}}", thresholds=SOME),
    Panel(8, "Failed attempts, how long", "p95 of the attempts that failed: a timeout costs its whole time.", "s",
          (quantile(95, CALL, f'{BY_PROVIDER},error_type!=""', "error_type", "{{error_type}}"),), links=("llm-latency-and-reliability",), thresholds=SLOW_CALL),
    series(9, "Stores that hang", "Failed calls per second by collection or command.", "ops",
           per_second(f"{STORE}_count", 'error_type!=""', "db_operation_name"), "{{db_operation_name}}", thresholds=ANY),
    series(10, "What users notice", "Share of the summaries asked for that failed, all routes of the API together.", "percentunit",
           share_of(rate(f"{HTTP}_count", f'{SUMMARIES},{FAILED}'), rate(f"{HTTP}_count", f'{SUMMARIES},{STAYED}'), "job"), "failed", thresholds=MANY_ERRORS),
    series(11, "What the simulator charges", "Dollars per minute on its own list, to hold against ours.", "currencyUSD",
           "{} * 60 / 1e12".format(per_second("simulator_invoice_pico_usd_total", BY_PROVIDER, PROVIDER)), NAMED, links=("llm-cost-and-tokens",), dotted=True),
    series(12, "Calls that the simulator cannot price", "Per second; the model is on no list of it.", "ops",
           per_second("simulator_unpriced_calls_total", "", "gen_ai_request_model"), "{{gen_ai_request_model}}", thresholds=SOME),
))

DASHBOARD = Dashboard(
    uid="chaos",
    title="Chaos",
    description="Faults that were planted, and what the service made of them.",
    variables=(PROVIDER_VARIABLE,),
    rows=(PLANTED, FELT),
)
