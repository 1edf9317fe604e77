//! Model calls: the conventions' metrics and ours beside them.
//!
//! The `gen_ai.client.*` names are those of OpenTelemetry's GenAI conventions before
//! `gen_ai.client.inference.*`; see [`crate::gen_ai`] for their source and date.

use super::metrics_family;
use crate::buckets::{CALL_COST, MODEL_DURATION, OVERHEAD, TOKENS};

metrics_family! {
    family GEN_AI_FAMILY;

    GEN_AI_CLIENT_OPERATION_DURATION = Histogram "gen_ai.client.operation.duration" as "gen_ai_client_operation_duration_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "error.type"], MODEL_DURATION,
        "Time of one attempt of a model call.";
    GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK = Histogram "gen_ai.client.operation.time_to_first_chunk" as "gen_ai_client_operation_time_to_first_chunk_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"], MODEL_DURATION,
        "Time to the first chunk of a streamed answer.";
    GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK = Histogram "gen_ai.client.operation.time_per_output_chunk" as "gen_ai_client_operation_time_per_output_chunk_seconds",
        "s", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"], MODEL_DURATION,
        "Time between chunks of a streamed answer.";
    GEN_AI_CLIENT_TOKEN_USAGE = Histogram "gen_ai.client.token.usage" as "gen_ai_client_token_usage",
        "{token}", ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "gen_ai.token.type"], TOKENS,
        "Tokens of one attempt, input (cached ones included) and output.";
    GEN_AI_TOKENS = Counter "bookstore.gen_ai.tokens" as "bookstore_gen_ai_tokens_total",
        "{token}", ["gen_ai.provider.name", "gen_ai.request.model", "token.kind", "simulated"], &[],
        "Tokens by kind (input, cache_read, cache_write, output, reasoning); input includes cached ones, output includes reasoning.";
    GEN_AI_COST = Counter "bookstore.gen_ai.cost" as "bookstore_gen_ai_cost_pico_usd_total",
        "pUSD", ["gen_ai.provider.name", "gen_ai.request.model", "cost.part", "tenant", "feature", "simulated"], &[],
        "Cost of model calls in units of 1e-12 USD, by part (input, cache_read, cache_write, output).";
    GEN_AI_OPERATION_COST = Histogram "bookstore.gen_ai.operation.cost" as "bookstore_gen_ai_operation_cost_usd",
        "USD", ["gen_ai.provider.name", "gen_ai.request.model", "simulated"], CALL_COST,
        "Dollars of one priced attempt.";
    GEN_AI_SPEND = Counter "bookstore.gen_ai.spend" as "bookstore_gen_ai_spend_pico_usd_total",
        "pUSD", ["gen_ai.provider.name", "simulated"], &[],
        "The sum of bookstore_gen_ai_cost, from the start on, so that a rate has the first call of a new tenant or model, too.";
    GEN_AI_REQUEST_COST = Histogram "bookstore.gen_ai.request.cost" as "bookstore_gen_ai_request_cost_usd",
        "USD", ["gen_ai.provider.name", "simulated"], CALL_COST,
        "Dollars of one request with all of its priced attempts, under the provider that was paid last.";
    GEN_AI_UNPRICED_CALLS = Counter "bookstore.gen_ai.unpriced_calls" as "bookstore_gen_ai_unpriced_calls_total",
        "{call}", ["gen_ai.provider.name", "gen_ai.request.model"], &[],
        "Attempts whose model has no price in the catalogue.";
    GEN_AI_SAVED_COST = Counter "bookstore.gen_ai.saved_cost" as "bookstore_gen_ai_saved_cost_pico_usd_total",
        "pUSD", ["reason", "simulated"], &[],
        "Cost that a cached or shared answer saved, in units of 1e-12 USD.";
    GEN_AI_ATTEMPTS = Counter "bookstore.gen_ai.attempts" as "bookstore_gen_ai_attempts_total",
        "{attempt}", ["gen_ai.provider.name", "gen_ai.request.model", "outcome", "retry.reason"], &[],
        "Attempts by outcome; retry.reason is empty on a first attempt.";
    GEN_AI_QUEUE_DURATION = Histogram "bookstore.gen_ai.queue.duration" as "bookstore_gen_ai_queue_duration_seconds",
        "s", ["gen_ai.provider.name"], OVERHEAD,
        "Time that a call waited for a place at its provider.";
    GEN_AI_OVERHEAD_DURATION = Histogram "bookstore.gen_ai.overhead.duration" as "bookstore_gen_ai_overhead_duration_seconds",
        "s", ["gen_ai.provider.name"], OVERHEAD,
        "Time of a call that was spent neither at the provider nor waiting.";
    GEN_AI_STREAM_CALLERS = Gauge "bookstore.gen_ai.stream.callers" as "bookstore_gen_ai_stream_callers",
        "{caller}", [], &[],
        "Callers that follow a model's answer; several may follow the same one.";
    GEN_AI_BACKOFF_DURATION = Histogram "bookstore.gen_ai.backoff.duration" as "bookstore_gen_ai_backoff_duration_seconds",
        "s", ["gen_ai.provider.name"], MODEL_DURATION,
        "Time waited before a retry.";
    GEN_AI_IN_FLIGHT = Gauge "bookstore.gen_ai.in_flight" as "bookstore_gen_ai_in_flight",
        "{call}", ["gen_ai.provider.name"], &[],
        "Attempts under way.";
    GEN_AI_CIRCUIT_STATE = Gauge "bookstore.gen_ai.circuit.state" as "bookstore_gen_ai_circuit_state",
        "1", ["gen_ai.provider.name"], &[],
        "State of the provider's worst circuit: 0 closed, 1 half open, 2 open.";
    GEN_AI_REFUSALS = Counter "bookstore.gen_ai.refusals" as "bookstore_gen_ai_refusals_total",
        "{attempt}", ["gen_ai.provider.name", "reason"], &[],
        "Attempts that this process did not make: circuit_open, overloaded, retry_budget.";
    GEN_AI_FALLBACKS = Counter "bookstore.gen_ai.fallbacks" as "bookstore_gen_ai_fallbacks_total",
        "{call}", ["gen_ai.provider.name", "fallback.from", "error.type"], &[],
        "Calls handed to a provider because the ones before it failed; fallback.from failed last.";
    PRICE_CATALOGUE_INFO = Gauge "bookstore.price_catalogue.info" as "bookstore_price_catalogue_info",
        "1", ["version", "checked_on"], &[],
        "1 for the price catalogue in use, 0 for those before it.";
}
