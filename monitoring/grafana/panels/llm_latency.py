"""The dashboard "LLM latency and reliability": where the time of a model call goes, and what fails."""

from .builder import Dashboard, Panel, Query, Row
from .queries import (
    BY_MODEL, BY_PROVIDER, CALL, FIRST, HTTP, MANY_ERRORS, MODEL, MODEL_VARIABLES, PROVIDER, SLOW_CALL, SLOW_FIRST_TOKEN, SOME,
    dots, mean, per_second, quantile, quantiles, rate, series, share_of, within,
)

SLOW_CHUNK = ((0.08, "yellow"), (0.32, "red"))
NAMED = f"{{{{{PROVIDER}}}}}"
AI_ROUTES = 'job="bookstore-api",route_class="ai"'
COST_LINK = ("llm-cost-and-tokens",)

LATENCY = Row(100, "Latency of a call", (
    Panel(1, "Duration", "Time of one attempt at the provider, failed ones included.", "s",
          quantiles(CALL, BY_MODEL, PROVIDER, NAMED, (50, 95, 99)), thresholds=SLOW_CALL, links=COST_LINK),
    Panel(2, "Time to first token", "From sending the request to the first chunk; streamed calls only.", "s",
          quantiles(FIRST, BY_MODEL, PROVIDER, NAMED, (50, 95)), thresholds=SLOW_FIRST_TOKEN, links=COST_LINK),
    Panel(3, "Time per chunk", "Time between two chunks of a streamed answer: how smoothly it comes.", "s",
          quantiles("gen_ai_client_operation_time_per_output_chunk_seconds", BY_MODEL, PROVIDER, NAMED, (50, 95)), links=COST_LINK, thresholds=SLOW_CHUNK),
    Panel(4, "Where the time goes", "Mean seconds of an attempt by what it does: waiting for a place, at the provider, our own work. A call has as many of them as it has attempts, and the waits between.", "s",
          (Query(f"sum({rate('bookstore_gen_ai_queue_duration_seconds_sum', BY_PROVIDER)}) / sum({rate('bookstore_gen_ai_queue_duration_seconds_count', BY_PROVIDER)})", "queue"),
           Query(f"sum({rate(CALL + '_sum', BY_MODEL)}) / sum({rate(CALL + '_count', BY_MODEL)})", "provider"),
           Query(f"sum({rate('bookstore_gen_ai_overhead_duration_seconds_sum', BY_PROVIDER)}) / sum({rate('bookstore_gen_ai_overhead_duration_seconds_count', BY_PROVIDER)})", "own work"),
           dots(CALL, BY_MODEL)),
          stacked=True),
    Panel(5, "Queue", "Time that calls waited for a place at their provider. It grows when the concurrency bound is reached.", "s",
          quantiles("bookstore_gen_ai_queue_duration_seconds", BY_PROVIDER, PROVIDER, NAMED, (50, 95)),
          thresholds=((0.1, "yellow"), (1, "red"))),
    Panel(6, "Backoff", "Time waited before retries.", "s",
          quantiles("bookstore_gen_ai_backoff_duration_seconds", BY_PROVIDER, PROVIDER, NAMED, (50, 95))),
    Panel(7, "Own overhead", "Time of a call that was neither at the provider nor waiting: prompt, pricing, ledger, telemetry.", "s",
          quantiles("bookstore_gen_ai_overhead_duration_seconds", BY_PROVIDER, PROVIDER, NAMED, (50, 99)),
          thresholds=((0.0005, "yellow"), (0.005, "red"))),
    series(8, "First token within 1.28 s", "Share of streamed answers that meet the objective; 95 % must.", "percentunit",
           within(FIRST, BY_MODEL, "1.28", PROVIDER), NAMED, links=("slo-and-budgets",), thresholds=((0.95, "green"),), base="red"),
    series(9, "Tokens per second of a call", "Output of the models, for each second that a call of theirs is under way.", "short",
           "sum by ({0}) ({1}) / (sum by ({0}) ({2}) > 0)".format(
               MODEL, rate("bookstore_gen_ai_tokens_total", BY_MODEL + ',token_kind="output"'), rate(CALL + "_sum", BY_MODEL)), f"{{{{{MODEL}}}}}"),
))

CALLS = Row(101, "Calls and failures", (
    series(10, "Calls by provider and outcome", "Attempts per second.", "reqps",
           per_second("bookstore_gen_ai_attempts_total", BY_MODEL, f"{PROVIDER}, outcome"), NAMED + " {{outcome}}"),
    series(11, "Retries by reason", "Attempts per second that are not the first one of their call.", "reqps",
           per_second("bookstore_gen_ai_attempts_total", BY_MODEL + ',retry_reason!=""', f"{PROVIDER}, retry_reason"),
           NAMED + " {{retry_reason}}"),
    series(12, "Failures by type", "Attempts per second that failed, by the class of the failure.", "reqps",
           per_second(CALL + "_count", BY_MODEL + ',error_type!=""', f"{PROVIDER}, error_type"), NAMED + " {{error_type}}",
           links=("errors-and-diagnostics",), thresholds=SOME),
    series(13, "Share of failed attempts", "Of all attempts; 1 % may fail.", "percentunit",
           share_of(rate(CALL + "_count", BY_MODEL + ',error_type!=""'), rate(CALL + "_count", BY_MODEL), PROVIDER), NAMED,
           thresholds=MANY_ERRORS, links=("slo-and-budgets",)),
    series(14, "Circuits", "The worst circuit of each provider: 0 closed, 1 half open, 2 open.", "short",
           f"max by ({PROVIDER}) (bookstore_gen_ai_circuit_state{{{BY_PROVIDER}}})", NAMED, thresholds=((1, "yellow"), (2, "red"))),
    series(15, "Refusals by reason", "Attempts per second that were not made: an open circuit, no place in the queue, no budget for retries.", "reqps",
           per_second("bookstore_gen_ai_refusals_total", BY_PROVIDER, f"{PROVIDER}, reason"), NAMED + " {{reason}}", thresholds=SOME),
    series(16, "Fallbacks", "Calls per second that another provider answered because the one before it failed.", "reqps",
           per_second("bookstore_gen_ai_fallbacks_total", BY_PROVIDER, f"fallback_from, {PROVIDER}, error_type"),
           "{{fallback_from}} → " + NAMED + " {{error_type}}", thresholds=SOME),
    series(17, "In flight", "Attempts under way.", "short", f"sum by ({PROVIDER}) (bookstore_gen_ai_in_flight{{{BY_PROVIDER}}})", NAMED,
           zero="calls end between two scrapes"),
    series(18, "Callers that follow an answer", "Several may follow one call, which is paid once.", "short",
           "sum(bookstore_gen_ai_stream_callers)", "callers", zero="answers end between two scrapes"),
))

BOTH_SIDES = Row(102, "What users see, and what the simulator says", (
    Panel(19, "Latency of AI routes", "Time of a whole request, cached answers and retries included.", "s",
          quantiles(HTTP, AI_ROUTES, "http_route", "{{http_route}}", (50, 95, 99)), thresholds=((5, "yellow"), (10, "red")), links=COST_LINK),
    series(20, "Mean of an attempt by model", "All attempts, failed ones included.", "s", mean(CALL, BY_MODEL, MODEL), f"{{{{{MODEL}}}}}", thresholds=SLOW_CALL, beside=(dots(CALL, BY_MODEL),)),
    Panel(21, "Duration, seen by the simulator", "The same calls from the server's side: what is missing to the client's figure was lost on the way.", "s",
          (quantile(95, "gen_ai_server_request_duration_seconds", "", PROVIDER, f"p95 {NAMED}"),), thresholds=SLOW_CALL),
    Panel(22, "First token, seen by the simulator", "p95 of whole answers.", "s",
          (quantile(95, "gen_ai_server_time_to_first_token_seconds", "", PROVIDER, f"p95 {NAMED}"),), thresholds=SLOW_FIRST_TOKEN),
    Panel(23, "Time per token, seen by the simulator", "p95 of the mean gap between the tokens of an answer.", "s",
          (quantile(95, "gen_ai_server_time_per_output_token_seconds", "", PROVIDER, f"p95 {NAMED}"),), thresholds=SLOW_CHUNK),
))

DASHBOARD = Dashboard(
    uid="llm-latency-and-reliability",
    title="LLM latency and reliability",
    description="Where the time of a model call goes, what fails, and what stands in for it.",
    variables=MODEL_VARIABLES,
    rows=(LATENCY, CALLS, BOTH_SIDES),
    tags=("bookstore", "llm"),
)
